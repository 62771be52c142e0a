"""What may be published: the linter's answer against the organisation that the plan itself names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from bpmn.lint import Finding, lint
from bpmn.reading import jurisdiction_of
from bpmn.xml import DiagramError
from ledger import organisation
from ledger.errors import Refused
from ledger.organisation import Organisation

_NOBODY = Organisation("", "", (), ())
_clean = set[bytes]()  # digests


Directory = Callable[[str], Organisation]  # of a jurisdiction; raises KeyError where there is none


def findings(xml: bytes, directory: Directory = organisation.load) -> list[Finding]:
    """The linter's findings, errors first. Never raises: what cannot be read is what the linter explains."""
    try:
        key = jurisdiction_of(xml)
    except DiagramError:
        return lint(xml, _NOBODY)
    if key is None:  # a lifecycle, or a plan without its facts
        return lint(xml, _NOBODY)
    try:
        return lint(xml, directory(key))
    except KeyError:
        words = "方案的行政区没有单位目录；请改用已有的行政区（duban:plan 的 jurisdiction）。"
        unknown = Finding("jurisdiction-unknown", "error", None, words)
        return [unknown, *(f for f in lint(xml, _NOBODY) if f.rule != "unknown-unit")]


def require_clean(xml: bytes, directory: Directory = organisation.load) -> None:
    """Raises Refused with every error, a sentence each.

    What was found clean is not read again: so a caller can ask before it opens the transaction in which it publishes.
    It stays clean as units change, for whatever a unit was called still means somebody.
    """
    digest = hashlib.sha256(xml).digest()
    if digest in _clean:
        return
    errors = [f.message for f in findings(xml, directory) if f.severity == "error"]
    if errors:
        raise Refused("这份方案图还不能启动：\n" + "\n".join(errors))
    _clean.add(digest)
