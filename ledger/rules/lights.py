"""预警灯: one colour an item, with a word and the reason in a sentence with its numbers.

The rule, worst first (DESIGN, "Words"; thresholds are data, `LightRules`):

1. 已办结 is blue; 已终止, 已撤销办结, 暂停计时, 未启动 and 未定时限 are grey, whatever else is true.
2. Past the due instant: red, 逾期 N 个工作日.
3. Pace: the slowest figure's share of its target over the share of time used (`share_of_time`), up to the item's
   due day or the figure's own last day. Below 0.70 red 严重滞后, below 0.90 yellow 滞后. Pace is judged only after
   the first tenth of the time; from then on a figure without a reading counts as 0. Before, silence says nothing yet,
   and a unit that honestly reports an early zero must not stand worse than one that keeps silent.
4. The current step (节点) of a confirmed 节点计划: up to 5 working days late yellow 节点滞后, later red 节点严重滞后.
   Of steps and pace the worse one is shown.
5. At most 3 working days left, of the date or of the step: yellow 临期. Else green 按序时推进.

What was submitted and not returned is judged as of its submission: review time never costs the unit a colour, and it
is not 临期 any more. 长期坚持 is never red; what would be red is yellow.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Literal, NamedTuple

from ledger.calendar import WorkCalendar, last_day, local_day, moment
from ledger.rules.texts import due_words, full_day, late_words, left_words, percent_words, ratio_words
from ledger.rules.verbs import LEFT_OUT, State

Colour = Literal["red", "yellow", "green", "grey", "blue"]
Shape = Literal["diamond", "triangle", "circle", "ring", "bars", "check"]

PAUSED = "暂停计时"
_SHAPES: dict[Colour, Shape] = {
    "red": "diamond",
    "yellow": "triangle",
    "green": "circle",
    "grey": "ring",
    "blue": "check",
}
# Ranks come in bands. Inside a band stand days (of the calendar, or tenths of them), which time does not move: an item
# keeps its rank until its band changes, and any number of items can be kept in order without being judged every night.
_BAND = 10_000_000
_LATE, _LATE_SENT, _SEVERE, _BEHIND, _NEAR, _GREEN, _GREY, _BLUE = (_BAND * n for n in range(1, 9))
RANKS: Mapping[Colour, range] = {
    "red": range(_LATE, _BEHIND),
    "yellow": range(_BEHIND, _GREEN),
    "green": range(_GREEN, _GREY),
    "grey": range(_GREY, _BLUE),
    "blue": range(_BLUE, _BLUE + _BAND),
}


def colour_of(rank: int) -> Colour:
    """The colour of the lights of this rank."""
    return next(colour for colour, ranks in RANKS.items() if rank in ranks)


class Figure(NamedTuple):
    """A figure to reach: total target (None: there is none), value so far (None: no reading), comparison, name.

    `by`: its own last day, where that is before the item's.
    """

    target: Decimal | None
    value: Decimal | None
    op: str = ">="
    name: str = ""
    by: date | None = None

    def last(self, due_day: date) -> date:
        """The day on whose evening it has to be reached."""
        return min(self.by, due_day) if self.by else due_day


class Step(NamedTuple):
    """The current step of a 节点计划: its number, its words (none where they were cleared), its due instant."""

    no: int
    words: str
    due_at: datetime

    @property
    def day(self) -> date:
        return last_day(self.due_at)

    @property
    def place(self) -> int:
        """Its place in a band: tenths of a day, as a pace has it."""
        return self.day.toordinal() * 10

    def name(self) -> str:
        quoted = f"“{self.words}”" if self.words else ""
        return f"节点{self.no}{quoted}时限 {due_words(self.due_at)}"


@dataclass(frozen=True)
class LightRules:
    """Thresholds of a plan: ratios, working days, and the share of time before which pace is not judged. A step that
    is late by more than `step_days` is red."""

    red_below: Decimal = Decimal("0.70")
    yellow_below: Decimal = Decimal("0.90")
    near_days: int = 3
    step_days: int = 5
    quiet_share: Decimal = Decimal("0.10")


@dataclass(frozen=True)
class Light:
    """A light: never colour alone, always with its word, its shape and one Chinese sentence saying why.

    `rank` sorts worst first (ascending): overdue by the day it was due, what was handed in late behind what is still
    owed; 严重滞后, 滞后 and green by the day whose schedule they have reached, which inside one plan is the order of
    their ratios; 临期 by the day it is due; grey; blue. `RANKS` holds the ranks of each colour.
    """

    colour: Colour
    word: str
    reason: str
    rank: int

    @property
    def shape(self) -> Shape:
        """◆ red, ▲ yellow, ● green, ○ grey (‖ when paused), ☑ blue: to be read without seeing the colour."""
        return "bars" if self.word == PAUSED else _SHAPES[self.colour]


# Fractions are exact and slow. A page asks for the same few again and again, the scheduler for those of a whole day.
_REMEMBERED = 16_384


@lru_cache(_REMEMBERED)
def _exact(value: Decimal) -> Fraction:
    return Fraction(value)


@lru_cache(_REMEMBERED)
def _share(value: Decimal, target: Decimal) -> Fraction:
    return Fraction(value) / Fraction(target)


class _Pace(NamedTuple):
    done: Fraction  # share of the target
    time: Fraction  # share of the time, above 0
    name: str
    reached: Fraction  # the day on whose evening this much was to be done, as an ordinal
    ratio: Fraction  # of the two shares

    @property
    def place(self) -> int:
        """Its place in a band: tenths of a day."""
        return min(max(int(self.reached * 10), 0), _BAND - 2)

    def behind(self, rules: LightRules) -> tuple[int, Fraction]:
        """Sorts the figure furthest behind first: by the thresholds it is below of, then by the day it has reached.

        By ratios alone the order of two figures with different last days would change from day to day.
        """
        return -sum(self.ratio < _exact(limit) for limit in (rules.yellow_below, rules.red_below)), self.reached

    def words(self, threshold: Decimal) -> str:
        ratio = ratio_words(self.ratio, _exact(threshold))
        done = f"{self.name}完成 {percent_words(self.done)}"
        return f"{done} ÷ 序时 {percent_words(self.time)} ＝ {ratio}"


class _Case(NamedTuple):
    """A running, dated item at the instant it is judged."""

    due_at: datetime
    at: datetime
    submitted: bool
    standing: bool
    calendar: WorkCalendar
    rules: LightRules

    @property
    def due_day(self) -> date:
        return last_day(self.due_at)

    @property
    def days_left(self) -> int:
        return self.calendar.days_left(local_day(self.at), self.due_day)

    def distance(self) -> str:
        """剩 31 个工作日, or when it was submitted."""
        today = local_day(self.at)
        return f"{full_day(today)}报送" if self.submitted else left_words(today, last_day(self.due_at), self.calendar)


def light(  # noqa: PLR0913 -- each is one fact the light depends on
    *,
    state: State,
    now: datetime,
    due_at: datetime | None,
    opened: bool,
    period: tuple[date, date | None],
    figures: Sequence[Figure],
    calendar: WorkCalendar,
    submitted_at: datetime | None = None,
    paused: bool = False,
    standing: bool = False,
    step: Step | None = None,
    rules: LightRules = LightRules(),
) -> Light:
    """The light of an item or a share; the rule stands at the head of this module. `step`: the current one.

    `due_at` includes extensions and the time to mend a return. `submitted_at`: when the signed application now under
    review left the unit; ignored in the state 退回补正. `paused` and `standing` (长期坚持) lie over the state.

    Raises:
        ValueError: an instant is naive.
    """
    idle = _idle(state, opened, paused, standing, due_at)
    if idle or due_at is None:
        return idle or _undated(standing)
    submission = None if state is State.RETURNED else submitted_at
    case = _Case(due_at, submission or now, submission is not None, standing, calendar, rules)
    pace = _slowest(case, period[0], figures)
    late = [found for found in (_lagging(case, pace), _late_step(case, step)) if found]
    if lit := _overdue(case) or min(late, key=lambda found: found.rank, default=None):
        return lit
    return _near(case) or _near_step(case, step) or _on_time(case, pace)


def holds_until(  # noqa: PLR0913 -- the same facts
    *,
    state: State,
    now: datetime,
    due_at: datetime | None,
    opened: bool,
    period: tuple[date, date | None],
    figures: Sequence[Figure],
    calendar: WorkCalendar,
    submitted_at: datetime | None = None,
    paused: bool = False,
    standing: bool = False,
    step: Step | None = None,
    rules: LightRules = LightRules(),
) -> datetime | None:
    """The next instant at which time alone may change the colour or the rank of this light; None: never.

    Words and reasons, which count days, change every day. The facts are those of `light`.
    """
    is_submitted = submitted_at is not None and state is not State.RETURNED
    if _idle(state, opened, paused, standing, due_at) or due_at is None or is_submitted or now > due_at:
        return None
    due_day = last_day(due_at)
    days = {calendar.before(due_day + timedelta(days=1), rules.near_days + 1)}
    for done, last, _ in _shares(figures, due_day):
        days |= _turns(done, period[0], last, rules)
    turns = [moment(day, time()) for day in days]
    if step is not None:
        turns += _turns_of_step(step, calendar, rules)
    return min((at for at in turns if at > now), default=due_at + timedelta(microseconds=1))


def _turns(done: Fraction, first: date, last: date, rules: LightRules) -> set[date]:
    """The days up to a figure's last one on which pace begins to be judged, and falls below each threshold."""
    total = (last - first).days + 1
    judged = int(_exact(rules.quiet_share) * total) + 1
    below = [math.floor(done * total / _exact(limit)) + 1 for limit in (rules.yellow_below, rules.red_below)]
    elapsed = {max(judged, n) for n in (judged, *below)}
    return {first + timedelta(days=n - 1) for n in elapsed if n <= total}


