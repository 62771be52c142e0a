"""The table of state x verb, typed once more by hand: who may act where, and what the others are told."""

import re

import pytest

from ledger.rules.verbs import ENDED, OVERLAYS, TABLE, Capacity, Role, State, Verb, refusal

HOLDER, DECIDER, UNIT = Capacity.HOLDER, Capacity.DECIDER, Capacity.UNIT
LEAD, OFFICE, INSPECTOR, PARENT = Capacity.LEAD, Capacity.OFFICE, Capacity.INSPECTOR, Capacity.PARENT

# Of each base state: verb -> capacities, as letters H D U N L O P I.
_FIGURES = "report:UN nothing_new:UN correct:UN check:OPL settle:I enter:OP confirm:U"
_LIVE = f"{_FIGURES} hand_on:U copy:OPI reassign:OP terminate:OP add:O date:O last:O end_last:O"
_IN_HAND = f"{_LIVE} urge:OPIL object:U"
_AT_WORK = f"{_IN_HAND} submit:H extend:U suspend:OP split:U plan_steps:U step_done:U"
MAY: dict[State, str] = {
    State.PENDING: "",
    State.ACKNOWLEDGING: "acknowledge:H urge:OPIL object:U hand_on:U copy:OPI reassign:OP terminate:OP add:O"
    " date:O last:O end_last:O",
    State.WORKING: _AT_WORK,
    State.RETURNED: _AT_WORK,
    State.SIGNING: f"{_LIVE.replace('hand_on:U ', '')} sign:H sign_return:H take_back:U urge:OPIL",
    State.REVIEWING: f"{_LIVE.replace('hand_on:U ', '')} approve:H return:H take_back:U",
    State.CLOSED: "check:OPL settle:I confirm:U copy:OPI revoke:O",
    State.WITHDRAWN: "copy:OPI confirm:U",
    State.TERMINATED: "copy:OPI confirm:U",
    State.REVOKED: "copy:OPI confirm:U",
}
# What lies over a state changes this, and nothing else.
CHANGES: dict[State, str] = {
    State.EXTENDING: "grant:D decline:D take_back:U extend: object: plan_steps: suspend:",
    State.DISPUTED: "grant:D decline:D take_back:U extend: object: plan_steps: suspend:",
    State.PLANNING: "grant:D decline:D take_back:U extend: object: plan_steps: step_done: suspend:",
    State.SUSPENDED: "resume:OP suspend: submit: extend: object: plan_steps: split: urge:",
}
LETTERS = {"H": HOLDER, "D": DECIDER, "U": UNIT, "N": Capacity.HANDLER, "L": LEAD, "O": OFFICE, "P": PARENT}
LETTERS |= {"I": INSPECTOR}
COVERED = (State.ACKNOWLEDGING, State.WORKING, State.RETURNED)
BASES = [state for state in State if state not in OVERLAYS]
CELLS = [(state, verb) for state in BASES for verb in Verb]
OVER = [(base, overlay, verb) for base in COVERED for overlay in OVERLAYS for verb in Verb]


def read(words: str) -> dict[Verb, set[Capacity]]:
    cells = (cell.split(":") for cell in words.split())
    return {Verb(verb): {LETTERS[letter] for letter in letters} for verb, letters in cells}


def test_every_cell_is_filled() -> None:
    assert {(state, verb) for state in BASES for verb in TABLE[state]} == set(CELLS)
    assert {state: set(TABLE[state]) for state in OVERLAYS} == {o: set(read(words)) for o, words in CHANGES.items()}


@pytest.mark.parametrize(("state", "verb"), CELLS)
def test_exactly_these_may(state: State, verb: Verb) -> None:
    wanted = read(MAY[state]).get(verb, set())
    assert {c for c in Capacity if refusal(state, verb, {c}) is None} == wanted


