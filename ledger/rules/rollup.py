"""An item's figure from those of its units, and the whole target that a norm (每月 2 场) adds up to over a plan's period."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

_DAYS_A_WEEK = 7


@dataclass(frozen=True)
class Contribution:
    """What one unit has reached so far; None while it has reported nothing."""

    value: Decimal | None
    reported_at: datetime | None = None


def rolled_up(sum_rule: str, contributions: Sequence[Contribution], *, each: bool = False) -> Decimal | None:
    """The item's value: sum, max or latest of what was reported; None while nobody has.

    `each`: the norm holds for every unit by itself (每个县), so the unit that has reached least speaks for the item.
    """
    said = [c for c in contributions if c.value is not None]
    if not said:
        return None
    values = [c.value for c in said if c.value is not None]
    if each:
        return min(values) if len(said) == len(contributions) else Decimal(0)
    if sum_rule == "max":
        return max(values)
    if sum_rule == "latest":
        return max(said, key=lambda c: c.reported_at.timestamp() if c.reported_at else 0.0).value
    return sum(values, Decimal(0))


def whole_target(target: Decimal, per: str | None, period: tuple[date, date]) -> Decimal:
    """The target over the whole period: 每月 2 场 from May to August is 8."""
    return target * _turns(per, period)


def _turns(per: str | None, period: tuple[date, date]) -> int:
    start, end = period
    months = (end.year - start.year) * 12 + end.month - start.month + 1
    match per:
        case "week":
            return -(-((end - start).days + 1) // _DAYS_A_WEEK)
        case "month":
            return months
        case "quarter":
            return -(-months // 3)
        case "year":
            return end.year - start.year + 1
    return 1
