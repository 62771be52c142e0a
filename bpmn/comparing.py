"""What a plan's new version changes for each unit, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from bpmn.dialect import ELEMENTS, ROLE_WORDS, ROLES
from bpmn.plan import Cadence, Item, Plan, Share
from ledger.rules.due import DueRule
from ledger.rules.texts import number_words

EVERYONE = "全体单位"
_ROLE = dict(zip(ROLES, ROLE_WORDS, strict=True))
_FACTS = {"doc_no": "docNo", "sign_roles": "sign", "mend_days": "mendDays"}


class _Unit(Protocol):
    @property
    def short(self) -> str: ...


class _Resolution(Protocol):
    @property
    def units(self) -> tuple[_Unit, ...]: ...


class Names(Protocol):
    """Who is known by a printed name."""

    def resolve(self, printed: str, /) -> _Resolution | None: ...


@dataclass(frozen=True)
class Change:
    """One line: the item (empty for the plan as a whole) and what is different about it."""

    no: str
    title: str
    words: str


def changes(old: Plan | None, new: Plan, names: Names) -> dict[str, list[Change]]:
    """Printed unit -> its changes against the version before, in the plan's order; of a first version, every share."""
    found: dict[str, list[Change]] = {}
    for unit, change in _all(old, new, names):
        found.setdefault(unit, []).append(change)
    return found


def _all(old: Plan | None, new: Plan, names: Names) -> Iterator[tuple[str, Change]]:
    if old is None:
        parts = ((unit, item, share) for item in new.items for unit, share in _shares(item, names).items())
        yield from ((unit, Change(item.no, item.title, _part(share))) for unit, item, share in parts)
        return
    yield from ((EVERYONE, Change("", "", words)) for words in _plan_words(old, new))
    before = {item.id: item for item in old.items}
    after = {item.id: item for item in new.items}
    for item in new.items:
        yield from _item(before.get(item.id), item, names)
    for ident, item in before.items():
        if ident not in after:
            for unit in _shares(item, names):
                yield unit, Change(item.no, item.title, "任务取消")


def _shares(item: Item, names: Names) -> dict[str, Share]:
    """By the name that a unit is known by, so that two spellings of one unit are no change."""
    found: dict[str, Share] = {}
    for share in item.shares:
        known = names.resolve(share.unit)
        units = known.units if known else ()
        found.setdefault(units[0].short if len(units) == 1 else share.unit, share)
    return found


def _item(old: Item | None, new: Item, names: Names) -> Iterator[tuple[str, Change]]:
    before, after = (_shares(old, names) if old else {}), _shares(new, names)
    content = list(_content(old, new)) if old else []
    for unit, share in after.items():
        was = before.get(unit)
        if was is None:
            lead = "新增任务" if old is None else "新增为承担单位"
            yield unit, Change(new.no, new.title, f"{lead}，{_part(share)}")
            continue
        words = [*_share(was, share), *content]
        if words:
            yield unit, Change(new.no, new.title, "；".join(words))
    for unit in before:
        if unit not in after:
            yield unit, Change(new.no, new.title, "不再承担")


def _part(share: Share) -> str:
    quota = f"，份额 {number_words(share.quota)}" if share.quota is not None else ""
    return f"{_ROLE[share.role]}{quota}"


def _share(old: Share, new: Share) -> Iterator[str]:
    if old.role != new.role:
        yield f"由{_ROLE[old.role]}改为{_ROLE[new.role]}"
    if old.quota != new.quota:
        yield f"份额由 {_number(old.quota)} 改为 {_number(new.quota)}"


def _number(value: Any) -> str:
    return "未定" if value is None else number_words(value)


_SILENT = {
    "completion": "办结规则",
    "gated": "办结规则",
    "lifecycle": "办理流程",
    "cadence": "报送节奏",
    "after": "先后次序",
    "clause": "原文",
    "notes": "工作要求",
}


def _content(old: Item, new: Item) -> Iterator[str]:
    if old.no != new.no:
        yield f"序号由 {old.no} 改为 {new.no}"
    if old.title != new.title:
        yield f"短标题由“{old.title}”改为“{new.title}”"
    for words, was, now in (("完成时限", old.due, new.due), ("启动时间", old.opens, new.opens)):
        if was != now:
            yield f"{words}由{_rule(was)}改为{_rule(now)}"
    if old.indicators != new.indicators:
        yield "指标有改动：" + ("、".join(indicator.text for indicator in new.indicators) or "已取消")
    differing = (words for name, words in _SILENT.items() if getattr(old, name) != getattr(new, name))
    yield from (f"{words}有改动" for words in dict.fromkeys(differing))


def _rule(rule: DueRule | None) -> str:
    """The printed words, which may stay while the day behind them changes."""
    if rule is None:
        return "未定"
    day = rule.date or rule.end
    return f"“{rule.text}”" + (f"（{day}）" if day else "")


def _plan_words(old: Plan, new: Plan) -> Iterator[str]:
    plan = ELEMENTS["plan"]
    for name, was in vars(old.facts).items():
        now = getattr(new.facts, name)
        attribute = plan.attribute(_FACTS.get(name, name))
        if was != now:
            yield f"{attribute.label if attribute else '起止日期'}有改动"
    before: dict[str, Cadence] = {cadence.id: cadence for cadence in old.cadences}
    after = {cadence.id: cadence for cadence in new.cadences}
    for ident, cadence in after.items():
        if ident not in before:
            yield f"新增报送节奏“{cadence.name}”"
        elif before[ident] != cadence:
            yield f"报送节奏“{cadence.name}”有改动"
    yield from (f"取消报送节奏“{cadence.name}”" for ident, cadence in before.items() if ident not in after)
