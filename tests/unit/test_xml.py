"""Diagrams are read so that a file can neither reach out nor blow up."""

import pytest

from bpmn import library
from bpmn.reading import read_lifecycle, read_plan
from bpmn.xml import MAX_BYTES, DiagramError, parse
from engine import instances

PLAN = library.plan_xml("huangshi-2025-bairi")


@pytest.mark.parametrize(
    ("xml", "words"),
    [
        (b"<a", "第 1 行"),
        (b"", "XML"),
        (b"<a/>", "BPMN 2.0"),
        (b" " * (MAX_BYTES + 1), "文件太大"),
        (PLAN.replace(b"<bpmn:def", b"<!DOCTYPE x SYSTEM 'http://example.invalid/x.dtd'><bpmn:def", 1), "DOCTYPE"),
        (PLAN.replace(b"<bpmn:def", b'<!DOCTYPE x [<!ENTITY a "aaaa">]><bpmn:def', 1), "DOCTYPE"),
        (PLAN.replace(b"<bpmn:def", b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><bpmn:def', 1), "DOCTYPE"),
        (PLAN.replace(b"<bpmn:def", b"<?xml-stylesheet href='http://example.invalid/x.xsl'?><bpmn:def", 1), "处理指令"),
        (PLAN.replace(b"</bpmn:process>", b"<?php phpinfo()?></bpmn:process>", 1), "处理指令"),
        (PLAN + b"<?x?>", "处理指令"),
        (PLAN.replace(b"<bpmn:def", b"<?xml version='1.0'?><bpmn:def", 1), "处理指令"),
    ],
)
def test_unsafe_or_broken_files_are_refused(xml: bytes, words: str) -> None:
    with pytest.raises(DiagramError, match=words):
        parse(xml)
    with pytest.raises(DiagramError):
        instances.load_plan_spec("never", xml)


def test_errors_name_their_element() -> None:
    wrong = PLAN.replace(b'date="2025-06-30"', b'date="30.06.2025"', 1)
    with pytest.raises(DiagramError) as caught:
        read_plan(wrong)
    assert caught.value.element == "t01"
    assert "2025-08-31" in caught.value.message


def test_a_lifecycle_is_read() -> None:
    lifecycle = read_lifecycle(library.lifecycle_xml("standard"))
    assert (lifecycle.key, lifecycle.name) == ("standard", "标准办理")
    told = [(step.id, step.holder, step.role, step.verb, step.decisions) for step in lifecycle.steps]
    assert told == [
        ("acknowledge", "unit", "liaison", "acknowledge", ()),
        ("work", "unit", "liaison", "submit", ()),
        ("sign", "unit", "deputy_head", "sign", ("pass", "return")),
        ("review", "office", "coordinator", "review", ("pass", "return")),
        ("accept", "lead", "liaison", "accept", ("pass", "return")),
        ("host_review", "host", "deputy_head", "review", ("pass", "return")),
    ]
    with pytest.raises(KeyError):
        lifecycle.step("nowhere")


def test_the_library_serves_only_its_own_files() -> None:
    for key in ("nowhere", "../plans/huangshi-2025-bairi", ""):
        with pytest.raises(KeyError):
            library.plan_xml(key)
