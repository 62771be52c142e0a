"""One definition of the dialect: documentation and shipped diagrams agree with it."""

from pathlib import Path

from lxml import etree

from bpmn import dialect, library
from bpmn.xml import DUBAN, parse

DOC = Path(__file__).parent.parent.parent / "docs" / "dialect.md"


def test_documentation_is_the_generated_table() -> None:
    again = "python -c 'from bpmn.dialect import table; print(table(), end=\"\")' > docs/dialect.md"
    assert DOC.read_text("utf-8") == dialect.table(), f"regenerate it: {again}"


def test_everything_has_a_chinese_label_and_an_english_meaning() -> None:
    for element in dialect.ELEMENTS.values():
        assert element.label and element.doc and element.allowed_in
        for attribute in element.attributes:
            assert attribute.label and attribute.doc
            assert bool(attribute.values) == (attribute.kind in ("choice", "choices"))
            if attribute.default is not None:
                dialect.read_value(attribute, attribute.default)


def test_places_named_in_the_definition_exist() -> None:
    for element in dialect.ELEMENTS.values():
        for place in element.allowed_in:
            assert place in ("bpmn:process", "bpmn:userTask") or place.removeprefix("duban:") in dialect.ELEMENTS


def test_shipped_diagrams_use_every_element() -> None:
    diagrams = [library.plan_xml(key) for key in library.plan_keys()]
    diagrams += [library.lifecycle_xml(key) for key in library.lifecycle_keys()]
    used = {etree.QName(node).localname for xml in diagrams for node in parse(xml).iter(f"{{{DUBAN}}}*")}
    assert used == set(dialect.ELEMENTS) - {"opens"}  # the one dated item is opened by its timer
