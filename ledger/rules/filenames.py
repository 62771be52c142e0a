"""Names of files as people give them: made harmless for every system they may be saved on, and marks of secrecy."""

from __future__ import annotations

import re
import unicodedata

MAX_BYTES = 200  # in UTF-8; file systems take 255, and a browser may add a number of its own
UNNAMED = "附件"

_FORBIDDEN = re.compile(r'[<>:"|?*]')
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\.|$)", re.IGNORECASE)

# 秘密, 机密, 绝密 as marks, and 内部 where it marks a paper; not within other words: 商业秘密保护, 计算机密码,
# 拒绝密切接触, 农机密植, 保守国家秘密法.
_MARKS = re.compile(
    r"绝密(?![切接集闭])"
    r"|机密(?![切集闭码度钥封云林植])"
    r"|(?<!商业)(?<!保守国家)秘密"
    r"|秘密(?=★|级(?!别))"
    r"|内部(?:资料|文件|材料|刊物|使用|传阅|参考|掌握)"
    r"|注意保存"
    r"|不得外传"
)
_BRACKETED = re.compile(r"(?<=[\[({【〔《_-])内部(?=[\])}】〕》_-])")
_SIMPLE = str.maketrans("絕機祕級內資閱傳參業國", "绝机秘级内资阅传参业国")


def cleaned(name: str) -> str:
    """A file name without path, control or direction characters and without what Windows refuses; its last extension
    is kept when it has to be shortened. Never empty."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    seen = "".join(" " if c.isspace() else c for c in last if not _is_hidden(c))
    plain = re.sub(r" +", " ", _FORBIDDEN.sub("_", seen)).strip(" .")
    if _RESERVED.match(plain):
        plain = f"_{plain}"
    stem, extension = split(plain)
    short = _first_bytes(stem, MAX_BYTES - len(extension.encode()) - 1).rstrip(" .") or UNNAMED
    return f"{short}.{extension}" if extension else short


def split(name: str) -> tuple[str, str]:
    """(stem, extension without its dot); an extension is a short run of ASCII letters and digits."""
    stem, dot, extension = name.rpartition(".")
    if dot and re.fullmatch(r"[A-Za-z0-9]{1,10}", extension):
        return stem, extension
    return name, ""


def secret_mark(name: str) -> str:
    """The mark of secrecy that a name bears, in any width and script and with anything between; nothing if none."""
    folded = unicodedata.normalize("NFKC", name).translate(_SIMPLE)
    seen = "".join(c for c in folded if not (_is_hidden(c) or c.isspace() or _is_kind(c, "M")))
    bare = "".join(c for c in seen if c == "★" or not _is_kind(c, "PS"))
    found = _MARKS.search(bare) or _BRACKETED.search(seen)
    return found[0] if found else ""


def _is_kind(c: str, kinds: str) -> bool:
    """Whether a character is a combining mark (M), punctuation (P) or a sign (S)."""
    return unicodedata.category(c)[0] in kinds


def _is_hidden(c: str) -> bool:
    """Characters that are not seen but change how a name reads: controls, directions, joiners, what no font knows."""
    return unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn") and not c.isspace()


def _first_bytes(words: str, most: int) -> str:
    return words.encode()[:most].decode(errors="ignore")
