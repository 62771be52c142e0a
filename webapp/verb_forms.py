"""The forms of what may come at any time: one table, a row a verb, drawn by one template and taken by one route.

A form stands on the item's page where `ledger.rules.verbs` allows its verb. Its fields are the keyword arguments of its
command.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from flask import request
from sqlalchemy import Connection, select

from engine import commands
from engine.reporting import SOURCES
from engine.splitting import lower_units
from engine.steps import MOST as MOST_STEPS
from engine.steps import StepDraft
from engine.urging import colleagues, informed
from ledger.calendar import last_day
from ledger.errors import Invalid
from ledger.queries.directory import is_meant
from ledger.queries.items import ItemView, Stand
from ledger.queries.standing import Gauge, Part
from ledger.queries.words import ROLE_WORDS, SHARE_WORDS
from ledger.rules.figures import FigureError, parse_number
from ledger.rules.texts import full_day, number_words
from ledger.rules.verbs import Verb
from ledger.schema import unit
from webapp import forms, uploads
from webapp.guard import whole


@dataclass(frozen=True)
class Known:
    """What the fields of a form on a share may name: its indicators with their units of measure, and whom its unit may
    hand it down to (key -> names)."""

    measures: Mapping[int, str] = field(default_factory=dict)
    lower: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def unit_named(self, typed: str) -> str:
        """The key of the lower unit that was meant; what was typed, where that is nobody or could be several."""
        exact = [key for key, names in self.lower.items() if typed in names]
        found = exact or [key for key, names in self.lower.items() if typed and any(is_meant(n, typed) for n in names)]
        return found[0] if len(found) == 1 else typed


MOST_ROWS = 60


def _parts(known: Known) -> list[commands.Part]:
    """The rows of 分解下达, empty ones in their places. Raises: Invalid."""
    rows, wrong = [], {}
    last = max((n for n in range(1, MOST_ROWS + 1) if f"unit-{n}" in request.form), default=0)
    for n in range(1, last + 1):
        quota = until = None
        words, day = forms.text(f"quota-{n}"), forms.text(f"until-{n}")
        try:
            quota = parse_number(words, unit=next(iter(known.measures.values()), "")) if words else None
        except FigureError as error:
            wrong[f"quota-{n}"] = str(error)
        try:
            until = date.fromisoformat(day) if day else None
        except ValueError:
            wrong[f"until-{n}"] = "请填写日期，如 2025-06-20。"
        rows.append(commands.Part(known.unit_named(forms.text(f"unit-{n}")), quota, until))
    if wrong:
        raise Invalid(wrong)
    return rows


def _quotas(known: Known) -> dict[int, Decimal | None]:
    """The number typed for each share, by its id. Raises: Invalid."""
    typed: dict[int, Decimal | None] = {}
    wrong = {}
    for name in [n for n in request.form if n.startswith("quota-")]:
        share, words = whole(name.removeprefix("quota-")), forms.text(name)
        try:
            typed[share] = parse_number(words, unit=next(iter(known.measures.values()), "")) if words else None
        except FigureError as error:
            wrong[name] = str(error)
    if wrong:
        raise Invalid(wrong)
    return typed


_OF_ROWS: Mapping[str, Callable[[Known], Any]] = {"parts": _parts, "quotas": _quotas}


@dataclass(frozen=True)
class Field:
    """`kind`: area, line, words (of several lines, as long as a record holds them), number, date, figures (those of the
    item), quotas (a number for each share), parts (rows of lower units with quota and date), the steps of a plan,
    files, or a choice: of its own, of the directory's units, of posts to be informed, of colleagues, of steps to be
    done, of the item's indicators."""

    name: str
    label: str
    kind: Literal[
        "area",
        "line",
        "words",
        "number",
        "date",
        "figures",
        "quotas",
        "parts",
        "steps",
        "files",
        "choice",
        "unit",
        "informed",
        "colleague",
        "step",
        "indicator",
    ] = "area"
    hint: str = ""
    required: bool = True
    choices: Sequence[tuple[str, str]] = ()

    def value(self, known: Known, form: str) -> Any:
        """What was given in the form of this key; None for what is no date. Raises: Invalid, for what is no number."""
        typed = forms.text(self.name)
        if self.kind == "figures":
            return forms.figures(request.form, known.measures)
        if self.kind in _OF_ROWS:
            return _OF_ROWS[self.kind](known)
        if self.kind == "steps":
            return _steps()
        if self.kind == "files":
            return uploads.handed_in(form)
        if self.kind in ("colleague", "step", "indicator"):
            return whole(typed)
        if self.kind == "number":
            return self._number(typed, known)
        if self.kind != "date":
            return typed
        return _date(typed)

    def _number(self, typed: str, known: Known) -> Any:
        """None where nothing is typed. Raises: Invalid."""
        try:
            return parse_number(typed, unit=next(iter(known.measures.values()), "")) if typed else None
        except FigureError as error:
            raise Invalid({self.name: str(error)}) from None


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

    def values(self, known: Known, form: str) -> dict[str, Any]:
        """The arguments of the command; `form`: its key. Raises: Invalid."""
        given = {f.name: f.value(known, form) for f in self.fields}
        asks = any(f.kind in ("figures", "step") for f in self.fields)  # and asks again what looks wrong
        return given | ({"confirmed": request.form.get("confirmed") == "1"} if asks else {})


