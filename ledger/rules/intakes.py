"""Cases (来件): what is registered, proposed and decided before an item is handed out, and reported when it is closed.

A kind of case is data: a lifecycle diagram (`bpmn/intakes/`) says which step follows which and who stands there, an
entry of `KINDS` what its form asks. The table below says who may do what at a step.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum, StrEnum
from typing import Literal

ELEMENT = "intake~"  # how the element of an item begins that no diagram draws but an intake opened
READING = "read"  # the lifecycle of a share that is only to be read (阅知)
MOST_TITLE = 100  # characters


class State(StrEnum):
    """Where a case stands."""

    PROPOSING = "proposing"
    DECIDING = "deciding"
    CARRYING = "carrying"
    PRESENTING = "presenting"
    PRESENTED = "presented"
    READ = "read"
    SHELVED = "shelved"

    @property
    def label(self) -> str:
        """What people read."""
        return _STATE_LABELS[self]


class Verb(StrEnum):
    """What is done at a step of a case; CARRY is the units' own work on its item."""

    PROPOSE = "propose"
    DECIDE = "decide"
    CARRY = "carry"
    PRESENT = "present"

    @property
    def label(self) -> str:
        """What people read."""
        return _VERB_LABELS[self]


class Outcome(StrEnum):
    """What is decided on a case; RETURN asks for another proposal."""

    FILE = "file"
    READ = "read"
    SHELVE = "shelve"
    RETURN = "return"

    @property
    def label(self) -> str:
        """What people read."""
        return _OUTCOME_LABELS[self]


class Capacity(Enum):
    """What a post is to a case."""

    HOLDER = "the post at which its step stands"
    OFFICE = "a coordinator of its office, who may record what a leader has decided"


_STATE_LABELS = {
    State.PROPOSING: "待拟办",
    State.DECIDING: "待审定",
    State.CARRYING: "承办中",
    State.PRESENTING: "待呈报",
    State.PRESENTED: "已呈报",
    State.READ: "已阅知",
    State.SHELVED: "已存档",
}
_VERB_LABELS = {Verb.PROPOSE: "拟办", Verb.DECIDE: "审定", Verb.CARRY: "承办", Verb.PRESENT: "呈报"}
_OUTCOME_LABELS = {
    Outcome.FILE: "立项",
    Outcome.READ: "阅知",
    Outcome.SHELVE: "存档",
    Outcome.RETURN: "退回重拟",
}
STATE_AT = {
    Verb.PROPOSE: State.PROPOSING,
    Verb.DECIDE: State.DECIDING,
    Verb.CARRY: State.CARRYING,
    Verb.PRESENT: State.PRESENTING,
}
ENDED_BY = {Outcome.FILE: State.PRESENTED, Outcome.READ: State.READ, Outcome.SHELVE: State.SHELVED}
OPEN = tuple(STATE_AT.values())
DAYS = {Verb.PROPOSE: 2, Verb.DECIDE: 3, Verb.PRESENT: 3}  # working days that each step is given
LADDER = (0, 1, 3)  # when whoever stands at a step is reminded, in working days around its last one
READ_DAYS = 3  # working days to confirm that one has read, where nothing else is said

# State x verb: who may act, and what all others are told.
_EARLY = "这件{kind}{state}，还不能{verb}；请先办完前一步。"
_LATE = "这件{kind}{state}，不能再{verb}；请刷新页面查看最新进展。"
_ORDER = (Verb.PROPOSE, Verb.DECIDE, Verb.CARRY, Verb.PRESENT)
_WHO = {
    Verb.PROPOSE: ((Capacity.HOLDER, Capacity.OFFICE), "拟办意见由专班办工作人员提出；如有意见，请与专班办联系。"),
    Verb.DECIDE: ((Capacity.HOLDER, Capacity.OFFICE), "这件{kind}由{holder}审定，专班办工作人员可以据实代录。"),
    Verb.CARRY: ((), "这件{kind}正由承办单位办理，请在任务页面上办理。"),
    Verb.PRESENT: ((Capacity.HOLDER, Capacity.OFFICE), "呈报由专班办工作人员办理；如需了解结果，请与专班办联系。"),
}


def cell_of(state: State, verb: Verb) -> tuple[tuple[Capacity, ...], str]:
    """Who may do this in this state (nobody: it is not for this state), and what all others are told."""
    at = next((v for v, s in STATE_AT.items() if s is state), None)
    if at is verb:
        return _WHO[verb]
    is_early = at is not None and _ORDER.index(at) < _ORDER.index(verb)
    return (), _EARLY if is_early else _LATE