@pytest.mark.parametrize(("base", "overlay", "verb"), OVER)
def test_what_lies_over_a_state_changes_only_its_own_cells(base: State, overlay: State, verb: Verb) -> None:
    wanted = read(CHANGES[overlay]).get(verb, read(MAY[base]).get(verb, set()))
    assert {c for c in Capacity if refusal(base, verb, {c}, overlay=overlay) is None} == wanted


@pytest.mark.parametrize(("state", "overlay", "verb"), [*((s, None, v) for s, v in CELLS), *OVER])
@pytest.mark.parametrize("feedback", [False, True])
def test_every_refusal_is_one_finished_chinese_sentence_with_a_way_on(
    state: State, overlay: State | None, verb: Verb, feedback: bool
) -> None:
    text = refusal(state, verb, (), overlay=overlay, holder="市教育局联络员", feedback=feedback)
    assert text is not None
    assert text.endswith("。") and text.count("。") == 1
    assert not re.search(r"[{}a-zA-Z]", text)
    assert "，" in text or "；" in text
    assert not (feedback and "办结申请" in text)


@pytest.mark.parametrize(
    ("state", "overlay", "verb", "text"),
    [
        (State.WORKING, None, Verb.ACKNOWLEDGE, "本任务已由市教育局联络员签收，无需重复签收；请刷新页面查看最新进展。"),
        (State.ACKNOWLEDGING, None, Verb.SUBMIT, "本任务尚未签收，请先由市人社局联络员签收，再申请办结。"),
        (
            State.REVIEWING,
            None,
            Verb.SUBMIT,
            "办结申请已报送，正在等市人社局联络员审核，无需重复提交；如需补充，请联系其退回补正。",
        ),
        (
            State.REVIEWING,
            None,
            Verb.EXTEND,
            "办结申请已经提交，正在等市人社局联络员办理，不能申请延期；如需申请延期，请先撤回或由其退回。",
        ),
        (
            State.WORKING,
            None,
            Verb.NOTHING_NEW,
            "填报“本期无新进展”由承办单位联络员或经办人办理；如需代为填写，请联系该单位，或由专班办代录。",
        ),
        (State.WORKING, None, Verb.REVOKE, "本任务尚未办结，无需撤销办结；如需重办，请退回补正。"),
        (State.CLOSED, None, Verb.REPORT, "本任务已办结，不能再填报；如需更正，请联系专班办。"),
        (State.TERMINATED, None, Verb.REPORT, "本单位的责任已终止，不能再填报；如需更正，请联系专班办。"),
        (
            State.WORKING,
            State.EXTENDING,
            Verb.EXTEND,
            "本单位已有一份申请在等督查人员审批，不能再申请延期；如需改提，请先撤回。",
        ),
        (
            State.WORKING,
            State.SUSPENDED,
            Verb.SUBMIT,
            "本任务已暂停计时，恢复后才能申请办结；如原因已经消除，请联系专班办恢复。",
        ),
    ],
)
def test_refusals_name_the_posts(state: State, overlay: State | None, verb: Verb, text: str) -> None:
    said = refusal(
        state,
        verb,
        (),
        overlay=overlay,
        holder="市人社局联络员",
        decider="督查人员",
        acknowledged_by="市教育局联络员",
    )
    assert said == text


def test_who_handed_a_share_down_is_named() -> None:
    assert refusal(State.WORKING, Verb.TERMINATE, {OFFICE}, giver="大冶市") is None
    assert refusal(State.WORKING, Verb.TERMINATE, {UNIT}, giver="大冶市") == (
        "终止由大冶市工作人员办理；如认为分工不当，请提出异议，或联系大冶市。"
    )


def test_cooperating_shares_hand_in_feedback() -> None:
    assert Verb.SUBMIT.label_for(feedback=True) == "提交反馈"
    assert Verb.SUBMIT.label_for(feedback=False) == "申请办结"
    assert refusal(State.ACKNOWLEDGING, Verb.SUBMIT, {HOLDER}, feedback=True, holder="市编办联络员") == (
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


def test_nothing_lies_over_what_has_ended() -> None:
    assert not set(COVERED) & set(ENDED)