def _date(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None


def _steps() -> list[StepDraft]:
    """The steps that were typed, a row each; empty rows are left out. Raises: Invalid."""
    found, wrong = [], {}
    for k in range(1, MOST_STEPS + 1):
        part, share = forms.text(f"part-{k}"), None
        try:
            share = parse_number(part.rstrip("%％"), unit="%") if part else None
        except FigureError:
            wrong[f"part-{k}"] = "占目标的百分比请填数字，如 40；不考核数字的留空。"
        until = _date(forms.text(f"until-{k}"))
        found.append(StepDraft(forms.text(f"step-{k}"), until, forms.text(f"who-{k}"), share))
    if wrong:
        raise Invalid(wrong)
    return [s for s in found if not s.is_empty]


_FIGURES = Field("figures", "数字", "figures")
_GROUND = Field("ground", "理由和依据", hint="写明依据的会议、文件或情况，有关单位在办理记录里看到")
_GAP = Field("gap", "份额合计与目标值不一致的原因", hint="一致的不用填", required=False)

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
            "已提出异议，等待处理；决定以前请继续办理。",
        ),
        VerbForm(
            Verb.SPLIT,
            commands.split,
            (
                Field("parts", "下达给哪些单位", "parts"),
                Field("gap", "分解数与任务数不一致的原因", hint="一致的不用填；不再分解的，只填这一项", required=False),
                Field("note", "工作要求", hint="选填，下级单位在办理记录里看到", required=False),
            ),
            "把本单位承担的部分分解给下级单位，由本单位审核、汇总，对上只报一次。下级单位的时限不能晚于本单位的时限。",
            "通知各下级单位签收",
            "已办理。下达给下级单位的，在其待办里可以看到。",
        ),
        VerbForm(
            Verb.STEP_DONE,
            commands.step_done,
            (
                Field("step", "哪个节点", "step"),
                Field("words", "完成情况", hint="做了什么、结果如何"),
                Field("files", "附件", "files", required=False),
            ),
            "按节点计划完成一个节点就报一次。节点带有数字要求的，请先填报数字。",
            "报后即按下一个节点计算",
            "已报节点完成。",
        ),
        VerbForm(
            Verb.PLAN_STEPS,
            commands.plan_steps,
            (
                Field("steps", "节点", "steps"),
                Field("ground", "调整理由", hint="已确认过的计划要调整的，必填", required=False),
            ),
            "把本单位承担的工作分解成有日期的节点，按先后填写。专班办确认后按节点提醒、亮灯；已完成的节点不变，不用再填。",
            "送专班办确认，3 个工作日内处理",
            "已报节点计划，等待确认；确认以前原计划照常执行。",
        ),
        VerbForm(
            Verb.CONFIRM,
            commands.confirm,
            (),
            "专班办根据电话、纸质材料或表格代本单位录入了进展，见办理记录。属实的请确认；数字有出入的，请用“更正”。",
            "一次确认全部代录内容",
            "已确认代录的内容。",
        ),
        VerbForm(
            Verb.CORRECT,
            commands.correct,
            (_FIGURES, Field("reason", "更正理由", hint="原数为什么不对")),
            "更正最近一次填报的数字。原来填报的数仍保留在办理记录里；已报送审核的，审核人会收到通知，按更正后的数审核。",
            "更正后即按新数计算",
            "已更正，原数仍保留。",
        ),
        VerbForm(
            Verb.CHECK,
            commands.check,
            (_FIGURES, Field("reason", "审核依据", hint="与填报数不一致的，写明依据")),
            "审核最近一次填报的数字。填报值仍保留，在单位再次填报前按审核值计算；已经核定的不能再填审核值。",
            "通知承办单位",
            "已记录审核值。",
        ),
        VerbForm(
            Verb.SETTLE,
            commands.settle,
            (_FIGURES, Field("reason", "核定依据", hint="现场核查、抽查等情况")),
            "核定最近一次填报的数字。填报值、审核值仍保留，在单位再次填报前按核定值计算；核定后单位不能更正，审核值不能再填。",
            "通知承办单位",
            "已记录核定值。",
        ),
        VerbForm(
            Verb.ENTER,
            commands.enter,
            (
                Field("source", "来源", "choice", choices=tuple(SOURCES.items())),
                Field("told_by", "提供人", hint="谁在什么时候提供的"),
                _FIGURES,
                Field("progress", "进展", hint="照来源如实录入", required=False),
            ),
            "根据电话、纸质材料或表格代单位录入进展，标明来源，请该单位确认。",
            "通知承办单位确认",
            "已代录，请承办单位确认。",
        ),
        VerbForm(
            Verb.HAND_ON,
            commands.hand_on,
            (Field("to", "转交给", "colleague"),),
            "转交给本单位另一位联络员经办，今后的邮件发给他；本单位其他联络员仍可代为办理。",
            "通知对方",
            "已在本单位内转交。",
        ),
        VerbForm(
            Verb.COPY,
            commands.copy,
            (Field("to", "抄送给", "informed"), Field("note", "附言", hint="选填", required=False)),
            "抄送只供了解情况，对方不需要办理。",
            "邮件随即发出",
            "已抄送。",
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
            "暂停期间不计时、不提醒、不催办，节点计划一并停计；在本方案里承担的任务全部暂停的单位，不再要求按期报送。"
            "恢复时，时限和节点按暂停的工作日顺延。",
            "通知承办单位",
            "已暂停计时。",
        ),
        VerbForm(
            Verb.RESUME,
            commands.resume,
            (Field("ground", "说明", hint="选填", required=False),),
            "恢复计时后，时限和没有完成的节点按暂停的工作日顺延，提醒重新安排。",
            "通知承办单位",
            "已恢复计时，时限已顺延。",
        ),
        VerbForm(
            Verb.AMEND_DUE,
            commands.amend_share_due,
            (Field("until", "调整为", "date", "可以提前，也可以延后"), _GROUND),
            "调整这家单位的时限。原时限和新时限都记入时限明细单，提醒重新安排；以前的逾期仍有记录。"
            "提前的，它的下级单位和节点计划在新时限以后的，随之提前。",
            "通知承办单位",
            "已调整时限，承办单位会收到通知。",
        ),
        VerbForm(
            Verb.AMEND_QUOTA,
            commands.amend_quota,
            (Field("quota", "调整后的份额", "number"), replace(_GAP, label="份额合计不一致的原因"), _GROUND),
            "调整这家单位承担的份额。已填报的数不变，完成情况、进度和灯按新的份额计算。",
            "通知承办单位",
            "已调整份额，承办单位会收到通知。",
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
            (
                _GROUND,
                replace(
                    _GAP, label="终止后分解数不一致的原因", hint="下级单位的分解数合计仍一致，或没有分解数的，不用填"
                ),
            ),
            "这家单位的责任终止，不再计入办结进度；已填报的内容仍保留。只等这一家的，任务随之办结。",
            "通知承办单位",
            "已终止这家单位的责任。",
            is_grave=True,
        ),
        VerbForm(
            Verb.REVOKE,
            commands.revoke,
            (Field("until", "整改期限", "date"), _GROUND),
            "撤销后，这家单位不再算办结。整项任务还没有办结的，退回这家单位重新办理；已经办结的，另立一项关联的整改任务交其办理。",
            "通知承办单位重办或整改",
            "已撤销办结，已交办单位重办或整改。",
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
            Verb.DATE,
            commands.date_item,
            (Field("until", "完成时限", "date"), _GROUND),
            "文件没有写明时限的任务，由专班办核定。核定后各单位都按这个日期计算和提醒。",
            "通知各承办单位",
            "已核定时限，各承办单位都会收到通知。",
        ),
        VerbForm(
            Verb.AMEND_DUE,
            commands.amend_due,
            (Field("until", "调整为", "date", "可以提前，也可以延后"), _GROUND),
            "调整整项任务的时限。按任务时限办理的单位随之调整，原时限和新时限都记入时限明细单，提醒重新安排；"
            "已报送的、已批准延期或单独调整过的单位不变。",
            "通知随之调整的各承办单位",
            "已调整任务时限，有关单位会收到通知。",
        ),
        VerbForm(
            Verb.AMEND_TEXT,
            commands.amend_text,
            (Field("title", "标题", "line"), Field("clause", "原文", "words", required=False), _GROUND),
            "标题、原文印错的，在这里更正，各页面和邮件从此显示更正后的文字。已发布的方案不变，原来的文字留在办理记录里。",
            "通知各承办单位",
            "已更正，各承办单位都会收到通知。",
        ),
        VerbForm(
            Verb.AMEND_TARGET,
            commands.amend_target,
            (
                Field("indicator", "指标", "indicator"),
                Field("target", "调整后的目标值", "number"),
                _GAP,
                _GROUND,
            ),
            "目标值印错或另有决定的，在这里调整。已填报的数不变，完成情况、进度和灯按新的目标值计算。",
            "通知各承办单位",
            "已调整目标值，各承办单位都会收到通知。",
        ),
        VerbForm(
            Verb.AMEND_QUOTA,
            commands.amend_quotas,
            (Field("quotas", "各单位的份额", "quotas"), _GAP, _GROUND),
            "各单位的份额在这里一并调整，没有改动的保持不变。已填报的数不变，完成情况、进度和灯按新的份额计算。",
            "通知份额有变化的承办单位",
            "已调整份额，有变化的承办单位会收到通知。",
        ),
        VerbForm(
            Verb.LAST,
            commands.last,
            (_GROUND,),
            "长期坚持的任务不亮红灯，落后的按黄灯提示；填报、报送照常。",
            "通知各承办单位；以后可以转回限时办理",
            "已转为长期坚持任务，各承办单位都会收到通知。",
        ),
        VerbForm(
            Verb.END_LAST,
            commands.end_last,
            (_GROUND,),
            "转回后按时限和进度亮灯。",
            "通知各承办单位；以后可以再转为长期坚持",
            "已转为限时办理任务，各承办单位都会收到通知。",
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


def _gauge_words(gauge: Gauge) -> str:
    return f"{gauge.name}（现为 {number_words(gauge.printed)} {gauge.measure}）"


def unit_choices(connection: Connection, jurisdiction: str) -> list[tuple[str, str]]:
    """The units of a jurisdiction, for a field of kind `unit`."""
    living = unit.c.jurisdiction == jurisdiction, unit.c.ended_at.is_(None), unit.c.begins_at.is_(None)
    rows = connection.execute(_units.where(*living).order_by(unit.c.ord))
    return [(r.key, r.short) for r in rows]


def successors(connection: Connection, stand: Stand) -> list[tuple[str, str]]:
    """The units to which a share may be moved: of the plan's jurisdiction, or below the unit that handed it down."""
    if stand.parent_unit is None:
        return unit_choices(connection, stand.jurisdiction)
    return [(r.key, r.short) for r in lower_units(connection, stand.parent_unit)]


def choices(
    connection: Connection, made: VerbForm, stand: Stand, view: ItemView, part: Part | None
) -> dict[str, Sequence[tuple[str, str]]]:
    """What can be chosen in the fields of a form on this share, by field."""
    found: dict[str, Sequence[tuple[str, str]]] = {}
    for f in made.fields:
        match f.kind:
            case "choice":
                found[f.name] = f.choices
            case "unit":
                found[f.name] = successors(connection, stand)
            case "parts":
                found[f.name] = [(r.key, r.short) for r in lower_units(connection, stand.unit)]
            case "step":
                in_force = view.plan_in_force(part) if part else None
                to_do = in_force.to_do if in_force else []
                found[f.name] = [(str(s.id), f"{s.n}. {s.words}（{full_day(last_day(s.due_at))}）") for s in to_do]
            case "indicator":
                found[f.name] = [(str(g.id), _gauge_words(g)) for g in view.standing.gauges]
            case "colleague":
                rows = connection.execute(colleagues, {"b_unit": stand.unit, "b_plan": stand.plan})
                found[f.name] = [(str(r.id), r.name) for r in rows]
            case "informed":
                places = informed(connection, stand)
                names = dict(map(tuple, connection.execute(_units.where(unit.c.key.in_([u for u, _ in places])))))
                found[f.name] = [(f"{u} {role}", f"{names[u]}{ROLE_WORDS[role]}") for u, role in places]
    return found
