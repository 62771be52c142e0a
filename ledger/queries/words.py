"""The Chinese names of states, roles and kinds as pages and mails print them."""

from __future__ import annotations

STATE_WORDS = {
    "pending": "未启动",
    "open": "办理中",
    "acknowledging": "待签收",
    "working": "办理中",
    "signing": "待审签",
    "reviewing": "待审核",
    "returned": "退回补正",
    "closed": "已办结",
    "withdrawn": "已终止",
    "owed": "待报送",
    "reported": "已报送",
    "missed": "逾期未报",
}
SHARE_WORDS = {"lead": "牵头", "responsible": "责任", "cooperating": "配合"}
ROLE_WORDS = {
    "liaison": "联络员",
    "section_head": "科室负责人",
    "deputy_head": "分管负责人",
    "head": "主要负责人",
    "coordinator": "专班办工作人员",
    "inspector": "督查人员",
    "leader": "领导",
    "administrator": "管理员",
}
# What one primary button says, by the step a todo stands at.
STEP_VERBS = {
    "acknowledge": "签收",
    "work": "填报",
    "sign": "审签",
    "accept": "认可",
    "review": "审核",
    "host_review": "审核",
    "report": "去报送",
}
