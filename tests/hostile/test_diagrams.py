"""Hostile diagrams are refused by the real command, in words, in time, and before the engine sees them."""

import os
from pathlib import Path

import pytest

from bpmn.lint import lint
from bpmn.xml import DiagramError
from engine import instances, versions
from engine.admission import findings
from ledger.organisation import load
from tests.hostile.batch import MEMORY, SECONDS
from tests.hostile.corpus import Case, cases, diamonds, fan_outs, item, plan
from tests.hostile.running import alone, batch, one_of_each

CORPUS = list(cases())
CLASSES = {
    *("doctype", "instruction", "xinclude", "encoding", "not-xml", "too-large", "deep", "names", "ids", "flows"),
    *("fan-outs", "diamonds", "chains", "processes", "namespaces", "xsi", "drawing", "rhythms", "dates", "numbers"),
    *("places", "orders", "expression", "dialect"),
}  # fmt: skip


def test_the_corpus_is_what_it_says() -> None:
    assert {case.kind.partition(":")[0] for case in CORPUS} == CLASSES
    assert len(CORPUS) > 2000
    positions = {case.kind for case in CORPUS if case.kind.startswith("expression:")}
    assert len(positions) >= 50


def test_what_hides_the_hostile_parts_is_harmless_itself() -> None:
    """Otherwise the corpus would be refused for its frame."""
    for xml in (plan(), plan(heading=item("t1") + item("t2")), fan_outs(2, 20), diamonds(24, tasks=True)):
        assert [f for f in findings(xml) if f.severity == "error"] == []


def test_every_file_is_refused_by_the_command_and_by_the_engine(tmp_path: Path) -> None:
    outcomes = batch(CORPUS, tmp_path)
    assert [(o.case.kind, o.case.name, o.faults) for o in outcomes if o.faults] == []
    assert len(outcomes) == len(CORPUS)
    slowest = max(outcomes, key=lambda o: o.seconds)
    assert slowest.seconds < SECONDS, slowest.case


@pytest.mark.parametrize("case", one_of_each(CORPUS), ids=lambda case: case.kind)
def test_the_largest_of_each_class_in_a_process_of_its_own(case: Case, tmp_path: Path) -> None:
    outcome = alone(case, tmp_path)
    assert outcome.faults == ()
    assert outcome.seconds < SECONDS


def test_a_file_of_200_mb_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "huge.bpmn"
    with file.open("wb") as stream:
        stream.truncate(200_000_000)
    os.truncate(file, 4 * MEMORY)  # sparse: more than the process may address at all
    outcome = alone(Case("too-large", "sparse", b""), tmp_path)  # the process starts and ends within its limits
    assert outcome.faults == ()
    linked = tmp_path / "alone.bpmn"
    linked.unlink()
    file.rename(linked)
    assert refusal(linked) == "文件太大，超过 2000 KB。请拆成几个方案。"


def refusal(file: Path) -> str:
    from webapp.given import bytes_of

    (found,) = lint(bytes_of(file), load("huangshi"))
    return found.message


ENGINE_ALONE = [
    c for c in CORPUS if c.kind.startswith("expression:") and c.name in ("import", "power", "jinja", "list")
]


@pytest.mark.parametrize("case", ENGINE_ALONE, ids=lambda case: f"{case.kind}-{case.name}")
def test_the_engine_refuses_every_expression_by_itself(case: Case) -> None:
    """Below the linter and below publishing: the function that makes a version."""
    known = set(versions._versions)
    with pytest.raises(DiagramError):
        instances.load_plan_spec(f"hostile {case.kind}", case.xml)
    assert set(versions._versions) == known


def test_serial_fan_outs_and_diamonds_that_are_let_through_stay_small() -> None:
    """Two that other engines choke on (2 x 30: 4,593 tasks, 24 diamonds: 2 to the power of 25) run in this one."""
    for name, xml in (("fans", fan_outs(2, 20)), ("diamonds", diamonds(24, tasks=True))):
        instances.load_plan_spec(name, xml)
        run = instances.start(name)
        while waiting := instances.waits(run):
            instances.complete(run, waiting[0])
            assert len(instances.dump(run)) < 200_000
        assert instances.is_ended(run)
