"""Published diagrams by version key: parsed once a process, shared by all threads, never changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from threading import Lock
from typing import Any

from engine.errors import EngineError, UnknownVersion
from engine.parser import build_spec


@dataclass(frozen=True)
class Version:
    """A published diagram: its key, the digest of its bytes, and its executable form."""

    key: str
    digest: str
    spec: Any


_versions: dict[str, Version] = {}
_lock = Lock()


def register(key: str, xml: bytes) -> None:
    """Parse a published diagram under its version key; a second call with the same bytes does nothing.

    Raises: DiagramError; EngineError when the key already stands for other bytes.
    """
    digest = hashlib.sha256(xml).hexdigest()
    known = _versions.get(key)
    if known is None:
        made = Version(key, digest, build_spec(xml))
        with _lock:
            known = _versions.setdefault(key, made)
    if known.digest != digest:
        raise EngineError(f"版本 {key} 已发布，内容不能更换；请另立新版本。")


def spec_of(key: str) -> Any:
    """The executable form of a version. Raises: UnknownVersion."""
    try:
        return _versions[key].spec
    except KeyError:
        raise UnknownVersion(key) from None
