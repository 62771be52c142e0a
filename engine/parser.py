"""How SpiffWorkflow reads a Duban diagram.

1. A heading (ad-hoc sub-process) becomes ONE wait state; its items never become specs.
2. Every timer becomes a signal `due:<element id>` that only `engine.instances.release` throws: no clock in here.
3. A wait state predicts nothing beyond itself, so state holds only what happened and what waits.
"""

# mypy: disable-error-code="import-untyped,misc"
from __future__ import annotations

from typing import Any, ClassVar

from lxml import etree
from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.parser.event_parsers import EventDefinitionParser
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.bpmn.specs.defaults import IntermediateCatchEvent, UserTask
from SpiffWorkflow.bpmn.specs.event_definitions import SignalEventDefinition

from bpmn.lint import unrunnable
from bpmn.xml import DiagramError, Element, parse, process_of, tag

RUNNABLE = frozenset(
    tag(f"bpmn:{name}")
    for name in (
        *("startEvent", "endEvent", "userTask", "adHocSubProcess", "intermediateCatchEvent"),
        *("exclusiveGateway", "parallelGateway"),
    )
)


def signal_of(timer: str) -> Any:
    """The event that stands for a timer."""
    return SignalEventDefinition(f"due:{timer}")


class NoForecast:
    """A wait state predicts nothing; what follows is made when it ends, so fan-outs in series no longer multiply."""

    def _predict_hook(self, my_task: Any) -> None:
        """Leave the future empty."""

    def _run_hook(self, my_task: Any) -> Any:
        result = super()._run_hook(my_task)
        my_task._sync_children(self.outputs, TaskState.FUTURE)  # type: ignore[attr-defined]
        for child in my_task.children:
            child.task_spec._predict(child, mask=TaskState.PREDICTED_MASK | TaskState.FUTURE)
        return result


class Step(NoForecast, UserTask):
    """Waits for a person."""


class Catch(NoForecast, IntermediateCatchEvent):
    """Waits for a date that the ledger's tick announces."""


class Heading(Step):
    """READY until the ledger says that all items of this heading are closed."""


class PlainParser:
    """Mixed into every parser: our data is read by `bpmn.reading`, and a drawing's positions decide nothing.

    A step where several sign is ONE wait state; its signatures are rows of the ledger.
    """

    def _add_multiinstance_task(self, loop_characteristics: Element) -> None:
        """Leave the task as it is."""

    def parse_extensions(self, node: Element | None = None) -> dict[str, Any]:
        return {}

    def get_position(self, node: Element | None = None) -> dict[str, float]:
        """One place for all: the stock parser orders a gateway's conditions by y, so moving a box would change them."""
        return {"x": 0.0, "y": 0.0}


class HeadingParser(PlainParser, TaskParser):
    """An ad-hoc sub-process as one task. The linter has checked what stands inside."""

    def parse_documentation(self, sequence_flow: Element | None = None) -> str | None:
        """The heading's own words; the base class searches `.//` and would take an item's."""
        own = self.node.find(tag("bpmn:documentation"))
        return None if own is None else own.text


class ReleasedTimer:
    """For every parser of events: a timer is a signal, and its printed value a row for the tick."""

    def parse_timer_event(self, event: Element) -> Any:
        kinds = [child for child in event.iterchildren() if etree.QName(child).localname.startswith("time")]
        if len(kinds) != 1 or kinds[0].tag == tag("bpmn:timeCycle"):
            raise DiagramError("定时事件只能写一个日期；每周、每月的节奏请用 cadence。", self.bpmn_id)  # type: ignore[attr-defined]
        self.timer = {"kind": etree.QName(kinds[0]).localname, "text": (kinds[0].text or "").strip()}
        return signal_of(self.bpmn_id)  # type: ignore[attr-defined]

    def parse_extensions(self, node: Element | None = None) -> dict[str, Any]:
        return {"timer": self.timer} if hasattr(self, "timer") else {}


def _hooked(parser: Any) -> Any:
    events = issubclass(parser, EventDefinitionParser)
    bases = (ReleasedTimer, PlainParser, parser) if events else (PlainParser, parser)
    return type("Duban" + parser.__name__, bases, {})


_SPECS = {UserTask: Step, IntermediateCatchEvent: Catch}


class DiagramParser(BpmnParser):
    """Knows the elements in RUNNABLE and no others."""

    OVERRIDE_PARSER_CLASSES: ClassVar[dict[str, Any]] = {
        name: (_hooked(parser), _SPECS.get(spec, spec))
        for name, (parser, spec) in BpmnParser.PARSER_CLASSES.items()
        if name in RUNNABLE
    } | {tag("bpmn:adHocSubProcess"): (HeadingParser, Heading)}

    def _get_parser_class(self, name: str) -> tuple[Any, Any]:
        known: tuple[Any, Any] = self.OVERRIDE_PARSER_CLASSES.get(name, (None, None))
        return known


def build_spec(xml: bytes) -> Any:
    """The executable form of a diagram.

    Raises: DiagramError, also for what the linter would have refused; the engine does not trust that it ran.
    """
    root = parse(xml)
    process = process_of(root)
    for finding in unrunnable(root, process):
        raise DiagramError(finding.message, finding.element)
    parser = DiagramParser()
    try:
        parser.add_bpmn_xml(root)
        return parser.get_spec(process.get("id"))
    except ValidationException as error:
        raise DiagramError(f"流程图不能运行：{error}", getattr(error, "id", None)) from None
    except RecursionError:
        raise DiagramError("流程太长，不能运行；请按标题分组。", process.get("id")) from None
