"""What a plan says and could not be carried out: units nobody knows, limits without words, rhythms without turns."""

from __future__ import annotations

from collections import Counter

from bpmn import library
from bpmn.lifecycle import LOCAL
from bpmn.lint.finding import Directory, Findings, Unit, error, warning
from bpmn.lint.sense import check_sense
from bpmn.lint.unread import NOTHING_UNREAD, Unread
from bpmn.plan import Cadence, Item, Plan
from ledger.calendar import WorkCalendar
from ledger.rules.texts import compared

MAX_CADENCES = 12
MAX_YEARS = 10  # of a rhythm: a daily one has 3,652 turns then


def check_plan(plan: Plan, directory: Directory, unread: Unread = NOTHING_UNREAD) -> Findings:
    """Everything that needs the whole plan. Nothing is said of what could not be `unread`: it has its finding."""
    yield from _facts(plan, directory, unread)
    yield from _numbers(plan, unread)
    cadences = {cadence.id: cadence for cadence in plan.cadences}
    ids = {item.id for item in plan.items}
    last = plan.facts.period[1]
    for item in plan.items:
        yield from _item(item, unread)
        yield from _units(item, directory)
        if not unread.of(item.id, "assignment"):
            yield from _doers(item, directory)
        yield from _anchors(item, ids, unread)
        yield from _rounds(item, cadences, unread)
        if last is None and not unread.of_plan("end") and item.due is not None and item.due.kind == "every":
            message = (
                f"任务 {item.no} 的时限是“{item.due.text}”，方案却没有结束日期，期次没有尽头；请填写方案的结束日期。"
            )
            yield error("recurring-without-end", item.id, message)
    if len(plan.cadences) > MAX_CADENCES:
        message = f"报送节奏有 {len(plan.cadences)} 个，上限 {MAX_CADENCES}；请合并，不要增加基层负担。"
        yield error("too-many-cadences", plan.facts.key, message)
        return
    for cadence in plan.cadences:
        yield from _cadence(cadence, plan, unread)
    yield from check_sense(plan, unread)


def _facts(plan: Plan, directory: Directory, unread: Unread) -> Findings:
    facts = plan.facts
    first, last = facts.period
    if last is not None and first > last and not unread.of_plan("start"):
        yield error("period-reversed", facts.key, "方案的开始日期晚于结束日期；请改正。")
    office = directory.resolve(facts.office)
    if unread.of_plan("office"):
        pass
    elif office is None:
        yield error("unknown-unit", facts.key, f"专班办“{facts.office}”不在单位名录里；请改用名录中的名称或添加别名。")
    elif office.ended is not None:
        yield error("unit-ended", facts.key, f"专班办{office.ended.words}。")
    elif len(office.units) != 1:
        yield error("office-not-one", facts.key, f"专班办“{facts.office}”不是一个单位；请写明由哪一个单位统筹。")
    if not plan.items and facts.intake is None and not unread.some("item"):
        yield error("plan-empty", facts.key, "方案里没有任务。")


def _numbers(plan: Plan, unread: Unread) -> Findings:
    numbered = [item for item in plan.items if not unread.of(item.id, "no")]
    numbers = Counter(compared(item.no) for item in numbered)
    for item in numbered:
        if (count := numbers[compared(item.no)]) > 1:
            message = f"序号 {item.no} 用了 {count} 次（不分全角半角）；请改成不同的序号。"
            yield error("duplicate-number", item.id, message)
    keys = Counter(indicator.key for item in plan.items for indicator in item.indicators)
    for item in plan.items:
        for indicator in item.indicators:
            if keys[indicator.key] > 1:
                message = (
                    f"任务 {item.no} 的指标“{indicator.name}”是从别处复制来的，与原来的指标分不开（{indicator.key}）；"
                    "请删去，重新添加一个。"
                )
                yield error("duplicate-indicator-key", item.id, message)
    for ident, count in Counter(cadence.id for cadence in plan.cadences).items():
        if count > 1:
            yield error(
                "duplicate-id", plan.facts.key, f"报送节奏的编号重复，写了 {count} 次（{ident}）；请换一个编号。"
            )
    for name, count in Counter(cadence.name for cadence in plan.cadences).items():
        if count > 1:
            message = f"有 {count} 个报送节奏都叫“{name}”，在任务里选用时分不清；请改成不同的名称。"
            yield warning("cadence-name-repeated", plan.facts.key, message)