def _turns_of_step(step: Step, calendar: WorkCalendar, rules: LightRules) -> list[datetime]:
    """When a step comes near, is late, is too late: each a moment at which its band may change."""
    near = calendar.before(step.day + timedelta(days=1), rules.near_days + 1)
    too_late = calendar.after(step.day, rules.step_days + 1)
    return [moment(near, time()), step.due_at + timedelta(microseconds=1), moment(too_late, time())]


@lru_cache(_REMEMBERED)
def share_of_time(first: date, due_day: date, today: date) -> Fraction:
    """序时: the share of the days first..due_day used up by the end of `today`, within 0..1; both ends count.

    2025-07-17 in 05-01..08-31 is 78/123. A due day before `first` leaves no time: 1.
    """
    total = (due_day - first).days + 1
    if total <= 0:
        return Fraction(1)
    return min(max(Fraction((today - first).days + 1, total), Fraction(0)), Fraction(1))


def _idle(state: State, opened: bool, paused: bool, standing: bool, due_at: datetime | None) -> Light | None:
    if state in (State.CLOSED, State.WITHDRAWN):
        return Light("blue", "已办结", "任务已办结。", _BLUE)
    if state in LEFT_OUT:
        return Light("grey", state.label, f"{state.label}，不再计时。", _GREY + 3)
    if paused:
        return Light("grey", PAUSED, "已暂停计时，恢复后重新计算。", _GREY + 2)
    if not opened or state is State.PENDING:
        return Light("grey", "未启动", "任务尚未启动，不计进度。", _GREY + 1)
    return _undated(standing) if due_at is None else None


