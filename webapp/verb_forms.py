"""The forms of what may come at any time: one table, a row a verb, drawn by one template and taken by one route.

A form stands on the item's page where `ledger.rules.verbs` allows its verb. Its fields are the keyword arguments of its
command.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import Connection, select

from engine import commands
from ledger.queries.words import SHARE_WORDS
from ledger.rules.verbs import Verb
from ledger.schema import unit
from webapp import forms


@dataclass(frozen=True)
class Field:
    """`kind`: area, date, unit (a choice of the directory), or choice."""

    name: str
    label: str
    kind: Literal["area", "date", "unit", "choice"] = "area"
    hint: str = ""
    required: bool = True
    choices: Sequence[tuple[str, str]] = ()

    def value(self) -> Any:
        """What was given; None for what is no date."""
        typed = forms.text(self.name)
        if self.kind != "date":
            return typed
        try:
            return date.fromisoformat(typed)
        except ValueError:
            return None


@dataclass(frozen=True)
class VerbForm:
    """`intro` says what happens, `say` stands beside the button, `done` is said afterwards."""

    verb: Verb
    command: Callable[..., int]
    fields: Sequence[Field]
    intro: str
    say: str
    done: str
    is_grave: bool = False

    def values(self) -> dict[str, Any]:
        return {field.name: field.value() for field in self.fields}


_GROUND = Field("ground", "理由和依据", hint="写明依据的会议、文件或情况，有关单位在办理记录里看到")

OF_SHARE: Mapping[Verb, VerbForm] = {
    made.verb: made
    for made in (
        VerbForm(
            Verb.EXTEND,
            commands.extend,
            (
                Field("until", "延期至", "date"),
                Field("reason", "延期理由", hint="为什么不能按期完成，与审批人判断有关的情况"),
                Field("progress", "目前进展", hint="已完成什么、还差什么"),
            ),
            "时限届满前可以申请延期。批准以前原时限不变，工作继续进行；批准以后原时限和新时限都记入时限明细单。",
            "逐级送审批岗位，结果发到待办",
            "已提交延期申请，送审批岗位；批准以前原时限不变。",
        ),
        VerbForm(
            Verb.OBJECT,
            commands.dispute,
            (
                Field("facts", "事实和理由", hint="为什么不应由本单位承办"),
                Field("basis", "依据", hint="“三定”规定、文件条款等"),
                Field("to", "建议承办单位", "unit", "没有建议的，可以不选", required=False),
            ),
            "认为不属于本单位职责的，可以提出异议。决定作出以前，工作继续进行，时限照常计算。",
            "送专班办，3 个工作日内处理",
            "已提出异议，送专班办处理；决定以前请继续办理。",
        ),
        VerbForm(
            Verb.TAKE_BACK,
            commands.take_back,
            (),
            "撤回还没有被打开查看的办结申请，或者还没有审批完的延期申请、异议。撤回后由本单位继续办理。",
            "对方打开查看以后不能撤回",
            "已撤回。",
        ),
        VerbForm(
            Verb.SUSPEND,
            commands.suspend,
            (_GROUND,),
            "暂停期间不计时、不提醒、不催办。恢复时，时限按暂停的工作日顺延。",
            "通知承办单位",
            "已暂停计时。",
        ),
        VerbForm(
            Verb.RESUME,
            commands.resume,
            (Field("ground", "说明", hint="选填", required=False),),
            "恢复计时后，时限按暂停的工作日顺延，提醒重新安排。",
            "通知承办单位",
            "已恢复计时，时限已顺延。",
        ),
        VerbForm(
            Verb.REASSIGN,
            commands.reassign,
            (Field("to", "改由哪个单位承办", "unit"), _GROUND),
            "原单位的责任终止，新单位以同样的分工从签收开始办理。时限不变；时限已过的，给新单位补正天数办理。",
            "通知两家单位",
            "已调整责任单位，两家单位都会收到通知。",
            is_grave=True,
        ),
        VerbForm(
            Verb.TERMINATE,
            commands.terminate,
            (_GROUND,),
            "这家单位的责任终止，不再计入办结进度；已填报的内容仍保留。只等这一家的，任务随之办结。",
            "通知承办单位",
            "已终止这家单位的责任。",
            is_grave=True,
        ),
        VerbForm(
            Verb.REVOKE,
            commands.revoke,
            (Field("until", "整改期限", "date"), _GROUND),
            "撤销后，这家单位不再算办结，另立一项与原任务关联的整改任务交其办理。",
            "立整改任务并通知承办单位",
            "已撤销办结，整改任务已交办。",
            is_grave=True,
        ),
    )
}
OF_ITEM: Mapping[Verb, VerbForm] = {
    made.verb: made
    for made in (
        VerbForm(
            Verb.ADD,
            commands.add_unit,
            (
                Field("to", "增加哪个单位", "unit"),
                Field("role", "分工", "choice", choices=tuple(SHARE_WORDS.items())),
                _GROUND,
            ),
            "新单位从签收开始办理，计入办结进度；时限与本任务相同，已过的给补正天数。",
            "交办通知随即发出",
            "已增加单位，交办通知随即发出。",
        ),
        VerbForm(
            Verb.TERMINATE,
            commands.terminate_item,
            (_GROUND,),
            "整项任务终止：没有办结的单位都不再办理，不再提醒；已填报的内容仍保留，后续任务照常启动。",
            "通知各承办单位",
            "已终止整项任务。",
            is_grave=True,
        ),
    )
}

_units = select(unit.c.key, unit.c.short)


def unit_choices(connection: Connection, jurisdiction: str) -> list[tuple[str, str]]:
    """The units of a jurisdiction, for a field of kind `unit`."""
    rows = connection.execute(_units.where(unit.c.jurisdiction == jurisdiction).order_by(unit.c.ord))
    return [(r.key, r.short) for r in rows]
