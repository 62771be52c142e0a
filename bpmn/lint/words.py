"""The dialect's own rules: known elements in their places, with attributes that can be read."""

from __future__ import annotations

from collections import Counter

from lxml import etree

from bpmn.dialect import ELEMENTS, DialectError, ElementType, read_value
from bpmn.lint.finding import Findings, error
from bpmn.reading import due_rule, words
from bpmn.xml import DUBAN, DiagramError, Element, qualified


def check_dialect(root: Element) -> Findings:
    """Every element of the dialect's namespace, wherever it stands."""
    for element in root.iter(f"{{{DUBAN}}}*"):
        name = etree.QName(element).localname
        kind = ELEMENTS.get(name)
        if kind is None:
            known = "、".join(sorted(ELEMENTS))
            yield error("dialect-unknown-element", element, f"没有 duban:{name} 这种元素，可用的有：{known}。")
            continue
        yield from _place(element, kind)
        yield from _attributes(element, kind)
        if kind.body == "required" and not words(element):
            yield error(f"{name}-text-missing", element, f"“{kind.label}”没有写文字，请照原文填写。")
    yield from _repeated(root)


def owner(element: Element) -> Element | None:
    """What a dialect element belongs to: extensionElements is only a wrapper."""
    parent = element.getparent()
    if parent is not None and qualified(parent) == "bpmn:extensionElements":
        return parent.getparent()
    return parent


def _place(element: Element, kind: ElementType) -> Findings:
    parent = owner(element)
    where = "" if parent is None else qualified(parent)
    if where not in kind.allowed_in:
        places = "、".join(kind.allowed_in)
        yield error("dialect-misplaced", element, f"“{kind.label}”不能放在 {where} 里，应放在 {places} 里。")


def _attributes(element: Element, kind: ElementType) -> Findings:
    for key, text in element.attrib.items():
        name = str(key)
        attribute = kind.attribute(name)
        if attribute is None:
            known = "、".join(each.name for each in kind.attributes) or "无"
            yield error("dialect-unknown-attribute", element, f"“{kind.label}”没有属性 {name}，可用的有：{known}。")
            continue
        try:
            read_value(attribute, str(text))
        except DialectError as problem:
            yield error("dialect-ill-typed", element, f"{kind.label}的{problem}。")
    for attribute in kind.attributes:
        if attribute.required and not (element.get(attribute.name) or "").strip():
            message = f"“{kind.label}”缺少“{attribute.label}”，请填写属性 {attribute.name}。"
            yield error("dialect-missing-attribute", element, message)
    if kind.name in ("due", "opens") and element.get("kind"):
        try:
            due_rule(element)
        except DiagramError as problem:
            yield error("due-incomplete", element, f"{kind.label}：{problem.message}")


def _repeated(root: Element) -> Findings:
    for parent in root.iter("{*}extensionElements", f"{{{DUBAN}}}*"):
        for tag, count in Counter(child.tag for child in parent).items():
            kind = ELEMENTS.get(str(tag).removeprefix(f"{{{DUBAN}}}"))
            if kind is not None and str(tag).startswith(f"{{{DUBAN}}}") and count > 1 and not kind.many:
                yield error("dialect-repeated", parent, f"“{kind.label}”写了 {count} 次，只能写一次。")
