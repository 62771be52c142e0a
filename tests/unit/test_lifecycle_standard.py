"""The standard lifecycle, from 签收 to 办结, as the engine runs it."""

import pytest

from bpmn.library import lifecycle_xml
from bpmn.lifecycle import Value
from engine import instances
from engine.errors import EngineError, StepNotOpen, UnknownVersion, ValueRefused

VERSION = "standard@1"


@pytest.fixture(autouse=True)
def registered() -> None:
    instances.load_lifecycle_spec(VERSION, lifecycle_xml("standard"))


def after(step: str, **values: Value) -> tuple[str, ...]:
    return instances.outcome(VERSION, step, frozenset(values.items()))


def test_one_token_runs_so_nothing_is_stored() -> None:
    assert instances.is_single(VERSION)
    assert instances.entry(VERSION) == "acknowledge"


@pytest.mark.parametrize(
    ("role", "held_by_office", "reviewer"),
    [
        ("lead", False, "review"),
        ("responsible", False, "review"),
        ("cooperating", False, "accept"),
        ("cooperating", True, "accept"),
        ("lead", True, "host_review"),
        ("responsible", True, "host_review"),
    ],
)
def test_who_reviews_depends_on_role_and_holder(role: str, held_by_office: bool, reviewer: str) -> None:
    assert after("acknowledge") == ("work",)
    assert after("work", needs_sign=True, role=role, held_by_office=held_by_office) == ("sign",)
    assert after("work", needs_sign=False, role=role, held_by_office=held_by_office) == (reviewer,)
    assert after("sign", decision="pass", role=role, held_by_office=held_by_office) == (reviewer,)
    assert after("sign", decision="return", role=role, held_by_office=held_by_office) == ("work",)
    assert after(reviewer, decision="return") == ("work",)
    assert after(reviewer, decision="pass") == ()


def test_a_decision_without_its_value_is_refused() -> None:
    with pytest.raises(EngineError, match="needs_sign"):
        after("work")


@pytest.mark.parametrize("values", [{"typename": "foo"}, {"len": "x"}, {"needs_sign": 1}, {"decision": "maybe"}])
def test_values_are_known_by_key_value_and_type(values: dict[str, Value]) -> None:
    with pytest.raises(ValueRefused):
        after("work", **values)


def test_a_cached_answer_for_true_does_not_serve_for_one() -> None:
    assert after("work", needs_sign=True) == ("sign",)
    with pytest.raises(ValueRefused):
        instances.outcome(VERSION, "work", frozenset({("needs_sign", 1)}))  # type: ignore[arg-type]


def test_unknown_steps_and_versions_are_refused() -> None:
    for step in ("nowhere", "signing", "closed"):
        with pytest.raises(StepNotOpen):
            after(step)
    with pytest.raises(UnknownVersion):
        instances.entry("never@1")


def test_300_returns_leave_a_stored_instance_small() -> None:
    case = instances.start(VERSION)
    instances.complete(case, "acknowledge")
    base: dict[str, Value] = {"role": "lead", "held_by_office": False}
    for turn in range(300):
        instances.complete(case, "work", {**base, "needs_sign": turn % 2 == 0})
        if turn % 2 == 0:
            instances.complete(case, "sign", {"decision": "pass"})
        instances.complete(case, "review", {"decision": "return"})
        assert instances.waits(case) == ("work",)
        text = instances.dump(case)
        assert len(text) < 3000
        case = instances.restore(VERSION, text)
    instances.complete(case, "work", {"needs_sign": False})
    instances.complete(case, "review", {"decision": "pass"})
    assert instances.is_ended(case)
    with pytest.raises(StepNotOpen):
        instances.complete(case, "review", {"decision": "pass"})


def test_state_belongs_to_its_version() -> None:
    text = instances.dump(instances.start(VERSION))
    instances.load_lifecycle_spec("standard@2", lifecycle_xml("standard"))
    with pytest.raises(EngineError, match="属于版本"):
        instances.restore("standard@2", text)
    for broken in ("", "[]", "{}", "x" * 600_000):
        with pytest.raises(EngineError):
            instances.restore(VERSION, broken)


def test_a_published_version_keeps_its_bytes() -> None:
    changed = lifecycle_xml("standard").replace("签收".encode(), "接收".encode())
    with pytest.raises(EngineError, match="不能更换"):
        instances.load_lifecycle_spec(VERSION, changed)