def refusal(
    state: State, verb: Verb, capacities: Collection[Capacity], *, kind: str = "来件", holder: str = ""
) -> str | None:
    """None when the verb is allowed in one of these capacities, else a Chinese sentence saying why not and what to do
    next."""
    who, words = cell_of(state, verb)
    if any(c in capacities for c in who):
        return None
    return words.format(kind=kind, state=state.label, verb=verb.label, holder=holder or "领导")


# ---------------------------------------------------------------- kinds and their forms
@dataclass(frozen=True)
class Field:
    """What the form of a kind asks. Lines and areas are free text, hung on the event; choices and days are facts. A
    choice may say what another field is called where it is shown (`labels`)."""

    name: str
    label: str
    widget: Literal["line", "area", "date", "choice"]
    required: bool = True
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    longest: int = 200
    labels: str = ""

    @property
    def is_text(self) -> bool:
        return self.widget in ("line", "area")


@dataclass(frozen=True)
class Kind:
    """A kind of case: `key` names its lifecycle diagram; `mark` begins its numbers (批示〔2025〕3号); `by` names the
    field that says from whom it comes; `implies`: one choice that settles another, (field, value) each."""

    key: str
    name: str
    mark: str
    by: str
    fields: tuple[Field, ...]
    implies: tuple[tuple[tuple[str, str], tuple[str, str]], ...] = ()

    def completed(self, values: Mapping[str, str]) -> dict[str, str]:
        """What was typed, with what follows from it."""
        given = {f.name: values.get(f.name, "").strip() for f in self.fields}
        return given | {name: value for (asked, said), (name, value) in self.implies if given[asked] == said}

    @property
    def texts(self) -> tuple[Field, ...]:
        return tuple(f for f in self.fields if f.is_text)

    def number(self, year: int, n: int) -> str:
        return f"{self.mark}〔{year}〕{n}号"


KINDS: Mapping[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind(
            "instruction",
            "批示件",
            "批示",
            "leader",
            (
                Field("leader", "批示领导", "line", hint="姓名和职务，如：张明（市长）", longest=60),
                Field("given_on", "批示日期", "date"),
                Field(
                    "carrier",
                    "批示载体",
                    "choice",
                    choices=(
                        ("paper", "来文"),
                        ("report", "报告"),
                        ("meeting", "会议"),
                        ("brief", "信息专报"),
                        ("spoken", "口头"),
                    ),
                ),
                Field(
                    "wording",
                    "记录方式",
                    "choice",
                    choices=(("text", "批示原文"), ("gist", "批示大意")),
                    labels="instruction",
                ),
                Field("instruction", "批示内容", "area", hint="照批示原文抄录；口头批示写大意", longest=2000),
                Field("paper", "来文标题", "line", required=False, hint="批示写在哪份材料上"),
                Field("paper_no", "来文文号", "line", required=False, longest=80),
            ),
            implies=((("carrier", "spoken"), ("wording", "gist")),),
        ),
    )
}


VERDICTS = {Outcome.FILE: "同意立项", Outcome.READ: "同意阅知", Outcome.SHELVE: "存档"}


def verdict(outcome: Outcome, ground: str) -> str:
    """What was decided in one sentence or two, said once: the ground often says it already."""
    said, words = ground.strip().removesuffix("。"), VERDICTS[outcome]
    if said in ("", "同意", words):
        return f"{words}。"
    return f"{said}。" if words in said else f"{words}。{said}。"


def faults_of(kind: Kind, values: Mapping[str, str], today: date) -> dict[str, str]:
    """What is wrong with what was typed, by field."""
    faults = {}
    for f in kind.fields:
        words = values.get(f.name, "").strip()
        if not words:
            if f.required:
                faults[f.name] = f"请{'选择' if f.widget == 'choice' else '填写'}{f.label}。"
        elif f.widget == "choice" and words not in dict(f.choices):
            faults[f.name] = f"请从列表中选择{f.label}。"
        elif f.widget == "date":
            faults |= _day_faults(f, words, today)
        elif f.is_text and len(words) > f.longest:
            faults[f.name] = f"{f.label}过长（{len(words)} 字），请压缩到 {f.longest} 字以内。"
    return faults


def _day_faults(f: Field, words: str, today: date) -> dict[str, str]:
    try:
        day = date.fromisoformat(words)
    except ValueError:
        return {f.name: f"{f.label}不是日期，请从日历中选择。"}
    return {f.name: f"{f.label}不能晚于今天。"} if day > today else {}
