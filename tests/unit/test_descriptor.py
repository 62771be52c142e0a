"""The editor's view of the dialect says what the dialect says, no more and no less."""

from __future__ import annotations

from bpmn.descriptor import TEXT, UNASKED, descriptor, panel
from bpmn.dialect import ELEMENTS
from bpmn.xml import DUBAN


def test_the_descriptor_knows_every_element_attribute_and_place() -> None:
    package = descriptor()
    types = {made["name"]: {p["name"]: p for p in made["properties"]} for made in package["types"]}
    assert (package["uri"], package["prefix"]) == (DUBAN, "duban")
    assert {name.lower() for name in types} == set(ELEMENTS)
    for element in ELEMENTS.values():
        properties = types[element.name.capitalize()]
        attributes = {name for name, p in properties.items() if p.get("isAttr")}
        assert attributes == {attribute.name for attribute in element.attributes}
        assert (properties.get(TEXT, {}).get("isBody") is True) == (element.body == "required")
        children = {p["type"].lower(): bool(p.get("isMany")) for n, p in properties.items() if p["type"] != "String"}
        inside = [inner for inner in ELEMENTS.values() if f"duban:{element.name}" in inner.allowed_in]
        assert children == {inner.name: inner.many for inner in inside}


def test_nothing_is_turned_into_another_type_on_the_way() -> None:
    """A number that moddle reads as a number is written as `5` where it stood as `5.0`."""
    kinds = {p["type"] for made in descriptor()["types"] for p in made["properties"] if p.get("isAttr")}
    assert kinds == {"String"}


def test_the_panel_asks_for_every_attribute_in_chinese() -> None:
    shown = panel()
    assert set(shown) == set(ELEMENTS)
    for element in ELEMENTS.values():
        assert list(shown[element.name]["fields"]) == [attribute.name for attribute in element.attributes]
        for attribute in element.attributes:
            found = shown[element.name]["fields"][attribute.name]
            assert [value for value, _ in found["choices"]] == list(attribute.values)
            assert found["asked"] == ((element.name, attribute.name) not in UNASKED)
            assert all(words and not words.isascii() for _, words in found["choices"])


def test_what_the_panel_does_not_ask_for_has_a_reason() -> None:
    """All else it draws: tests/e2e/test_editor_fields.py looks for every field in the browser."""
    known = {(element.name, attribute.name) for element in ELEMENTS.values() for attribute in element.attributes}
    assert set(UNASKED) < known
    assert all(len(reason) > 10 for reason in UNASKED.values())
