"""What a plan's new version changes for each unit, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from typing import Any, Protocol

from bpmn import library
from bpmn.dialect import ELEMENTS, ROLE_WORDS, ROLES, ElementType
from bpmn.plan import Cadence, Heading, Indicator, Item, Period, Plan, Share
from bpmn.reading import read_lifecycle
from bpmn.rhythm import describe
from ledger.rules.due import DueRule
from ledger.rules.texts import number_words

EVERYONE = "全体单位"
NOBODY = "还没有单位的任务"
_ROLE = dict(zip(ROLES, ROLE_WORDS, strict=True))
_FACTS = {"doc_no": "docNo", "sign_roles": "sign", "mend_days": "mendDays"}
_CADENCE = {"opens_at": "opensAt", "opens_shift": "opensShift", "due_at": "dueAt", "due_shift": "dueShift"}
_FIGURE = {
    **{name: name for name in ("by", "sum", "definition", "source", "reporter")},
    **{"unit_name": "unitName", "as_of": "asOf"},
}
_OPERATORS = {">=": "不少于", "<=": "不超过", "=": "等于"}
_ANCHORS = {"run": "方案启动", "acknowledge": "签收"}
_AROUND = 8
_LONGEST = 60


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
    yield from _renamed(old, new, names)
    before = {item.id: item for item in old.items}
    after = {item.id: item for item in new.items}
    moved = _moved(old, new)
    for item in new.items:
        was = before.get(item.id)
        content = [*_content(old, was, new, item), *moved.get(item.id, ())] if was else []
        yield from _item(was, item, content, names)
    for ident, item in before.items():
        if ident not in after:
            for unit in _shares(item, names):
                yield unit, Change(item.no, item.title, "任务取消")


def _renamed(old: Plan, new: Plan, names: Names) -> Iterator[tuple[str, Change]]:
    """A group of another name, for each unit with a share in it."""
    before = {heading.id: heading.name for heading in old.headings}
    for heading in new.headings:
        was = before.get(heading.id, heading.name)
        if was == heading.name:
            continue
        units = dict.fromkeys(unit for item in heading.items for unit in _shares(item, names))
        for unit in units or (EVERYONE,):
            yield unit, Change("", "", f"任务组“{was}”改名为“{heading.name}”")


def _moved(old: Plan, new: Plan) -> dict[str, list[str]]:
    """Item -> what is said of its place: another group, or another order among those that stayed in its group."""
    groups = [{item.id: heading for heading in plan.headings for item in heading.items} for plan in (old, new)]
    found: dict[str, list[str]] = {}
    stayed: dict[str | None, tuple[list[str], list[str]]] = {}
    known = {item.id for item in old.items}
    for item in new.items:
        if item.id not in known:
            continue
        was, now = (each.get(item.id) for each in groups)
        if (was and was.id) != (now and now.id):
            found[item.id] = [f"由{_group(was)}移到{_group(now)}"]
        else:
            stayed.setdefault(item.heading, ([], []))[1].append(item.id)
    for group, (was_order, now_order) in stayed.items():
        was_order += [i.id for i in old.items if i.id in now_order and i.heading == group]
        numbers = {item.id: item.no for item in new.items}
        for ident in _lifted(was_order, now_order):
            at = now_order.index(ident)
            place = f"任务 {numbers[now_order[at - 1]]} 之后" if at else "最前"
            found.setdefault(ident, []).append(f"次序移到{place}")
    return found


def _lifted(was: list[str], now: list[str]) -> Iterator[str]:
    """The fewest that have to be moved to make one order the other."""
    same = SequenceMatcher(None, was, now, False).get_matching_blocks()
    stayed = {ident for block in same for ident in now[block.b : block.b + block.size]}
    yield from (ident for ident in now if ident not in stayed)


def _group(heading: Heading | None) -> str:
    return f"“{heading.name}”" if heading else "单独启动的任务"


def _shares(item: Item, names: Names) -> dict[str, Share]:
    """By the name that a unit is known by, so that two spellings of one unit are no change."""
    found: dict[str, Share] = {}
    for share in item.shares:
        known = names.resolve(share.unit)
        units = known.units if known else ()
        found.setdefault(units[0].short if len(units) == 1 else share.unit, share)
    return found


def _item(old: Item | None, new: Item, content: list[str], names: Names) -> Iterator[tuple[str, Change]]:
    before, after = (_shares(old, names) if old else {}), _shares(new, names)
    if not before and not after and (content or old is None):  # in a draft
        yield NOBODY, Change(new.no, new.title, "；".join(content) or "新增任务")
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
        yield f"份额由{_set_off(old.quota)}改为{_set_off(new.quota)}"
    if old.presumed != new.presumed:
        yield "改为待确认（文件没有写明单位）" if new.presumed else "不再待确认"


def _number(value: Any) -> str:
    return "未定" if value is None else number_words(value)


def _set_off(value: Any) -> str:
    """A number among Chinese words stands between blanks, a word does not."""
    return "未定" if value is None else f" {number_words(value)} "


# ---------------------------------------------------------------- what is said of an item
def _content(old_plan: Plan, old: Item, new_plan: Plan, new: Item) -> Iterator[str]:
    """Everything an item says besides its units: from what to what."""
    if old.no != new.no:
        yield f"序号由 {old.no} 改为 {new.no}"
    if old.title != new.title:
        yield f"短标题由“{old.title}”改为“{new.title}”"
    for words, was, now in (("完成时限", old.due, new.due), ("启动时间", old.opens, new.opens)):
        if was != now:
            yield f"{words}由{_rule(was, old_plan)}改为{_rule(now, new_plan)}"
    yield from _figures(old, new)
    yield from _handling(old_plan, old, new_plan, new)
    if old.clause != new.clause:
        yield "原文由“{}”改为“{}”".format(*_differing(old.clause, new.clause))
    yield from (f"取消工作要求“{note}”" for note in old.notes if note not in new.notes)
    yield from (f"新增工作要求“{note}”" for note in new.notes if note not in old.notes)


def _handling(old_plan: Plan, old: Item, new_plan: Plan, new: Item) -> Iterator[str]:
    """How the item is closed and reported, by which steps, and what it waits for."""
    kind = ELEMENTS["item"]
    for name in ("completion", "gated", "steps"):
        if getattr(old, name) != getattr(new, name):
            yield _from_to(kind, name, getattr(old, name), getattr(new, name))
    if old.lifecycle != new.lifecycle:
        yield f"办理流程由“{_lifecycle(old.lifecycle)}”改为“{_lifecycle(new.lifecycle)}”"
    if old.cadence != new.cadence:
        yield f"报送节奏由{_rhythm(old_plan, old)}改为{_rhythm(new_plan, new)}"
    if old.after != new.after:
        yield f"先后次序由{_after(old_plan, old)}改为{_after(new_plan, new)}"


def _figures(old: Item, new: Item) -> Iterator[str]:
    before = {figure.key: figure for figure in old.indicators}
    after = {figure.key: figure for figure in new.indicators}
    for key, figure in after.items():
        was = before.get(key)
        if was is None:
            yield f"新增指标“{figure.name}”（{_target(figure)}）"
        elif was != figure:
            yield f"指标“{figure.name}”" + "，".join(_figure(was, figure))
    yield from (f"取消指标“{figure.name}”" for key, figure in before.items() if key not in after)


def _figure(old: Indicator, new: Indicator) -> Iterator[str]:
    if _target(old) != _target(new):
        yield f"由{_target(old)}改为{_target(new)}"
    if old.name != new.name:
        yield f"原名“{old.name}”"
    known = ELEMENTS["indicator"]
    for name, spelt in _FIGURE.items():
        if getattr(old, name) != getattr(new, name):
            yield _from_to(known, spelt, getattr(old, name), getattr(new, name))
    if old.text != new.text:
        yield "文件里的说法由“{}”改为“{}”".format(*_differing(old.text, new.text))


def _target(figure: Indicator) -> str:
    """`累计不少于 4000 个`."""
    per = _said(ELEMENTS["indicator"], "per", figure.per) if figure.per else ""
    if figure.op == "range":
        return f"{per} {_number(figure.value)} 至 {_number(figure.value_max)} {figure.unit}".lstrip()
    return f"{per}{_OPERATORS[figure.op]} {number_words(figure.value)} {figure.unit}"


def _rule(rule: DueRule | None, plan: Plan) -> str:
    """The printed words, which may stay while the rule behind them changes."""
    return "未定" if rule is None else f"“{rule.text}”（{_meant(rule, plan)}）"


def _meant(rule: DueRule, plan: Plan) -> str:
    if rule.kind == "by":
        return str(rule.date)
    if rule.kind == "during":
        return f"{rule.start} 至 {rule.end}"
    days = f"{rule.days} 个工作日" if rule.working else f"{rule.days} 日"
    if rule.kind == "within":
        counted = _ANCHORS.get(rule.anchor or "") or f"任务 {_number_of(plan, rule.counted_from)} 办结"
        return f"{counted}后 {days}内"
    every = _said(ELEMENTS["due"], "period", rule.period)
    if rule.days is not None:
        return f"{every}结束后 {days}内"
    if rule.monthday in (None, -1):
        return f"{every}末"
    return f"{every}第 {rule.monthday} 日"


def _number_of(plan: Plan, ident: str | None) -> str:
    return next((item.no for item in plan.items if item.id == ident), "（已取消）")


def _rhythm(plan: Plan, item: Item) -> str:
    found = next((cadence for cadence in plan.cadences if cadence.id == item.cadence), None)
    return describe(found) if found else "不单独报送"


def _after(plan: Plan, item: Item) -> str:
    waited = "、".join(_number_of(plan, ident) for ident in item.after)
    return f"等任务 {waited} 办结后启动" if waited else "不等其他任务"


@cache
def _lifecycle(key: str) -> str:
    return read_lifecycle(library.lifecycle_xml(key)).name if key in library.lifecycle_keys() else key


def _differing(old: str, new: str) -> tuple[str, str]:
    """The part of two texts in which they differ, with a few words before and after it."""
    start = _alike(old, new)
    end = _alike(old[start:][::-1], new[start:][::-1])
    return _cut(old, start, len(old) - end), _cut(new, start, len(new) - end)


def _alike(one: str, other: str) -> int:
    """How many characters two texts begin with in common."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _cut(text: str, start: int, end: int) -> str:
    start, end = max(0, start - _AROUND), min(len(text), end + _AROUND)
    shown = text[start:end]
    if len(shown) > _LONGEST:
        shown = f"{shown[: _LONGEST // 2]}……{shown[-_LONGEST // 2 :]}"
    return f"{'…' if start else ''}{shown}{'…' if end < len(text) else ''}"


