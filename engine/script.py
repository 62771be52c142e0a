"""The only script engine there is: conditions by whitelist, scripts and services never."""

# mypy: disable-error-code="import-untyped,misc"
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
from SpiffWorkflow.bpmn.script_engine.python_environment import BasePythonScriptEngineEnvironment
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow

from bpmn.expressions import ExpressionError, compile_expression, evaluate


class SafeEnvironment(BasePythonScriptEngineEnvironment):
    """Evaluates what `bpmn.expressions` allows, over the task's whitelisted values."""

    def evaluate(self, expression: str, context: Mapping[str, Any], external_context: object = None) -> Any:
        return evaluate(expression, context)

    def execute(self, *_args: object, **_kwargs: object) -> NoReturn:
        raise ExpressionError("流程图里的脚本不执行")

    def call_service(self, *_args: object, **_kwargs: object) -> NoReturn:
        raise ExpressionError("流程图里的服务不调用")


class SafeEngine(PythonScriptEngine):
    """Stateless, so one serves every instance and thread."""

    def __init__(self) -> None:
        super().__init__(SafeEnvironment())

    def evaluate(self, task: Any, expression: str, external_context: object = None) -> Any:
        """Our own errors reach the caller unwrapped; the stock engine would bury them in a trace."""
        return evaluate(expression, task.data)

    def validate(self, expression: str) -> None:
        compile_expression(expression)


SAFE_ENGINE = SafeEngine()


class SafeWorkflow(BpmnWorkflow):
    """A workflow that cannot have another script engine: deserialization calls this constructor without one."""

    version: str = ""

    def __init__(self, spec: Any, subprocess_specs: Any = None, script_engine: object = None, **kwargs: Any) -> None:
        super().__init__(spec, subprocess_specs, script_engine=SAFE_ENGINE, **kwargs)
