"""Steps at which several posts decide together (会签, 或签), and posts that do not go with their units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bpmn.dialect import ELEMENTS, TOGETHER
from bpmn.lint.finding import Findings, called, error
from bpmn.reading import extension
from bpmn.xml import Element, tag

_MARK = tag("bpmn:multiInstanceLoopCharacteristics")
_DECIDING = ("sign", "accept", "review")
_WORDS = {"all": "会签", "any": "或签"}
# Which posts there are where: a unit has no inspectors, a jurisdiction nobody but them and its leaders.
_OVERSEERS = ("inspector", "leader")
_PLACES = {"jurisdiction": _OVERSEERS, "office": ("coordinator", "liaison", "section_head", "deputy_head", "head")}
_OF_UNIT = ("handler", "liaison", "section_head", "deputy_head", "head")


def check_together(process: Element) -> Findings:
    """Several posts that can decide together, drawn as such; every post one that its unit has."""
    for task in process.iter(tag("bpmn:userTask")):
        step = extension(task, "step")
        if step is None:
            continue
        yield from _posts(task, step)
        if step.get("rule") in TOGETHER:
            yield from _several(task, step)
        elif step.find(tag("duban:signer")) is not None:
            message = f"{called(task)}写了几个岗位，没有写怎样定；请写 rule：会签为 all，或签为 any。"
            yield error("together-unsaid", task, message)


def _places(step: Element) -> Iterator[tuple[str, str]]:
    for place in (step, *step.iterfind(tag("duban:signer"))):
        yield place.get("holder", ""), place.get("role", "")


def _posts(task: Element, step: Element) -> Findings:
    for holder, role in _places(step):
        if role not in _PLACES.get(holder, _OF_UNIT):
            words = f"“{_word('holder', holder)}”没有“{_word('role', role)}”这个岗位"
            yield error("post-nowhere", task, f"{called(task)}：{words}；请改用该处有的岗位。")
        if step.get("verb") == "sign" and holder != "unit":
            message = f"{called(task)}：审签是承办单位内部的事，岗位应在本单位；别的单位请用审核（review）。"
            yield error("sign-outside", task, message)


def _several(task: Element, step: Element) -> Findings:
    words = _WORDS[step.get("rule", "")]
    counted = Counter(_places(step))
    if step.get("verb") not in _DECIDING or step.get("decisions", "").split() != ["pass", "return"]:
        message = (
            f"{called(task)}：{words}只用于审签、认可、审核，须能同意也能退回（decisions=“pass return”）；请改正。"
        )
        yield error("together-undecided", task, message)
    if counted.total() == 1:
        message = f"{called(task)}：{words}只写了一个岗位；请补写其他岗位（duban:signer），或去掉 rule。"
        yield error("together-alone", task, message)
    if len(counted) < counted.total():
        (holder, role), n = counted.most_common(1)[0]
        message = (
            f"{called(task)}：{_word('holder', holder)}{_word('role', role)}写了 {n} 次；同一岗位只签一次，请删去。"
        )
        yield error("together-repeated", task, message)
    mark = task.find(_MARK)
    if mark is None or mark.get("isSequential") == "true":
        message = f"{called(task)}：{words}请画上并行多实例标记（三条竖线）；依次审签请画成前后相连的几个步骤。"
        yield error("together-unmarked", task, message)


def _word(attribute: str, value: str) -> str:
    found = ELEMENTS["step"].attribute(attribute)
    assert found is not None
    return dict(zip(found.values, found.words, strict=True)).get(value, value)
