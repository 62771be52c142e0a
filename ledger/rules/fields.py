"""What the free texts of events are called, and in which field of a form each is typed."""

import re
from collections.abc import Mapping

from ledger.rules.personal import refusal_of

QUOTED = {
    "cause": "申请理由",
    "progress": "进展",
    "problem": "问题和需协调",
    "summary": "完成情况",
    "achieved": "节点完成情况",
    "reason": "意见",
    "words": "催办内容",
    "note": "说明",
    "facts": "事实和理由",
    "basis": "依据",
    "ground": "理由和依据",
    "told_by": "提供人",
    "caller": "拨打人",
    "spoke_to": "受话人",
    "answer": "答复",
    "gap": "分解数与任务数不一致的原因",
    "leader": "批示领导",
    "instruction": "批示内容",
    "paper": "来文标题",
    "paper_no": "来文文号",
    "opinion": "拟办意见",
    "decider": "审定人",
    "account": "呈报情况",
    "further": "领导再批示",
}
# What a case is registered and decided by: for all who take part in its item, as a ground is. What the office proposes
# and reports upwards is for those who read every report.
SHARED = ("ground", "leader", "instruction", "paper", "paper_no", "decider")
STEP_FIELD = re.compile(r"(step|who)-([0-9]{1,2})")
_FORM_FIELDS = {"cause": "reason", "achieved": "words"}


def field_label(name: str) -> str:
    """What a text of an event is called; nothing where its name does not tell."""
    if name in QUOTED:
        return QUOTED[name]
    if of_step := STEP_FIELD.fullmatch(name):
        return f"节点 {of_step[2]} {'责任人' if of_step[1] == 'who' else '内容'}"
    return "附件名" if name.startswith("file-") else ""


def form_field(name: str) -> str:
    """The field of a form in which a text is typed."""
    return "files" if name.startswith("file-") else _FORM_FIELDS.get(name, name)


def personal_faults(texts: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with texts (by their names in an event) that hold numbers of persons, by fields of a form."""
    faults = {}
    for name, words in texts.items():
        if said := refusal_of(words):
            label = field_label(name)
            faults[form_field(name)] = f"“{label}”{said.removeprefix('文字里')}" if label else said
    return faults
