"""The linter: refuses what cannot run, in plain Chinese, before anybody publishes it."""

from __future__ import annotations

from itertools import islice

from bpmn.lifecycle import STEP_VALUES
from bpmn.lint.content import check_plan
from bpmn.lint.finding import Directory, Finding, Findings, called, error
from bpmn.lint.graph import Graph, check_conditions, check_graph, check_plan_graph, check_sizes
from bpmn.lint.order import check_order
from bpmn.lint.routes import check_routes
from bpmn.lint.structure import check_elements, check_process, check_references
from bpmn.lint.together import check_together
from bpmn.lint.unread import readable
from bpmn.lint.words import check_dialect, check_words
from bpmn.reading import extension
from bpmn.schema import schema_errors
from bpmn.xml import DiagramError, Element, parse, process_of, tag

__all__ = ["Directory", "Finding", "lint", "unrunnable"]

MOST = 200
"""Findings of one file: nobody reads more before mending the first ones."""


def lint(xml: bytes, directory: Directory) -> list[Finding]:
    """The findings of a plan or lifecycle diagram, errors first, none twice, MOST at the most.

    `directory` answers what a printed unit name means; the caller injects the organisation of the plan's jurisdiction.
    """
    try:
        root = parse(xml)
        process = process_of(root)
    except DiagramError as problem:
        return [error("unreadable", problem.element, str(problem))]
    found = _cut(check_sizes(process))
    if not found:
        found = _cut(_form(root, process))
        is_sound = not any(finding.severity == "error" for finding in found)
        found += _cut(_meaning(process, directory, is_sound))
    return sorted(found, key=lambda finding: finding.severity)


def unrunnable(root: Element, process: Element) -> Findings:
    """The errors for which the engine refuses a diagram, whoever hands it over and whatever it is for."""
    for finding in _cut(check_sizes(process)) or _runs(root, process):
        if finding.severity == "error":
            yield finding


def _cut(findings: Findings) -> list[Finding]:
    found = list(islice(dict.fromkeys(islice(findings, 2 * MOST)), MOST + 1))
    if len(found) <= MOST:
        return found
    rest = "还有别的问题没有列出；请先改正以上各处，再检查一遍。"
    return [*found[:MOST], Finding("more-findings", "error", None, rest)]


def _runs(root: Element, process: Element) -> Findings:
    yield from check_elements(root)
    yield from check_process(process)
    yield from check_references(root, process)
    yield from check_graph(process)
    yield from check_conditions(process)


def _form(root: Element, process: Element) -> Findings:
    yield from check_dialect(root)
    yield from check_words(root)
    found = []
    for finding in _runs(root, process):
        found.append(finding)
        yield finding
    lifecycle = _is_lifecycle(process)
    yield from check_conditions(process, STEP_VALUES if lifecycle else ())
    if not lifecycle:
        yield from check_plan_graph(process)
    elif not any(finding.severity == "error" for finding in found):
        yield from check_routes(process)
    yield from _filled(process, "step" if lifecycle else "item")
    if lifecycle:
        yield from check_together(process)
    if not lifecycle and extension(process, "plan") is None:
        yield error("plan-missing", process, "流程缺少方案信息（duban:plan）：名称、文号、期限、专班办等，请填写。")
    for ident, message in schema_errors(root):
        yield error("schema", ident, f"不符合 BPMN 2.0 格式（{message}）；请在流程图编辑器里改正后重新导出。")


def _is_lifecycle(process: Element) -> bool:
    """A lifecycle has steps, a plan has facts and headings."""
    return extension(process, "plan") is None and process.find(f".//{tag('duban:step')}") is not None


def _filled(process: Element, name: str) -> Findings:
    for task in process.iter(tag("bpmn:userTask")):
        if extension(task, name) is None:
            words = "由谁办理（duban:step）" if name == "step" else "任务内容（duban:item）"
            yield error(f"{name}-missing", task, f"{called(task)}还没有填写{words}，请补填。")


def _meaning(process: Element, directory: Directory, is_sound: bool) -> Findings:
    """What the plan says, as far as it can be read: one field that cannot be hides nothing else."""
    if _is_lifecycle(process) or (found := readable(process)) is None:
        return
    plan, unread = found
    yield from check_plan(plan, directory, unread)
    if is_sound:
        yield from check_order(plan, Graph(process))
