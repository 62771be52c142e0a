"""Running instances: plain element ids in, plain element ids out. Nobody outside sees SpiffWorkflow.

A plan's instance is stored (`dump`, `restore`). A lifecycle where one token runs is not: its open step and the values
of its decisions are all there is, so `outcome` answers from a cache. `is_single` says whether that holds.
"""

# mypy: disable-error-code="import-untyped,misc"
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn import BpmnEvent
from SpiffWorkflow.bpmn.specs.defaults import EndEvent, ExclusiveGateway, StartEvent
from SpiffWorkflow.exceptions import WorkflowException
from SpiffWorkflow.task import Task

from bpmn.expressions import ExpressionError
from bpmn.lifecycle import STEP_VALUES, Value
from engine import state, versions
from engine.errors import EngineError, StepNotOpen, ValueRefused
from engine.parser import Step, signal_of
from engine.script import SafeWorkflow

LIVE = TaskState.READY | TaskState.WAITING | TaskState.STARTED
Values = Mapping[str, Value]


@dataclass(frozen=True)
class Instance:
    """One running diagram. Opaque: only the functions of this module look inside."""

    version: str
    _workflow: SafeWorkflow


@dataclass(frozen=True)
class Awaited:
    """A timer that waits to be released: its element id and the date (or ISO duration) printed in the diagram."""

    timer: str
    kind: Literal["date", "duration"]
    text: str


def load_plan_spec(version: str, xml: bytes) -> None:
    """Register a published plan under its version key (idempotent). Raises: DiagramError, EngineError."""
    versions.register(version, xml)


def load_lifecycle_spec(version: str, xml: bytes) -> None:
    """Register a published lifecycle under its version key (idempotent). Raises: DiagramError, EngineError."""
    versions.register(version, xml)


def start(version: str) -> Instance:
    """A new instance at its first wait states. Raises: UnknownVersion."""
    workflow = SafeWorkflow(versions.spec_of(version))
    workflow.version = version
    _run_on(workflow)
    return Instance(version, workflow)


def waits(instance: Instance) -> tuple[str, ...]:
    """Element ids that wait for the ledger: headings and branch items of a plan, steps of a lifecycle."""
    return _ready(instance._workflow)


def dues(instance: Instance) -> tuple[Awaited, ...]:
    """Timers that the tick has to release; the ledger makes rows of due(owner, kind, arm, at) of them."""
    found = []
    for task in instance._workflow.get_tasks(state=TaskState.WAITING):
        timer = (getattr(task.task_spec, "extensions", None) or {}).get("timer")
        if timer:
            kind: Literal["date", "duration"] = "date" if timer["kind"] == "timeDate" else "duration"
            found.append(Awaited(task.task_spec.name, kind, timer["text"]))
    return tuple(found)


def is_ended(instance: Instance) -> bool:
    """Whether nothing waits any more."""
    return bool(instance._workflow.completed)


def complete(instance: Instance, step: str, values: Values | None = None) -> None:
    """End one wait state and run to the next ones.

    Raises: StepNotOpen (a replay, or somebody was faster), ValueRefused, EngineError when a condition has no answer.
    """
    _complete(instance._workflow, step, values or {})


def release(instance: Instance, timer: str) -> None:
    """Fire one timer; the caller deletes the due row in the same transaction.

    Raises: StepNotOpen when it is not waiting, so a replay or a late release is seen.
    """
    if timer not in {awaited.timer for awaited in dues(instance)}:
        raise StepNotOpen(timer)
    instance._workflow.send_event(BpmnEvent(signal_of(timer)))
    _run_on(instance._workflow)


def dump(instance: Instance) -> str:
    """The state as text for a TEXT column. Raises: EngineError when it has outgrown the cap."""
    return state.to_text(instance._workflow)


def restore(version: str, text: str) -> Instance:
    """The inverse of `dump`, on the registered version. Raises: UnknownVersion, EngineError."""
    versions.spec_of(version)
    return Instance(version, state.from_text(version, text))


