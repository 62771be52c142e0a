"""Files that hang on events: who refers to which content, whether everything still holds, clearing, what to back up.

Content is referred to by rows of `attachment` and `upload`. A reference is committed before the content takes its place
in the store, and content is removed only under `_no_new_references`; so what is referred to is never removed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Integer, String, and_, bindparam, cast, func, literal, select, text, update

from ledger.clock import wall_now
from ledger.database import Database, Tx
from ledger.errors import NotFound
from ledger.events import digest, file_field
from ledger.files import Store, digest_of
from ledger.rules.filetypes import IMAGES, SHOWN
from ledger.schema import AnyRow, assignment, attachment, content, event, item, run, upload
from ledger.visibility import Sight
from ledger.visibility import readable as readable_shares

T = TypeVar("T")

AT_ONCE = 500
SETTLED_AFTER = 3600  # seconds: what was stored a moment ago may have its reference in a newer view of the database


@dataclass(frozen=True)
class Attached:
    """A file as pages list it; `name` is None when it was cleared."""

    id: int
    name: str | None
    size: int
    media_type: str

    @property
    def is_image(self) -> bool:
        """Whether a browser can show it in a page."""
        return self.media_type in IMAGES

    @property
    def is_shown(self) -> bool:
        """Whether a browser can open it by itself."""
        return self.media_type in SHOWN


class Held(NamedTuple):
    """Content the store must hold; `staged` when only a form that was not handed in refers to it."""

    sha256: str
    size: int
    staged: bool


# ---------------------------------------------------------------- reading
_FILE = (
    select(
        attachment.c.size,
        attachment.c.media_type,
        attachment.c.sha256,
        attachment.c.assignment_id.label("share"),  # none (0): it belongs to the item, as what a case came with does
        item.c.id.label("item_id"),
        run.c.office,
        run.c.jurisdiction,
        content.c.text,
    )
    .select_from(
        attachment.join(item, item.c.id == cast(func.substr(attachment.c.stream, len("item:") + 1), Integer))
        .join(run, run.c.id == item.c.run_id)
        .outerjoin(
            content,
            and_(
                content.c.stream == attachment.c.stream,
                content.c.seq == attachment.c.seq,
                content.c.field == literal("file-").concat(cast(attachment.c.id, String)),
            ),
        )
    )
    .where(attachment.c.id == bindparam("b_id"))
)
_SHARES = select(
    assignment.c.id, assignment.c.unit, assignment.c.role, assignment.c.state, assignment.c.parent_id
).where(assignment.c.item_id == bindparam("b_item"))


def files_of(payload: Mapping[str, Any], texts: Mapping[str, str | None]) -> list[Attached]:
    """The files of an event, by its payload and its texts."""
    return [Attached(f["id"], texts.get(file_field(f["id"])), f["size"], f["type"]) for f in payload.get("files", ())]


def readable(connection: Connection, sight: Sight, attachment_id: int) -> tuple[Attached, str]:
    """A file and the digest of its content, for those who read the reports of its share; what belongs to the item is
    for all who take part in it. Raises: NotFound."""
    found = connection.execute(_FILE, {"b_id": attachment_id}).one_or_none()
    if found is None or not _may_read(connection, sight, found):
        raise NotFound("没有这个附件，或者它不在您的岗位可以查看的范围内。")
    if found.sha256 is None or found.text is None:
        raise NotFound("这个附件已依规清除。")
    return Attached(attachment_id, found.text, found.size, found.media_type), found.sha256


def _may_read(connection: Connection, sight: Sight, found: AnyRow) -> bool:
    shares = connection.execute(_SHARES, {"b_item": found.item_id}).all()
    read = readable_shares(sight, found.office, found.jurisdiction, shares)
    return found.share in read or (
        not found.share and (bool(read) or sight.reads_all(found.office, found.jurisdiction))
    )


def carried(connection: Connection) -> Iterator[Held]:
    """What a backup must carry, each content once; staged uploads included, since nothing uploaded is lost."""
    kept = select(attachment.c.sha256, attachment.c.size).where(attachment.c.sha256.is_not(None)).distinct()
    for r in connection.execute(kept.order_by(attachment.c.sha256)):
        yield Held(r.sha256, r.size, staged=False)
    staged = select(upload.c.sha256, upload.c.size).where(upload.c.stored).distinct()
    others = staged.where(upload.c.sha256.not_in(select(attachment.c.sha256).where(attachment.c.sha256.is_not(None))))
    for r in connection.execute(others.order_by(upload.c.sha256)):
        yield Held(r.sha256, r.size, staged=True)


# ---------------------------------------------------------------- letting go
def referred(connection: Connection, digests: Collection[str]) -> set[str]:
    """Those of these digests that a row refers to."""
    rows = select(upload.c.sha256).where(upload.c.sha256.in_(digests))
    return set(
        connection.execute(rows.union(select(attachment.c.sha256).where(attachment.c.sha256.in_(digests)))).scalars()
    )


def release(db: Database, store: Store, digests: Iterable[str]) -> int:
    """Remove content that nobody refers to (any more) from the store; returns how many files went."""
    rest, removed = iter(digests), 0
    while some := list(islice(rest, AT_ONCE)):
        with db.read() as connection:
            free = set(some) - referred(connection, some)
        if free:
            removed += _remove(db, store, free)
    return removed


def _remove(db: Database, store: Store, digests: Collection[str]) -> int:
    with db.write() as tx:
        _no_new_references(tx)
        free = sorted(set(digests) - referred(tx.connection, digests))
        for sha256 in free:
            store.remove(sha256)
    return len(free)


def _no_new_references(tx: Tx) -> None:
    """Until this transaction ends nobody gives content a new reference: each begins its life in `upload`. SQLite has
    one writer anyway."""
    if tx.connection.dialect.name == "postgresql":
        tx.connection.execute(text("LOCK TABLE upload IN SHARE ROW EXCLUSIVE MODE"))


# ---------------------------------------------------------------- 依规清除
_clear = (
    update(attachment)
    .where(
        attachment.c.stream == bindparam("b_stream"),
        attachment.c.seq == bindparam("b_seq"),
        attachment.c.id == bindparam("b_id"),
    )
    .values(salt=None, sha256=None)
)


def clear(connection: Connection, places: Iterable[tuple[str, int, str]]) -> list[str]:
    """Clear the files among places (stream, seq, field) of texts, a file's being named "file-7"; its name is a text
    like any other and left to the caller. Returns the digests to `release` after the commit: content that other
    entries refer to stays for them."""
    freed = []
    for stream, seq, field in sorted(places):
        kind, _, number = field.partition("-")
        if kind != "file" or not number.isdigit():
            continue
        values = {"b_stream": stream, "b_seq": seq, "b_id": int(number)}
        found = select(attachment.c.sha256).where(attachment.c.stream == stream, attachment.c.seq == seq)
        sha256 = connection.execute(found.where(attachment.c.id == int(number))).scalar_one_or_none()
        if sha256 is not None:
            freed.append(sha256)
            connection.execute(_clear, values)
    return freed


# ---------------------------------------------------------------- whether it holds
Difference = tuple[str, dict[str, Any]]

_SAYING = (  # events that carry files, with their rows
    select(event.c.stream, event.c.seq, event.c.payload)
    .where(event.c.payload.like('%"files":[{%'))
    .order_by(event.c.stream, event.c.seq)
)
_ROWS = select(attachment).order_by(attachment.c.id)


def differences(
    connection: Connection, store: Store | None, *, cleared: Collection[tuple[str, int, str]] | None = None
) -> Iterator[Difference]:
    """What does not hold: (a sentence, where). Events against rows, rows against the store, the store against both;
    without a store the rows alone.

    Every file is read and hashed once. `cleared` are the places of files that were cleared by the rules; a row that is
    empty without standing there was tampered with (None: not asked).
    """
    yield from _rows_of_events(connection, cleared)
    if store is not None:
        yield from _contents(connection, store)
        yield from _unreferred(connection, store)


def _rows_of_events(connection: Connection, cleared: Collection[tuple[str, int, str]] | None) -> Iterator[Difference]:
    said: dict[int, tuple[str, int, Mapping[str, Any]]] = {}
    for r in connection.execute(_SAYING):
        payload = json.loads(r.payload)
        for f in payload.get("files", ()):
            said[f["id"]] = (r.stream, r.seq, {**f, "assignment": payload.get("assignment", 0)})
    for row in connection.execute(_ROWS):
        found = said.pop(row.id, None)
        where = {"stream": row.stream, "seq": row.seq, "field": file_field(row.id)}
        if found is None:
            yield f"{_place(row)}在记录里没有（附件被添加，或记录被改动）", where
            continue
        yield from ((f"{_place(row)}{words}", where) for words in _row_faults(row, *found, cleared))
    for number, (stream, seq, _) in said.items():
        yield f"{stream} 第 {seq} 号的附件 {number} 不见了", {"stream": stream, "seq": seq, "field": file_field(number)}


def _row_faults(
    row: AnyRow, stream: str, seq: int, f: Mapping[str, Any], cleared: Collection[tuple[str, int, str]] | None
) -> Iterator[str]:
    told = (stream, seq, f["assignment"], f["size"], f["type"])
    if (row.stream, row.seq, row.assignment_id, row.size, row.media_type) != told:
        yield "与记录所说的位置、单位、大小或类型不符（附件被改动）"
    elif row.sha256 is None and row.salt is None:
        if cleared is not None and (row.stream, row.seq, file_field(row.id)) not in cleared:
            yield "被抹去，没有依规清除的记录"
    elif cleared and (row.stream, row.seq, file_field(row.id)) in cleared:
        yield "已依规清除，却仍然留着"
    elif row.sha256 is None or row.salt is None or digest(row.salt, row.sha256) != f["digest"]:
        yield "与其摘要不符（附件被改动）"


def _contents(connection: Connection, store: Store) -> Iterator[Difference]:
    """Every content that a row refers to, read once."""
    for some in _batches(carried(connection)):
        owners = _owners(connection, [held.sha256 for held in some])
        for held in some:
            if fault := _content_fault(store, held):
                where = {"file": held.sha256}
                yield f"{owners.get(held.sha256, '待提交的附件')}{fault}", where


def _content_fault(store: Store, held: Held) -> str:
    try:
        with store.path(held.sha256).open("rb") as file:
            if file.seek(0, 2) != held.size:
                return "的文件大小不对（文件被改动或截断）"
            if digest_of(file) != held.sha256:
                return "的文件内容与其摘要不符（文件被改动）"
    except FileNotFoundError:
        return "的文件不见了"
    except OSError as error:
        return f"的文件读不出来（{error.strerror}）"
    return ""


def _owners(connection: Connection, digests: Sequence[str]) -> dict[str, str]:
    rows = connection.execute(
        select(attachment).where(attachment.c.sha256.in_(digests)).order_by(attachment.c.id.desc())
    )
    return {r.sha256: _place(r) for r in rows}


def _unreferred(connection: Connection, store: Store) -> Iterator[Difference]:
    now = wall_now().timestamp()
    for some in _batches(store.digests()):
        for sha256 in sorted(set(some) - referred(connection, some)):
            if store.age(sha256, now) > SETTLED_AFTER:
                yield f"附件库里的文件 {sha256[:12]} 没有任何记录提到", {"file": sha256}


def _place(row: AnyRow) -> str:
    return f"{row.stream} 第 {row.seq} 号的附件 {row.id} "


def _batches(found: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(found)
    while some := list(islice(rest, AT_ONCE)):
        yield some
