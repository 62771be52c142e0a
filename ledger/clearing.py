"""依规清除: taking words out of the ledger without breaking its chain.

What may be cleared hangs on an event by a salted digest: a place (stream, seq, field). The event that confirms a
clearing names its places, never the words; so a text that is gone without such an event was tampered with. Names stand
in places too, and in `person`; drafts and mails that carry the same words are cleansed with them.

Backups keep what they have copied. `known` and `Scrubber` let a restore clear again what was ever cleared, and cleanse
archives; what an archive did not know of is recorded anew by `reapply`, so that the restored log says it too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, delete, select, tuple_, update

from ledger.attachments import clear as clear_files
from ledger.database import Database, Tx
from ledger.events import file_field
from ledger.schema import content, delivery, draft, event, ledger_view, message, notice, person

STREAM = "admin"
NAMING = ("post.taken", "account.corrected")
NAME_FIELDS = ("actor", "name")  # where the name of the person who acts, or takes a post, hangs on an event
CLEARED = "（内容已依规清除）"
CLEARED_NAME = "（姓名已清除）"
CONFIRMING = ("clearing.confirmed", "clearing.reapplied")
PLAIN_WORDS = 8  # shorter texts (已完成) say nothing of where else they stand: only a draft that is the same goes


class Place(NamedTuple):
    """Where a text stands, or a file: its name is the text "file-7", its digest the row 7 of `attachment`."""

    stream: str
    seq: int
    field: str


@dataclass(frozen=True)
class Cleared:
    """What has been cleared: places, and the persons whose names are gone."""

    places: frozenset[Place] = frozenset()
    persons: frozenset[int] = frozenset()

    def __or__(self, other: Cleared) -> Cleared:
        return Cleared(self.places | other.places, self.persons | other.persons)

    def __sub__(self, other: Cleared) -> Cleared:
        return Cleared(self.places - other.places, self.persons - other.persons)

    def __bool__(self) -> bool:
        return bool(self.places or self.persons)

    def payload(self) -> dict[str, Any]:
        """As an event says it."""
        return {"places": [list(place) for place in sorted(self.places)], "persons": sorted(self.persons)}


NOTHING = Cleared()


def known_in(events: Iterable[Mapping[str, Any]]) -> Cleared:
    """What these events have cleared; rows of `event`, of a database or of an archive, as mappings."""
    found = NOTHING
    for e in events:
        if e["kind"] in CONFIRMING:
            p = json.loads(e["payload"])
            found |= Cleared(frozenset(Place(*place) for place in p["places"]), frozenset(p["persons"]))
    return found


def known(connection: Connection) -> Cleared:
    """Everything that the log says was cleared."""
    said = select(event.c.kind, event.c.payload).where(event.c.stream == STREAM, event.c.kind.in_(CONFIRMING))
    return known_in(r._asdict() for r in connection.execute(said.order_by(event.c.seq)))


def places_of_name(connection: Connection, person_id: int) -> frozenset[Place]:
    """Where a person's name hangs: on what the person did, on the posts the person took, on what put it right."""
    acted = event.c.actor.like(f'{{"person":{int(person_id)},%') | (event.c.actor == f'{{"person":{int(person_id)}}}')
    took = and_(event.c.stream == STREAM, event.c.kind.in_(NAMING))
    rows = connection.execute(
        select(content.c.stream, content.c.seq, content.c.field, event.c.kind, event.c.payload, event.c.actor)
        .join(event, and_(event.c.stream == content.c.stream, event.c.seq == content.c.seq))
        .where(content.c.field.in_(NAME_FIELDS), content.c.text.is_not(None), acted | took)
    )
    return frozenset(Place(r.stream, r.seq, r.field) for r in rows if _names(r, person_id))


def _names(r: Any, person_id: int) -> bool:
    if r.field == "actor":
        return bool(json.loads(r.actor)["person"] == person_id)
    return bool(r.kind in NAMING and json.loads(r.payload)["person"] == person_id)


