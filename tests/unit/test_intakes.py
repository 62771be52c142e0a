"""Cases: who may do what at which step, what a form asks, and the lifecycle of each kind as the engine runs it."""

from __future__ import annotations

from datetime import date
from itertools import product

import pytest

from bpmn import library
from bpmn.lint import lint
from bpmn.reading import read_lifecycle
from engine import instances, published
from ledger import organisation
from ledger.rules.intakes import (
    KINDS,
    OPEN,
    STATE_AT,
    Capacity,
    Outcome,
    State,
    Verb,
    cell_of,
    faults_of,
    refusal,
    verdict,
)

TODAY = date(2025, 5, 26)
GOOD = {
    "leader": "张明（市长）",
    "given_on": "2025-05-26",
    "carrier": "spoken",
    "wording": "gist",
    "instruction": "请抓紧落实。",
}


@pytest.mark.parametrize(
    ("outcome", "ground", "said"),
    [
        (Outcome.FILE, "同意立项。", "同意立项。"),
        (Outcome.FILE, "同意立项，请人社局抓紧。", "同意立项，请人社局抓紧。"),
        (Outcome.FILE, "同意。", "同意立项。"),
        (Outcome.FILE, "请人社局月底前报结果", "同意立项。请人社局月底前报结果。"),
        (Outcome.READ, "请两局阅知。", "同意阅知。请两局阅知。"),
        (Outcome.SHELVE, "存档备查。", "存档备查。"),
    ],
)
def test_a_verdict_is_said_once(outcome: Outcome, ground: str, said: str) -> None:
    assert verdict(outcome, ground) == said


def test_what_was_said_aloud_has_no_text_of_its_own() -> None:
    kind = KINDS["instruction"]
    for wording in ("", "text", "gist"):
        assert kind.completed(GOOD | {"wording": wording})["wording"] == "gist"
    assert kind.completed(GOOD | {"carrier": "paper", "wording": "text"})["wording"] == "text"
    assert faults_of(kind, kind.completed(GOOD | {"wording": ""}), TODAY) == {}


@pytest.mark.parametrize(("state", "verb"), list(product(State, Verb)))
def test_each_state_has_one_verb_and_says_why_not_for_the_others(state: State, verb: Verb) -> None:
    is_turn = STATE_AT[verb] is state
    everybody = refusal(state, verb, set(Capacity), kind="批示件")
    if is_turn and verb is not Verb.CARRY:
        assert everybody is None
    else:
        assert everybody is not None and everybody.startswith("这件批示件")
    nobody = refusal(state, verb, set(), kind="批示件", holder="市政府办领导")
    assert nobody and "{" not in nobody and nobody.endswith("。")


def test_what_comes_too_early_is_told_apart_from_what_is_over() -> None:
    assert "先办完前一步" in cell_of(State.PROPOSING, Verb.PRESENT)[1]
    assert "不能再" in cell_of(State.PRESENTED, Verb.PRESENT)[1]
    assert "不能再" in cell_of(State.DECIDING, Verb.PROPOSE)[1]


def test_the_office_may_do_every_step_and_others_only_what_lies_before_them() -> None:
    for verb in (Verb.PROPOSE, Verb.DECIDE, Verb.PRESENT):
        for capacity in Capacity:
            assert refusal(STATE_AT[verb], verb, {capacity}) is None


@pytest.mark.parametrize("key", KINDS)
def test_a_kind_is_a_diagram_and_a_form(key: str) -> None:
    kind = KINDS[key]
    assert lint(library.intake_xml(key), organisation.load("huangshi")) == []
    cycle = read_lifecycle(library.intake_xml(key))
    assert (cycle.key, cycle.name) == (key, kind.name)
    assert {Verb(step.verb) for step in cycle.steps} <= set(Verb)
    assert kind.by in {f.name for f in kind.texts}
    assert len(kind.number(2025, 9999)) <= 20
    assert set(library.intake_keys()) == set(KINDS)


def test_the_way_of_an_instruction() -> None:
    published.intake_cycle("instruction")
    version = published.intake_version("instruction")

    def after(step: str, outcome: str | None = None) -> tuple[str, ...]:
        return instances.outcome(version, step, frozenset({("outcome", outcome)} if outcome else ()))

    assert instances.entry(version) == "propose"
    assert after("propose") == ("decide",)
    assert after("decide", Outcome.FILE.value) == after("decide", Outcome.READ.value) == ("carry",)
    assert after("decide", Outcome.RETURN.value) == ("propose",)
    assert after("decide", Outcome.SHELVE.value) == ()
    assert after("carry", Outcome.FILE.value) == ("present",)
    assert after("carry", Outcome.READ.value) == after("present", Outcome.FILE.value) == ()


def test_a_good_form_has_no_faults_and_blank_optional_fields_are_none() -> None:
    assert faults_of(KINDS["instruction"], GOOD, TODAY) == {}
    assert faults_of(KINDS["instruction"], {}, TODAY).keys() == GOOD.keys()


@pytest.mark.parametrize(
    ("field", "words"),
    [("given_on", "2025-05-27"), ("given_on", "五月"), ("carrier", "x"), ("leader", " "), ("leader", "长" * 61)],
)
def test_what_is_wrong_stands_at_its_field(field: str, words: str) -> None:
    assert set(faults_of(KINDS["instruction"], {**GOOD, field: words}, TODAY)) == {field}


def test_open_and_ended_states() -> None:
    assert {*OPEN, State.PRESENTED, State.READ, State.SHELVED} == set(State)
    assert len({s.label for s in State}) == len(State)
