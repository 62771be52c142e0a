"""Printed words about time, read as a rule: 8月底前, 每月25日前, 签收后5个工作日内; 12月1日起, 任务2办结后.

A reading is an offer: the panel shows it, explains it, and the person keeps or changes it. What is not understood for
certain is not read, and then there is no rule: the words stand alone and the linter asks for one.
"""

from __future__ import annotations

import re

from bpmn.phrases.limits import LIMITS
from bpmn.phrases.openings import OPENINGS
from bpmn.phrases.setting import Rule, Setting

__all__ = ["Rule", "Setting", "not_read", "read"]

_READINGS = {"due": LIMITS, "opens": OPENINGS}
_EXAMPLES = {"due": "8月底前、签收后10个工作日内、每月25日前", "opens": "9月1日起、第四季度、启动后10日"}
_OPEN_END = "；文件没有写到哪一天的，请选“未定时限”或“长期坚持”"
_SIGNS = str.maketrans({"（": "(", "）": ")", "～": "至", "~": "至", "—": "至", "–": "至", "－": "-"})


def read(name: str, text: str, setting: Setting) -> Rule | None:
    """The attributes of the `due` or `opens` rule that words mean in a plan; None for what is not understood."""
    plain = re.sub(r"至+", "至", re.sub(r"\s+", "", text).translate(_SIGNS))
    for pattern, reading in _READINGS[name]:
        if (found := re.fullmatch(pattern, plain)) and (rule := reading(found, setting)) is not None:
            return rule
    return None


def not_read(name: str, label: str, text: str) -> str:
    """What is said of words without a rule, wherever they stand."""
    way = _OPEN_END if name == "due" else ""
    return f"没有读懂{label}“{text}”；请换个说法（如{_EXAMPLES[name]}），或在“逐项设置”里选定类型{way}。"