def _undated(standing: bool) -> Light:
    why = "长期坚持任务，没有设定时限，不作预警。" if standing else "尚未定时限，不作预警；请专班办明确完成时限。"
    return Light("grey", "未定时限", why, _GREY)


def _overdue(case: _Case) -> Light | None:
    if case.at <= case.due_at:
        return None
    due = due_words(case.due_at)
    late = -case.days_left
    if case.standing:
        return Light("yellow", "滞后", f"时限 {due} 已过，属长期坚持任务，不亮红灯。", _BEHIND)
    words = late_words(late)
    submitted = f"{full_day(local_day(case.at))}报送，" if case.submitted else "尚未报送，"
    band = _LATE_SENT if case.submitted else _LATE
    return Light("red", words, f"时限 {due}，{submitted}{words}。", band + case.due_day.toordinal())


def _lagging(case: _Case, pace: _Pace | None) -> Light | None:
    if pace is None or pace.ratio >= _exact(case.rules.yellow_below):
        return None
    if pace.ratio >= _exact(case.rules.red_below):
        limit = case.rules.yellow_below
        return Light(
            "yellow", "滞后", f"{pace.words(limit)}，低于 {limit}，为滞后；{case.distance()}。", _BEHIND + pace.place
        )
    limit = case.rules.red_below
    words = f"{pace.words(limit)}，低于 {limit}，"
    if case.standing:
        return Light("yellow", "滞后", f"{words}属长期坚持任务，按滞后提示。", _BEHIND + pace.place)
    return Light("red", "严重滞后", f"{words}为严重滞后。", _SEVERE + pace.place)


