"""Who may do what, when: one table of state x verb, each cell naming who may act and what everybody else is told.

A verb or state added later (延期, 异议, 转交 ...) is a row or a column of `TABLE`; a test holds the table complete.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum


class State(StrEnum):
    """Where a unit's share (责任分工) stands. 暂停计时 and 长期坚持 lie over a state: lifting them brings it back."""

    PENDING = "pending"
    ACKNOWLEDGING = "acknowledging"
    WORKING = "working"
    SIGNING = "signing"
    REVIEWING = "reviewing"
    RETURNED = "returned"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """What people read."""
        return _STATE_LABELS[self]


class Verb(StrEnum):
    """What a post does with a share."""

    ACKNOWLEDGE = "acknowledge"
    REPORT = "report"
    NOTHING_NEW = "nothing_new"
    SUBMIT = "submit"
    SIGN = "sign"
    SIGN_RETURN = "sign_return"
    APPROVE = "approve"
    RETURN = "return"
    URGE = "urge"

    @property
    def label(self) -> str:
        """What people read."""
        return _VERB_LABELS[self]

    def label_for(self, *, feedback: bool) -> str:
        """The label on a share that gives feedback (配合单位) instead of applying for the closing of the item."""
        return _FEEDBACK_LABELS.get(self, self.label) if feedback else self.label


class Role(StrEnum):
    """The role of a post (岗位)."""

    LIAISON = "liaison"
    SECTION_HEAD = "section_head"
    DEPUTY_HEAD = "deputy_head"
    HEAD = "head"
    COORDINATOR = "coordinator"
    INSPECTOR = "inspector"
    LEADER = "leader"
    ADMINISTRATOR = "administrator"

    @property
    def label(self) -> str:
        """What people read."""
        return _ROLE_LABELS[self]


class Actor(Enum):
    """Who may act in a cell, seen from the step."""

    HOLDER = "the post that holds the todo the verb belongs to"
    CHASER = "a post whose role watches over the item"
    NOBODY = "no one, while the share is in this state"


@dataclass(frozen=True)
class Cell:
    """Who may act, and what all others are told: why not, and what to do next. Placeholders: see `refusal`."""

    actor: Actor
    text: str


CHASING_ROLES = frozenset({Role.COORDINATOR, Role.INSPECTOR})

_STATE_LABELS = {
    State.PENDING: "未开始",
    State.ACKNOWLEDGING: "待签收",
    State.WORKING: "办理中",
    State.SIGNING: "待审签",
    State.REVIEWING: "待审核",
    State.RETURNED: "退回补正",
    State.CLOSED: "已办结",
    State.WITHDRAWN: "随任务办结",
}
_VERB_LABELS = {
    Verb.ACKNOWLEDGE: "签收",
    Verb.REPORT: "填报",
    Verb.NOTHING_NEW: "本期无新进展",
    Verb.SUBMIT: "申请办结",
    Verb.SIGN: "审签同意",
    Verb.SIGN_RETURN: "退回修改",
    Verb.APPROVE: "同意办结",
    Verb.RETURN: "退回补正",
    Verb.URGE: "催办",
}
_FEEDBACK_LABELS = {Verb.SUBMIT: "提交反馈", Verb.APPROVE: "确认反馈"}
_PHRASES = {Verb.NOTHING_NEW: "填报“本期无新进展”"}  # a label that is no verb within a sentence
_ROLE_LABELS = {
    Role.LIAISON: "联络员",
    Role.SECTION_HEAD: "科室负责人",
    Role.DEPUTY_HEAD: "分管负责人",
    Role.HEAD: "主要负责人",
    Role.COORDINATOR: "专班办工作人员",
    Role.INSPECTOR: "督查人员",
    Role.LEADER: "领导",
    Role.ADMINISTRATOR: "管理员",
}