# ---------------------------------------------------------------- in the database
_clear = (
    update(content)
    .where(
        content.c.stream == bindparam("b_stream"),
        content.c.seq == bindparam("b_seq"),
        content.c.field == bindparam("b_field"),
    )
    .values(text=None, salt=None)
)
_AT_ONCE = 500


def clear(connection: Connection, cleared: Cleared) -> None:
    """Take the words out of every table that may hold them. The caller records the event that says so."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")  # the file itself forgets them
    scrubber = Scrubber(cleared)
    for places in _some(cleared.places):
        key = tuple_(content.c.stream, content.c.seq, content.c.field)
        for r in connection.execute(select(content).where(key.in_(places))):
            scrubber.learn("content", r._asdict())
        rows = [{"b_stream": p.stream, "b_seq": p.seq, "b_field": p.field} for p in places]
        connection.execute(_clear, rows)
        clear_files(connection, places)  # their content goes when the commit has said that nobody refers to it
    for r in connection.execute(select(person.c.id, person.c.name).where(person.c.id.in_(sorted(cleared.persons)))):
        scrubber.learn("person", r._asdict())
    connection.execute(update(person).where(person.c.id.in_(sorted(cleared.persons))).values(name=CLEARED_NAME))
    _cleanse_typed(connection, scrubber)
    _cleanse_mails(connection, scrubber)


def _some(places: Iterable[Place]) -> Iterator[list[Place]]:
    """In portions that a statement can name."""
    ordered = sorted(places)
    return (ordered[i : i + _AT_ONCE] for i in range(0, len(ordered), _AT_ONCE))


def _cleanse_typed(connection: Connection, scrubber: Scrubber) -> None:
    for r in connection.execute(select(draft)).all():
        if scrubber.row("draft", r._asdict()) is None:
            connection.execute(delete(draft).where(draft.c.person_id == r.person_id, draft.c.form == r.form))
    for r in connection.execute(select(ledger_view)).all():
        if scrubber.row("ledger_view", r._asdict()) is None:
            connection.execute(delete(ledger_view).where(ledger_view.c.id == r.id))


def _cleanse_mails(connection: Connection, scrubber: Scrubber) -> None:
    """Mails to the persons, and mails about the items on whose records the words stood."""
    items = {int(p.stream.partition(":")[2]) for p in scrubber.cleared.places if p.stream.startswith("item:")}
    told = select(delivery.c.message_id).join(notice, notice.c.id == delivery.c.notice_id)
    about = message.c.id.in_(told.where(notice.c.item_id.in_(sorted(items))))
    rows = select(message.c.id, message.c.person_id, message.c.context)
    mine = message.c.person_id.in_(sorted(scrubber.cleared.persons))
    for r in connection.execute(rows.where(about | mine)).all():
        scrubbed = scrubber.row("message", r._asdict())
        if scrubbed is not None and scrubbed["context"] != r.context:
            values = {"context": scrubbed["context"]}
            connection.execute(update(message).where(message.c.id == r.id).values(**values))


def overwrite(db: Database) -> bool:
    """After the commit: have SQLite's write-ahead log forget the words, too. False while a reader is in the way; then
    the scheduler does it within the hour."""
    if not db.is_sqlite:
        return True
    with closing(db.writer.raw_connection()) as raw:  # outside of any transaction
        driver: Any = raw.driver_connection
        return not driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]


def reapply(tx: Tx, cleared: Cleared) -> Cleared:
    """Clear again after a restore, and record what the restored log does not say by itself; returns that part."""
    unsaid = cleared - known(tx.connection)
    standing = _standing(tx.connection, unsaid)
    if standing:
        tx.record(STREAM, "clearing.reapplied", standing.payload())
        tx.flush()
    clear(tx.connection, cleared)
    return standing


def _standing(connection: Connection, cleared: Cleared) -> Cleared:
    """Those of the places and persons that this database has at all."""
    places: set[Place] = set()
    for some in _some(cleared.places):
        key = tuple_(content.c.stream, content.c.seq, content.c.field)
        rows = connection.execute(select(content.c.stream, content.c.seq, content.c.field).where(key.in_(some)))
        places |= {Place(*r) for r in rows}
    there = connection.execute(select(person.c.id).where(person.c.id.in_(sorted(cleared.persons)))).scalars()
    return Cleared(frozenset(places), frozenset(there))


# ---------------------------------------------------------------- row by row, as in an archive
@dataclass
class Scrubber:
    """Cleanses rows of tables as plain mappings: first `learn` every row of `content` and `person`, then `row` all.

    In this order because a draft or a mail is known by the words alone, and those stand in the archive itself.
    """

    cleared: Cleared
    _texts: set[str] = field(default_factory=set)
    _names: dict[int, set[str]] = field(default_factory=dict)

    def learn(self, table: str, row: Mapping[str, Any]) -> None:
        """Remember the words that are to go."""
        if table == "content" and row["text"] and Place(row["stream"], row["seq"], row["field"]) in self.cleared.places:
            if row["field"] not in NAME_FIELDS:
                self._texts.add(row["text"].strip())
        elif table == "person" and row["id"] in self.cleared.persons and row["name"] != CLEARED_NAME:
            self._names.setdefault(row["id"], set()).add(row["name"])

    def row(self, table: str, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """The row without the words; None when nothing of it should be kept."""
        made = dict(row)
        match table:
            case "content" if Place(row["stream"], row["seq"], row["field"]) in self.cleared.places:
                made |= {"text": None, "salt": None}
            case "attachment" if Place(row["stream"], row["seq"], file_field(row["id"])) in self.cleared.places:
                made |= {"sha256": None, "salt": None}
            case "person" if row["id"] in self.cleared.persons:
                made["name"] = CLEARED_NAME
            case "draft" if self._is_told(row["fields"], row["person_id"]):
                return None
            case "ledger_view" if self._is_told(json.dumps([row["name"], json.loads(row["asked"])]), row["person_id"]):
                return None
            case "message" if self._is_told(row["context"], row["person_id"]):
                made["context"] = self._without(row["context"], row["person_id"])
        return made

    def _is_told(self, text: str, person_id: int) -> bool:
        names = self._names.get(person_id, ())
        return any(
            any(_carries(value, words) for words in self._texts) or any(name in value for name in names)
            for value in _strings(json.loads(text))
        )

    def _without(self, text: str, person_id: int) -> str:
        def cut(value: str) -> str:
            for words in self._texts:
                if _carries(value, words):
                    value = value.replace(words, CLEARED)
            for name in self._names.get(person_id, ()):
                value = value.replace(name, CLEARED_NAME)
            return value

        return json.dumps(_walk(json.loads(text), cut), ensure_ascii=False)


def _carries(value: str, words: str) -> bool:
    return value.strip() == words or (len(words) >= PLAIN_WORDS and words in value)


def _strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value."""
    match value:
        case str():
            yield value
        case list():
            for v in value:
                yield from _strings(v)
        case dict():
            yield from _strings(list(value.values()))


def _walk(value: Any, change: Callable[[str], str]) -> Any:
    """A JSON value with every string in it changed."""
    match value:
        case str():
            return change(value)
        case list():
            return [_walk(v, change) for v in value]
        case dict():
            return {k: _walk(v, change) for k, v in value.items()}
    return value


def texts_at(connection: Connection, stream: str, seq: int) -> Sequence[str]:
    """The fields of an event that still have their text, names left out."""
    found = select(content.c.field).where(
        content.c.stream == stream,
        content.c.seq == seq,
        content.c.text.is_not(None),
        content.c.field.not_in(NAME_FIELDS),
    )
    return connection.execute(found.order_by(content.c.field)).scalars().all()
