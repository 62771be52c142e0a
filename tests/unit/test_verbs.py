"""The table of state x verb, typed once more by hand: who may act where, and what the others are told."""

import re
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest

from ledger.capacities import capacities
from ledger.people import Actor, Desk
from ledger.rules.verbs import ENDED, OVERLAYS, TABLE, Capacity, Role, State, Verb, item_refusal, refusal

HOLDER, DECIDER, UNIT = Capacity.HOLDER, Capacity.DECIDER, Capacity.UNIT
LEAD, OFFICE, INSPECTOR, PARENT = Capacity.LEAD, Capacity.OFFICE, Capacity.INSPECTOR, Capacity.PARENT

# Of each base state: verb -> capacities, as letters H D U N L O P I.
_FIGURES = "report:UN nothing_new:UN correct:UN check:OPL settle:I enter:OP confirm:U"
_AMENDING = "amend_text:O amend_target:O amend_quota:OP amend_due:OP"
_LIVE = f"{_FIGURES} {_AMENDING} hand_on:U copy:OPI reassign:OP terminate:OP add:O date:O last:O end_last:O"
_IN_HAND = f"{_LIVE} urge:OPIL object:U"
_AT_WORK = f"{_IN_HAND} submit:H extend:U suspend:OP split:U plan_steps:U step_done:U"
MAY: dict[State, str] = {
    State.PENDING: "",
    State.ACKNOWLEDGING: "acknowledge:H urge:OPIL object:U hand_on:U copy:OPI reassign:OP terminate:OP add:O"
    f" date:O last:O end_last:O {_AMENDING}",
    State.WORKING: _AT_WORK,
    State.RETURNED: _AT_WORK,
    State.SIGNING: f"{_LIVE.replace('hand_on:U ', '')} sign:H sign_return:H take_back:U urge:OPIL",
    State.REVIEWING: f"{_LIVE.replace('hand_on:U ', '').replace(' amend_due:OP', '')} approve:H return:H take_back:U",
    State.CLOSED: "check:OPL settle:I confirm:U copy:OPI revoke:OP",
    State.WITHDRAWN: "copy:OPI confirm:U",
    State.TERMINATED: "copy:OPI confirm:U",
    State.REVOKED: "copy:OPI confirm:U",
}
# What lies over a state changes this, and nothing else.
CHANGES: dict[State, str] = {
    State.EXTENDING: "grant:D decline:D take_back:U extend: object: plan_steps: suspend: amend_due:",
    State.DISPUTED: "grant:D decline:D take_back:U extend: object: plan_steps: suspend: amend_due:",
    State.PLANNING: "grant:D decline:D take_back:U extend: object: plan_steps: step_done: suspend: amend_due:",
    State.SUSPENDED: "resume:OP suspend: submit: extend: object: plan_steps: split: sign: urge: amend_due:",
}
LETTERS = {"H": HOLDER, "D": DECIDER, "U": UNIT, "N": Capacity.HANDLER, "L": LEAD, "O": OFFICE, "P": PARENT}
LETTERS |= {"I": INSPECTOR}
COVERED = (State.ACKNOWLEDGING, State.WORKING, State.RETURNED, State.SIGNING)
BASES = [state for state in State if state not in OVERLAYS]
CELLS = [(state, verb) for state in BASES for verb in Verb]
OVER = [(base, overlay, verb) for base in COVERED for overlay in OVERLAYS for verb in Verb]


@cache
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


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.CLOSED, "本任务已办结，不能再增加单位；办结不实的，请先撤销办结。"),
        (State.TERMINATED, "本任务已终止，不能再增加单位；确需继续办理的，请另行交办。"),
        (State.REVOKED, "本任务的办结已撤销，不能再增加单位；请在关联的整改任务中办理。"),
        (State.WORKING, None),
    ],
)
def test_an_item_that_is_over_says_how_it_ended(state: State, words: str | None) -> None:
    assert item_refusal(state, Verb.ADD, {OFFICE}) == words


# ---------------------------------------------------------------- every state, every post, every verb
TEXTS = Path(__file__).parent.parent / "data" / "refusals.tsv"
MARKS = {name: f"{{{name}}}" for name in ("holder", "decider", "acknowledged_by", "giver")}


@cache
def texts() -> dict[tuple[State, Verb], tuple[str, str]]:
    """What is said where a verb is refused: of a share that applies, and of one that gives feedback."""
    rows = (line.split("\t") for line in TEXTS.read_text("utf-8").splitlines()[1:])
    return {(State(state), Verb(verb)): (own, feedback) for state, verb, own, feedback in rows}


