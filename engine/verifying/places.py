"""Where a unit's posts were at a moment: who had succeeded it by then, who hosted it, as the events of the directory
say. What `ledger.people` answers for today, for any day."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime

from sqlalchemy import select

from ledger.directory import STREAM
from ledger.people import HOSTED_ROLES
from ledger.schema import event
from ledger.verification.scene import Scene

_KINDS = ("unit.registered", "unit.described", "unit.ended")


class Places:
    """A few hundred events. At the very instant of a change both what was and what came holds."""

    def __init__(self, scene: Scene) -> None:
        self._hosts: dict[str, list[tuple[datetime, str | None]]] = defaultdict(list)
        self._ended: dict[str, tuple[datetime, str]] = {}
        log = select(event.c.kind, event.c.at, event.c.payload).where(
            event.c.stream == STREAM, event.c.kind.in_(_KINDS)
        )
        for r in scene.connection.execute(log.order_by(event.c.seq)):
            p = json.loads(r.payload)
            if r.kind == "unit.ended":
                if p["successor"] is not None:  # else nobody answers for it
                    self._ends(p["unit"], p["successor"], r.at)
            else:
                self._hosts[p["key"]].append((r.at, p["host"]))

    def _ends(self, unit_key: str, successor: str, at: datetime) -> None:
        self._ended[unit_key] = at, successor
        for known in self._hosts.values():
            if known[-1][1] == unit_key:
                known.append((at, successor))

    def seats(self, unit_key: str, role: str, at: datetime) -> set[str]:
        """The units in which somebody who answers for this post sat then."""
        return {seat for key in self._answering(unit_key, at) for seat in self._seats(key, unit_key, role, at)}

    def _seats(self, key: str, unit_key: str, role: str, at: datetime) -> set[str]:
        hosts = self._hosting(key, at) | self._hosting(unit_key, at) if role in HOSTED_ROLES else set()
        return hosts or {key}

    def _hosting(self, key: str, at: datetime) -> set[str]:
        known = self._hosts.get(key, [])
        until = [since for since, _ in known[1:]]
        spans = zip(known, [*until, None], strict=True) if known else ()
        return {host for (since, host), end in spans if host and since <= at and (end is None or end >= at)}

    def _answering(self, unit_key: str, at: datetime) -> set[str]:
        found, key = set[str](), unit_key
        while key in self._ended and self._ended[key][0] <= at:
            ended_at, successor = self._ended[key]
            if ended_at == at:
                found.add(key)
            key = successor
        return {*found, key}
