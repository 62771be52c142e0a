"""Wording several rules share: how a day, a span of working days and a figure are written for people."""

import re
import unicodedata
from datetime import date, datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache

from ledger.calendar import SHANGHAI, WorkCalendar, last_day, local_day, weekday


def month_day(day: date) -> str:
    """8月31日."""
    return f"{day.month}月{day.day}日"


def paper_day(day: date) -> str:
    """2025年8月31日, as official papers write it."""
    return f"{day.year}年{month_day(day)}"


def line_words(no: str) -> str:
    """清单第13项; what stands in a register has a number of its own: 批示〔2025〕3号."""
    return no if "〔" in no else f"清单第{no}项"


def short_day(day: date) -> str:
    """08-31 周日."""
    return f"{day:%m-%d} {weekday(day)}"


@lru_cache(maxsize=4096)
def full_day(day: date) -> str:
    """2025-08-31 周日."""
    return f"{day:%Y-%m-%d} {weekday(day)}"


@lru_cache(maxsize=4096)
def lacking_words(lacking: Decimal) -> str:
    """少 30, or 多 30 where it is negative: what parts are short of their whole, or beyond it."""
    return f"少 {number_words(lacking)}" if lacking > 0 else f"多 {number_words(-lacking)}"


def due_words(due_at: datetime) -> str:
    """2025-08-31 周日 for the end of a day, 2025-06-06 周五 17:00 for a time of day."""
    day = last_day(due_at)
    if day != local_day(due_at):
        return full_day(day)
    return f"{full_day(day)} {due_at.astimezone(SHANGHAI):%H:%M}"


def clock_words(at: datetime) -> str:
    """07-17 周四 09:40."""
    return f"{short_day(at.astimezone(SHANGHAI).date())} {at.astimezone(SHANGHAI):%H:%M}"


def left_words(today: date, due_day: date, calendar: WorkCalendar) -> str:
    """剩 N 个工作日, 今日到期 or 逾期 N 个工作日; where only days off remain, the due day is named (8月31日到期)."""
    if today > due_day:
        return late_words(-calendar.days_left(today, due_day))
    left = calendar.days_left(today, due_day)
    if left:
        return f"剩 {left} 个工作日"
    return "今日到期" if today == due_day else f"{month_day(due_day)}到期"


def late_words(days: int) -> str:
    """逾期 N 个工作日; the same day and days off alone make less than one."""
    return f"逾期 {days} 个工作日" if days else "逾期不足 1 个工作日"


def number_words(value: Decimal) -> str:
    """1,412 or 3.5: thousands separated, no trailing zeros, never an exponent."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@lru_cache(maxsize=4096)
def percent_words(share: Fraction) -> str:
    """39.2%, half up as people round."""
    return f"{_decimal(share * 100).quantize(Decimal('0.1'), ROUND_HALF_UP)}%"


@lru_cache(maxsize=4096)
def ratio_words(ratio: Fraction, threshold: Fraction) -> str:
    """0.62; with more places where rounding would contradict the comparison with `threshold` (0.6996 is not 0.70)."""
    value = _decimal(ratio)
    for places in range(2, 7):
        shown = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        if (Fraction(shown) < threshold) == (ratio < threshold):
            return str(shown)
    return str(value.quantize(Decimal("0.000001"), ROUND_DOWN))


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


# Controls, halves of a character, marks that turn the direction of reading, blanks without width, signs that are none.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
    "\ud800-\udfff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
_NOTHING = re.compile("[\u00ad\u200b\u2060\ufeff]")


def hidden_characters(text: str) -> list[str]:
    """The characters of a text that nobody can see and that change how it is read, each once."""
    return sorted(set(_HIDDEN.findall(text)))


def as_seen(text: str) -> str:
    """A text a person typed, as the ledger keeps it: what cannot be seen shows as �, what means nothing is left out.

    Line ends are one kind. Zero-width blanks come along with what is copied from other programmes.
    """
    return _HIDDEN.sub("\ufffd", _NOTHING.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


# Letters and signs, by Unicode's word, that every font leaves blank.
_BLANK = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
MAX_MARKS = 4
"""Marks over one letter: no script writes more (Tibetan), and dozens strike out the lines around them."""


def shows(text: str) -> bool:
    """Whether anything can be seen of a text: a letter, a figure or a sign."""
    return any(unicodedata.category(c)[0] in "LNPS" and c not in _BLANK for c in as_seen(text))


def is_overlaid(text: str) -> bool:
    """Whether marks are heaped on one letter, beyond MAX_MARKS."""
    heap = 0
    for c in "" if text.isascii() else text:
        kind = unicodedata.category(c)
        if kind in ("Mn", "Me"):
            heap += 1
            if heap > MAX_MARKS:
                return True
        elif kind != "Cf":
            heap = 0
    return False


def compared(text: str) -> str:
    """What a number or a name is compared by: neither width nor white space tells two apart."""
    return "".join(unicodedata.normalize("NFKC", as_seen(text)).split())


def is_formula(text: str) -> bool:
    """Whether a spreadsheet that opens this text would compute it."""
    return text.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