def test_a_text_is_typed_for_every_cell() -> None:
    over = {(state, verb) for state in OVERLAYS for verb in read(CHANGES[state])}
    assert set(texts()) == set(CELLS) | over


@pytest.mark.parametrize(("place", "said"), texts().items(), ids=lambda x: "-".join(x) if x in texts() else "")
def test_every_refusal_says_this(place: tuple[State, Verb], said: tuple[str, str]) -> None:
    state, verb = place
    base, overlay = (State.WORKING, state) if state in OVERLAYS else (state, None)
    for feedback in (False, True):
        assert refusal(base, verb, (), overlay=overlay, feedback=feedback, **MARKS) == said[feedback]


# A post as it is to a share, and what it gives there whatever the state: letters as above. Of a whole that applies, of
# one that gives feedback, of a part that the county handed down.
OWN, OFFICE_UNIT, LEADER, COUNTY, STRANGER = "jiaoyu", "zhuanban", "renshe", "daye", "keji"
POSTS: dict[tuple[str, Role], tuple[str, str, str]] = {
    (OWN, Role.HANDLER): ("N", "N", "N"),
    (OWN, Role.LIAISON): ("U", "U", "U"),
    (OWN, Role.SECTION_HEAD): ("", "", ""),
    (OWN, Role.DEPUTY_HEAD): ("", "", ""),
    (OWN, Role.HEAD): ("", "", ""),
    (OWN, Role.COORDINATOR): ("", "", ""),
    (OFFICE_UNIT, Role.COORDINATOR): ("O", "O", ""),
    (OFFICE_UNIT, Role.LIAISON): ("", "", ""),
    (LEADER, Role.LIAISON): ("", "L", ""),
    (LEADER, Role.DEPUTY_HEAD): ("", "", ""),
    (COUNTY, Role.LIAISON): ("", "", "P"),
    (COUNTY, Role.DEPUTY_HEAD): ("", "", ""),
    ("zhengfuban", Role.INSPECTOR): ("I", "I", "I"),
    ("zhengfuban", Role.LEADER): ("", "", ""),
    ("zhengfuban", Role.ADMINISTRATOR): ("", "", ""),
    (STRANGER, Role.LIAISON): ("", "", ""),
    (STRANGER, Role.COORDINATOR): ("", "", ""),
}
# Where the step of each state stands, and who decides on what was applied for.
HOLDERS = {
    **{state: [(OWN, Role.LIAISON)] for state in (State.ACKNOWLEDGING, State.WORKING, State.RETURNED)},
    State.SIGNING: [(OWN, Role.DEPUTY_HEAD)],
    State.REVIEWING: [(OFFICE_UNIT, Role.COORDINATOR), (LEADER, Role.DEPUTY_HEAD), ("zhengfuban", Role.INSPECTOR)],
}
KINDS = ("responsible", "cooperating", "part")
ALL_CELLS = [(base, None) for base in BASES] + [(base, overlay) for base in COVERED for overlay in OVERLAYS]


@pytest.mark.parametrize("kind", range(3), ids=KINDS)
@pytest.mark.parametrize(("base", "overlay"), ALL_CELLS)
def test_every_post_may_exactly_this(base: State, overlay: State | None, kind: int) -> None:
    decider = ("zhengfuban", Role.INSPECTOR) if overlay not in (None, State.SUSPENDED) else None
    stand = SimpleNamespace(
        plan="bairi", unit=OWN, role="cooperating" if kind == 1 else "responsible", office=OFFICE_UNIT,
        jurisdiction="huangshi", place="huangshi", parent_unit=COUNTY if kind == 2 else None, lead_unit=LEADER,
        holders=HOLDERS.get(base, []), decider=decider,
    )  # fmt: skip
    for (unit, role), gives in POSTS.items():
        letters = gives[kind] + "H" * ((unit, role) in stand.holders) + "D" * ((unit, role) == decider)
        actor = Actor(1, "某", (Desk(1, unit, role.value, "huangshi" if unit == "zhengfuban" else ""),))
        mine = capacities(actor, stand)
        assert set(mine) == {LETTERS[letter] for letter in letters}, (unit, role)
        for verb in Verb:
            may = read(CHANGES.get(overlay or base, "")).get(verb, read(MAY[base]).get(verb, set()))
            said = refusal(base, verb, mine, overlay=overlay, feedback=kind == 1, **MARKS)
            own = texts()[(overlay, verb) if overlay and verb in read(CHANGES[overlay]) else (base, verb)]
            assert said == (None if may & set(mine) else own[kind == 1]), (unit, role, verb)


def test_every_role_is_among_the_posts() -> None:
    assert {role for _, role in POSTS} == set(Role)


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
