"""Stored state of an instance: what happened and what waits. The diagram itself stays with its version."""

# mypy: disable-error-code="import-untyped,misc"
from __future__ import annotations

import json
import threading
from typing import Any
from uuid import UUID

from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.serializer.config import DEFAULT_CONFIG
from SpiffWorkflow.bpmn.serializer.default.task_spec import BpmnTaskSpecConverter, EventConverter
from SpiffWorkflow.bpmn.serializer.default.workflow import BpmnWorkflowConverter, WorkflowConverter
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow

from engine.errors import EngineError
from engine.parser import Catch, Heading, Step
from engine.script import SafeWorkflow
from engine.versions import spec_of

MAX_STATE = 512_000
"""Characters of one stored instance: a plan of 30 headings takes 13,000, so this is a fault, not a big plan."""


class StateConverter(BpmnWorkflowConverter):
    """Writes tasks without their spec, and puts them back on the registered version."""

    def to_dict(self, workflow: Any) -> dict[str, Any]:
        return {**WorkflowConverter.to_dict(self, workflow), "version": workflow.version}

    def from_dict(self, dct: dict[str, Any]) -> Any:
        workflow = self.target_class(spec_of(dct["version"]), {}, deserializing=True)
        workflow.version = dct["version"]
        workflow.tasks = self.mapping_from_dict(dct["tasks"], UUID, workflow=workflow)
        workflow.task_tree = workflow.tasks[UUID(dct["root"])]
        self.set_default_attributes(workflow, dct)
        return workflow


_threads = threading.local()


def _serializer() -> Any:
    """One for each thread: the registry keeps its mode in shared mutable state."""
    if not hasattr(_threads, "serializer"):
        config = {kind: converter for kind, converter in DEFAULT_CONFIG.items() if kind is not BpmnWorkflow}
        config |= {SafeWorkflow: StateConverter, Step: BpmnTaskSpecConverter, Heading: BpmnTaskSpecConverter}
        config |= {Catch: EventConverter}
        _threads.serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure(config))
    return _threads.serializer


def to_text(workflow: SafeWorkflow) -> str:
    """Raises: EngineError when the state has outgrown MAX_STATE."""
    text: str = _serializer().serialize_json(workflow)
    if len(text) > MAX_STATE:
        raise EngineError(f"流程状态过大（{len(text)} 字符），拒绝保存。")
    return text


def from_text(version: str, text: str) -> SafeWorkflow:
    """Raises: EngineError when the text is too large, no state at all, or that of another version."""
    if len(text) > MAX_STATE:
        raise EngineError(f"流程状态过大（{len(text)} 字符），拒绝载入。")
    try:
        stored = json.loads(text).get("version")
    except (ValueError, AttributeError):
        raise EngineError("流程状态损坏，不能载入。") from None
    if stored != version:
        raise EngineError(f"流程状态属于版本 {stored}，不属于 {version}。")
    workflow = _serializer().deserialize_json(text)
    if not isinstance(workflow, SafeWorkflow):
        raise EngineError("流程状态损坏，不能载入。")
    return workflow