def _item(item: Item, unread: Unread) -> Findings:
    if not item.clause and not unread.of(item.id, "clause"):
        yield error("clause-missing", item.id, f"任务 {item.no}“{item.title}”没有原文；请照方案填写原文条款。")
    known = [key for key in library.lifecycle_keys() if key != LOCAL]
    if item.lifecycle not in known:
        message = f"任务 {item.no} 的办理流程“{item.lifecycle}”不存在；请用这些：{'、'.join(known)}。"
        yield error("lifecycle-unknown", item.id, message)
    yield from _closers(item, unread)
    for indicator in item.indicators:
        ranged = indicator.op == "range"
        if ranged != (indicator.value_max is not None) or (ranged and indicator.value > (indicator.value_max or 0)):
            message = f"任务 {item.no} 的指标“{indicator.name}”：区间要有下限和更大的上限，其他比较不写上限。"
            yield error("indicator-range", item.id, message)


def _closers(item: Item, unread: Unread) -> Findings:
    if unread.of(item.id, "assignment"):
        return
    if item.completion == "lead" and not item.units("lead"):
        message = f"任务 {item.no} 由牵头单位办结，却没有牵头单位；请写牵头单位，或改为各责任单位分别办结（all）。"
        yield error("lead-missing", item.id, message)
    if item.completion == "all" and not item.units("lead", "responsible"):
        yield error("assignment-missing", item.id, f"任务 {item.no} 没有牵头或责任单位，无人办理；请填写责任分工。")
    if item.units("cooperating") and not item.units("lead"):
        message = f"任务 {item.no} 有配合单位而无牵头单位，配合情况由专班办审核；如另有牵头，请补写。"
        yield warning("cooperating-without-lead", item.id, message)


def _units(item: Item, directory: Directory) -> Findings:
    for share in item.shares:
        found = directory.resolve(share.unit)
        if found is None:
            message = f"任务 {item.no} 的单位“{share.unit}”不在单位名录里；请改用名录中的名称或添加别名。"
            yield error("unknown-unit", item.id, message)
        elif found.ended is not None:
            yield error("unit-ended", item.id, f"任务 {item.no} 的单位{found.ended.words}。")
        elif len(found.units) == 1:
            yield from _validity(item, found.units[0])
    for unit, count in Counter(share.unit for share in item.shares).items():
        if count > 1:
            yield error("share-repeated", item.id, f"任务 {item.no} 把“{unit}”写了 {count} 次；请只留一种角色。")


def _validity(item: Item, unit: Unit) -> Findings:
    """A unit is there from a day on, or until one."""
    named = f"任务 {item.no} 的单位“{unit.short}”"
    if unit.valid_from is not None:
        message = f"{named}自 {unit.valid_from} 起启用；在此之前启动方案，任务会交到尚未启用的单位，请核对日期。"
        yield warning("unit-not-yet", item.id, message)
    if unit.valid_to is not None:
        message = f"{named}已定于 {unit.valid_to} 撤销；请核对此后由谁承担，需要时改写单位。"
        yield warning("unit-ending", item.id, message)


