"""Files that people put into forms, until they are handed in. State without events, kept by the wall clock.

A file is announced, arrives in chunks, and is stored when it is whole and of the kind that its name says. What is
refused leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import IO, BinaryIO

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from ledger import sheet_texts
from ledger.attachments import Attached, release
from ledger.database import Database
from ledger.errors import Invalid, NotFound
from ledger.files import BLOCK, Store, digest_of, sync
from ledger.rules import filenames
from ledger.rules.filetypes import ARCHIVES, KINDS, is_what_it_says
from ledger.rules.personal import personal_numbers
from ledger.schema import AnyRow, upload
from ledger.writing import Stale

MB = 1024 * 1024
MOST = 100  # files that one person may have waiting in all forms together
FIELD = "files"  # the form field beside which a refusal stands
SHA256 = "sha256:"  # a mark that the browser could work out; else it is size and date of change
GONE = "这个附件已经提交或移除，请刷新页面核对。"

_insert = insert(upload)
_own = select(upload).where(upload.c.id == bindparam("b_id"), upload.c.person_id == bindparam("b_person"))
_refer = update(upload).where(upload.c.id == bindparam("b_id")).values(sha256=bindparam("b_sha256"))
_stored = update(upload).where(upload.c.id == bindparam("b_id")).values(stored=True)


@dataclass(frozen=True)
class Limits:
    """What a deployment takes: extensions, bytes a file, files an act."""

    types: frozenset[str]
    size: int
    count: int

    def require_count(self, count: int) -> None:
        """Raises: Invalid, for more files than one act may have."""
        if count > self.count:
            raise Invalid({FIELD: f"一次最多附 {self.count} 个文件。请移除不需要的，或分几次填报。"})


@dataclass(frozen=True)
class Staged(Attached):
    """A file that waits in a form; `received` bytes of it have arrived, `stored` says that all have."""

    received: int
    stored: bool

    @property
    def percent(self) -> int:
        return 100 * self.received // self.size


def staged(connection: Connection, store: Store, person_id: int, forms: Collection[str]) -> dict[str, list[Staged]]:
    """What a person has put into these forms, by form, in the order in which it was chosen."""
    found: dict[str, list[Staged]] = {form: [] for form in forms}
    if not found:
        return found
    rows = select(upload).where(upload.c.person_id == person_id, upload.c.form.in_(sorted(found)))
    for r in connection.execute(rows.order_by(upload.c.id)):
        found[r.form].append(_staged(r, store))
    return found


def own(connection: Connection, store: Store, person_id: int, upload_id: int) -> tuple[Staged, str | None]:
    """One of a person's waiting files, and the digest of its content when that has arrived. Raises: NotFound."""
    r = _own_row(connection, person_id, upload_id)
    return _staged(r, store), r.sha256 if r.stored else None


def _own_row(connection: Connection, person_id: int, upload_id: int) -> AnyRow:
    row = connection.execute(_own, {"b_id": upload_id, "b_person": person_id}).one_or_none()
    if row is None:
        raise NotFound(GONE)
    return row


def _staged(r: AnyRow, store: Store) -> Staged:
    received = r.size if r.stored else min(store.received(r.id), r.size)
    return Staged(r.id, r.name, r.size, r.media_type, received, r.stored)


# ---------------------------------------------------------------- arriving
def announce(
    db: Database, store: Store, limits: Limits, person_id: int, form: str, *, name: str, size: int, mark: str
) -> Staged:
    """A file that is to come; the same one again goes on where it stopped. Raises: Invalid, in words for the field."""
    clean = filenames.cleaned(name)
    _, extension = filenames.split(clean)
    if words := refusal(limits, name, extension.lower(), size):
        raise Invalid({FIELD: f"“{clean}”{words}"})
    values = {"form": form, "person_id": person_id, "mark": mark[:80], "name": clean, "size": size}
    with db.write() as tx:
        waiting = select(upload).where(upload.c.person_id == person_id)
        same = waiting.where(*(upload.c[key] == value for key, value in values.items()))
        if row := tx.connection.execute(same).first():
            return _staged(row, store)
        _require_room(tx.connection, limits, person_id, form)
        number = tx.allocate("upload")[0]
        values |= {"id": number, "media_type": KINDS[extension.lower()].media_type, "at": tx.recorded_at}
        tx.writes.write(_insert, {**values, "sha256": None, "stored": False})
    return Staged(number, clean, size, str(values["media_type"]), 0, False)