def _late_step(case: _Case, step: Step | None) -> Light | None:
    if step is None or case.submitted or case.at <= step.due_at:
        return None
    late = -case.calendar.days_left(local_day(case.at), step.day)
    reason = f"{step.name()}，尚未完成，{late_words(late)}"
    if late <= case.rules.step_days:
        return Light("yellow", "节点滞后", f"{reason}。", _BEHIND + step.place)
    if case.standing:
        return Light("yellow", "节点滞后", f"{reason}，属长期坚持任务，按滞后提示。", _BEHIND + step.place)
    limit = case.rules.step_days
    return Light("red", "节点严重滞后", f"{reason}，超过 {limit} 个工作日，为严重滞后。", _SEVERE + step.place)


def _near_step(case: _Case, step: Step | None) -> Light | None:
    if step is None or case.submitted:
        return None
    left = case.calendar.days_left(local_day(case.at), step.day)
    if left > case.rules.near_days:
        return None
    words = left_words(local_day(case.at), step.day, case.calendar)
    reason = f"{step.name()}，{words}，不超过 {case.rules.near_days} 个工作日，为临期。"
    return Light("yellow", "临期", reason, _NEAR + step.day.toordinal())


def _near(case: _Case) -> Light | None:
    left = case.days_left
    if case.submitted or left > case.rules.near_days:
        return None
    reason = f"时限 {due_words(case.due_at)}，{case.distance()}，不超过 {case.rules.near_days} 个工作日，为临期。"
    return Light("yellow", "临期", reason, _NEAR + case.due_day.toordinal())


def _on_time(case: _Case, pace: _Pace | None) -> Light:
    limit = case.rules.yellow_below
    figures = f"{pace.words(limit)}，不低于 {limit}；" if pace else ""
    reason = f"{figures}时限 {due_words(case.due_at)}，{case.distance()}。"
    return Light("green", "按序时推进", reason, _GREEN + (pace.place if pace else _BAND - 1))


def _slowest(case: _Case, first: date, figures: Sequence[Figure]) -> _Pace | None:
    """The pace of the figure furthest behind; None while pace is not judged or no figure has a total to reach."""
    paces = []
    for done, last, name in _shares(figures, case.due_day):
        used = share_of_time(first, last, local_day(case.at))
        if used > _exact(case.rules.quiet_share):
            reached = first.toordinal() + done * max((last - first).days + 1, 1)
            paces.append(_Pace(done, used, name, reached, done / used))
    if len(paces) < 2:
        return paces[0] if paces else None
    return min(paces, key=lambda pace: pace.behind(case.rules))


def _shares(figures: Sequence[Figure], due_day: date) -> list[tuple[Fraction, date, str]]:
    """(share of its target, last day, name) of every figure that has a total to reach."""
    return [
        (_share(f.value or Decimal(0), f.target), f.last(due_day), f.name) for f in figures if f.target and _counts(f)
    ]


def _counts(figure: Figure) -> bool:
    # A ceiling (<=) is kept, not reached: being far below it is good, so it has no pace.
    return figure.op != "<=" and figure.target is not None and figure.target > 0
