"""The Chinese names of states, roles and kinds as pages and mails print them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.rules.intakes import State as IntakeState
from ledger.rules.verbs import Role, State

STATE_WORDS = {
    **{state.value: state.label for state in State},
    "open": "办理中",  # of an item
    "lasting": "长期坚持",
    "owed": "待报送",
    "reported": "已报送",
    "missed": "逾期未报",
    **{state.value: state.label for state in IntakeState},
}
SHARE_WORDS = {"lead": "牵头", "responsible": "责任", "cooperating": "配合"}
ROLE_WORDS = {role.value: role.label for role in Role}


def post_words(role: str, plan: str | None = None, rank: str | None = None, field: str | None = None) -> str:
    """A post as people call it: 联络员（A 角，百日攻坚）."""
    limits = [words for words in (f"{rank} 角" if rank else "", field, plan) if words]
    return ROLE_WORDS.get(role, role) + (f"（{'，'.join(limits)}）" if limits else "")


# What one primary button says, by the state of a share or by the step of what hangs on it.
STATE_VERBS = {
    State.ACKNOWLEDGING: "签收",
    State.WORKING: "填报",
    State.RETURNED: "补正",
    State.SIGNING: "审签",
    State.REVIEWING: "审核",
}
STEP_VERBS = {
    "report": "去报送",
    "extension": "审批",
    "objection": "处理",
    "steps": "确认",
    "confirm": "确认",
    "propose": "拟办",
    "decide": "审定",
    "present": "呈报",
}
# What a notice is about, by the first word of its tier; those of OUTCOME_WORDS tell what was decided on a share.
OUTCOME_WORDS = {
    "granted": "延期申请已同意",
    "declined": "申请未获同意",
    "terminated": "责任已终止",
    "moved": "责任单位已调整",
    "steps_confirmed": "节点计划已确认",
    "dated": "时限已核定",
    "due_changed": "时限已调整",
    "retitled": "标题或原文已更正",
    "target": "目标值已调整",
    "quota": "份额已调整",
    "gap": "任务数已合并计算，请补充分解或说明原因",
    "lasting": "已转为长期坚持任务",
    "limited": "已转为限时办理任务",
    "suspended": "已暂停计时",
    "resumed": "已恢复计时",
    "revoked": "办结已撤销，转入整改",
    "reopened": "办结已撤销，请重新办理",
    "entered": "交办单位代录了进展，请确认",
    "corrected": "待您审核的数字已更正，请重新核对",
    "check": "填报数已审核",
    "settle": "填报数已核定",
    "copied": "抄送您知悉",
    "handed_on": "已转交给您办理",
    "ended": "本单位的上级任务已了结，无需再办理",
    "recalled": "上级单位的任务已移交其他单位，本单位无需再办理",
}
TIER_WORDS = {
    "handed": "交办通知",
    "request": "报送通知",
    "returned": "退回通知",
    "urged": "催办",
    "waiting": "待办提醒",
    "applied": "申请待审批",
    "pressing": "审批提醒",
    "chasing": "办理提醒",
    "vacant": "岗位空缺",
    **OUTCOME_WORDS,
}


def upholds(p: Mapping[str, Any]) -> bool:
    """Whether a share ended, or went to another unit, because its unit's objection was upheld."""
    settles = p.get("settles")
    return bool(settles and (settles["petition_kind"], settles["outcome"]) == ("objection", "granted"))