def is_single(version: str) -> bool:
    """Can only one token ever run? Then `entry` and `outcome` serve and nothing is stored, as of every lifecycle."""
    specs = versions.spec_of(version).task_specs.values()
    plain = (Step, ExclusiveGateway, StartEvent, EndEvent)
    return all(type(spec) in plain for spec in specs if getattr(spec, "bpmn_id", None))


@lru_cache(maxsize=256)
def entry(version: str) -> str:
    """The first step of a one-token lifecycle. Raises: UnknownVersion, EngineError."""
    _require_single(version)
    (first,) = waits(start(version))
    return first


def outcome(version: str, step: str, values: frozenset[tuple[str, Value]]) -> tuple[str, ...]:
    """The open steps after a step of a one-token lifecycle, () when it is over.

    A published diagram and whitelisted values leave nothing else to depend on, so the answer is kept.
    Raises: StepNotOpen for a step the diagram does not have, ValueRefused, EngineError.
    """
    _clean(dict(values))  # before the cache, where 1 would find the answer for True
    return _outcome(version, step, values)


@lru_cache(maxsize=4096)
def _outcome(version: str, step: str, values: frozenset[tuple[str, Value]]) -> tuple[str, ...]:
    _require_single(version)
    workflow = _placed(version, step)
    _complete(workflow, step, dict(values))
    return _ready(workflow)


def _require_single(version: str) -> None:
    if not is_single(version):
        raise EngineError(f"版本 {version} 有并行步骤，不是办理流程。")


def _placed(version: str, step: str) -> SafeWorkflow:
    """An instance with its only token at a step, made of nothing but the published diagram."""
    spec = versions.spec_of(version)
    if not isinstance(spec.task_specs.get(step), Step):
        raise StepNotOpen(step)
    workflow = SafeWorkflow(spec, deserializing=True)
    workflow.version = version
    workflow.task_tree = root = Task(workflow, spec.start, state=TaskState.COMPLETED)
    task = root._add_child(spec.task_specs[step], TaskState.FUTURE)
    task.task_spec._predict(task, mask=TaskState.PREDICTED_MASK | TaskState.FUTURE)
    task.task_spec._update(task)
    return workflow


def _ready(workflow: SafeWorkflow) -> tuple[str, ...]:
    return tuple(task.task_spec.name for task in workflow.get_tasks(state=TaskState.READY, manual=True))


def _clean(values: Values) -> dict[str, Value]:
    """Only known names, values and types: a key `typename` would poison an instance, a 1 pass for True."""
    bad = [name for name, value in values.items() if not _is_known(name, value)]
    if bad:
        raise ValueRefused(sorted(map(str, bad)))
    return dict(values)


def _is_known(name: str, value: object) -> bool:
    return any(type(value) is type(known) and value == known for known in STEP_VALUES.get(name, ()))


def _complete(workflow: SafeWorkflow, step: str, values: Values) -> None:
    clean = _clean(values)
    ready: list[Any] = workflow.get_tasks(state=TaskState.READY, manual=True)
    open_tasks = [task for task in ready if task.task_spec.name == step]
    if len(open_tasks) != 1:  # run() would accept a finished task without complaint
        raise StepNotOpen(step)
    open_tasks[0].data.update(clean)
    _guarded(open_tasks[0].run)
    _run_on(workflow)
    _fold(workflow)


def _run_on(workflow: SafeWorkflow) -> None:
    _guarded(workflow.do_engine_steps)


def _guarded(action: Any) -> None:
    try:
        action()
    except (ExpressionError, WorkflowException) as error:
        raise EngineError(f"流程走不下去：{error}") from error


def _fold(workflow: SafeWorkflow) -> None:
    """Drop the finished past where one token is left: state and depth stay constant however often a loop turns."""
    live: list[Any] = workflow.get_tasks(state=LIVE)
    if len(live) != 1 or live[0].parent is None or live[0].parent is workflow.task_tree:
        return
    task, root = live[0], workflow.task_tree
    keep = {root.id, *(part.id for part in task)}
    workflow.last_task = None
    root.data = dict(task.parent.data)
    root._children, task._parent = [task.id], root.id
    for ident in [ident for ident in workflow.tasks if ident not in keep]:
        del workflow.tasks[ident]
