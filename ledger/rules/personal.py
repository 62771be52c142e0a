"""Numbers of persons that must not enter a record: identity-card numbers (with a valid date and check digit) and mobile
numbers. Landlines, e-mail addresses and other long numbers are left alone.

What stands beside a number tells what it is: a digit makes it part of a longer one, letters before it are its name
(Tel, wx, ID), a comma or the number of a line separates it from the next.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

Kind = Literal["identity", "mobile"]

WORDS: dict[Kind, str] = {"identity": "身份证号", "mobile": "手机号码"}
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_LEAST_GROUP = 3
_LONGEST_NAME = 64
_FIRST_YEAR, _LAST_YEAR = 1900, 2100

# Every decimal digit that folds to an ASCII one (full-width forms), and what people put between groups of digits.
_FOLDED = {ord(wide): ord(plain) for wide, plain in zip("０１２３４５６７８９Ｘｘ－＋", "0123456789Xx-+", strict=True)}
_GAP = r"[ \t\u00a0\u2002-\u200a\u3000\-‐‑‒–—−]"
_APART = rf"{_GAP}{{0,2}}"
_NEXT = rf"{_APART}[0-9]"
_BORN = rf"(?:1{_APART}9|2{_APART}[01])(?:{_NEXT}){{2}}{_APART}(?:0{_APART}[1-9]|1{_APART}[0-2]){_APART}[0-3]{_NEXT}"
# Looked for at every place: digits that stand before it may make up, with its own, what looks like another one.
_IDENTITY = re.compile(rf"(?<![0-9])(?=([1-9](?:{_NEXT}){{5}}{_APART}{_BORN}(?:{_NEXT}){{3}}{_APART}[0-9Xx])(?![0-9]))")
_DECIMALS = r"(?<![0-9]{3}\.)(?<!(?<![0-9])0\.)"  # the places of 0.… and of a long number; 1. is that of a line
_AMOUNT = r"[A-Za-z]|\.[0-9]{1,4}(?![0-9])"  # a unit of measure (kWh), or what is left of an amount
_MOBILE = re.compile(
    rf"(?<![0-9]){_DECIMALS}(?:(?:\+|00)?86{_APART})?(1[3-9](?:{_APART}[0-9]){{9}})(?![0-9]|{_AMOUNT})"
)
_NAME = re.compile(r"[0-9A-Za-z]*[A-Za-z]\Z")  # letters that a number follows without a gap
_ADDRESS = re.compile(r"[0-9A-Za-z._-]*@")


@dataclass(frozen=True)
class Found:
    """A number of a person: what kind, and where it begins and ends in the text."""

    kind: Kind
    start: int
    end: int

    @property
    def words(self) -> str:
        return WORDS[self.kind]


def personal_numbers(text: str) -> list[Found]:
    """Every identity-card and mobile number of a text, in its order."""
    plain = text.translate(_FOLDED)
    if not re.search("[0-9]", plain):
        return []
    found = list(_identities(plain))
    taken = [(f.start, f.end) for f in found]
    for m in _MOBILE.finditer(plain):
        if (
            _is_grouped(m[1])
            and not _belongs(plain, m)
            and not any(start < m.end() and m.start() < end for start, end in taken)
        ):
            found.append(Found("mobile", m.start(), m.end()))
    return sorted(found, key=lambda f: f.start)


def _is_grouped(digits: str) -> bool:
    """Whether digits stand together as one number: in groups of three and more, or all apart. 15 20 30 40 50 6 are
    six numbers."""
    groups = [len(group) for group in re.split(f"{_GAP}+", digits)]
    return min(groups) >= _LEAST_GROUP or max(groups) == 1


def _belongs(plain: str, m: re.Match[str]) -> bool:
    """Whether digits after letters are the end of a code (91420200MA...) or of a name in an e-mail address."""
    before = _NAME.search(plain, max(m.start() - _LONGEST_NAME, 0), m.start())
    if before is None:
        return False
    return any(c.isdigit() for c in before.group()) or _ADDRESS.match(plain, m.end()) is not None


def _identities(plain: str) -> Iterator[Found]:
    for m in _IDENTITY.finditer(plain):
        digits = re.sub(_GAP, "", m[1]).upper()
        if is_identity(digits):
            yield Found("identity", *m.span(1))


def is_identity(digits: str) -> bool:
    """Whether 18 characters are a citizen's number: the date of birth exists and the check digit is right."""
    if not re.fullmatch(r"[1-9][0-9]{16}[0-9X]", digits):
        return False
    try:
        born = date(int(digits[6:10]), int(digits[10:12]), int(digits[12:14]))
    except ValueError:
        return False
    total = sum(int(d) * weight for d, weight in zip(digits, _WEIGHTS, strict=False))
    return _FIRST_YEAR <= born.year <= _LAST_YEAR and digits[17] == _CHECKS[total % 11]


def refusal_of(text: str) -> str | None:
    """What is told about the first such number of a text, without repeating it; None where there is none."""
    found = personal_numbers(text)
    if not found:
        return None
    first = found[0]
    line = text.count("\n", 0, first.start) + 1
    where = f"第 {line} 行" if "\n" in text.strip() else f"第 {first.start + 1} 个字处"
    kinds = "、".join(dict.fromkeys(f.words for f in found))
    return f"文字里有{kinds}（{where}），本系统不保存个人号码；请删去后再提交，需要时写单位电话。"
