"""Each rule of the linter refuses its small diagram in tests/diagrams, and nothing but what is wrong."""

import re
from pathlib import Path

import pytest

from bpmn import library
from bpmn.lint import Finding, lint
from engine import instances
from ledger.organisation import load

ROOT = Path(__file__).parent.parent.parent
DIAGRAMS = sorted((ROOT / "tests" / "diagrams").glob("*.bpmn"))
WARNINGS = {"layout-missing", "cooperating-without-lead", "cadence-unused"}
UNTESTED = {"too-many-items"}  # a thousand boxes in a file; test_sizes_are_capped makes them
HUANGSHI = load("huangshi")


def findings(path: Path) -> list[Finding]:
    return lint(path.read_bytes(), HUANGSHI)


@pytest.mark.parametrize("path", DIAGRAMS, ids=lambda path: path.stem)
def test_rule_finds_its_diagram(path: Path) -> None:
    found = [finding for finding in findings(path) if finding.rule == path.stem]
    assert found, [finding.rule for finding in findings(path)]
    assert {finding.severity for finding in found} == {"warning" if path.stem in WARNINGS else "error"}
    for finding in found:
        assert re.search(r"[\u4e00-\u9fff]", finding.message), finding
        assert finding.message.endswith("。") or finding.rule in ("schema", "unreadable"), finding


def test_every_rule_has_a_diagram() -> None:
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "bpmn" / "lint").glob("*.py"))
    rules = set(re.findall(r'"([a-z]+(?:-[a-z]+)+|unreadable|unreachable|schema)"(?=,| if| else|\)|\n)', source))
    rules |= {f"{name}-text-missing" for name in ("due", "opens", "clause", "note", "indicator")}
    rules |= {"item-missing", "step-missing"}
    rules -= {"open-shares"}
    assert rules - UNTESTED == {path.stem for path in DIAGRAMS}


@pytest.mark.parametrize("key", library.plan_keys())
def test_plans_of_the_library_are_clean(key: str) -> None:
    assert lint(library.plan_xml(key), HUANGSHI) == []


@pytest.mark.parametrize("key", library.lifecycle_keys())
def test_lifecycles_of_the_library_are_clean(key: str) -> None:
    assert lint(library.lifecycle_xml(key), HUANGSHI) == []


@pytest.mark.parametrize("rule", sorted(WARNINGS))
def test_what_only_warns_runs_to_its_end(rule: str) -> None:
    xml = (ROOT / "tests" / "diagrams" / f"{rule}.bpmn").read_bytes()
    instances.load_plan_spec(rule, xml)
    run = instances.start(rule)
    instances.complete(run, "h1")
    assert instances.is_ended(run)


def test_sizes_are_capped() -> None:
    text = (ROOT / "tests" / "diagrams" / "layout-missing.bpmn").read_text("utf-8")
    task = re.search(r"<bpmn:userTask.*?</bpmn:userTask>", text, re.DOTALL)
    assert task
    many = "".join(task[0].replace('id="t1"', f'id="t{n}"').replace('no="1"', f'no="{n}"') for n in range(1, 1002))
    assert "too-many-items" in {finding.rule for finding in lint(text.replace(task[0], many).encode(), HUANGSHI)}


def test_a_circle_is_told_by_the_items_in_it() -> None:
    text = (ROOT / "tests" / "diagrams" / "order-circle.bpmn").read_text("utf-8")
    first, second = re.findall(r"<bpmn:userTask.*?</bpmn:userTask>", text, re.DOTALL)
    line = '<bpmn:sequenceFlow id="f{0}-{1}" sourceRef="t{0}" targetRef="t{1}"/>'
    tasks = [first.replace('id="t1"', f'id="t{n}"').replace('no="1"', f'no="{n}"') for n in range(1, 21)]

    def told(*lines: tuple[int, int]) -> list[tuple[str | None, str]]:
        drawn = re.sub(r"<bpmn:sequenceFlow id=\"f_t[12].*?</bpmn:sequenceFlow>", "", text.replace(first, ""))
        heading = "".join([*tasks, *(line.format(*ends) for ends in lines)])
        found = lint(drawn.replace(second, heading).encode(), HUANGSHI)
        return [(f.element, f.message) for f in found if f.rule == "order-circle"]

    chain = [(n, n + 1) for n in range(1, 20)]
    assert told(*chain) == []
    ((element, message),) = told(*chain, (20, 1))
    assert element == "t1"
    assert "：1、2、3、4、5、6 等 20 项；" in message
    ((element, message),) = told(*chain, (4, 3))
    assert element == "t3"
    assert "：3、4；" in message


@pytest.mark.parametrize(
    ("printed", "written", "rule"),
    [
        ('title="任务一"', 'title="\u200b"', "dialect-missing-attribute"),
        ('title="任务一"', 'title="\u3164\u200d"', "dialect-missing-attribute"),
        ('no="2"', 'no="１"', "duplicate-number"),
        ('no="2"', 'no="\u200b1 "', "duplicate-number"),
        ("办好一件事<", "\u2060\u2800<", "clause-text-missing"),
    ],
)
def test_what_looks_like_nothing_is_nothing_and_what_looks_alike_is_the_same(
    printed: str, written: str, rule: str
) -> None:
    text = (ROOT / "tests" / "diagrams" / "overlaid-text.bpmn").read_text("utf-8")
    text = text.replace("\u0335", "")
    assert {f.rule for f in lint(text.encode(), HUANGSHI) if f.severity == "error"} == set()
    assert printed in text
    changed = text.replace(printed, written)
    assert {f.rule for f in lint(changed.encode(), HUANGSHI) if f.severity == "error"} == {rule}


def test_a_file_that_is_no_diagram_is_one_finding() -> None:
    for xml in (b"", b"hello", b"<a/>", "督办".encode("gb18030"), b"<a>" * 100_000):
        assert [finding.rule for finding in lint(xml, HUANGSHI)] == ["unreadable"]
