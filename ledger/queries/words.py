"""The Chinese names of states, roles and kinds as pages and mails print them."""

from __future__ import annotations

from ledger.rules.verbs import Role, State

STATE_WORDS = {
    **{state.value: state.label for state in State},
    "open": "办理中",  # of an item
    "owed": "待报送",
    "reported": "已报送",
    "missed": "逾期未报",
}
SHARE_WORDS = {"lead": "牵头", "responsible": "责任", "cooperating": "配合"}
ROLE_WORDS = {role.value: role.label for role in Role}
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
