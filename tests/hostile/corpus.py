"""Hostile diagrams, built by code: what an attacker, a broken export or another tool's file may hold.

A case is one file that `duban lint` has to refuse: with a message that names `element` (where it has one to name).
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from xml.sax.saxutils import escape, quoteattr

from bpmn import library
from bpmn.dialect import ELEMENTS

SPACES = (
    'xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" '
    'xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:di="http://www.omg.org/spec/DD/20100524/DI" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:duban="urn:duban:bpmn:1" '
    'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
    'xmlns:xi="http://www.w3.org/2001/XInclude"'
)
FACTS = (
    '<bpmn:extensionElements><duban:plan title="小方案" short="小" issuer="市人社局" docNo="1号" issued="2025-05-01" '
    'start="2025-05-01" end="2025-08-31" jurisdiction="huangshi" office="市人社局"{facts}>{inside}</duban:plan>'
    "</bpmn:extensionElements>"
)


@dataclass(frozen=True)
class Case:
    """`kind` is the class it stands for; `element` the id that a finding must name, None where there is none."""

    kind: str
    name: str
    xml: bytes
    element: str | None = None


# ---------------------------------------------------------------- plain diagrams to hide something in
def item(ident: str, extra: str = "", inside: str = "", attributes: str = "") -> str:
    """A user task as every plan has it."""
    return (
        f'<bpmn:userTask id="{ident}" name="{ident}"{attributes}><bpmn:extensionElements>'
        f'<duban:item no="{ident}" title="任务{ident}" completion="all">'
        '<duban:assignment unit="市人社局" role="responsible"/><duban:due kind="by" date="2025-08-31">8月底前</duban:due>'
        f"<duban:clause>办好一件事</duban:clause></duban:item>{extra}</bpmn:extensionElements>{inside}</bpmn:userTask>"
    )


def flow(ident: str, source: str, target: str, inside: str = "") -> str:
    return f'<bpmn:sequenceFlow id="{ident}" sourceRef="{source}" targetRef="{target}">{inside}</bpmn:sequenceFlow>'


def definitions(inside: str, before: str = "", after: str = "") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{before}<bpmn:definitions {SPACES} id="defs" '
        f'targetNamespace="urn:test">{inside}{after}</bpmn:definitions>'
    ).encode()


def plan(
    nodes: str = "",
    flows: str = "",
    *,
    heading: str = "",
    last: str = "h1",
    facts: str = "",
    inside: str = "",
    process: str = "",
    before: str = "",
    after: str = "",
) -> bytes:
    """start, heading h1 with the item t1, what is hostile, end."""
    body = (
        f"{FACTS.format(facts=facts, inside=inside)}{process}<bpmn:startEvent id='start'/>"
        f"<bpmn:adHocSubProcess id='h1' name='标题一'>{heading or item('t1')}</bpmn:adHocSubProcess>{nodes}"
        f"<bpmn:endEvent id='end'/>{flow('f_start', 'start', 'h1')}{flows}{flow('f_end', last, 'end')}"
    )
    return definitions(
        f"<bpmn:process id='small' name='小方案' isExecutable='true'>{body}</bpmn:process>", before, after
    )


def chained(node: str, ident: str = "bad", **more: str) -> bytes:
    """A plan in which a node follows the heading."""
    return plan(node, flow("f_bad", "h1", ident), last=ident, **more)


# ---------------------------------------------------------------- expressions
ESCAPES = {
    "import": "__import__('os').system('touch /tmp/duban-was-here')",
    "subclasses": "().__class__.__base__.__subclasses__()",
    "lambda-globals": "(lambda: 0).__globals__['__builtins__']['open']('/etc/passwd').read()",
    "open": "open('/etc/passwd').read()",
    "eval": "eval('1+1')",
    "exec": "exec('import os')",
    "format": "'{0.__class__.__init__.__globals__}'.format(role)",
    "f-string": "f'{role.__class__}'",
    "comprehension": "[c for c in ().__class__.__mro__[1].__subclasses__() if c.__name__ == 'Popen']",
    "generator": "(g.gi_frame.f_back for g in ())",
    "chain": "role.upper.__self__.__class__.mro",
    "getattr": "getattr(role, '__class__')",
    "walrus": "(x := __builtins__)",
    "jinja": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "juel": "${execution.getEngineServices()}",
    "feel": '=get value(context, "x")',
    "xpath": "document('file:///etc/passwd')//*",
    "template": "%(role)s #{7*7} <%= 7*7 %>",
    "statement": "import os; os.system('id')",
    "await": "await __import__('os')",
    "escape": "'\\x5f\\x5fclass\\x5f\\x5f' in role",
    "star": "[*role, *role]",
    "full-width": "ｏｐｅｎ('/etc/passwd')",
}
BOMBS = {
    "power": "9**9**9",
    "shift": "1<<(1<<40)",
    "repeat": "'a'*10**9",
    "list": "[0]*10**9",
    "nested-lists": "[" * 5000 + "]" * 5000,
    "constant": "9" * 100_000,
    "parentheses": "(" * 10_000 + "1" + ")" * 10_000,
    "and-chain": " and ".join(["role == 'lead'"] * 20_000),
    "not-chain": "not " * 20_000 + "True",
    "range": "sum(range(10**12))",
    "minus": "-" * 20_000 + "1",
}
PAYLOADS = {**ESCAPES, **BOMBS}
CONDITION = "<bpmn:conditionExpression xsi:type='bpmn:tFormalExpression'>{}</bpmn:conditionExpression>"
LOOP = "<bpmn:multiInstanceLoopCharacteristics>{}</bpmn:multiInstanceLoopCharacteristics>"
LIFECYCLE = library.lifecycle_xml("standard").decode()


def _loop(inside: str) -> bytes:
    return plan(heading=item("t1", inside=LOOP.format(inside)))


def _extension(inside: str) -> bytes:
    return plan(heading=item("t1", extra=inside))


def _event(kind: str, definition: str, attributes: str = "") -> bytes:
    return chained(f"<bpmn:{kind} id='bad'{attributes}>{definition}</bpmn:{kind}>")


def _timer(name: str) -> str:
    return f"<bpmn:timerEventDefinition><bpmn:{name}>{{}}</bpmn:{name}></bpmn:timerEventDefinition>"


def expressions(payload: str) -> Iterator[tuple[str, bytes, str | None]]:
    """The payload in every place where BPMN or SpiffWorkflow would evaluate it: (position, file, element)."""
    text, value = escape(payload), quoteattr(payload)
    condition = CONDITION.format(text)
    gate = "<bpmn:exclusiveGateway id='bad' default='f_end'/><bpmn:endEvent id='other'/>"
    yield (
        "condition",
        plan(gate, flow("f1", "h1", "bad") + flow("f_bad", "bad", "other", condition), last="bad"),
        "f_bad",
    )
    yield (
        "condition-of-task",
        plan("", "", last="h1").replace(
            b'id="f_end" sourceRef="h1" targetRef="end">',
            b'id="f_end" sourceRef="h1" targetRef="end">' + condition.encode(),
        ),
        "f_end",
    )
    inner = flow("f_in", "t1", "t2", condition)
    yield "condition-in-heading", plan(heading=item("t1") + item("t2") + inner), "f_in"
    yield (
        "condition-of-lifecycle",
        LIFECYCLE.replace('<bpmn:sequenceFlow id="f_start"', '<bpmn:documentation/><bpmn:sequenceFlow id="f_start"', 0)
        .replace("needs_sign", text, 1)
        .encode(),
        "f_to_sign",
    )
    with_language = condition.replace(
        "<bpmn:conditionExpression", "<bpmn:conditionExpression language='http://www.w3.org/1999/XPath'"
    )
    yield (
        "formal-expression",
        plan(gate, flow("f1", "h1", "bad") + flow("f_bad", "bad", "other", with_language), last="bad"),
        "f_bad",
    )
    for name in ("timeDate", "timeDuration", "timeCycle"):
        definition = _timer(name).format(text)
        yield name, _event("intermediateCatchEvent", definition), "bad"
        yield (
            f"start-{name}",
            plan().replace(
                b"<bpmn:startEvent id='start'/>", f"<bpmn:startEvent id='start'>{definition}</bpmn:startEvent>".encode()
            ),
            "start",
        )
    yield (
        "boundary-timer",
        plan(
            f"<bpmn:boundaryEvent id='bad' attachedToRef='h1'>{_timer('timeDuration').format(text)}</bpmn:boundaryEvent>",
            flow("f_bad", "bad", "end"),
        ),
        "bad",
    )
    yield "loop-cardinality", _loop(f"<bpmn:loopCardinality>{text}</bpmn:loopCardinality>"), "t1"
    yield (
        "completion-condition",
        _loop(
            f"<bpmn:loopCardinality>2</bpmn:loopCardinality><bpmn:completionCondition>{text}</bpmn:completionCondition>"
        ),
        "t1",
    )
    for name in ("loopDataInputRef", "loopDataOutputRef"):
        yield name, _loop(f"<bpmn:{name}>{text}</bpmn:{name}>"), "t1"
    yield (
        "data-item",
        _loop(f"<bpmn:inputDataItem id='d' name={value}/><bpmn:outputDataItem id='e' name={value}/>"),
        "t1",
    )
    yield (
        "camunda-collection",
        plan(heading=item("t1", inside=f"<bpmn:multiInstanceLoopCharacteristics camunda:collection={value}/>")),
        "t1",
    )
    yield (
        "standard-loop",
        plan(
            heading=item(
                "t1",
                inside="<bpmn:standardLoopCharacteristics loopMaximum='3'><bpmn:loopCondition>"
                f"{text}</bpmn:loopCondition></bpmn:standardLoopCharacteristics>",
            )
        ),
        "t1",
    )
    yield (
        "ad-hoc-completion",
        plan(heading=f"{item('t1')}<bpmn:completionCondition>{text}</bpmn:completionCondition>"),
        "h1",
    )
    yield (
        "complex-gateway",
        chained(
            f"<bpmn:complexGateway id='bad'><bpmn:activationCondition>{text}</bpmn:activationCondition></bpmn:complexGateway>"
        ),
        "bad",
    )
    yield (
        "script-task",
        chained(f"<bpmn:scriptTask id='bad'><bpmn:script>{text}</bpmn:script></bpmn:scriptTask>"),
        "bad",
    )
    yield (
        "service-operator",
        chained(
            "<bpmn:serviceTask id='bad'><bpmn:extensionElements><spiffworkflow:serviceTaskOperator id='op' resultVariable='x'>"
            f"<spiffworkflow:parameters><spiffworkflow:parameter id='p' type='any' value={value}/></spiffworkflow:parameters>"
            "</spiffworkflow:serviceTaskOperator></bpmn:extensionElements></bpmn:serviceTask>"
        ),
        "bad",
    )
    yield (
        "service-operator-on-item",
        _extension(
            "<spiffworkflow:serviceTaskOperator id='op'><spiffworkflow:parameters>"
            f"<spiffworkflow:parameter id='p' value={value}/></spiffworkflow:parameters></spiffworkflow:serviceTaskOperator>"
        ),
        "op",
    )
    yield "camunda-class", chained(f"<bpmn:serviceTask id='bad' camunda:expression={value}/>"), "bad"
    yield (
        "business-rule",
        chained(
            "<bpmn:businessRuleTask id='bad'><bpmn:extensionElements><spiffworkflow:calledDecisionId>"
            f"{text}</spiffworkflow:calledDecisionId></bpmn:extensionElements></bpmn:businessRuleTask>"
        ),
        "bad",
    )
    yield "decision-table", decision_table(text), None
    yield "call-activity", chained(f"<bpmn:callActivity id='bad' calledElement={value}/>"), "bad"
    keys = "<bpmn:correlationKey id='key' name='k'><bpmn:correlationPropertyRef>prop</bpmn:correlationPropertyRef></bpmn:correlationKey>"
    prop = (
        "<bpmn:correlationProperty id='prop' name='p'><bpmn:correlationPropertyRetrievalExpression messageRef='m'>"
        f"<bpmn:messagePath>{text}</bpmn:messagePath></bpmn:correlationPropertyRetrievalExpression></bpmn:correlationProperty>"
    )
    yield (
        "correlation",
        plan(after=f"<bpmn:message id='m' name='m'/>{prop}<bpmn:collaboration id='talk'>{keys}</bpmn:collaboration>"),
        "prop",
    )
    yield (
        "message-payload",
        _event(
            "intermediateThrowEvent",
            "<bpmn:messageEventDefinition messageRef='m'><bpmn:extensionElements><spiffworkflow:messagePayload>"
            f"{text}</spiffworkflow:messagePayload></bpmn:extensionElements></bpmn:messageEventDefinition>",
        ),
        "bad",
    )
    yield "send-task", chained(f"<bpmn:sendTask id='bad' messageRef={value}/>"), "bad"
    for name in ("preScript", "postScript", "instructionsForEndUser", "variables"):
        yield name, _extension(f"<spiffworkflow:{name}>{text}</spiffworkflow:{name}>"), "t1"
    yield (
        "execution-listener",
        _extension(
            f"<camunda:executionListener event='start'><camunda:script scriptFormat='groovy'>{text}</camunda:script>"
            "</camunda:executionListener>"
        ),
        "t1",
    )
    yield (
        "zeebe-mapping",
        _extension(f"<zeebe:ioMapping><zeebe:input source={value} target='x'/></zeebe:ioMapping>"),
        "t1",
    )
    yield "form-key", plan(heading=item("t1", attributes=f" camunda:formKey={value}")), "t1"
    yield (
        "data-association",
        plan(
            heading=item(
                "t1",
                inside="<bpmn:dataInputAssociation id='a'><bpmn:targetRef>x</bpmn:targetRef>"
                f"<bpmn:transformation>{text}</bpmn:transformation><bpmn:assignment><bpmn:from>{text}</bpmn:from>"
                f"<bpmn:to>{text}</bpmn:to></bpmn:assignment></bpmn:dataInputAssociation>",
            )
        ),
        "a",
    )
    yield (
        "io-specification",
        plan(
            heading=item(
                "t1",
                inside=f"<bpmn:ioSpecification><bpmn:dataInput id='in' name={value}/><bpmn:inputSet/><bpmn:outputSet/>"
                "</bpmn:ioSpecification>",
            )
        ),
        "t1",
    )
    yield (
        "resource-expression",
        plan(
            heading=item(
                "t1",
                inside="<bpmn:potentialOwner><bpmn:resourceAssignmentExpression><bpmn:formalExpression>"
                f"{text}</bpmn:formalExpression></bpmn:resourceAssignmentExpression></bpmn:potentialOwner>",
            )
        ),
        "t1",
    )
    yield "data-object", plan(process=f"<bpmn:dataObject id='object' name={value}/>"), "object"
    yield "property", plan(process=f"<bpmn:property id='object' name={value}/>"), "object"
    for kind, code in (
        ("signal", "name"),
        ("error", "errorCode"),
        ("escalation", "escalationCode"),
        ("message", "name"),
    ):
        yield f"{kind}-code", plan(after=f"<bpmn:{kind} id='code' {code}={value}/>"), "code"
        yield (
            f"{kind}-event",
            _event("endEvent", f"<bpmn:{kind}EventDefinition/>").replace(b'sourceRef="bad"', b'sourceRef="h1"'),
            "bad",
        )
    yield (
        "conditional-event",
        _event(
            "intermediateCatchEvent",
            f"<bpmn:conditionalEventDefinition><bpmn:condition>{text}</bpmn:condition></bpmn:conditionalEventDefinition>",
        ),
        "bad",
    )
    yield "link-event", _event("intermediateCatchEvent", f"<bpmn:linkEventDefinition name={value}/>"), "bad"
    yield "data-store", plan(after=f"<bpmn:dataStore id='code' name={value}/>"), "code"
    yield "default", chained(f"<bpmn:exclusiveGateway id='bad' default={value}/>"), "bad"
    yield "reference", plan("", f"<bpmn:sequenceFlow id='f_bad' sourceRef='h1' targetRef={value}/>"), "f_bad"
    yield (
        "xhtml-in-documentation",
        plan(
            process="<bpmn:documentation><script xmlns='http://www.w3.org/1999/xhtml'>"
            + text
            + "</script></bpmn:documentation>"
        ),
        "small",
    )


def dialect_values(payload: str) -> Iterator[tuple[str, bytes, str | None]]:
    """The payload as every typed attribute of our own dialect (text attributes hold any text and do nothing)."""
    value = quoteattr(payload)
    for element in ELEMENTS.values():
        for attribute in element.attributes:
            if attribute.kind == "text":
                continue
            written = f"<duban:{element.name} {attribute.name}={value}"
            words = ">字</duban:" + element.name + ">" if element.body == "required" else "/>"
            inner = f"{written}{words}"
            name = f"{element.name}@{attribute.name}"
            if element.name == "plan":
                given = f'{attribute.name}="2025-0'
                hostile = plan(facts="" if attribute.name in _GIVEN else f" {attribute.name}={value}").decode()
                if attribute.name in _GIVEN:  # the date that stands there
                    before, _, rest = hostile.partition(given)
                    rest = rest.partition('"')[2]
                    hostile = f"{before}{attribute.name}={value}{rest}"
                yield name, hostile.encode(), "small"
            elif element.name == "cadence":
                yield name, plan(inside=inner), "small"
            elif element.name == "step":
                yield (
                    name,
                    plan(
                        heading=f"<bpmn:userTask id='t1'><bpmn:extensionElements>{inner}</bpmn:extensionElements></bpmn:userTask>"
                    ),
                    "t1",
                )
            elif element.name == "item":
                yield (
                    name,
                    plan(
                        heading=item("t1")
                        .replace("<duban:item ", f"<duban:item {attribute.name}={value} ")
                        .replace(' completion="all">', ">" if attribute.name == "completion" else ' completion="all">')
                    ),
                    "t1",
                )
            else:
                yield name, plan(heading=item("t1").replace("<duban:clause>", f"{inner}<duban:clause>")), "t1"


_GIVEN = ("issued", "start", "end")


def decision_table(cell: str) -> bytes:
    """A DMN file, where cells are expressions."""
    return (
        "<definitions xmlns='https://www.omg.org/spec/DMN/20191111/MODEL/' id='d' name='d' namespace='urn:d'><decision id='t'>"
        "<decisionTable id='dt'><input id='i'><inputExpression id='ie'><text>"
        + cell
        + "</text></inputExpression></input>"
        "<output id='o' name='o'/><rule id='r'><inputEntry id='e'><text>" + cell + "</text></inputEntry>"
        "<outputEntry id='oe'><text>" + cell + "</text></outputEntry></rule></decisionTable></decision></definitions>"
    ).encode()


# ---------------------------------------------------------------- the file itself
def files() -> Iterator[Case]:
    """What is no XML, says to be another encoding, or makes a parser reach out or blow up."""
    good = plan().decode()
    yield Case("doctype", "external", plan(before='<!DOCTYPE x SYSTEM "http://example.invalid/x.dtd">'))
    yield Case(
        "doctype",
        "internal-entity",
        plan(before='<!DOCTYPE x [<!ENTITY a "aaa">]>', heading=item("t1").replace("办好", "&a;")),
    )
    yield Case(
        "doctype",
        "external-entity",
        plan(
            before='<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>', heading=item("t1").replace("办好", "&a;")
        ),
    )
    yield Case(
        "doctype", "parameter-entity", plan(before='<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>')
    )
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(12))
    yield Case(
        "doctype",
        "billion-laughs",
        plan(before=f"<!DOCTYPE x [{laughs}]>", heading=item("t1").replace("办好", "&l11;")),
    )
    yield Case("doctype", "laughs-in-attribute", plan(before=f"<!DOCTYPE x [{laughs}]>", facts=' sign="&l11;"'))
    yield Case(
        "doctype",
        "quadratic",
        plan(before=f'<!DOCTYPE x [<!ENTITY q "{"q" * 50_000}">]>', heading=item("t1").replace("办好", "&q;" * 20_000)),
    )
    yield Case("doctype", "undeclared-entity", good.replace("办好", "&nobody;").encode())
    yield Case(
        "instruction",
        "stylesheet",
        plan(before='<?xml-stylesheet type="text/xsl" href="http://example.invalid/x.xsl"?>'),
    )
    yield Case("instruction", "php", good.replace("办好", "<?php system('id') ?>").encode())
    yield Case(
        "instruction",
        "second-declaration",
        good.replace("<bpmn:process", '<?xml version="1.0"?><bpmn:process').encode(),
    )
    yield Case("xinclude", "text", plan(process='<xi:include href="file:///etc/passwd" parse="text"/>'), "small")
    yield Case("xinclude", "in-extension", _extension('<xi:include href="file:///etc/passwd"/>'), "t1")
    for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030", "latin-1"):
        text = good.replace("UTF-8", name) if name != "utf-16-le" else good
        yield Case("encoding", name, text.encode(name, "replace"))
    yield Case("encoding", "utf-7", b'<?xml version="1.0" encoding="UTF-7"?>' + good.split("?>", 1)[1].encode("utf-7"))
    yield Case("encoding", "declared-gb2312", good.replace("UTF-8", "gb2312").encode())
    yield Case("encoding", "cp037", good.replace("UTF-8", "cp037").encode("cp037", "replace"))
    yield Case("encoding", "invalid-utf-8", good.encode().replace("办好".encode(), b"\xff\xfe\xc0\xaf"))
    yield Case("encoding", "surrogates", good.encode().replace("办好".encode(), b"\xed\xa0\x80"))
    yield Case("encoding", "overlong-nul", good.encode().replace("办好".encode(), b"\xc0\x80"))
    yield Case("not-xml", "empty", b"")
    yield Case("not-xml", "blanks", b" \n\t" * 1000)
    yield Case("not-xml", "bom-alone", b"\xef\xbb\xbf")
    yield Case("not-xml", "pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj <</Type/Catalog>> endobj\n" * 20)
    yield Case("not-xml", "zip", _zip(good))
    yield Case("not-xml", "json", b'{"bpmn": true}')
    yield Case("not-xml", "html", b"<!doctype html><html><script>alert(1)</script></html>")
    yield Case("not-xml", "svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
    yield Case("not-xml", "other-root", b"<definitions/>")
    yield Case("not-xml", "old-namespace", good.replace("20100524", "20080501").encode())
    yield Case("not-xml", "nul", good.replace("办好", "\0").encode())
    yield Case("not-xml", "nul-at-start", b"\0" * 1_000_000)
    yield Case("not-xml", "truncated", good.encode()[: len(good) // 2])
    yield Case("not-xml", "two-roots", good.encode() + b"<bpmn:definitions/>")
    yield Case("not-xml", "control-reference", good.replace("办好", "&#1;").encode())
    yield Case("too-large", "name-of-5-mb", plan(heading=item("t1").replace('name="t1"', f'name="{"长" * 1_700_000}"')))
    yield Case("too-large", "blanks-of-9-mb", plan(after=" " * 9_000_000))
    yield Case("deep", "200000-levels", b"<a>" * 200_000)
    yield Case("deep", "200000-closed", b"<a>" * 150_000 + b"</a>" * 150_000)
    nested = "<bpmn:adHocSubProcess>" * 240 + "</bpmn:adHocSubProcess>" * 240
    yield Case("deep", "240-headings", plan(nested), "small")
    yield Case("deep", "240-extensions", _extension("<duban:item>" * 200 + "</duban:item>" * 200), "t1")
    yield Case("deep", "20000-attributes", plan(facts="".join(f' a{n}="1"' for n in range(20_000))), "small")
    yield Case(
        "deep",
        "20000-namespaces",
        good.replace(
            "<bpmn:process", "<bpmn:process " + " ".join(f'xmlns:n{n}="u{n}"' for n in range(20_000)) + " n1:x='1'"
        ).encode(),
        "small",
    )
    yield Case("deep", "70000-elements", plan(process="<bpmn:property/>" * 70_000))
    yield Case("deep", "59000-wrong-elements", plan(process="<bpmn:property/>" * 59_000), "small")


def _zip(text: str) -> bytes:
    kept = BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        archive.writestr("plan.bpmn", text)
    return kept.getvalue()


# ---------------------------------------------------------------- what is drawn
def structures() -> Iterator[Case]:
    """Ids, references, sizes and shapes that would hang, mislead or outgrow an engine."""
    long = "x" * 300_000
    yield Case("names", "huge-id", plan(heading=item(long)), long[:200])
    yield Case("names", "huge-process-id", plan().replace(b"'small'", f"'{long}'".encode()), long[:200])
    yield Case("names", "huge-flow-id", plan().replace(b'"f_start"', f'"{long}"'.encode()), f"{long[:60]}…")
    yield Case(
        "names", "name-of-1900-kb", plan(heading=item("t1").replace('name="t1"', f'name="{"x" * 1_900_000}"')), "t1"
    )
    yield Case(
        "names",
        "title-of-1900-kb",
        plan(heading=item("t1").replace('title="任务t1"', f'title="{"x" * 1_900_000}"')),
        "t1",
    )
    yield Case("names", "clause-of-1900-kb", plan(heading=item("t1").replace("办好一件事", "x" * 1_900_000)), "t1")
    for n, ident in enumerate(
        ("Start", "End", "a.b", "t1.BoundaryEventSplit", "small.EndJoin", "1", "-x", "a b", "../x", "")
    ):
        yield Case("names", f"id-{n}", plan(heading=item(ident)), ident or "h1")
    yield Case(
        "names",
        "newline-in-title",
        plan(heading=item("t1").replace('title="任务t1"', 'title="a&#13;&#10;Bcc: x@example.invalid"')),
        "t1",
    )
    for code in (0x202E, 0x2066, 0x200F, 0x85, 0x2028, 0xFFFE - 2 - 1):
        yield Case("names", f"hidden-{code:04x}", plan(heading=item("t1").replace("任务t1", f"任&#{code};务")), "t1")
    every_hidden = "".join(f"&#{code};" for code in (*range(0x7F, 0xA0), *range(0xE0000, 0xE0080)))
    yield Case("names", "every-hidden", plan(heading=item("t1").replace("任务t1", every_hidden)), "t1")
    yield Case(
        "names",
        "limit-of-1900-kb",
        plan(heading=item("t1").replace(' date="2025-08-31">8月底前', f">{'x' * 1_900_000}")),
        "t1",
    )
    yield Case("ids", "duplicate", plan(heading=item("t1") + item("t1")), "t1")
    yield Case("ids", "duplicate-across", chained("<bpmn:exclusiveGateway id='t1'/>", "t1"), "t1")
    yield Case("ids", "duplicate-in-drawing", plan(after="<bpmndi:BPMNDiagram id='t1'/>"), "t1")
    yield Case("ids", "missing", plan(heading=item("t1").replace(' id="t1"', "")), "h1")
    yield Case("ids", "flow-without-id", plan().replace(b' id="f_start"', b""), "small")
    yield Case("flows", "dangling-target", plan("", flow("f_bad", "h1", "nobody")), "f_bad")
    yield Case("flows", "dangling-source", plan("", flow("f_bad", "nobody", "end")), "f_bad")
    yield Case("flows", "to-a-flow", plan("", flow("f_bad", "h1", "f_start")), "f_bad")
    yield Case("flows", "into-a-heading", plan("", flow("f_bad", "start", "t1")), "f_bad")
    yield Case("flows", "out-of-a-heading", plan(heading=item("t1") + flow("f_bad", "t1", "end")), "f_bad")
    yield Case("flows", "self", plan("", flow("f_bad", "h1", "h1")), "h1")
    yield Case("flows", "repeated", plan("", flow("f_bad", "start", "h1")), "f_bad")
    yield Case(
        "flows",
        "order-circle",
        plan(heading=item("t1") + item("t2") + flow("a", "t1", "t2") + flow("b", "t2", "t1")),
        "t1",
    )
    yield Case("flows", "unreachable", plan(item("bad"), flow("f_bad", "bad", "end")), "bad")
    yield Case("flows", "stuck", plan(item("bad"), flow("f_bad", "h1", "bad")), "h1")
    gates = "<bpmn:exclusiveGateway id='g1'/><bpmn:exclusiveGateway id='g2'/>"
    yield Case(
        "flows",
        "gateway-loop",
        plan(gates, flow("a", "g1", "g2") + flow("b", "g2", "g1") + flow("c", "h1", "g1"), last="g2"),
        "g1",
    )
    links = "<bpmn:intermediateThrowEvent id='bad'><bpmn:linkEventDefinition name='x'/></bpmn:intermediateThrowEvent>"
    yield Case("flows", "link", plan(links, flow("f_bad", "h1", "bad")), "bad")
    yield Case("fan-outs", "6x40", fan_outs(6, 40), "small")
    yield Case("fan-outs", "3x30-gateways", _tree(3, 9), "d0")
    yield Case("fan-outs", "wide", fan_outs(1, 900), "small")
    yield Case("diamonds", "24-gateways", diamonds(24, tasks=False), "d0")
    yield Case("diamonds", "24-choices", diamonds(24, tasks=True, kind="exclusiveGateway"), "d0")
    yield Case("diamonds", "24-joined-by-choice", _unjoined(), "after")
    yield Case("chains", "2000-gateways", chain(2000, "parallelGateway"), "small")
    yield Case("chains", "2000-items", chain(2000, "userTask"), "small")
    yield Case("chains", "190-gateways", chain(190, "parallelGateway"), "small")
    yield Case(
        "chains",
        "2000-in-a-heading",
        plan(heading="".join(item(f"t{n}") + (flow(f"o{n}", f"t{n - 1}", f"t{n}") if n else "") for n in range(2000))),
        "small",
    )
    yield Case("orders", "ring-of-1000", _ordered(1000, (999, 0)), _long_id(0))
    yield Case("orders", "circle-behind-1000", _ordered(1000, (999, 998)), _long_id(998))
    yield Case("orders", "circle-before-1000", _ordered(1000, (1, 0)), _long_id(0))
    yield Case("orders", "dense-1000", _ordered(1000, (999, 998), steps=(1, 2, 3)), _long_id(998))
    yield Case("orders", "anchors", plan(heading=_opening("t1", "item:t2") + _opening("t2", "item:t1")), "t1")
    yield Case("orders", "anchor-itself", plan(heading=_opening("t1", "item:t1")), "t1")
    yield Case("orders", "anchor-own-signature", plan(heading=_opening("t1", "acknowledge")), "t1")
    later = f"<bpmn:adHocSubProcess id='h2' name='标题二'>{item('t2')}</bpmn:adHocSubProcess>"
    yield Case(
        "orders",
        "anchor-in-a-later-heading",
        plan(later, flow("f", "h1", "h2"), last="h2", heading=item("t0") + _opening("t1", "item:t2")),
        "t1",
    )
    yield Case(
        "orders",
        "anchor-behind-a-join",
        plan(
            "<bpmn:parallelGateway id='g'/>" + item("t2"),
            flow("f", "h1", "g") + flow("f2", "g", "t2"),
            last="t2",
            heading=_opening("t1", "item:t2"),
        ),
        "t1",
    )
    for kind in ('kind="every" period="week"', 'kind="during" start="2025-06-01" end="2025-07-01"'):
        opens = f"<duban:opens {kind}>字</duban:opens>"
        yield Case("orders", kind, plan(heading=item("t1").replace("<duban:clause>", f"{opens}<duban:clause>")), "t1")
    yield Case(
        "chains",
        "20000-lines",
        plan(heading=item("t1") + item("t2") + "".join(flow(f"o{n}", "t1", "t2") for n in range(9_000))),
        "small",
    )
    yield Case(
        "chains",
        "9000-timers",
        plan("".join(f"<bpmn:intermediateCatchEvent id='c{n}'/>" for n in range(9000))),
        "small",
    )
    yield Case("processes", "two", definitions("<bpmn:process id='a' isExecutable='true'/><bpmn:process id='b'/>"))
    yield Case("processes", "none", definitions(""))
    yield Case("processes", "empty", definitions("<bpmn:process id='a' isExecutable='true'/>"), "a")
    yield Case("processes", "not-executable", plan().replace(b"isExecutable='true'", b"isExecutable='false'"), "small")
    yield Case("processes", "not-said", plan().replace(b" isExecutable='true'", b""), "small")
    pools = "<bpmn:participant id='p1' processRef='small'/><bpmn:participant id='p2' processRef='a'/>"
    yield Case(
        "processes", "two-pools", plan(after=f"<bpmn:collaboration id='talk'>{pools}</bpmn:collaboration>"), "talk"
    )
    yield Case(
        "processes",
        "lanes",
        plan(process="<bpmn:laneSet id='lanes'><bpmn:lane id='l' name='x'/></bpmn:laneSet>"),
        "lanes",
    )
    yield Case(
        "processes",
        "import",
        plan().replace(
            b"<bpmn:process", b"<bpmn:import importType='x' location='file:///etc/passwd' namespace='u'/><bpmn:process"
        ),
        "defs",
    )
    yield Case("namespaces", "foreign-element", plan(process="<evil:x xmlns:evil='urn:evil'/>"), "small")
    yield Case(
        "namespaces",
        "foreign-in-drawing",
        plan(
            after="<bpmndi:BPMNDiagram id='D'><bpmndi:BPMNPlane id='P' bpmnElement='small'><evil:x xmlns:evil='urn:evil'/></bpmndi:BPMNPlane></bpmndi:BPMNDiagram>"
        ),
        "P",
    )
    yield Case("namespaces", "foreign-attribute", plan(heading=item("t1", attributes=" camunda:assignee='x'")), "t1")
    yield Case("namespaces", "no-namespace", plan(process="<scriptTask id='x'/>"), "x")
    yield Case("namespaces", "dialect-elsewhere", plan(process="<duban:plan/>"), "small")
    yield Case("namespaces", "dialect-of-tomorrow", plan(inside="<duban:eval>1</duban:eval>"), "small")
    yield Case("xsi", "type-of-script", plan(heading=item("t1", attributes=" xsi:type='bpmn:tScriptTask'")), "t1")
    yield Case("xsi", "nil", plan(heading=item("t1", attributes=" xsi:nil='true'")), "t1")
    yield Case("xsi", "abstract", plan(process="<bpmn:flowElement id='x' xsi:type='bpmn:tScriptTask'/>"), "x")
    yield Case(
        "xsi",
        "expression",
        _event(
            "intermediateCatchEvent",
            "<bpmn:timerEventDefinition><bpmn:timeDate xsi:type='bpmn:tScript'>2025-06-01</bpmn:timeDate></bpmn:timerEventDefinition>",
        ),
        "bad",
    )
    yield Case("drawing", "nan", _drawn("NaN"), "h1")
    yield Case("drawing", "infinite", _drawn("INF"), "h1")
    yield Case("drawing", "far", _drawn("1e300"), "h1")
    yield Case("drawing", "word", _drawn("x"), "h1")


def _opening(ident: str, anchor: str) -> str:
    """An item that opens three days after something."""
    opens = f'<duban:opens kind="within" days="3" anchor="{anchor}">三天后启动</duban:opens>'
    return item(ident).replace("<duban:clause>", f"{opens}<duban:clause>")


def _long_id(n: int) -> str:
    return f"t{n}".ljust(40, "x")


def _ordered(n: int, back: tuple[int, int], steps: tuple[int, ...] = (1,)) -> bytes:
    """`n` items of one heading, each before those `steps` further on, and one line back."""
    items = "".join(item(_long_id(k)).replace(f'no="{_long_id(k)}"', f'no="{k}"') for k in range(n))
    lines = [(k, k + step) for step in steps for k in range(n - step)]
    return plan(heading=items + "".join(flow(f"o{a}-{b}", _long_id(a), _long_id(b)) for a, b in [*lines, back]))


def fan_outs(rounds: int, wide: int) -> bytes:
    """`rounds` parallel splits and joins one after another, each `wide`, every branch an item."""
    nodes, flows, before = "", "", "h1"
    for turn in range(rounds):
        nodes += f"<bpmn:parallelGateway id='s{turn}'/><bpmn:parallelGateway id='j{turn}'/>"
        flows += flow(f"f{turn}", before, f"s{turn}")
        for n in range(wide):
            nodes += item(f"i{turn}-{n}")
            flows += flow(f"a{turn}-{n}", f"s{turn}", f"i{turn}-{n}") + flow(f"b{turn}-{n}", f"i{turn}-{n}", f"j{turn}")
        before = f"j{turn}"
    return plan(nodes, flows, last=before)


def _tree(levels: int, wide: int) -> bytes:
    """Gateways that open gateways."""
    nodes, flows, row = "<bpmn:parallelGateway id='d0'/>", flow("fd0", "h1", "d0"), ["d0"]
    for _ in range(1, levels):
        after = [f"{parent}-{n}" for parent in row for n in range(wide)]
        nodes += "".join(f"<bpmn:parallelGateway id='{ident}'/>" for ident in after)
        flows += "".join(flow(f"f{ident}", ident.rpartition("-")[0], ident) for ident in after)
        row = after
    nodes += "<bpmn:parallelGateway id='last'/>"
    for ident in row:
        nodes += "".join(f"<bpmn:parallelGateway id='{ident}x{n}'/>" for n in range(1))
        flows += flow(f"f{ident}x", ident, f"{ident}x0") + flow(f"l{ident}x", f"{ident}x0", "last")
    return _doubled(nodes, flows)


def _doubled(nodes: str, flows: str) -> bytes:
    """A ladder of gateways behind the tree makes every path count many times."""
    for n in range(8):
        before = "last" if n == 0 else f"m{n - 1}"
        nodes += f"<bpmn:parallelGateway id='k{n}'/><bpmn:parallelGateway id='p{n}'/><bpmn:parallelGateway id='m{n}'/>"
        flows += flow(f"ka{n}", before, f"k{n}") + flow(f"kb{n}", before, f"p{n}")
        flows += flow(f"kc{n}", f"k{n}", f"m{n}") + flow(f"kd{n}", f"p{n}", f"m{n}")
    return plan(nodes, flows, last="m7")


def diamonds(n: int, *, tasks: bool, kind: str = "parallelGateway") -> bytes:
    """`n` splits in two and joins, one after another."""
    nodes, flows, before = "", "", "h1"
    for turn in range(n):
        default = f" default='a{turn}'" if kind == "exclusiveGateway" else ""
        nodes += f"<bpmn:{kind} id='d{turn}'{default}/><bpmn:{kind} id='j{turn}'/>"
        sides = [f"l{turn}", f"r{turn}"]
        nodes += "".join(item(side) if tasks else f"<bpmn:{kind} id='{side}'/>" for side in sides)
        flows += flow(f"f{turn}", before, f"d{turn}") + flow(f"a{turn}", f"d{turn}", sides[0])
        condition = CONDITION.format("1 == 1") if kind == "exclusiveGateway" else ""
        flows += flow(f"b{turn}", f"d{turn}", sides[1], condition)
        flows += "".join(flow(f"c{side}", side, f"j{turn}") for side in sides)
        before = f"j{turn}"
    return plan(nodes, flows, last=before)


def _unjoined() -> bytes:
    """Two tokens into one item: an engine starts it twice, 2 to the power of 24 times in a row of such."""
    nodes = "<bpmn:parallelGateway id='d'/>" + item("l") + item("r") + item("after")
    flows = (
        flow("a", "h1", "d")
        + flow("b", "d", "l")
        + flow("c", "d", "r")
        + flow("e", "l", "after")
        + flow("f", "r", "after")
    )
    return plan(nodes, flows, last="after")


def chain(n: int, kind: str) -> bytes:
    idents = [f"n{k}" for k in range(n)]
    nodes = "".join(item(i) if kind == "userTask" else f"<bpmn:{kind} id='{i}'/>" for i in idents)
    flows = "".join(flow(f"f{b}", a, b) for a, b in zip(["h1", *idents], idents, strict=False))
    return plan(nodes, flows, last=idents[-1])


def _drawn(x: str) -> bytes:
    shape = (
        f"<bpmndi:BPMNShape id='S' bpmnElement='h1'><dc:Bounds x='{x}' y='0' width='1' height='1'/></bpmndi:BPMNShape>"
    )
    return plan(
        after=f"<bpmndi:BPMNDiagram id='D'><bpmndi:BPMNPlane id='P' bpmnElement='small'>{shape}</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>"
    )


# ---------------------------------------------------------------- numbers, dates and rhythms
def _cadence(
    opens: str, due: str = "FREQ=DAILY", first: str = "2025-05-25", last: str = "2025-08-25", ident: str = "c"
) -> str:
    return (
        f'<duban:cadence id="{ident}" name="月报" asks="open-shares" opens="{opens}" opensAt="09:00" opensShift="next" '
        f'due="{due}" dueAt="24:00" dueShift="none" first="{first}" last="{last}"/>'
    )


def contents() -> Iterator[Case]:
    """Words that fit the dialect's grammar, or nearly, and would overflow a calendar, a column or a day."""
    never = ("FREQ=DAILY;BYSETPOS=2", "FREQ=DAILY;INTERVAL=7;BYDAY=MO", "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=31",
             "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31", "FREQ=YEARLY;BYDAY=53MO", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
             "FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1", "FREQ=DAILY;INTERVAL=999999999",
             "FREQ=SECONDLY", "FREQ=DAILY;COUNT=999999999", "FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29",
             "FREQ=DAILY;BYDAY=" + ",".join(["MO"] * 5000))  # fmt: skip
    for n, rule in enumerate(never):
        yield Case("rhythms", f"opens-{n}", plan(inside=_cadence(rule, first="2025-02-01")), "small")
        yield Case("rhythms", f"due-{n}", plan(inside=_cadence("FREQ=DAILY", rule, first="2025-02-01")), "small")
    yield Case(
        "rhythms", "hundred-years", plan(inside=_cadence("FREQ=DAILY", first="2000-01-01", last="2099-12-31")), "small"
    )
    yield Case(
        "rhythms",
        "five-hundred",
        plan(inside="".join(_cadence("FREQ=DAILY", ident=f"c{n}", last="2034-12-31") for n in range(500))),
        "small",
    )
    for n, day in enumerate(
        ("0001-01-01", "9999-12-31", "2025-02-30", "２０２５-06-30", "2025-W01-1", "20250630", "-2025-06-30")
    ):
        yield Case("dates", f"due-{n}", plan(heading=item("t1").replace("2025-08-31", day)), "t1")
        yield Case("dates", f"period-{n}", plan().replace(b'end="2025-08-31"', f'end="{day}"'.encode()), "small")
        yield Case("dates", f"timer-{n}", _event("intermediateCatchEvent", _timer("timeDate").format(day)), "bad")
    for n, number in enumerate(
        (
            "NaN",
            "Infinity",
            "-Infinity",
            "sNaN",
            "1e999999999",
            "1_000",
            "１２",
            "²",
            "9" * 5000,
            "1" * 13,
            "0.00001",
            "",
        )
    ):
        inner = f'<duban:indicator key="k" name="数" op="ge" value="{number}" unit="个" sum="sum">字</duban:indicator>'
        yield Case(
            "numbers", f"target-{n}", plan(heading=item("t1").replace("<duban:clause>", inner + "<duban:clause>")), "t1"
        )
        yield Case(
            "numbers",
            f"quota-{n}",
            plan(heading=item("t1").replace('role="responsible"', f'role="responsible" quota="{number}"')),
            "t1",
        )
        yield Case(
            "numbers",
            f"days-{n}",
            plan(
                heading=item("t1").replace('kind="by" date="2025-08-31"', f'kind="within" anchor="run" days="{number}"')
            ),
            "t1",
        )
        yield Case("numbers", f"mend-{n}", plan(facts=f' mendDays="{number}"'), "small")
    for n, ladder in enumerate(("9" * 30, "0 " * 30, "-10000", "1 2 x", "１ ２")):
        yield Case("numbers", f"ladder-{n}", plan(facts=f' ladder="{ladder}"'), "small")
    for n, words in enumerate(
        ("../../etc/passwd", "huangshi\\..\\x", "HUANGSHI", "x" * 41, "9" * 300, "", "%00", "火星")
    ):
        yield Case(
            "places",
            f"jurisdiction-{n}",
            plan().replace(b'jurisdiction="huangshi"', f'jurisdiction="{words}"'.encode()),
        )
        yield Case(
            "places",
            f"lifecycle-{n}",
            plan(heading=item("t1").replace('completion="all"', f'completion="all" lifecycle="{words}"')),
            "t1",
        )
    yield Case(
        "places",
        "nobody-leads",
        plan(
            heading=item("t1")
            .replace('completion="all"', 'completion="lead"')
            .replace(
                '"市人社局" role="responsible"/>',
                '"有关部门" role="lead"/><duban:assignment unit="市人社局" role="responsible"/>',
            )
        ),
        "t1",
    )
    yield Case(
        "places",
        "lead-stands-twice",
        plan(
            heading=item("t1")
            .replace('completion="all"', 'completion="lead"')
            .replace(
                '"市人社局" role="responsible"/>',
                '"市人社局" role="cooperating"/><duban:assignment unit="市人力资源和社会保障局" role="lead"/>',
            )
        ),
        "t1",
    )


def cases() -> Iterator[Case]:
    """The whole corpus."""
    for name, payload in PAYLOADS.items():
        for position, xml, element in expressions(payload):
            yield Case(f"expression:{position}", name, xml, element)
    for name in ("import", "jinja", "power", "constant", "parentheses"):
        for position, xml, element in dialect_values(PAYLOADS[name]):
            yield Case(f"dialect:{position}", name, xml, element)
    yield from files()
    yield from structures()
    yield from contents()