def _doers(item: Item, directory: Directory) -> Findings:
    """Somebody must be named who can close the item: an open group expands to nobody yet.

    A unit that stands twice, by another name or in a group, keeps its first role, as when the item is opened.
    """
    found = [(share.role, directory.resolve(share.unit)) for share in item.shares]
    roles: dict[object, str] = {}
    for role, resolution in found:
        for unit in resolution.units if resolution else ():
            roles.setdefault(unit, role)
    if any(resolution is None or resolution.ended for _, resolution in found) or not item.units("lead", "responsible"):
        return
    if not {"lead", "responsible"} & set(roles.values()):
        message = f"任务 {item.no} 的牵头、责任单位都没有列明是哪些单位，无人办理；请至少写明一个单位。"
        yield error("nobody-named", item.id, message)
    elif item.completion == "lead" and item.units("lead") and "lead" not in roles.values():
        message = f"任务 {item.no} 由牵头单位办结，牵头却没有列明是哪个单位，或已在前面以别的角色写过；请改正。"
        yield error("nobody-named", item.id, message)


def _anchors(item: Item, ids: set[str], unread: Unread) -> Findings:
    for words, rule in (("完成时限", item.due), ("启动时间", item.opens)):
        counted = rule.counted_from if rule else None
        if counted == item.id:
            message = f"任务 {item.no} 的{words}从自己办结起算，等不到；请改为从方案启动或别的任务办结起算。"
            yield error("anchor-unknown", item.id, message)
        elif counted is not None and counted not in ids and not unread.some("item"):
            message = f"任务 {item.no} 的{words}从另一项任务办结起算，方案里没有那项任务；请重新选择起算点。"
            yield error("anchor-unknown", item.id, message)
    if item.opens and item.opens.anchor == "acknowledge":
        message = (
            f"任务 {item.no} 的启动时间从签收起算，可是启动以后才能签收；请改为从方案启动（run）或别的任务办结起算。"
        )
        yield error("opens-after-acknowledging", item.id, message)


def _rounds(item: Item, cadences: dict[str, Cadence], unread: Unread) -> Findings:
    if unread.of(item.id, "cadence"):
        return
    recurring = item.due is not None and item.due.kind == "every"
    if recurring and item.due is not None and item.cadence is None:
        message = (
            f"任务 {item.no} 的时限是“{item.due.text}”，却没有报送节奏；"
            "请在“报送与办理”里新建一个节奏（cadence），或选已有的。"
        )
        yield error("recurring-without-cadence", item.id, message)
    if item.cadence is None:
        return
    cadence = cadences.get(item.cadence)
    if cadence is None:
        if not unread.of(item.cadence, "cadence"):
            message = f"任务 {item.no} 选用的报送节奏已经不在方案里（{item.cadence}）；请另选一个或新建。"
            yield error("cadence-unknown", item.id, message)
    elif cadence.asks != "item":
        message = (
            f"任务 {item.no} 用的报送节奏“{cadence.name}”是向各单位统一收的；"
            "请另建一个“向选用它的任务的责任单位收”的节奏（asks=item）。"
        )
        yield error("cadence-of-another-kind", item.id, message)


def _cadence(cadence: Cadence, plan: Plan, unread: Unread) -> Findings:
    if (cadence.last - cadence.first).days > MAX_YEARS * 366:
        message = f"报送节奏“{cadence.name}”的首末期相隔超过 {MAX_YEARS} 年；请按方案的期限填写。"
        yield error("cadence-unrunnable", plan.facts.key, message)
        return
    try:
        found = cadence.turns(WorkCalendar())
    except ValueError as problem:
        yield error("cadence-unrunnable", plan.facts.key, f"报送节奏“{cadence.name}”：{problem}")
        return
    if not found:
        message = f"报送节奏“{cadence.name}”在 {cadence.first} 至 {cadence.last} 之间没有一期；请检查规则和首末期日期。"
        yield error("cadence-without-turns", plan.facts.key, message)
    used = {item.cadence for item in plan.items}
    if cadence.asks == "item" and cadence.id not in used and not unread.some("item"):
        message = f"报送节奏“{cadence.name}”没有任务使用；请在任务的“单独的报送节奏”里选它，或者把它删去。"
        yield warning("cadence-unused", plan.facts.key, message)
