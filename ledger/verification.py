"""Checks of the truth: chains against their hashes, projections against a replay of the log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Table, create_engine, select

from ledger.events import GENESIS, Event, chain_hash, digest
from ledger.projections import project
from ledger.schema import PROJECTIONS, content, event, metadata, stream


def events(connection: Connection) -> Iterator[Event]:
    """The whole log in the order in which it was committed."""
    for r in connection.execute(select(event).order_by(event.c.id)):
        yield Event(
            r.stream,
            r.seq,
            r.kind,
            r.schema,
            r.at,
            r.recorded_at,
            json.loads(r.actor),
            json.loads(r.payload),
            r.prev,
            r.hash,
        )


def broken_chains(connection: Connection) -> list[str]:
    """What does not fit, a sentence each: a changed, missing, reordered or cut-off event, a text that is not what was
    said."""
    found: list[str] = []
    heads: dict[str, tuple[int, str]] = {}
    digests: dict[tuple[str, int, str], str] = {}
    for r in connection.execute(select(event).order_by(event.c.stream, event.c.seq)):
        seq, prev = heads.get(r.stream, (0, GENESIS))
        if r.seq != seq + 1 or r.prev != prev:
            found.append(f"{r.stream} 第 {r.seq} 号与前一号不相连")
        if chain_hash(r.prev, r.stream, r.seq, r.kind, r.schema, r.at, r.recorded_at, r.actor, r.payload) != r.hash:
            found.append(f"{r.stream} 第 {r.seq} 号内容与其哈希不符")
        heads[r.stream] = (r.seq, r.hash)
        digests |= {(r.stream, r.seq, k): v for k, v in json.loads(r.payload)["texts"].items()}
    for r in connection.execute(select(stream)):
        if heads.pop(r.name, (0, GENESIS)) != (r.seq, r.head):
            found.append(f"{r.name} 的链尾与末号不符（有记录被截去或增添）")
    found += [f"{name} 没有链尾" for name in heads]
    return found + _broken_texts(connection, digests)


def _broken_texts(connection: Connection, digests: dict[tuple[str, int, str], str]) -> list[str]:
    found = []
    for r in connection.execute(select(content)):
        expected = digests.pop((r.stream, r.seq, r.field), None)
        cleared = r.text is None and r.salt is None
        if expected is None or (
            not cleared and (r.text is None or r.salt is None or digest(r.salt, r.text) != expected)
        ):
            found.append(f"{r.stream} 第 {r.seq} 号的文字（{r.field}）与其摘要不符")
    return found + [f"{name} 第 {seq} 号的文字（{field}）不见了" for name, seq, field in digests]


def replay_differences(connection: Connection) -> list[str]:
    """The rows in which the projections differ from what the log says, rebuilt in a database of its own."""
    scratch = create_engine("sqlite://")
    metadata.create_all(scratch)
    with scratch.begin() as rebuilt:
        project(rebuilt, events(connection))
        found = [d for table in PROJECTIONS for d in _differences(table, connection, rebuilt)]
    scratch.dispose()
    return found


def _differences(table: Table, live: Connection, rebuilt: Connection) -> Iterator[str]:
    keys = [c.name for c in table.primary_key]

    def rows(connection: Connection) -> dict[tuple[Any, ...], dict[str, Any]]:
        found = (dict(r._mapping) for r in connection.execute(select(table)))
        return {tuple(r[k] for k in keys): r for r in found}

    ours, theirs = rows(live), rows(rebuilt)
    for key in sorted(ours.keys() | theirs.keys(), key=str):
        a, b = ours.get(key), theirs.get(key)
        if a is None or b is None:
            yield f"{table.name}{key}: {'只在台账中' if b is None else '只在记录中'}"
        else:
            yield from (f"{table.name}{key}.{c}: 台账 {a[c]!r}，记录 {b[c]!r}" for c in a if a[c] != b[c])
