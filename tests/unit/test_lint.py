"""Each rule of the linter refuses its small diagram in tests/diagrams, and nothing but what is wrong."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bpmn import library
from bpmn.dialect import ELEMENTS, MAX_NAME
from bpmn.lint import Finding, lint
from engine import instances
from ledger.organisation import Ended, load

ROOT = Path(__file__).parent.parent.parent
DIAGRAMS = sorted((ROOT / "tests" / "diagrams").glob("*.bpmn"))
WARNINGS = {"layout-missing", "cooperating-without-lead", "cadence-unused", "cadence-name-repeated"}
WARNINGS |= {"quotas-exceed-target", "date-after-plan", "cadence-outside-plan"}
UNTESTED = {"too-many-items"}  # a thousand boxes in a file; test_sizes_are_capped makes them
UNTESTED |= {"unit-ended", "unit-not-yet", "unit-ending"}  # of the directory: test_units_that_come_and_go
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


# ---------------------------------------------------------------- small plans of one item
PLAIN = (ROOT / "tests" / "diagrams" / "cadence-unused.bpmn").read_text("utf-8")
PLAIN = re.sub(r"<duban:cadence [^>]*/>", "", PLAIN)
DUE = '<duban:due kind="by" date="2025-08-31">8月底前</duban:due>'
FIGURE = '<duban:indicator key="k" name="岗位" op="{}" value="{}" unit="个" sum="sum">若干个</duban:indicator>'


def rules(*changes: tuple[str, str], plain: str = PLAIN) -> set[str]:
    for old, new in changes:
        assert old in plain, old
        plain = plain.replace(old, new, 1)
    return {f.rule for f in lint(plain.encode(), HUANGSHI)} - {"layout-missing"}


@pytest.mark.parametrize(
    "due",
    [
        '<duban:due kind="lasting">长期坚持</duban:due>',
        '<duban:due kind="undated">另行通知</duban:due>',
        '<duban:due kind="by" date="2025-05-01">5月1日前</duban:due>',  # the first day, and the last
        f"{DUE}{FIGURE.format('le', '0')}",  # 事故为零
        f'{DUE}<duban:opens kind="by" date="2025-08-31">8月31日</duban:opens>',  # within a day
        '<duban:due kind="within" days="10" anchor="acknowledge">签收后10日内</duban:due>',
    ],
)
def test_what_a_plan_may_mean_is_clean(due: str) -> None:
    assert rules((DUE, due)) == set()


def test_quotas_that_make_up_the_target_are_clean_and_more_are_told_with_both_numbers() -> None:
    figure = (DUE, DUE + FIGURE.format("ge", "10000"))
    assert rules(figure, ('role="responsible"/>', 'role="responsible" quota="10000"/>')) == set()
    more = PLAIN.replace('role="responsible"/>', 'role="responsible" quota="12000"/>').replace(*figure)
    (message,) = [f.message for f in lint(more.encode(), HUANGSHI) if f.rule == "quotas-exceed-target"]
    assert "合计 12,000，超过目标 10,000" in message


def test_what_opens_after_the_end_or_is_due_by_days_beyond_it_is_told() -> None:
    late = f'{DUE}<duban:opens kind="by" date="2025-09-01">9月</duban:opens>'
    assert rules((DUE, late)) == {"date-after-plan", "opens-after-due"}
    long = '<duban:due kind="within" days="200" anchor="run">启动后200日内</duban:due>'
    assert rules((DUE, long)) == {"date-after-plan"}
    assert rules((DUE, DUE + FIGURE.format("ge", "0"))) == {"target-senseless"}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (('role="responsible"/>', 'role="responsible" quota="abc"/>'), "dialect-ill-typed"),
        (('no="1"', 'no=""'), "dialect-missing-attribute"),
        (('completion="all"', 'completion="who"'), "dialect-ill-typed"),
        (('start="2025-05-01"', 'start="soon"'), "dialect-ill-typed"),
        (('start="2025-05-01"', 'start="2025-09-30"'), "period-reversed"),
        (('office="市人社局"', 'office=""'), "dialect-missing-attribute"),
        ((DUE, '<duban:due kind="during" start="2025-08-01" end="2025-07-01">7月</duban:due>'), "due-incomplete"),
    ],
)
def test_one_field_that_cannot_be_read_hides_no_other_finding(change: tuple[str, str], rule: str) -> None:
    """And what it would have said is not missed a second time."""
    assert rules(change) == {rule}
    second = re.search(r"<bpmn:userTask.*?</bpmn:userTask>", PLAIN, re.DOTALL)
    assert second is not None
    other = second[0].replace('id="t1"', 'id="t2"').replace('no="1"', 'no="2"').replace("市人社局", "市某局")
    both = PLAIN.replace(second[0], second[0] + other)
    assert rules(change, plain=both) == {rule, "unknown-unit"}


def test_a_share_whose_unit_is_missing_does_not_leave_the_item_to_nobody() -> None:
    assert rules(('unit="市人社局" role="responsible"', 'unit="" role="responsible"')) == {"dialect-missing-attribute"}
    assert rules(('unit="市人社局" role="responsible"', 'unit="市人社局" role="boss"')) == {"dialect-ill-typed"}


def test_a_title_may_be_as_long_as_its_field() -> None:
    field = ELEMENTS["item"].attribute("title")
    assert field is not None and field.longest == ELEMENTS["plan"].attribute("title").longest  # type: ignore[union-attr]
    for length, found in ((field.longest, set()), (field.longest + 1, {"name-too-long", "dialect-ill-typed"})):
        title = "长" * length
        assert rules(('name="1 任务一"', f'name="1&#10;{title}"'), ('title="任务一"', f'title="{title}"')) == found
    assert rules(('name="标题一"', f'name="{"长" * (MAX_NAME + 1)}"')) == {"name-too-long"}


def test_elements_without_a_name_are_called_by_what_they_are() -> None:
    loose = (
        '<bpmn:startEvent id="Event_1"/><bpmn:parallelGateway id="Gateway_1"/><bpmn:parallelGateway id="Gateway_2"/>'
        '<bpmn:sequenceFlow id="Flow_1" sourceRef="Gateway_1" targetRef="Gateway_2"/>'
        '<bpmn:sequenceFlow id="Flow_2" sourceRef="Gateway_1" targetRef="Gateway_2"/>'
    )
    xml = PLAIN.replace('<bpmn:endEvent id="end"/>', f'<bpmn:endEvent id="end"/>{loose}')
    said = {f.message for f in lint(xml.encode(), HUANGSHI)}
    assert "从“并行分开”到“并行等齐”的连线不止一条；请只留一条。" in said
    assert "“开始”没有连出的线，办完后流程停住；请连到下一步或“结束”。" in said
    assert not [message for message in said if re.search("Event|Gateway|Flow|start|parallel", message)]


def test_units_that_come_and_go() -> None:
    """A plan that prints the name of a unit that was given up, is to come, or is to end."""
    comes, ends = date(2025, 7, 1), date(2025, 8, 1)
    dated: dict[str, Any] = {"renshe": {"valid_from": comes}, "caizheng": {"valid_to": ends}}
    units = tuple(replace(u, **dated.get(u.key, {})) for u in HUANGSHI.units)
    known = replace(HUANGSHI, units=units).with_history(
        {"jiaoyu": ("市教委",)}, {}, {"jiaoyu": Ended("市教育局", date(2025, 5, 1), ("市科技局",))}
    )
    found = lint(library.plan_xml("huangshi-2025-bairi"), known)
    said = {f.rule: (f.severity, f.message) for f in found}
    assert {f.severity for f in found if f.rule == "unit-ended"} == {"error"}
    assert "单位“市教育局”已于 2025-05-01 撤销，请改写现在承担这项工作的单位，可能是市科技局。" in said["unit-ended"][1]
    assert "“市人社局”自 2025-07-01 起启用" in said["unit-not-yet"][1] and said["unit-not-yet"][0] == "warning"
    assert "“市财政局”已定于 2025-08-01 撤销" in said["unit-ending"][1] and said["unit-ending"][0] == "warning"
    assert known.resolve("市教委").ended == known.resolve("市教育局").ended  # type: ignore[union-attr]
    assert "jiaoyu" not in {u.key for u in known.units}
