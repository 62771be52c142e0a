"""The dialect's own rules: known elements in their places, with attributes that can be read."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from lxml import etree

from bpmn.dialect import ELEMENTS, MAX_NAME, MAX_TITLE, DialectError, ElementType, read_value
from bpmn.lint.finding import Findings, error, listed
from bpmn.phrases import not_read
from bpmn.reading import due_rule, words
from bpmn.xml import DUBAN, DiagramError, Element, brief, qualified, tag
from ledger.rules.texts import MAX_MARKS, hidden_characters, is_overlaid, shows


def check_dialect(root: Element) -> Findings:
    """Every element of the dialect's namespace, wherever it stands; which item it belongs to is said first."""
    for element in root.iter(f"{{{DUBAN}}}*"):
        for finding in _element(element):
            yield replace(finding, message=f"{_of_item(element)}{finding.message}")
    yield from _repeated(root)


def _of_item(element: Element) -> str:
    """`任务 3：`, or by its title where it has no number; nothing outside of items."""
    found = element
    while found.tag != _ITEM:
        parent = found.getparent()
        if parent is None:
            return ""
        found = parent
    no, title = brief(found.get("no")), brief(found.get("title"))
    return f"任务 {no}：" if shows(no) else f"任务“{title}”：" if shows(title) else ""


_ITEM = f"{{{DUBAN}}}item"


def _element(element: Element) -> Findings:
    name = etree.QName(element).localname
    kind = ELEMENTS.get(name)
    if kind is None:
        known = "、".join(sorted(ELEMENTS))
        yield error("dialect-unknown-element", element, f"没有 duban:{brief(name)} 这种元素，请用这些：{known}。")
        return
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
    elif kind.name in RULES and element.get("kind"):
        yield from _rule(element, kind)
    elif is_not_read(element):
        yield error("words-not-read", element, not_read(kind.name, kind.label, brief(words(element))))


RULES = ("due", "opens")


def is_not_read(element: Element) -> bool:
    """Whether words about time stand without a rule."""
    return element.tag in _RULE_TAGS and not element.get("kind") and shows(words(element))


_RULE_TAGS = tuple(f"{{{DUBAN}}}{name}" for name in RULES)


def check_words(root: Element) -> Findings:
    """Names that are too long for any screen; characters that hide, blank out or strike through what stands there."""
    for element in root.iter():
        name, most = _written(element)
        if len(name) > most and not str(element.tag).startswith(f"{{{DUBAN}}}"):
            message = f"名称“{brief(name)}”有 {len(name)} 个字，上限 {most}；请压缩，全文写在原文里。"
            yield error("name-too-long", element, message)
        for words_ in (*element.attrib.values(), element.text or "", element.tail or ""):
            if found := hidden_characters(str(words_)):
                shown = listed([f"U+{ord(c):04X}" for c in found])
                message = f"“{brief(str(words_))}”里有看不见的字符（{shown}），会让人读错；请重新输入这段文字。"
                yield error("hidden-character", element, message)
            if is_overlaid(str(words_)):
                message = f"有文字在一个字上叠加了 {MAX_MARKS} 个以上的附加符号，会盖住旁边的字；请重新输入这段文字。"
                yield error("overlaid-text", element, message)


def _written(element: Element) -> tuple[str, int]:
    """A name and its limit. A box repeats its item's title below the number, the drawing the plan's."""
    name = element.get("name", "")
    if element.tag == tag("bpmn:userTask"):
        return name.rpartition("\n")[2], MAX_TITLE
    return name, MAX_TITLE if element.tag == tag("bpmn:process") else MAX_NAME


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
        if attribute.name == "kind" and is_not_read(element):
            continue
        if attribute.required and not shows(element.get(attribute.name, "")):
            message = f"“{kind.label}”缺少“{attribute.label}”，请填写（{attribute.name}）。"
            yield error("dialect-missing-attribute", element, message)


def _rule(element: Element, kind: ElementType) -> Findings:
    try:
        due_rule(element)
    except DiagramError as problem:
        yield error("due-incomplete", element, f"{kind.label}：{problem.message}")


def _repeated(root: Element) -> Findings:
    for parent in root.iter("{*}extensionElements", f"{{{DUBAN}}}*"):
        for name, count in Counter(str(child.tag) for child in parent).items():
            kind = ELEMENTS.get(name.removeprefix(f"{{{DUBAN}}}"))
            if kind is not None and name.startswith(f"{{{DUBAN}}}") and count > 1 and not kind.many:
                yield error("dialect-repeated", parent, f"“{kind.label}”写了 {count} 次，请只写一次。")
