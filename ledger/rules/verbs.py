"""Who may do what, when: one table of state x verb, each cell naming in which capacity one may act, and what everybody
else is told.

A share stands in one state. 延期审核中, 异议处理中, 节点计划待确认 and 暂停计时 lie over it (`OVERLAYS`): their
rows name only what they change, all else is as beneath, and lifting them brings the state back. A verb added later is
a column of `TABLE`; a test holds the table complete.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum


class State(StrEnum):
    """Where a unit's share (责任分工) stands."""

    PENDING = "pending"
    ACKNOWLEDGING = "acknowledging"
    WORKING = "working"
    SIGNING = "signing"
    REVIEWING = "reviewing"
    RETURNED = "returned"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    TERMINATED = "terminated"
    REVOKED = "revoked"
    EXTENDING = "extending"
    DISPUTED = "disputed"
    PLANNING = "planning"
    SUSPENDED = "suspended"

    @property
    def label(self) -> str:
        """What people read."""
        return _STATE_LABELS[self]


OVERLAYS = (State.EXTENDING, State.DISPUTED, State.PLANNING, State.SUSPENDED)
ENDED = (State.CLOSED, State.WITHDRAWN, State.TERMINATED, State.REVOKED)
EXTENDS = ("section_head", "inspector", "leader")  # who decides on 申请延期 in turn, where a plan does not say
OF_ONE_PLAN = ("handler", "liaison", "section_head", "deputy_head")  # posts that may be limited to one plan
RANKS = ("A", "B")  # of liaisons
LEFT_OUT = (State.TERMINATED, State.REVOKED)  # ended without a result: they count for nothing any more


class Verb(StrEnum):
    """What a post does with a share; ADD with an item."""

    ACKNOWLEDGE = "acknowledge"
    REPORT = "report"
    NOTHING_NEW = "nothing_new"
    SUBMIT = "submit"
    SIGN = "sign"
    SIGN_RETURN = "sign_return"
    APPROVE = "approve"
    RETURN = "return"
    URGE = "urge"
    EXTEND = "extend"
    OBJECT = "object"
    PLAN_STEPS = "plan_steps"
    STEP_DONE = "step_done"
    GRANT = "grant"
    DECLINE = "decline"
    TAKE_BACK = "take_back"
    CORRECT = "correct"
    CHECK = "check"
    SETTLE = "settle"
    ENTER = "enter"
    CONFIRM = "confirm"
    HAND_ON = "hand_on"
    COPY = "copy"
    SUSPEND = "suspend"
    RESUME = "resume"
    REASSIGN = "reassign"
    TERMINATE = "terminate"
    REVOKE = "revoke"
    DATE = "date"
    LAST = "last"
    END_LAST = "end_last"
    AMEND_TEXT = "amend_text"
    AMEND_TARGET = "amend_target"
    AMEND_QUOTA = "amend_quota"
    AMEND_DUE = "amend_due"
    ADD = "add"
    SPLIT = "split"

    @property
    def label(self) -> str:
        """What people read."""
        return _VERB_LABELS[self]

    def label_for(self, *, feedback: bool) -> str:
        """The label on a share that gives feedback (配合单位) instead of applying for the closing of the item."""
        return _FEEDBACK_LABELS.get(self, self.label) if feedback else self.label


class Role(StrEnum):
    """The role of a post (岗位)."""

    HANDLER = "handler"
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


class Capacity(Enum):
    """What a post is to a share."""

    HOLDER = "the post at which its step stands, or one of them"
    DECIDER = "the post before which what was applied for lies"
    UNIT = "the liaison of its unit"
    HANDLER = "a handler of its unit"
    LEAD = "the liaison of the first lead, over a cooperating share"
    OFFICE = "the coordinator of the plan's office, over a share that it handed out"
    PARENT = "the liaison of the unit that handed the share down"
    INSPECTOR = "an inspector of the plan's or the unit's jurisdiction"


@dataclass(frozen=True)
class Cell:
    """Who may act (nobody while the share is in this state, where it names none), and what all others are told: why
    not, and what to do next. Placeholders: see `refusal`."""

    who: tuple[Capacity, ...]
    text: str