# ---------------------------------------------------------------- what is said of the plan
def _plan_words(old: Plan, new: Plan) -> Iterator[str]:
    plan = ELEMENTS["plan"]
    for name, was in vars(old.facts).items():
        now = getattr(new.facts, name)
        if was == now:
            continue
        if name == "period":
            yield f"起止日期由 {_period(was)} 改为 {_period(now)}"
        else:
            yield _from_to(plan, _FACTS.get(name, name), was, now)
    before: dict[str, Cadence] = {cadence.id: cadence for cadence in old.cadences}
    after = {cadence.id: cadence for cadence in new.cadences}
    for ident, cadence in after.items():
        if ident not in before:
            yield f"新增报送节奏{describe(cadence)}"
        elif before[ident] != cadence:
            yield f"报送节奏“{cadence.name}”" + "，".join(_cadence(before[ident], cadence))
    yield from (f"取消报送节奏“{cadence.name}”" for ident, cadence in before.items() if ident not in after)


def _cadence(old: Cadence, new: Cadence) -> Iterator[str]:
    known = ELEMENTS["cadence"]
    if describe(old) != describe(new):
        yield f"由{describe(old)}改为{describe(new)}"
    told = {"id", "name", "opens", "opens_at", "due", "due_at"}
    same = describe(old) == describe(new)  # two rules may be told in the same words
    for name, was in vars(old).items():
        now = getattr(new, name)
        if was != now and (same or name not in told):
            yield _from_to(known, _CADENCE.get(name, name), was, now)


def _period(period: Period) -> str:
    return f"{period[0]} 至 {period[1] or '另行通知'}"


def _from_to(kind: ElementType, name: str, old: object, new: object) -> str:
    attribute = kind.attribute(name)
    return f"{attribute.label if attribute else name}由{_said(kind, name, old)}改为{_said(kind, name, new)}"


def _said(kind: ElementType, name: str, value: object) -> str:
    """A value in the words of the dialect."""
    if value is None or value == ():
        return "未定"
    if isinstance(value, bool):
        return "是" if value else "否"
    attribute = kind.attribute(name)
    words = dict(zip(attribute.values, attribute.words, strict=True)) if attribute else {}
    parts = value if isinstance(value, tuple) else (value,)
    if words:
        return "、".join(words[str(part)] for part in parts)
    return f" {'、'.join(map(str, parts))} " if attribute and attribute.kind != "text" else f"“{value}”"
