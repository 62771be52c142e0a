"""The dialect's own rules: known elements in their places, with attributes that can be read."""

from __future__ import annotations

from collections import Counter

from lxml import etree

from bpmn.dialect import ELEMENTS, DialectError, ElementType, read_value
from bpmn.lint.finding import Findings, error, listed
from bpmn.reading import due_rule, words
from bpmn.xml import DUBAN, DiagramError, Element, brief, qualified
from ledger.rules.texts import MAX_MARKS, hidden_characters, is_overlaid, shows


def check_dialect(root: Element) -> Findings:
    """Every element of the dialect's namespace, wherever it stands."""
    for element in root.iter(f"{{{DUBAN}}}*"):
        name = etree.QName(element).localname
        kind = ELEMENTS.get(name)
        if kind is None:
            known = "、".join(sorted(ELEMENTS))
            yield error("dialect-unknown-element", element, f"没有 duban:{brief(name)} 这种元素，请用这些：{known}。")
            continue
        yield from _place(element, kind)
        yield from _attributes(element, kind)
        if kind.body == "required" and not shows(words(element)):
            yield error(f"{name}-text-missing", element, f"“{kind.label}”没有写文字，请照原文填写。")
        if kind.body == "none" and words(element):
            message = f"“{kind.label}”里不写文字，这里有“{brief(words(element))}”；请删去。"
            yield error("dialect-text-misplaced", element, message)
        if len(words(element)) > kind.longest:
            message = f"“{kind.label}”有 {len(words(element))} 个字，上限 {kind.longest}；请压缩。"
            yield error("text-too-long", element, message)
        elif kind.name in ("due", "opens") and element.get("kind"):
            yield from _rule(element, kind)
    yield from _repeated(root)


MAX_NAME = 120


def check_words(root: Element) -> Findings:
    """Names that are too long for any screen; characters that hide, blank out or strike through what stands there."""
    for element in root.iter():
        name = element.get("name", "")
        if len(name) > MAX_NAME and not str(element.tag).startswith(f"{{{DUBAN}}}"):
            message = f"名称“{brief(name)}”有 {len(name)} 个字，上限 {MAX_NAME}；请压缩，全文写在原文里。"
            yield error("name-too-long", element, message)
        for words_ in (*element.attrib.values(), element.text or "", element.tail or ""):
            if found := hidden_characters(str(words_)):
                shown = listed([f"U+{ord(c):04X}" for c in found])
                message = f"“{brief(str(words_))}”里有看不见的字符（{shown}），会让人读错；请重新输入这段文字。"
                yield error("hidden-character", element, message)
            if is_overlaid(str(words_)):
                message = f"有文字在一个字上叠加了 {MAX_MARKS} 个以上的附加符号，会盖住旁边的字；请重新输入这段文字。"
                yield error("overlaid-text", element, message)


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
        message = f"“{kind.label}”不能放在 {brief(where)} 里，请放在 {places} 里。"
        yield error("dialect-misplaced", element, message)


def _attributes(element: Element, kind: ElementType) -> Findings:
    for key, text in element.attrib.items():
        name = str(key)
        attribute = kind.attribute(name)
        if attribute is None:
            known = "、".join(each.name for each in kind.attributes) or "无"
            message = f"“{kind.label}”没有属性 {brief(name)}，请用这些：{known}。"
            yield error("dialect-unknown-attribute", element, message)
            continue
        try:
            read_value(attribute, str(text))
        except DialectError as problem:
            yield error("dialect-ill-typed", element, f"{kind.label}的{problem}。")
    for attribute in kind.attributes:
        if attribute.required and not shows(element.get(attribute.name, "")):
            message = f"“{kind.label}”缺少“{attribute.label}”，请填写属性 {attribute.name}。"
            yield error("dialect-missing-attribute", element, message)


def _rule(element: Element, kind: ElementType) -> Findings:
    try:
        due_rule(element)
    except DiagramError as problem:
        yield error("due-incomplete", element, f"{kind.label}：{problem.message}")


def _repeated(root: Element) -> Findings:
    for parent in root.iter("{*}extensionElements", f"{{{DUBAN}}}*"):
        for tag, count in Counter(child.tag for child in parent).items():
            kind = ELEMENTS.get(str(tag).removeprefix(f"{{{DUBAN}}}"))
            if kind is not None and str(tag).startswith(f"{{{DUBAN}}}") and count > 1 and not kind.many:
                yield error("dialect-repeated", parent, f"“{kind.label}”写了 {count} 次，请只写一次。")