_STATE_LABELS = {
    State.PENDING: "未启动",
    State.ACKNOWLEDGING: "待签收",
    State.WORKING: "办理中",
    State.SIGNING: "待审签",
    State.REVIEWING: "待审核",
    State.RETURNED: "退回补正",
    State.CLOSED: "已办结",
    State.WITHDRAWN: "随任务办结",
    State.TERMINATED: "已终止",
    State.REVOKED: "已撤销办结",
    State.EXTENDING: "延期审核中",
    State.DISPUTED: "异议处理中",
    State.PLANNING: "节点计划待确认",
    State.SUSPENDED: "暂停计时",
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
    Verb.EXTEND: "申请延期",
    Verb.OBJECT: "提出异议",
    Verb.PLAN_STEPS: "报节点计划",
    Verb.STEP_DONE: "报节点完成",
    Verb.GRANT: "同意申请",
    Verb.DECLINE: "不同意申请",
    Verb.TAKE_BACK: "撤回",
    Verb.CORRECT: "更正",
    Verb.CHECK: "填审核值",
    Verb.SETTLE: "填核定值",
    Verb.ENTER: "代录",
    Verb.CONFIRM: "确认代录",
    Verb.HAND_ON: "转交",
    Verb.COPY: "抄送",
    Verb.SUSPEND: "暂停计时",
    Verb.RESUME: "恢复计时",
    Verb.REASSIGN: "调整责任单位",
    Verb.TERMINATE: "终止",
    Verb.REVOKE: "撤销办结",
    Verb.DATE: "核定时限",
    Verb.LAST: "转为长期坚持",
    Verb.END_LAST: "转为限时办理",
    Verb.AMEND_TEXT: "更正文字",
    Verb.AMEND_TARGET: "调整目标值",
    Verb.AMEND_QUOTA: "调整份额",
    Verb.AMEND_DUE: "调整时限",
    Verb.ADD: "增加单位",
    Verb.SPLIT: "分解下达",
}
_FEEDBACK_LABELS = {Verb.SUBMIT: "提交反馈", Verb.APPROVE: "确认反馈"}
_PHRASES = {Verb.NOTHING_NEW: "填报“本期无新进展”"}  # a label that is no verb within a sentence
_ROLE_LABELS = {
    Role.HANDLER: "经办人",
    Role.LIAISON: "联络员",
    Role.SECTION_HEAD: "科室负责人",
    Role.DEPUTY_HEAD: "分管负责人",
    Role.HEAD: "主要负责人",
    Role.COORDINATOR: "专班办工作人员",
    Role.INSPECTOR: "督查人员",
    Role.LEADER: "领导",
    Role.ADMINISTRATOR: "管理员",
}

_HOLDER, _DECIDER, _UNIT = (Capacity.HOLDER,), (Capacity.DECIDER,), (Capacity.UNIT,)
_WORKER = (Capacity.UNIT, Capacity.HANDLER)
_OFFICE, _INSPECTOR = (Capacity.OFFICE,), (Capacity.INSPECTOR,)
_GIVER = (Capacity.OFFICE, Capacity.PARENT)  # who handed the share out, or down
_CHASER = (*_GIVER, Capacity.INSPECTOR, Capacity.LEAD)
_CHECKER = (*_GIVER, Capacity.LEAD)
_WATCHER = (*_GIVER, Capacity.INSPECTOR)
_NOBODY = ()

_Row = dict[Verb, Cell]


def _cells(verbs: Iterable[Verb], who: tuple[Capacity, ...], text: str) -> _Row:
    return dict.fromkeys(verbs, Cell(who, text))


_FIGURES = (Verb.REPORT, Verb.NOTHING_NEW)
_SIGNATURES = (Verb.SIGN, Verb.SIGN_RETURN)
_REVIEWS = (Verb.APPROVE, Verb.RETURN)
_ANSWERS = (Verb.GRANT, Verb.DECLINE)
_OF_GIVER = (Verb.REASSIGN, Verb.TERMINATE)
_DATING = (Verb.DATE, Verb.LAST, Verb.END_LAST)
_STEPS = (Verb.PLAN_STEPS, Verb.STEP_DONE)

