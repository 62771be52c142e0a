"""The diagrams that come with the product."""

from __future__ import annotations

import re
from importlib import resources


def plan_keys() -> tuple[str, ...]:
    """Keys of the plans in the library; each is named after the document it comes from."""
    return _keys("plans")


def lifecycle_keys() -> tuple[str, ...]:
    """Keys of the lifecycles in the library."""
    return _keys("lifecycles")


def intake_keys() -> tuple[str, ...]:
    """Keys of the lifecycles of cases, a kind each."""
    return _keys("intakes")


def intake_xml(key: str) -> bytes:
    """The diagram of a kind of case. Raises: KeyError when the library has none under this key."""
    return _read("intakes", key)


def register_xml() -> bytes:
    """The diagram of a register (登记簿), whose facts are filled in when it is opened."""
    return _read("registers", "register")


def plan_xml(key: str) -> bytes:
    """The diagram of a plan. Raises: KeyError when the library has none under this key."""
    return _read("plans", key)


def lifecycle_xml(key: str) -> bytes:
    """The diagram of a lifecycle. Raises: KeyError when the library has none under this key."""
    return _read("lifecycles", key)


def _keys(folder: str) -> tuple[str, ...]:
    files = (resources.files("bpmn") / folder).iterdir()
    return tuple(sorted(file.name[:-5] for file in files if file.name.endswith(".bpmn")))


def _read(folder: str, key: str) -> bytes:
    file = resources.files("bpmn") / folder / f"{key}.bpmn"
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", key) or not file.is_file():
        raise KeyError(key)
    return file.read_bytes()
