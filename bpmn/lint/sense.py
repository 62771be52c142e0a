"""What can be read and carried out, and still cannot be meant: a target below nothing, a limit before the plan begins.

What no plan can mean is an error; what a real plan may have meant, with a reason, is a warning that names the numbers.
"""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal

from bpmn.lint.finding import Findings, error, warning
from bpmn.lint.unread import Unread
from bpmn.plan import Cadence, Indicator, Item, Plan
from bpmn.rhythm import PERIOD_WORDS, period_of
from ledger.calendar import PUBLISHED, moment
from ledger.rules.due import DueRule, resolve
from ledger.rules.texts import number_words

ALWAYS = timedelta(days=2 * 366)  # in which everything comes round
LATER = timedelta(days=1)  # the report on the plan's last month is asked for the day after it


def check_sense(plan: Plan, unread: Unread) -> Findings:
    """The figures of the items, and every date against the plan's period."""
    for item in plan.items:
        yield from _figures(item)
        yield from _quotas(item)
    first, last = plan.facts.period
    if unread.of_plan("start", "end") or (last is not None and first > last):
        return
    rhythms = {cadence.id: cadence for cadence in plan.cadences}
    for item in plan.items:
        yield from _dates(item, first, last)
        yield from _turns(item, first, last, rhythms)
    for cadence in plan.cadences:
        yield from _bounds(cadence, plan.facts.key, first, last)


def _figures(item: Item) -> Findings:
    for indicator in item.indicators:
        if indicator.value < 0 or (indicator.value == 0 and indicator.op == ">="):
            message = (
                f"任务 {item.no} 的指标“{indicator.name}”目标值是 {number_words(indicator.value)}，没有什么可完成的；"
                "请填写大于零的数（下降类指标请写降幅或上限）。"
            )
            yield error("target-senseless", item.id, message)


def _quotas(item: Item) -> Findings:
    for share in item.shares:
        if share.quota is not None and share.quota < 0:
            message = f"任务 {item.no} 给“{share.unit}”的份额是 {number_words(share.quota)}；份额不能小于零，请改正。"
            yield error("quota-negative", item.id, message)
    total = sum((share.quota for share in item.shares if share.quota is not None and share.quota > 0), Decimal())
    most = _whole(item)
    if most is not None and 0 < most < total:
        message = (
            f"任务 {item.no} 各单位份额合计 {number_words(total)}，超过目标 {number_words(most)}；请核对份额和目标值。"
        )
        yield warning("quotas-exceed-target", item.id, message)


def _whole(item: Item) -> Decimal | None:
    """What the quotas are parts of, where that is plain: the one figure that the shares add up to."""
    if len(item.indicators) != 1:
        return None
    (indicator,) = item.indicators
    return _most(indicator) if indicator.sum == "sum" and not indicator.unit_name else None


def _most(indicator: Indicator) -> Decimal:
    return indicator.value if indicator.value_max is None else indicator.value_max


def _day(rule: DueRule | None, first: date) -> date | None:
    """The day that a rule names by itself, without waiting for anybody."""
    if rule is None or rule.kind == "every" or (rule.kind == "within" and rule.anchor != "run"):
        return None
    found = resolve(rule, PUBLISHED, anchor=moment(first, time(9)))
    return None if found is None else found.day


def _dates(item: Item, first: date, last: date | None) -> Findings:
    due, opens = _day(item.due, first), _day(item.opens, first)
    limits = [("完成时限", due), *((f"指标“{i.name}”的达到日期", i.by) for i in item.indicators)]
    for words, day in limits:
        if day is not None and day < first:
            message = (
                f"任务 {item.no} 的{words} {day} 在方案开始（{first}）之前，一启动就逾期；请改正日期或方案的期限。"
            )
            yield error("date-before-plan", item.id, message)
    for words, day in [*limits, ("启动时间", opens)]:
        if day is not None and last is not None and day > last:
            message = f"任务 {item.no} 的{words} {day} 在方案结束（{last}）之后；请核对日期和方案的期限。"
            yield warning("date-after-plan", item.id, message)
    if due is not None and opens is not None and opens > due:
        message = f"任务 {item.no} 到 {opens} 才启动，完成时限却是 {due}，没有时间办理；请改正启动时间或完成时限。"
        yield error("opens-after-due", item.id, message)


def _turns(item: Item, first: date, last: date | None, rhythms: dict[str, Cadence]) -> Findings:
    """Whether a recurring limit comes round in the plan, and as often as the rhythm that asks for it."""
    due = item.due
    if due is None or due.kind != "every" or last is None:
        return
    if last - first < ALWAYS and resolve(due, PUBLISHED, period=(first, last)) is None:
        message = f"任务 {item.no} 的时限是“{due.text}”，在方案期限（{first} 至 {last}）内没有一期；请核对时限和期限。"
        yield error("recurring-without-turns", item.id, message)
    rhythm = rhythms.get(item.cadence or "")
    asked = period_of(rhythm.opens) if rhythm else None
    if rhythm and asked and due.period and asked != due.period:
        message = (
            f"任务 {item.no} 的时限是“{due.text}”，{PERIOD_WORDS[due.period]}一期，"
            f"选用的报送节奏“{rhythm.name}”却是{PERIOD_WORDS[asked]}一期；请换一个节奏，或改正时限。"
        )
        yield error("cadence-of-another-period", item.id, message)


def _bounds(cadence: Cadence, key: str, first: date, last: date | None) -> Findings:
    """A rhythm goes on as long as its plan; what is asked for afterwards may have its reason."""
    for words, day, beyond in (
        ("首期", cadence.first, cadence.first < first),
        ("末期", cadence.last, last is not None and cadence.last > last + LATER),
    ):
        if beyond:
            message = (
                f"报送节奏“{cadence.name}”的{words}是 {day}，在方案的期限（{first} 至 {last or '另定'}）之外；"
                "请核对首期、末期和方案的起止日期。"
            )
            yield warning("cadence-outside-plan", key, message)