# What is the same wherever work goes on.
_LIVE: _Row = {
    **_cells((Verb.ACKNOWLEDGE,), _NOBODY, "本任务已由{acknowledged_by}签收，无需重复签收；请刷新页面查看最新进展。"),
    # A round may ask for this period's figures while the application waits for a signature or a review.
    **_cells(_FIGURES, _WORKER, "{verb}由承办单位联络员或经办人办理；如需代为填写，请联系该单位，或由{giver}代录。"),
    **_cells((Verb.CORRECT,), _WORKER, "更正填报值由承办单位联络员或经办人办理；如有疑问，请联系该单位。"),
    **_cells(
        (Verb.CHECK,), _CHECKER, "审核值由{giver}工作人员（配合单位的由首位牵头单位）填写；如有不同意见，请与其联系。"
    ),
    **_cells((Verb.SETTLE,), _INSPECTOR, "核定值由督查人员填写；如有不同意见，请与其联系。"),
    **_cells((Verb.ENTER,), _GIVER, "代录由{giver}工作人员办理；本单位的情况，请由联络员直接填报。"),
    **_cells((Verb.CONFIRM,), _UNIT, "代录的内容由承办单位联络员确认；如有疑问，请联系该单位。"),
    **_cells((Verb.HAND_ON,), _UNIT, "转交由承办单位联络员在本单位内办理；如不应由该单位办理，请提出异议。"),
    **_cells((Verb.COPY,), _WATCHER, "抄送由{giver}工作人员或督查人员发出；如需抄送，请联系{giver}。"),
    **_cells(_OF_GIVER, _GIVER, "{verb}由{giver}工作人员办理；如认为分工不当，请提出异议，或联系{giver}。"),
    **_cells((Verb.ADD,), _OFFICE, "{verb}由专班办工作人员办理；如认为分工不当，请提出异议，或联系专班办。"),
    **_cells((Verb.AMEND_TEXT, Verb.AMEND_TARGET), _OFFICE, "{verb}由专班办工作人员办理；如发现有误，请联系专班办。"),
    **_cells((Verb.AMEND_QUOTA,), _GIVER, "{verb}由{giver}工作人员办理；如有意见，请联系{giver}。"),
    **_cells((Verb.AMEND_DUE,), _GIVER, "{verb}由{giver}工作人员办理；承办单位不能按期完成的，请申请延期。"),
    **_cells(_DATING, _OFFICE, "{verb}由专班办工作人员办理；如对时限有意见，请联系专班办。"),
    **_cells(_ANSWERS, _NOBODY, "现在没有等待审批的申请，可能已有结果；请刷新页面查看。"),
    **_cells((Verb.RESUME,), _NOBODY, "本任务没有暂停计时，无需恢复。"),
    **_cells((Verb.REVOKE,), _NOBODY, "本任务尚未办结，无需撤销办结；如需重办，请退回补正。"),
}
# What is the same while a share is in its unit's hands.
_IN_HAND: _Row = {
    **_LIVE,
    **_cells((*_SIGNATURES, *_REVIEWS), _NOBODY, "承办单位尚未{submit}，暂不能{verb}；如需督促，可由{giver}催办。"),
    **_cells((Verb.URGE,), _CHASER, "催办由{giver}工作人员或督查人员发起；如需催办，请联系{giver}。"),
    **_cells((Verb.OBJECT,), _UNIT, "异议由承办单位联络员提出；如有意见，请联系该单位。"),
    **_cells((Verb.TAKE_BACK,), _NOBODY, "{paper}还没有提交，没有可以撤回的内容；如需修改，请直接填写。"),
}
_AT_WORK: _Row = {
    **_IN_HAND,
    **_cells((Verb.SUBMIT,), _HOLDER, "本任务由{holder}办理并{submit}；如有情况，请与其联系。"),
    **_cells((Verb.EXTEND,), _UNIT, "延期由承办单位联络员申请；如有情况，请联系该单位。"),
    **_cells(_STEPS, _UNIT, "{verb}由承办单位联络员办理；如有情况，请联系该单位。"),
    **_cells((Verb.SUSPEND,), _GIVER, "暂停计时由{giver}工作人员办理；如有不可抗力等情况，请联系{giver}。"),
    **_cells((Verb.SPLIT,), _UNIT, "分解下达由承办单位联络员办理，只能下达给本单位的下级；如有情况，请联系该单位。"),
}
_PENDING: _Row = _cells(Verb, _NOBODY, "本任务尚未启动，暂不能{verb}；启动后会出现在待办中。")
_ACKNOWLEDGING: _Row = {
    **_IN_HAND,
    **_cells((Verb.ACKNOWLEDGE,), _HOLDER, "本任务由{holder}签收；如不应由该单位办理，请提出异议，或联系{giver}。"),
    **_cells(
        (
            *(*_FIGURES, Verb.SUBMIT, Verb.EXTEND, Verb.CORRECT, Verb.CHECK, Verb.SETTLE, Verb.ENTER, Verb.CONFIRM),
            *(*_STEPS, Verb.SPLIT),
        ),
        _NOBODY,
        "本任务尚未签收，请先由{holder}签收，再{verb}。",
    ),
    **_cells((Verb.SUSPEND,), _NOBODY, "本任务尚未签收，签收后才能暂停计时；如需督促签收，可以催办。"),
}
_RETURNED: _Row = {
    **_AT_WORK,
    **_cells((Verb.SUBMIT,), _HOLDER, "本任务已退回，由{holder}补正并重新{submit}；如有情况，请与其联系。"),
    **_cells((*_SIGNATURES, *_REVIEWS), _NOBODY, "{paper}已退回补正，请待承办单位补正并重新{submit}后再办理。"),
}
_HANDED_IN: _Row = {
    **_LIVE,
    **_cells((Verb.TAKE_BACK,), _UNIT, "撤回由提交{paper}的单位联络员办理；如需补充材料，请退回该单位。"),
    **_cells(
        (*_STEPS, Verb.EXTEND, Verb.OBJECT, Verb.SUSPEND, Verb.HAND_ON, Verb.SPLIT),
        _NOBODY,
        "{paper}已经提交，正在等{holder}办理，不能{verb}；如需{verb}，请先撤回或由其退回。",
    ),
}
_SIGNING: _Row = {
    **_HANDED_IN,
    **_cells((Verb.SUBMIT,), _NOBODY, "{paper}正在等{holder}审签，无需重复提交；如需修改，请其退回修改。"),
    **_cells((Verb.SIGN,), _HOLDER, "{paper}由{holder}审签；如本人不在岗，请联系单位联络员。"),
    **_cells((Verb.SIGN_RETURN,), _HOLDER, "{paper}由{holder}审签；如需修改，请联系其退回。"),
    **_cells((Verb.APPROVE,), _NOBODY, "{paper}还在承办单位内部审签，报送后才能审核；如需督促，可由{giver}催办。"),
    **_cells((Verb.RETURN,), _NOBODY, "{paper}还在承办单位内部审签，报送后才能退回；如需督促，可由{giver}催办。"),
    **_cells((Verb.URGE,), _CHASER, "催办由{giver}工作人员或督查人员发起；如需催办，请联系{giver}。"),
}
_REVIEWING: _Row = {
    **_HANDED_IN,
    **_cells((Verb.SUBMIT,), _NOBODY, "{paper}已报送，正在等{holder}审核，无需重复提交；如需补充，请联系其退回补正。"),
    **_cells((Verb.SIGN,), _NOBODY, "{paper}已报送，正在等{holder}审核，无需再审签。"),
    **_cells((Verb.SIGN_RETURN,), _NOBODY, "{paper}已报送，单位内部不能再退回；如需修改，请联系{holder}退回补正。"),
    **_cells(_REVIEWS, _HOLDER, "{paper}由{holder}审核；如有意见，请与其联系。"),
    **_cells(
        (Verb.AMEND_DUE,), _NOBODY, "{paper}已报送，是否按期以报送时的时限为准，不能{verb}；确需调整的，请先退回补正。"
    ),
    **_cells(
        (Verb.URGE,),
        _NOBODY,
        "{paper}已报送，正在等{holder}审核，不必再催办承办单位；如需加快，请直接与其联系。",
    ),
}
_DONE: _Row = {
    **_cells(Verb, _NOBODY, "{closed}，不能再{verb}；如需更正，请联系{giver}。"),
    **_cells((Verb.ACKNOWLEDGE, Verb.SIGN, Verb.URGE), _NOBODY, "{closed}，无需{verb}；请刷新页面查看最新状态。"),
    **_cells((Verb.SUBMIT, Verb.APPROVE), _NOBODY, "{closed}，无需再次{verb}；请刷新页面查看最新状态。"),
    **_cells(_ANSWERS, _NOBODY, _LIVE[Verb.GRANT].text),
    **_cells((Verb.COPY,), _WATCHER, _LIVE[Verb.COPY].text),
    **_cells((Verb.CONFIRM,), _UNIT, _LIVE[Verb.CONFIRM].text),  # what was entered before stays to be confirmed
}
_CLOSED: _Row = {
    **_DONE,
    **_cells((Verb.CHECK,), _CHECKER, _LIVE[Verb.CHECK].text),
    **_cells((Verb.SETTLE,), _INSPECTOR, _LIVE[Verb.SETTLE].text),
    **_cells((Verb.REVOKE,), _GIVER, "撤销办结由{giver}工作人员办理；如认为办结不实，请联系{giver}。"),
}
# What was applied for lies before somebody: the work goes on, and no second thing is asked for.
_APPLIED: _Row = {
    **_cells(_ANSWERS, _DECIDER, "这份申请由{decider}审批；如有意见，请与其联系。"),
    **_cells((Verb.TAKE_BACK,), _UNIT, "申请由提出申请的单位联络员撤回；如有情况，请联系该单位。"),
    **_cells(
        (Verb.EXTEND, Verb.OBJECT, Verb.PLAN_STEPS),
        _NOBODY,
        "本单位已有一份申请在等{decider}审批，不能再{verb}；如需改提，请先撤回。",
    ),
    **_cells((Verb.SUSPEND, Verb.AMEND_DUE), _NOBODY, "承办单位的申请在等{decider}审批，有结果后才能{verb}。"),
}
_PLANNING: _Row = {
    **_APPLIED,
    **_cells(
        (Verb.STEP_DONE,),
        _NOBODY,
        "节点计划正在等{decider}确认，确认后再{verb}；如需先报，请先撤回节点计划。",
    ),
}
_SUSPENDED: _Row = {
    **_cells((Verb.RESUME,), _GIVER, "恢复计时由{giver}工作人员办理；如暂停的原因已经消除，请联系{giver}。"),
    **_cells((Verb.SUSPEND,), _NOBODY, "本任务已经暂停计时，无需重复办理。"),
    **_cells((Verb.SUBMIT,), _NOBODY, "本任务已暂停计时，恢复后才能{submit}；如原因已经消除，请联系{giver}恢复。"),
    **_cells(
        (Verb.EXTEND, Verb.OBJECT, Verb.PLAN_STEPS),
        _NOBODY,
        "本任务已暂停计时，时限会随恢复顺延，暂不能{verb}；如有情况，请联系{giver}。",
    ),
    **_cells(
        (Verb.SPLIT, Verb.AMEND_DUE, Verb.SIGN),  # a part that waits for its signer stops with its whole
        _NOBODY,
        "本任务已暂停计时，恢复后才能{verb}；如原因已经消除，请联系{giver}恢复。",
    ),
    **_cells((Verb.URGE,), _NOBODY, "本任务已暂停计时，不催办；如原因已经消除，请先恢复计时。"),
}
TABLE: Mapping[State, Mapping[Verb, Cell]] = {
    State.PENDING: _PENDING,
    State.ACKNOWLEDGING: _ACKNOWLEDGING,
    State.WORKING: _AT_WORK,
    State.SIGNING: _SIGNING,
    State.REVIEWING: _REVIEWING,
    State.RETURNED: _RETURNED,
    State.CLOSED: _CLOSED,
    State.WITHDRAWN: _DONE,  # the item closed without this share, which could not hold it up
    State.TERMINATED: _DONE,
    State.REVOKED: _DONE,
    State.EXTENDING: _APPLIED,
    State.DISPUTED: _APPLIED,
    State.PLANNING: _PLANNING,
    State.SUSPENDED: _SUSPENDED,
}


