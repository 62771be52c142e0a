"""Chinese as it is typed in pinyin.

The dictionary is read by whoever first asks: most processes never do, and it takes as long as half of all else that a
command reads before it answers.
"""

from __future__ import annotations


def spelt(words: str) -> str:
    """市人社局 as shirensheju; what is not Chinese stays."""
    from pypinyin import lazy_pinyin

    return "".join(lazy_pinyin(words))


def initials(words: str) -> str:
    """市人社局 as srsj."""
    from pypinyin import Style, lazy_pinyin

    return "".join(lazy_pinyin(words, style=Style.FIRST_LETTER))
