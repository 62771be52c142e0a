"""Whether a password is good enough: by its length, once everything that is easily guessed is left out. Pure.

No rule asks for capitals, digits or signs: such rules make passwords that are hard to keep and easy to guess.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

MIN_LENGTH = 10
MAX_LENGTH = 128
MIN_REST = 6  # characters that must be left when the obvious is taken out

# Words that guessing starts with, besides those of the person: account, name, unit.
OBVIOUS = (
    *("password", "passwd", "passw0rd", "p@ssw0rd", "p@ssword", "mima", "denglu", "login", "admin", "administrator"),
    *("root", "user", "guest", "test", "demo", "changeme", "default", "welcome", "letmein", "secret", "master"),
    *("duban", "taizhang", "renwu", "zhengfu", "gongwu", "bangong", "danwei", "lianluoyuan", "guanliyuan", "office"),
    *("iloveyou", "woaini", "aini", "1314520", "5201314", "1314", "520", "dragon", "monkey", "sunshine", "princess"),
    *("football", "baseball", "superman", "michael", "shadow", "trustno1", "qq", "weixin", "huawei", "china"),
    *(
        "zhongguo",
        "beijing",
        "hubei",
        "huangshi",
        "wuhan",
        "666",
        "888",
        "168",
        "a1b2c3",
        "密码",
        "督办",
        "台账",
        "管理员",
    ),
)
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "1q2w3e4r5t6y7u8i9o0p", "!@#$%^&*()")
_PATTERNS = (
    r"1[3-9]\d{9}",  # a mobile number
    r"(?:19|20)\d\d[-./]?(?:0[1-9]|1[0-2])[-./]?(?:0[1-9]|[12]\d|3[01])",  # a birthday
    r"(?:19|20)\d\d",  # a year
)
_ROW = 4  # this many neighbours of a row of keys, or
_RUN = 3  # of the alphabet or of numbers, are no secret


def fault(password: str, known: Iterable[str] = ()) -> str | None:
    """What is wrong with a new password, a sentence; None when nothing is. `known`: account, name, unit, place."""
    if not password:
        return "请填写新密码。"
    if len(password) < MIN_LENGTH:
        return f"密码太短（{len(password)} 个字符），至少 {MIN_LENGTH} 个字符，越长越好。"
    if len(password) > MAX_LENGTH:
        return f"密码太长，请不要超过 {MAX_LENGTH} 个字符。"
    if len(rest(password, known)) < MIN_REST:
        return (
            "这个密码容易被猜到（账号、姓名、单位、年份、连号和常见词都不算数）。请换一个，比如几个不相干的词连在一起。"
        )
    return None


def rest(password: str, known: Iterable[str] = ()) -> str:
    """The password without what is easily guessed."""
    left = unicodedata.normalize("NFKC", password).lower()
    words = {unicodedata.normalize("NFKC", w).lower() for w in (*known, *OBVIOUS)}
    for word in sorted((w for w in words if len(w) > 1), key=lambda w: (-len(w), w)):
        left = left.replace(word, " ")
    for pattern in _PATTERNS:
        left = re.sub(pattern, " ", left)
    left = _without_rows(_without_runs(left))
    return re.sub(r"(.+?)\1+", r"\1", re.sub(r"\s+", "", left))


def _without_runs(words: str) -> str:
    """Without abc, 4321 and 0000: neighbours that are one step apart, all in one direction."""
    kept, start = [], 0
    while start < len(words):
        end = start + 1
        while end < len(words) and _goes_on(words, start, end):
            end += 1
        kept.append(words[start:end] if end - start < _RUN else " ")
        start = end
    return "".join(kept)


def _goes_on(words: str, start: int, end: int) -> bool:
    step = ord(words[end]) - ord(words[end - 1])
    return abs(step) <= 1 and (end == start + 1 or step == ord(words[start + 1]) - ord(words[start]))


def _without_rows(words: str) -> str:
    """Without stretches of the keyboard, read either way."""
    rows = [turned for row in _ROWS for turned in (row, row[::-1])]
    for length in range(max(map(len, rows)), _ROW - 1, -1):
        for row in rows:
            for start in range(len(row) - length + 1):
                words = words.replace(row[start : start + length], " ")
    return words
