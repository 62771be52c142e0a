"""The table of state x verb, typed once more by hand: who may act where."""

import re

import pytest

from ledger.rules.verbs import CHASING_ROLES, TABLE, Actor, Role, State, Verb, refusal

A, R, N, S = Verb.ACKNOWLEDGE, Verb.REPORT, Verb.NOTHING_NEW, Verb.SUBMIT
SIGN, SIGN_RETURN, APPROVE, RETURN, URGE = Verb.SIGN, Verb.SIGN_RETURN, Verb.APPROVE, Verb.RETURN, Verb.URGE

HOLDER_MAY: dict[State, set[Verb]] = {
    State.PENDING: set(),
    State.ACKNOWLEDGING: {A},
    State.WORKING: {R, N, S},
    State.SIGNING: {R, N, SIGN, SIGN_RETURN},
    State.REVIEWING: {R, N, APPROVE, RETURN},
    State.RETURNED: {R, N, S},
    State.CLOSED: set(),
    State.WITHDRAWN: set(),
}
MAY_BE_URGED = {State.ACKNOWLEDGING, State.WORKING, State.SIGNING, State.RETURNED}
CELLS = [(state, verb) for state in State for verb in Verb]


def test_every_cell_is_filled() -> None:
    assert {(state, verb) for state, row in TABLE.items() for verb in row} == set(CELLS)


@pytest.mark.parametrize(("state", "verb"), CELLS)
def test_the_holder_of_the_step_may_do_exactly_this(state: State, verb: Verb) -> None:
    allowed = refusal(state, verb, holds=True, role=Role.LIAISON) is None
    assert allowed is (verb in HOLDER_MAY[state])


@pytest.mark.parametrize(("state", "verb"), CELLS)
@pytest.mark.parametrize("role", list(Role))
def test_others_may_only_chase_and_only_in_a_chasing_role(state: State, verb: Verb, role: Role) -> None:
    allowed = refusal(state, verb, holds=False, role=role) is None
    chasing = role in {Role.COORDINATOR, Role.INSPECTOR}
    assert allowed is (verb is URGE and chasing and state in MAY_BE_URGED)


def test_an_office_holding_a_share_itself_may_still_chase_it() -> None:
    assert refusal(State.WORKING, URGE, holds=True, role=Role.COORDINATOR) is None


@pytest.mark.parametrize(("state", "verb"), CELLS)
@pytest.mark.parametrize("feedback", [False, True])
def test_every_refusal_is_one_finished_chinese_sentence_with_a_way_on(state: State, verb: Verb, feedback: bool) -> None:
    text = refusal(state, verb, holds=False, holder="市教育局联络员", feedback=feedback)
    assert text is not None
    assert text.endswith("。")
    assert not re.search(r"[{}a-zA-Z]", text)
    assert "，" in text or "；" in text
    assert not (feedback and "申请" in text)


@pytest.mark.parametrize(
    ("state", "verb", "text"),
    [
        (State.WORKING, A, "本任务已由市教育局联络员签收，无需重复签收；请刷新页面查看最新进展。"),
        (State.ACKNOWLEDGING, S, "本任务尚未签收，请先由市人社局联络员签收，再申请办结。"),
        (State.REVIEWING, S, "办结申请已报送，正在等市人社局联络员审核，无需重复提交；如需补充，请联系其退回补正。"),
        (State.WORKING, N, "填报“本期无新进展”由承办单位联络员办理；如需代为填写，请联系该单位。"),
        (State.CLOSED, R, "本任务已办结，不能再填报；如需更正，请联系专班办。"),
    ],
)
def test_refusals_name_the_posts(state: State, verb: Verb, text: str) -> None:
    said = refusal(state, verb, holds=False, holder="市人社局联络员", acknowledged_by="市教育局联络员")
    assert said == text


def test_cooperating_shares_hand_in_feedback() -> None:
    assert Verb.SUBMIT.label_for(feedback=True) == "提交反馈"
    assert Verb.SUBMIT.label_for(feedback=False) == "申请办结"
    assert refusal(State.ACKNOWLEDGING, S, holds=True, feedback=True, holder="市编办联络员") == (
        "本任务尚未签收，请先由市编办联络员签收，再提交反馈。"
    )


def test_codes_are_english_and_labels_chinese_and_unique() -> None:
    for kind in (State, Verb, Role):
        labels = [member.label for member in kind]
        assert len(set(labels)) == len(labels)
        assert all(re.fullmatch("[a-z_]+", member.value) for member in kind)
        assert all(re.fullmatch(r"[\u4e00-\u9fff]+", label) for label in labels)
    assert [State("reviewing").label, Verb("return").label, Role("deputy_head").label] == [
        "待审核",
        "退回补正",
        "分管负责人",
    ]


def test_only_urging_belongs_to_chasers() -> None:
    chased = {verb for row in TABLE.values() for verb, cell in row.items() if cell.actor is Actor.CHASER}
    assert chased == {URGE}
    assert {Role.COORDINATOR, Role.INSPECTOR} == CHASING_ROLES
