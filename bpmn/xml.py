"""Diagrams as XML trees, read so that a file can neither reach out nor blow up."""

from __future__ import annotations

import re
from typing import Any, cast

from lxml import etree

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
DC = "http://www.omg.org/spec/DD/20100524/DC"
DI = "http://www.omg.org/spec/DD/20100524/DI"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
DUBAN = "urn:duban:bpmn:1"
NAMESPACES = {"bpmn": BPMN, "bpmndi": BPMNDI, "dc": DC, "di": DI, "xsi": XSI, "duban": DUBAN}
PREFIXES = {uri: prefix for prefix, uri in NAMESPACES.items()}

MAX_BYTES = 2_000_000
MAX_ELEMENTS = 60_000
SHOWN = 60
_INSTRUCTION = re.compile(r"<\?(?!xml\s)|(?<!^)(?<!^\ufeff)<\?xml")
_REEXPORT = "请用流程图编辑器打开，重新导出后再试。"

Element = etree._Element


class DiagramError(ValueError):
    """A diagram that cannot be read, in words for the person who drew it; `element` is the id to mark in the editor."""

    def __init__(self, message: str, element: str | None = None, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.element = element
        self.line = line

    def __str__(self) -> str:
        where = f"（元素 {brief(self.element)}）" if self.element else f"（第 {self.line} 行）" if self.line else ""
        return self.message + where


def brief(words: str | None, longest: int = SHOWN) -> str:
    """What a sentence quotes of an id, a name or a value that somebody else wrote: one line, not too long."""
    flat = " ".join((words or "").split())
    return flat if len(flat) <= longest else f"{flat[:longest]}…"


def tag(name: str) -> str:
    """`bpmn:userTask` as lxml names it."""
    prefix, local = name.split(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


def qualified(element: Element) -> str:
    """The inverse of `tag`: a foreign namespace keeps its braces."""
    name = etree.QName(element)
    prefix = PREFIXES.get(name.namespace or "")
    return f"{prefix}:{name.localname}" if prefix else str(name.text)


def nearest_id(element: Element) -> str | None:
    """The id of the element, or of the nearest ancestor that has one: what an editor can point at.

    Ids of the dialect's own elements are no shapes.
    """
    node: Element | None = element
    while node is not None:
        ident = node.get("id")
        if ident and not str(node.tag).startswith(f"{{{DUBAN}}}"):
            return ident
        node = node.getparent()
    return None


def parse(xml: bytes) -> Element:
    """The root of a diagram. Entities, network and DTD are off, a DOCTYPE is refused before anything is parsed.

    Only UTF-8 is read: another encoding could hide what is looked for here, and a published diagram is stored as text.

    Raises: DiagramError with the line where the text stops being XML.
    """
    if len(xml) > MAX_BYTES:
        raise DiagramError(f"文件太大，超过 {MAX_BYTES // 1000} KB。请拆成几个方案。")
    _require_plain_text(xml)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise DiagramError(f"文件不是完整的 XML，读到这里读不下去。{_REEXPORT}", line=error.lineno) from None
    except ValueError:
        raise DiagramError(f"文件不是完整的 XML。{_REEXPORT}") from None
    docinfo: Any = root.getroottree().docinfo  # the stubs forget the attributes
    if docinfo.doctype:
        raise DiagramError(f"文件带有 DOCTYPE 声明，不予接收。{_REEXPORT}")
    if (docinfo.encoding or "UTF-8").upper() not in ("UTF-8", "US-ASCII", "ASCII"):
        raise DiagramError(f"文件声明的编码是 {str(docinfo.encoding)[:40]}，只接收 UTF-8。请另存为 UTF-8。")
    if root.tag != tag("bpmn:definitions"):
        raise DiagramError(
            f"这不是 BPMN 2.0 流程图：根元素应为 bpmn:definitions。{_REEXPORT}",
            line=cast("int | None", root.sourceline),
        )
    if sum(1 for _ in root.iter()) > MAX_ELEMENTS:
        raise DiagramError(f"流程图元素超过 {MAX_ELEMENTS} 个，不予接收。请拆成几个方案。")
    return root


def _require_plain_text(xml: bytes) -> None:
    """Raises DiagramError for what is no text in UTF-8, or declares a document type, wherever it stands."""
    if not xml.strip():
        raise DiagramError(f"文件是空的，不是 XML。{_REEXPORT}")
    try:
        text = xml.decode()
    except UnicodeDecodeError:
        raise DiagramError(
            "文件不是 UTF-8 编码的 XML 文本。请选择流程图编辑器导出的 .bpmn 文件，另存为 UTF-8。"
        ) from None
    if "\0" in text:
        raise DiagramError(f"文件里有空字节，不是 XML 文本。{_REEXPORT}")
    if _INSTRUCTION.search(text):
        raise DiagramError(f"文件带有处理指令（<?…?>），不予接收。{_REEXPORT}")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise DiagramError(f"文件带有 DOCTYPE 声明，不予接收。{_REEXPORT}")


def process_of(root: Element) -> Element:
    """The one executable process. Raises: DiagramError when there is none, or more than one."""
    processes = root.findall(tag("bpmn:process"))
    if len(processes) != 1:
        raise DiagramError(
            f"一个文件只能有一个流程（bpmn:process），这里有 {len(processes)} 个。请每个流程存一个文件。"
        )
    if processes[0].get("isExecutable") != "true":
        raise DiagramError('流程没有标为可执行，请写上 isExecutable="true"。', processes[0].get("id"))
    return processes[0]