def cell_of(state: State, verb: Verb, overlay: State | None = None) -> Cell:
    """The cell that decides."""
    lying_over = TABLE[overlay].get(verb) if overlay else None
    return lying_over or TABLE[state][verb]


def refusal(
    state: State,
    verb: Verb,
    capacities: Collection[Capacity],
    *,
    overlay: State | None = None,
    holder: str = "",
    decider: str = "",
    acknowledged_by: str = "",
    giver: str = "",
    feedback: bool = False,
) -> str | None:
    """None when the verb is allowed in one of these capacities, else a Chinese sentence saying why not and what to do
    next.

    `holder`, `decider` and `acknowledged_by` name posts for the text (市教育局联络员), `giver` the unit that handed the
    share down (none: the office handed it out); `feedback` marks a share that gives feedback instead of applying.
    """
    cell = cell_of(state, verb, overlay)
    if any(c in capacities for c in cell.who):
        return None
    return cell.text.format(
        verb=_PHRASES.get(verb) or verb.label_for(feedback=feedback),
        submit=Verb.SUBMIT.label_for(feedback=feedback),
        paper="反馈" if feedback else "办结申请",
        closed=_ended_words(state, feedback=feedback),
        holder=holder or "经办岗位",
        decider=decider or "审批岗位",
        acknowledged_by=acknowledged_by or "本单位",
        giver=giver or "专班办",
    )


_ITEM_OVER = {
    State.CLOSED: "本任务已办结，不能再{verb}；办结不实的，请先撤销办结。",
    State.TERMINATED: "本任务已终止，不能再{verb}；确需继续办理的，请另行交办。",
    State.REVOKED: "本任务的办结已撤销，不能再{verb}；请在关联的整改任务中办理。",
}


def item_refusal(state: State, verb: Verb, capacities: Collection[Capacity]) -> str | None:
    """`refusal` of what is done with an item as a whole: of one that is over it says how it ended."""
    over = _ITEM_OVER.get(state)
    return over.format(verb=verb.label) if over else refusal(state, verb, capacities)


def _ended_words(state: State, *, feedback: bool) -> str:
    if state in LEFT_OUT:
        return f"本单位的责任{state.label}"
    return "本单位的反馈已确认" if feedback else "本任务已办结"