_HOLDER, _CHASER, _NOBODY = Actor.HOLDER, Actor.CHASER, Actor.NOBODY
_ACKNOWLEDGED = Cell(_NOBODY, "本任务已由{acknowledged_by}签收，无需重复签收；请刷新页面查看最新进展。")
_REPORTING = Cell(_HOLDER, "{verb}由承办单位联络员办理；如需代为填写，请联系该单位。")
_CHASING = Cell(_CHASER, "催办由专班办工作人员或督查人员发起；如需催办，请联系专班办。")
_NOT_STARTED = Cell(_NOBODY, "本任务尚未启动，暂不能{verb}；启动后会出现在待办中。")
_FIRST_ACKNOWLEDGE = Cell(_NOBODY, "本任务尚未签收，请先由{holder}签收，再{verb}。")
_NOT_SUBMITTED = Cell(_NOBODY, "承办单位尚未{submit}，暂不能{verb}；如需督促，可由专班办催办。")
_RETURNED_SO_WAIT = Cell(_NOBODY, "{paper}已退回补正，请待承办单位补正并重新{submit}后再办理。")

_PENDING: dict[Verb, Cell] = dict.fromkeys(Verb, _NOT_STARTED)
_ACKNOWLEDGING: dict[Verb, Cell] = {
    Verb.ACKNOWLEDGE: Cell(_HOLDER, "本任务由{holder}签收；如不应由该单位办理，请联系专班办。"),
    Verb.REPORT: _FIRST_ACKNOWLEDGE,
    Verb.NOTHING_NEW: _FIRST_ACKNOWLEDGE,
    Verb.SUBMIT: _FIRST_ACKNOWLEDGE,
    Verb.SIGN: _NOT_SUBMITTED,
    Verb.SIGN_RETURN: _NOT_SUBMITTED,
    Verb.APPROVE: _NOT_SUBMITTED,
    Verb.RETURN: _NOT_SUBMITTED,
    Verb.URGE: _CHASING,
}
_WORKING: dict[Verb, Cell] = {
    Verb.ACKNOWLEDGE: _ACKNOWLEDGED,
    Verb.REPORT: _REPORTING,
    Verb.NOTHING_NEW: _REPORTING,
    Verb.SUBMIT: Cell(_HOLDER, "本任务由{holder}办理并{submit}；如有情况，请与其联系。"),
    Verb.SIGN: _NOT_SUBMITTED,
    Verb.SIGN_RETURN: _NOT_SUBMITTED,
    Verb.APPROVE: _NOT_SUBMITTED,
    Verb.RETURN: _NOT_SUBMITTED,
    Verb.URGE: _CHASING,
}
_SIGNING: dict[Verb, Cell] = {
    Verb.ACKNOWLEDGE: _ACKNOWLEDGED,
    # A round may ask for this period's figures while the application waits for a signature or a review.
    Verb.REPORT: _REPORTING,
    Verb.NOTHING_NEW: _REPORTING,
    Verb.SUBMIT: Cell(_NOBODY, "{paper}正在等{holder}审签，无需重复提交；如需修改，请其退回修改。"),
    Verb.SIGN: Cell(_HOLDER, "{paper}由{holder}审签；如本人不在岗，请联系单位联络员。"),
    Verb.SIGN_RETURN: Cell(_HOLDER, "{paper}由{holder}审签；如需修改，请联系其退回。"),
    Verb.APPROVE: Cell(_NOBODY, "{paper}还在承办单位内部审签，报送后才能审核；如需督促，可由专班办催办。"),
    Verb.RETURN: Cell(_NOBODY, "{paper}还在承办单位内部审签，报送后才能退回；如需督促，可由专班办催办。"),
    Verb.URGE: _CHASING,
}
_REVIEWING: dict[Verb, Cell] = {
    Verb.ACKNOWLEDGE: _ACKNOWLEDGED,
    Verb.REPORT: _REPORTING,
    Verb.NOTHING_NEW: _REPORTING,
    Verb.SUBMIT: Cell(_NOBODY, "{paper}已报送，正在等{holder}审核，无需重复提交；如需补充，请联系其退回补正。"),
    Verb.SIGN: Cell(_NOBODY, "{paper}已报送，正在等{holder}审核，无需再审签。"),
    Verb.SIGN_RETURN: Cell(_NOBODY, "{paper}已报送，单位内部不能再退回；如需修改，请联系{holder}退回补正。"),
    Verb.APPROVE: Cell(_HOLDER, "{paper}由{holder}审核；如有意见，请与其联系。"),
    Verb.RETURN: Cell(_HOLDER, "{paper}由{holder}审核；如有意见，请与其联系。"),
    Verb.URGE: Cell(_NOBODY, "{paper}已报送，正在等{holder}审核，不必再催办承办单位；如需加快，请直接与其联系。"),
}
_RETURNED: dict[Verb, Cell] = {
    Verb.ACKNOWLEDGE: _ACKNOWLEDGED,
    Verb.REPORT: _REPORTING,
    Verb.NOTHING_NEW: _REPORTING,
    Verb.SUBMIT: Cell(_HOLDER, "本任务已退回，由{holder}补正并重新{submit}；如有情况，请与其联系。"),
    Verb.SIGN: _RETURNED_SO_WAIT,
    Verb.SIGN_RETURN: _RETURNED_SO_WAIT,
    Verb.APPROVE: _RETURNED_SO_WAIT,
    Verb.RETURN: _RETURNED_SO_WAIT,
    Verb.URGE: _CHASING,
}
_CLOSED: dict[Verb, Cell] = {
    Verb.ACKNOWLEDGE: Cell(_NOBODY, "{closed}，无需签收。"),
    Verb.REPORT: Cell(_NOBODY, "{closed}，不能再填报；如需更正，请联系专班办。"),
    Verb.NOTHING_NEW: Cell(_NOBODY, "{closed}，无需再填报；如需更正，请联系专班办。"),
    Verb.SUBMIT: Cell(_NOBODY, "{closed}，无需再次{submit}。"),
    Verb.SIGN: Cell(_NOBODY, "{closed}，无需再审签。"),
    Verb.SIGN_RETURN: Cell(_NOBODY, "{closed}，不能再退回；如需更正，请联系专班办。"),
    Verb.APPROVE: Cell(_NOBODY, "{closed}，无需再次审核；请刷新页面查看最新状态。"),
    Verb.RETURN: Cell(_NOBODY, "{closed}，不能再退回；如需更正，请联系专班办。"),
    Verb.URGE: Cell(_NOBODY, "{closed}，无需催办。"),
}
TABLE: Mapping[State, Mapping[Verb, Cell]] = {
    State.PENDING: _PENDING,
    State.ACKNOWLEDGING: _ACKNOWLEDGING,
    State.WORKING: _WORKING,
    State.SIGNING: _SIGNING,
    State.REVIEWING: _REVIEWING,
    State.RETURNED: _RETURNED,
    State.CLOSED: _CLOSED,
    State.WITHDRAWN: _CLOSED,  # the item closed without this share, which could not hold it up
}


def refusal(
    state: State,
    verb: Verb,
    *,
    holds: bool,
    role: Role | None = None,
    holder: str = "",
    acknowledged_by: str = "",
    feedback: bool = False,
) -> str | None:
    """None when the verb is allowed, else a Chinese sentence saying why not and what to do next.

    `holds`: the acting post holds the todo the verb belongs to: that of the step, or for 填报 and 本期无新进展 that of
    the unit's own reporting. `role`: the role it acts in, which alone decides about 催办. `holder` and
    `acknowledged_by` name posts for the text (市教育局联络员); `feedback` marks a share that gives feedback instead of
    applying.
    """
    cell = TABLE[state][verb]
    if (cell.actor is Actor.HOLDER and holds) or (cell.actor is Actor.CHASER and role in CHASING_ROLES):
        return None
    return cell.text.format(
        verb=_PHRASES.get(verb) or verb.label_for(feedback=feedback),
        submit=Verb.SUBMIT.label_for(feedback=feedback),
        paper="反馈" if feedback else "办结申请",
        closed="本单位的反馈已确认" if feedback else "本任务已办结",
        holder=holder or "经办岗位",
        acknowledged_by=acknowledged_by or "本单位",
    )
