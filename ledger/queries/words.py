"""The Chinese names of states, roles and kinds as pages and mails print them."""

from __future__ import annotations

from ledger.rules.verbs import Role, State

STATE_WORDS = {
    **{state.value: state.label for state in State},
    "open": "办理中",  # of an item
    "lasting": "长期坚持",
    "owed": "待报送",
    "reported": "已报送",
    "missed": "逾期未报",
}
SHARE_WORDS = {"lead": "牵头", "responsible": "责任", "cooperating": "配合"}
ROLE_WORDS = {role.value: role.label for role in Role}


def post_words(role: str, plan: str | None = None, rank: str | None = None, field: str | None = None) -> str:
    """A post as people call it: 联络员（A 角，百日攻坚）."""
    limits = [words for words in (f"{rank} 角" if rank else "", field, plan) if words]
    return ROLE_WORDS.get(role, role) + (f"（{'，'.join(limits)}）" if limits else "")


# What one primary button says, by the step a todo stands at.
STEP_VERBS = {
    "acknowledge": "签收",
    "work": "填报",
    "sign": "审签",
    "accept": "认可",
    "review": "审核",
    "host_review": "审核",
    "report": "去报送",
    "extension": "审批",
    "objection": "处理",
    "steps": "确认",
    "confirm": "确认",
}
# What a notice is about, by the first word of its tier; those of OUTCOME_WORDS tell what was decided on a share.
OUTCOME_WORDS = {
    "granted": "延期申请已同意",
    "declined": "申请未获同意",
    "terminated": "责任已终止",
    "moved": "责任单位已调整",
    "steps_confirmed": "节点计划已确认",
    "dated": "时限已核定",
    "suspended": "已暂停计时",
    "resumed": "已恢复计时",
    "revoked": "办结已撤销，转入整改",
    "reopened": "办结已撤销，请重新办理",
    "entered": "交办单位代录了进展，请确认",
    "check": "填报数已审核",
    "settle": "填报数已核定",
    "copied": "抄送您知悉",
    "handed_on": "已转交给您办理",
    "ended": "本单位的上级任务已了结，无需再办理",
}
TIER_WORDS = {
    "handed": "交办通知",
    "request": "报送通知",
    "returned": "退回通知",
    "urged": "催办",
    "waiting": "待办提醒",
    "applied": "申请待审批",
    "pressing": "审批提醒",
    "vacant": "岗位空缺",
    **OUTCOME_WORDS,
}
