"""Figures people type: reading them, holding them against a target, adding them up, and asking before accepting.

What cannot be a number is an error; what is merely unlikely is a question, and the person answers it (issue C).
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple

from ledger.rules.texts import number_words, percent_words

SumRule = Literal["sum", "max", "latest"]

_SCALES = {"": Decimal(1), "千": Decimal(10**3), "万": Decimal(10**4), "亿": Decimal(10**8)}
_NUMBER = re.compile(r"(?P<digits>[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)(?P<scale>[千万亿]?)", re.ASCII)
_LONGEST = 20  # characters: with 亿 at most the 28 places in which Decimal is exact
_ASK_ABOVE = Fraction(12, 10)
_DIGITS_TOO_MANY = 4  # 元 typed for 万元


class FigureError(ValueError):
    """What was typed is no number; the message is Chinese and says how to write it."""


class Reading(NamedTuple):
    """One unit's value as of an instant (aware UTC)."""

    value: Decimal
    at: datetime


def parse_number(text: str, *, unit: str = "") -> Decimal:
    """The number typed: full-width digits, thousands separators, 千 / 万 / 亿 and a trailing `unit` are understood.

    "3.5万" is 35000, "１，２００人" with the unit 人 is 1200. Where the unit itself is counted in 万 (万元), "3.5万"
    could mean two things and is refused; with the whole unit typed ("3.5万元") it is clear.

    Raises:
        FigureError: anything else; nothing is guessed (约1200, 1200多, 1-2).
    """
    if any(_stands_for_digits(c) for c in text):  # ² and ① fold to digits as well, but nobody means them as such
        raise FigureError(f"“{text.strip()[:40]}”不是一个确定的数字；请只填数字，如 1200、1,200 或 3.5万。")
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).replace("−", "-")
    if not plain:
        raise FigureError("请填写数字；没有进展时填 0，或选择“本期无新进展”。")
    typed_unit = unicodedata.normalize("NFKC", unit)
    number = plain.removesuffix(typed_unit)
    match = _NUMBER.fullmatch(number)
    if match is None or len(number) > _LONGEST:
        raise FigureError(f"“{text.strip()[:40]}”不是一个确定的数字；请只填数字，如 1200、1,200 或 3.5万。")
    if match["scale"] and typed_unit.startswith(("千", "万", "亿")) and number == plain:
        raise FigureError(f"本指标以{unit}计，“{text.strip()}”可能重复计算单位；请只填数字，如 3.5 表示 3.5{unit}。")
    return _plain(Decimal(match["digits"].replace(",", "")) * _SCALES[match["scale"]])


def _stands_for_digits(c: str) -> bool:
    """Whether a character becomes a digit when it is folded, without being the full-width form of one."""
    return not c.isascii() and not "０" <= c <= "９" and any(d.isdigit() for d in unicodedata.normalize("NFKC", c))


def share_of_target(value: Decimal | None, target: Decimal | None, op: str = ">=") -> Fraction | None:
    """How much of the target is reached (0.392 for 588 of 1500); None without a reading, for a ceiling or no target."""
    if value is None or target is None or target <= 0 or op == "<=":
        return None
    return Fraction(value) / Fraction(target)


def of_quotas(rules: Sequence[str]) -> int | None:
    """Which of an item's figures (by their sum rules) its quotas are parts of: the one that adds up; None where none or
    several do."""
    sums = [n for n, rule in enumerate(rules) if rule == "sum"]
    return sums[0] if len(sums) == 1 else None


def roll_up(rule: SumRule, readings: Sequence[Reading]) -> Decimal | None:
    """The units' readings as one value by the indicator's sum rule; None where nobody has reported.

    latest: the reading of the latest instant; of several at that instant the last given.
    """
    if not readings:
        return None
    if rule == "sum":
        return sum((reading.value for reading in readings), Decimal(0))
    if rule == "max":
        return max(reading.value for reading in readings)
    return max(enumerate(readings), key=lambda numbered: (numbered[1].at, numbered[0]))[1].value


def course(rule: SumRule, readings: Sequence[tuple[int, Reading]]) -> list[Reading]:
    """How a figure has grown: what the units together had come to after each of their readings, in order of time.

    `readings`: (unit, reading). Of several at one instant the last counts.
    """
    latest: dict[int, Reading] = {}
    found: dict[datetime, Reading] = {}
    for unit, reading in sorted(readings, key=lambda said: said[1].at):
        latest[unit] = reading
        value = roll_up(rule, list(latest.values()))
        if value is not None:
            found[reading.at] = Reading(value, reading.at)
    return list(found.values())


def questions(
    value: Decimal,
    *,
    previous: Decimal | None = None,
    target: Decimal | None = None,
    op: str = ">=",
    cumulative: bool = True,
    unit: str = "",
) -> list[str]:
    """What to ask before accepting a value; empty when it is plausible. Each is a Chinese question, none an error.

    `previous`: the value of the turn before. `cumulative`: the figure can only grow.
    """
    asked = [
        _falling(value, previous if cumulative else None, unit),
        _digits(value, previous, target, unit) or _beyond(value, target, op, unit),
    ]
    return [question for question in asked if question]


def differs(value: Decimal, rolled: Decimal | None, parts: int, unit: str = "") -> str:
    """What to ask where a unit reports another figure than its lower units (`parts` of them) have come to."""
    if rolled is None or value == rolled:
        return ""
    return (
        f"下级 {parts} 家填报汇总为 {_with_unit(rolled, unit)}，与本次填报的 {_with_unit(value, unit)}不一致，"
        "是否确认？如有核减或直接办理的，请在进展中说明。"
    )


def _falling(value: Decimal, previous: Decimal | None, unit: str) -> str | None:
    if previous is None or value >= previous:
        return None
    less = _with_unit(previous - value, unit).rstrip()
    return (
        f"本期累计 {_with_unit(value, unit)}，比上期的 {_with_unit(previous, unit)}少 {less}；"
        "累计数一般不会减少，是否确认？如属核减，请说明原因。"
    )


def _digits(value: Decimal, previous: Decimal | None, target: Decimal | None, unit: str) -> str | None:
    if target is not None and target > 0 and value <= Fraction(target) * _ASK_ABOVE:
        return None  # a jump towards the target is good news
    for name, known in (("上期", previous), ("目标", target)):
        if known is not None and known > 0 and _places(value) - _places(known) >= _DIGITS_TOO_MANY:
            more = _places(value) - _places(known)
            return (
                f"填报数 {_with_unit(value, unit)}比{name}的 {_with_unit(known, unit)}多 {more} 位数，"
                "是否多填了位数，或用错了计量单位？"
            )
    return None


def _beyond(value: Decimal, target: Decimal | None, op: str, unit: str) -> str | None:
    share = share_of_target(value, target, op)
    if share is None or target is None or share <= _ASK_ABOVE:
        return None
    return (
        f"填报数 {_with_unit(value, unit)}已达目标 {_with_unit(target, unit)}的 {percent_words(share)}，是否确认无误？"
    )


def _places(value: Decimal) -> int:
    """Digits before the point: 3 for 450, 1 for 4.5, 0 and below for 0.45 and less."""
    return value.adjusted() + 1 if value else 0


def _with_unit(value: Decimal, unit: str) -> str:
    # A blank separates a figure from the words around it; a unit closes it off.
    return f"{number_words(value)} {unit}" if unit else f"{number_words(value)} "


def _plain(value: Decimal) -> Decimal:
    """Without trailing zeros or exponent: 35000, not 3.5E+4 or 35000.0."""
    return Decimal(number_words(value).replace(",", ""))
