"""预警灯: one colour an item, with a word and the reason in a sentence with its numbers.

The rule, worst first (DESIGN, "Words"; thresholds are data, `LightRules`):

1. 已办结 is blue; 暂停计时, 未启动 and 未定时限 are grey, whatever else is true.
2. Past the due instant: red, 逾期 N 个工作日.
3. Pace: the slowest figure's share of its target over the share of time used (`share_of_time`). Below 0.70 red
   严重滞后, below 0.90 yellow 滞后. Pace is judged only after the first tenth of the time; from then on a figure
   without a reading counts as 0. Before, silence says nothing yet, and a unit that honestly reports an early zero must
   not stand worse than one that keeps silent.
4. At most 3 working days left: yellow 临期. Else green 按序时推进.

What was submitted and not returned is judged as of its submission: review time never costs the unit a colour, and it
is not 临期 any more. 长期坚持 is never red; what would be red is yellow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple

from ledger.calendar import WorkCalendar, last_day, local_day
from ledger.rules.texts import due_words, full_day, late_words, left_words, percent_words, ratio_words
from ledger.rules.verbs import State

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
# Ranks come in bands, wide enough for days late and for thousandths of a ratio.
_BAND = 10_000
_SEVERE, _BEHIND, _NEAR, _GREEN, _GREY, _BLUE = (_BAND * n for n in range(1, 7))


class Figure(NamedTuple):
    """A figure to reach: total target (None: there is none), value so far (None: no reading), comparison, name."""

    target: Decimal | None
    value: Decimal | None
    op: str = ">="
    name: str = ""


@dataclass(frozen=True)
class LightRules:
    """Thresholds of a plan: ratios, working days, and the share of time before which pace is not judged."""

    red_below: Decimal = Decimal("0.70")
    yellow_below: Decimal = Decimal("0.90")
    near_days: int = 3
    quiet_share: Decimal = Decimal("0.10")


@dataclass(frozen=True)
class Light:
    """A light: never colour alone, always with its word, its shape and one Chinese sentence saying why.

    `rank` sorts worst first (ascending): overdue by days, 严重滞后 and 滞后 by ratio, 临期 by days left, green, grey,
    blue.
    """

    colour: Colour
    word: str
    reason: str
    rank: int

    @property
    def shape(self) -> Shape:
        """◆ red, ▲ yellow, ● green, ○ grey (‖ when paused), ☑ blue: to be read without seeing the colour."""
        return "bars" if self.word == PAUSED else _SHAPES[self.colour]


class _Pace(NamedTuple):
    done: Fraction  # share of the target
    time: Fraction  # share of the time, above 0
    name: str

    @property
    def ratio(self) -> Fraction:
        return self.done / self.time

    def words(self, threshold: Decimal) -> str:
        ratio = ratio_words(self.ratio, Fraction(threshold))
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
    def days_left(self) -> int:
        return self.calendar.days_left(local_day(self.at), last_day(self.due_at))

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
    period: tuple[date, date],
    figures: Sequence[Figure],
    calendar: WorkCalendar,
    submitted_at: datetime | None = None,
    paused: bool = False,
    standing: bool = False,
    rules: LightRules = LightRules(),
) -> Light:
    """The light of an item or a share; the rule stands at the head of this module.

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
    return _overdue(case) or _lagging(case, pace) or _near(case) or _on_time(case, pace)


def share_of_time(first: date, due_day: date, today: date) -> Fraction:
    """序时: the share of the days first..due_day used up by the end of `today`, within 0..1; both ends count.

    2025-07-17 in 05-01..08-31 is 78/123. A due day before `first` leaves no time: 1.
    """
    total = (due_day - first).days + 1
    if total <= 0:
        return Fraction(1)
    return min(max(Fraction((today - first).days + 1, total), Fraction(0)), Fraction(1))


def _idle(state: State, opened: bool, paused: bool, standing: bool, due_at: datetime | None) -> Light | None:
    if state is State.CLOSED:
        return Light("blue", "已办结", "任务已办结。", _BLUE)
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
    return Light("red", words, f"时限 {due}，{submitted}{words}。", _SEVERE - 1 - min(late, _BAND - 1))


def _lagging(case: _Case, pace: _Pace | None) -> Light | None:
    if pace is None or pace.ratio >= Fraction(case.rules.yellow_below):
        return None
    thousandths = max(int(pace.ratio * 1000), 0)
    if pace.ratio >= Fraction(case.rules.red_below):
        limit = case.rules.yellow_below
        return Light(
            "yellow", "滞后", f"{pace.words(limit)}，低于 {limit}，为滞后；{case.distance()}。", _BEHIND + thousandths
        )
    limit = case.rules.red_below
    words = f"{pace.words(limit)}，低于 {limit}，"
    if case.standing:
        return Light("yellow", "滞后", f"{words}属长期坚持任务，按滞后提示。", _BEHIND + thousandths)
    return Light("red", "严重滞后", f"{words}为严重滞后。", _SEVERE + thousandths)


def _near(case: _Case) -> Light | None:
    left = case.days_left
    if case.submitted or left > case.rules.near_days:
        return None
    reason = f"时限 {due_words(case.due_at)}，{case.distance()}，不超过 {case.rules.near_days} 个工作日，为临期。"
    return Light("yellow", "临期", reason, _NEAR + max(left, 0))


def _on_time(case: _Case, pace: _Pace | None) -> Light:
    limit = case.rules.yellow_below
    figures = f"{pace.words(limit)}，不低于 {limit}；" if pace else ""
    reason = f"{figures}时限 {due_words(case.due_at)}，{case.distance()}。"
    return Light(
        "green", "按序时推进", reason, _GREEN + (min(int(pace.ratio * 1000), _BAND - 1) if pace else _BAND - 1)
    )


def _slowest(case: _Case, first: date, figures: Sequence[Figure]) -> _Pace | None:
    """The pace of the figure furthest behind; None while pace is not judged or no figure has a total to reach."""
    time = share_of_time(first, last_day(case.due_at), local_day(case.at))
    counting = [(figure, Fraction(figure.target)) for figure in figures if figure.target and _counts(figure)]
    if time <= Fraction(case.rules.quiet_share) or not counting:
        return None
    paces = [_Pace(Fraction(figure.value or 0) / target, time, figure.name) for figure, target in counting]
    return min(paces, key=lambda pace: pace.done)


def _counts(figure: Figure) -> bool:
    # A ceiling (<=) is kept, not reached: being far below it is good, so it has no pace.
    return figure.op != "<=" and figure.target is not None and figure.target > 0