def refusal(limits: Limits, name: str, extension: str, size: int) -> str:
    """Why a file is not taken, by what is known before it comes; nothing if it is."""
    if mark := filenames.secret_mark(name):
        return f"标有“{mark}”。本系统为非涉密系统，严禁上传国家秘密和工作秘密，文件已拒收，没有留存。"
    if personal_numbers(name):
        return "的名称里有身份证号或手机号码，没有留存。请改名后再传。"
    if extension in ARCHIVES:
        return "是压缩包，看不出里面有什么。请把文件逐个上传，可以一次选多个。"
    if extension not in limits.types:
        return f"不是可以上传的类型。可以传：{'、'.join(kind for kind in KINDS if kind in limits.types)}。"
    if size <= 0:
        return "是空文件，请检查后重新选择。"
    if size > limits.size:
        tenths = -(-size * 10 // MB)  # rounded up: what is too big by one byte must not read as if it fitted
        return f"有 {tenths / 10} MB，超过每个 {limits.size // MB} MB 的上限，请缩小后再传。"
    return ""


def _require_room(connection: Connection, limits: Limits, person_id: int, form: str) -> None:
    of_form = func.count().filter(upload.c.form == form)
    there, everywhere = connection.execute(
        select(of_form, func.count()).select_from(upload).where(upload.c.person_id == person_id)
    ).one()
    limits.require_count(there + 1)
    if everywhere >= MOST:
        raise Invalid({FIELD: f"您还有 {everywhere} 个附件没有提交。请先提交，或移除不需要的。"})


def accept(db: Database, store: Store, person_id: int, upload_id: int, offset: int, chunk: bytes) -> Staged:
    """Take a chunk; with the last one the file is checked and stored.

    Raises: NotFound; Misplaced where a chunk is missing before this one; Invalid when the file is not what it says.
    """
    with db.read() as connection:
        row = _own_row(connection, person_id, upload_id)
    if row.stored:
        return _staged(row, store)
    if not (row.sha256 and store.has(row.sha256)):  # else it only has to be said that the store holds it
        received = store.append(upload_id, offset, chunk, size=row.size)
        if received < row.size:
            return Staged(row.id, row.name, row.size, row.media_type, received, False)
        _store(db, store, row)
    with db.write() as tx:
        _own_row(tx.connection, person_id, upload_id)
        tx.writes.write(_stored, {"b_id": upload_id})
    return Staged(row.id, row.name, row.size, row.media_type, row.size, True)


def _store(db: Database, store: Store, row: AnyRow) -> None:
    """Check a file that is whole, commit that something refers to its content, then give it its place."""
    with store.arrived(row.id) as file:
        sha256 = digest_of(file)
        if words := _fault(file, row, sha256):
            with db.write() as tx:
                tx.connection.execute(delete(upload).where(upload.c.id == row.id))
            store.forget(row.id)
            raise Invalid({FIELD: f"“{row.name}”{words}"})
        sync(file)
        try:
            with db.write() as tx:
                tx.writes.guard(_refer, {"b_id": row.id, "b_sha256": sha256})
        except Stale as error:  # it was removed while its last chunk was on the way
            store.forget(row.id)
            raise NotFound(GONE) from error
        store.place(row.id, sha256)


def _fault(file: BinaryIO, row: AnyRow, sha256: str) -> str:
    if row.mark.startswith(SHA256) and row.mark != SHA256 + sha256:
        return "在传输中出了差错，请重新选择。"
    extension = filenames.split(row.name)[1].lower()
    if not is_what_it_says(extension, file):
        return f"的内容不是 {extension} 文件，没有留存。请用原来的软件打开，另存为 {extension} 后再传。"
    return sheet_texts.fault_of(extension, file)


def take(
    db: Database, store: Store, limits: Limits, person_id: int, form: str, *, name: str, source: IO[bytes]
) -> Staged:
    """A file that has come in one piece, as from a browser without JavaScript. Raises: Invalid."""
    size = source.seek(0, 2)
    made = announce(db, store, limits, person_id, form, name=name, size=size, mark=SHA256 + digest_of(source))
    source.seek(made.received)
    offset = made.received
    while not made.stored:
        chunk = source.read(BLOCK)
        made = accept(db, store, person_id, made.id, offset, chunk)
        offset += len(chunk)
    return made


# ---------------------------------------------------------------- going
def remove(db: Database, store: Store, person_id: int, upload_id: int) -> str:
    """Take a file out of its form again, whose name is returned. Raises: NotFound."""
    with db.write() as tx:
        row = _own_row(tx.connection, person_id, upload_id)
        tx.connection.execute(delete(upload).where(upload.c.id == upload_id))
    store.forget(upload_id)
    release(db, store, [row.sha256] if row.sha256 else [])
    return str(row.form)


def sweep(db: Database, store: Store, before: datetime) -> int:
    """Forget what was put into forms before this instant, and remove what nobody refers to; returns how many files
    went. Any number of processes may do this at once."""
    with db.write() as tx:
        tx.connection.execute(delete(upload).where(upload.c.at < before))
    arriving = list(store.uploads())
    with db.read() as connection:
        known = set(connection.execute(select(upload.c.id)).scalars())
    for number in arriving:
        if number not in known:
            store.forget(number)
    return release(db, store, store.digests())
