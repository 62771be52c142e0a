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
_clean = set[tuple[bytes, str, frozenset[str]]]()  # digest, jurisdiction, names of units that were given up


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
    It stays clean as units change, for whatever a unit was called still means somebody, unless the unit was given up.
    """
    clean = hashlib.sha256(xml).digest(), *_given_up(xml, directory)
    if clean in _clean:
        return
    errors = [f.message for f in findings(xml, directory) if f.severity == "error"]
    if errors:
        raise Refused("这份方案图还不能启动：\n" + "\n".join(errors))
    _clean.add(clean)


def _given_up(xml: bytes, directory: Directory) -> tuple[str, frozenset[str]]:
    """The jurisdiction of a plan, and the names there that mean nobody any more; neither where it does not say."""
    try:
        key = jurisdiction_of(xml) or ""
        return key, frozenset(directory(key).given_up)
    except (DiagramError, KeyError):
        return "", frozenset()
