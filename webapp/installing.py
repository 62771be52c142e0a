"""What `duban init` does: tables, units, people, an administrator, and on demand a first running plan.

Everything can be run again: what is there already stays as it is.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from bpmn.library import plan_keys, plan_xml
from bpmn.xml import MAX_BYTES
from engine import accounts, opening, ticking
from engine.admission import require_clean
from ledger import organisation
from ledger.database import Database, Tx
from ledger.directory import account_faults, directory_of, register_person, register_units, take_post
from ledger.errors import Invalid
from ledger.migrating import upgrade
from ledger.organisation import Organisation
from ledger.rules.texts import as_seen
from ledger.rules.verbs import Role
from ledger.schema import person, run
from webapp import hashing

MOST_FAULTS = 100
COLUMNS = ("login", "name", "email", "unit", "role", "password")


class InstallError(Exception):
    """The installation cannot go on; every reason stands on a line of its own."""


@dataclass(frozen=True)
class Row:
    """One line of the people file: a person's account and one post. More posts are more lines with the same login."""

    line: int
    login: str
    name: str
    email: str
    unit: str
    role: str
    password: str


def install(db: Database, organisation_key: str) -> str:
    """Create or migrate the tables, register the organisation's units; returns what was done, a sentence."""
    upgrade(db.url)
    known = load_organisation(organisation_key)
    with db.write() as tx:
        new = register_units(tx, known)
        ticking.start_ticking(tx, tx.now)
    return f"数据库已就绪；{known.name}单位目录新增 {new} 个单位，共 {len(known.units)} 个。"


def load_organisation(key: str) -> Organisation:
    """The organisation shipped under a key. Raises: InstallError."""
    try:
        return organisation.load(key)
    except KeyError:
        raise InstallError(f"没有名为“{key}”的单位目录。") from None


def add_administrator(db: Database, login: str, email: str, unit: str) -> str | None:
    """Add the first administrator; returns the password, or None when the account is there already."""
    with db.write() as tx:
        if tx.connection.execute(select(person.c.id).where(person.c.login == login)).first():
            return None
        password = hashing.made()
        hashed = hashing.hashed(password)
        person_id = register_person(tx, login=login, name="管理员", email=email, password_hash=hashed, must_change=True)
        take_post(tx, person_id, unit, Role.ADMINISTRATOR)
    return password


def give_password(db: Database, login: str) -> str:
    """A new password for an account, which must be changed at the next log-in. Raises: NotFound."""
    password = hashing.made()
    hashed = hashing.hashed(password)
    with db.write() as tx:
        accounts.give_password(tx, login, hashed)
    return password


def add_people(db: Database, file: Path, known: Organisation) -> dict[str, str]:
    """Add the people of a CSV file (login,name,email,unit,role,password), all or none; known logins stay as they are.

    Returns the passwords that were made for lines without one, by login. Raises: InstallError naming every bad line.
    """
    with db.read() as connection:
        there = set(connection.execute(select(person.c.login)).scalars())
    rows = [row for row in _read(file, known) if row.login not in there]
    made: dict[str, str] = {}
    with db.write() as tx:
        ids: dict[str, int] = {}
        for row in rows:
            if row.login not in ids:
                password = row.password or made.setdefault(row.login, hashing.made())
                ids[row.login] = _register(tx, row, hashing.hashed(password))
            take_post(tx, ids[row.login], row.unit, row.role)
    return made


def _register(tx: Tx, row: Row, password_hash: str) -> int:
    try:
        return register_person(
            tx, login=row.login, name=row.name, email=row.email, password_hash=password_hash, must_change=True
        )
    except Invalid as error:
        raise InstallError(f"第 {row.line} 行：{error}") from error


def _read(file: Path, known: Organisation) -> list[Row]:
    rows, faults = [], []
    reader = csv.DictReader(_lines(file))
    try:
        missing = [c for c in COLUMNS[:-1] if c not in (reader.fieldnames or ())]
        if missing:
            raise InstallError(f"{file.name} 缺少列：{'、'.join(missing)}。第一行应为 {','.join(COLUMNS)}。")
        for fields in reader:
            row = Row(reader.line_num, *((fields.get(c) or "").strip() for c in COLUMNS))
            found = known.resolve(row.unit)
            fault = _fault(row, len(found.units) if found else 0)
            if None in fields:
                fault = "列数比第一行多，请检查逗号和引号。"
            if fault:
                faults.append(f"第 {row.line} 行：{fault}")
            elif found:
                rows.append(Row(row.line, row.login, row.name, row.email, found.units[0].key, row.role, row.password))
    except csv.Error:
        raise InstallError(f"{file.name} 第 {reader.line_num + 1} 行不是 CSV 的写法，请重新导出。") from None
    if faults:
        raise InstallError("\n".join([*faults[:MOST_FAULTS], *(["……"] if len(faults) > MOST_FAULTS else [])]))
    return rows


def _lines(file: Path) -> list[str]:
    content = bytes_of(file)
    if len(content) > MAX_BYTES:
        raise InstallError(f"{file.name} 太大，请拆成几份，每份不超过 {MAX_BYTES // 1000} KB。")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InstallError(f"{file.name} 不是 UTF-8 编码，请在表格软件里另存为“CSV UTF-8”。") from None
    if "\0" in text:
        raise InstallError(f"{file.name} 里有空字节，不是 CSV 文件，请重新导出。")
    return text.splitlines(keepends=True)


def _fault(row: Row, units: int) -> str | None:
    if not (row.login and row.name and row.email):
        return "账号、姓名、邮箱都要填写。"
    if faults := account_faults(row.login, row.name, row.email):
        return "".join(faults.values())
    if len(row.password) > 200:
        return "密码太长，请写 200 个字符以内的密码。"
    if units != 1:
        return f"单位目录中没有“{as_seen(row.unit)[:80]}”这一个单位。"
    if row.role not in set(Role):
        return f"岗位“{as_seen(row.role)[:40]}”不对，可用：{'、'.join(f'{r.value}（{r.label}）' for r in Role)}。"
    return None


def start_plan(db: Database, source: str) -> str:
    """Publish and start a plan of the library (by key) or of a file; returns a sentence.

    Raises: InstallError; Refused with what the linter has against it.
    """
    xml = plan_xml(source) if source in plan_keys() else _bytes(Path(source))
    with db.read() as connection:
        require_clean(xml, directory_of(connection))  # before anybody has to wait for the transaction
    with db.write() as tx:
        version_id = opening.publish(tx, xml)
        running = select(run.c.id).where(run.c.version_id == version_id, run.c.ended_at.is_(None))
        if (known := tx.connection.execute(running).scalar()) is not None:
            return f"这份方案正在实施中（编号 {known}），没有再启动。"
        run_id = opening.start_run(tx, version_id)
    return f"方案已启动，编号 {run_id}。"


def _bytes(file: Path) -> bytes:
    if not file.is_file():
        raise InstallError(f"没有文件“{file}”；方案库里有：{'、'.join(plan_keys())}。")
    return bytes_of(file)


def bytes_of(file: Path) -> bytes:
    """What stands in a file, no more than shows that it is too much. A pipe would be waited for without end.

    Raises: InstallError.
    """
    try:
        if not file.is_file():
            raise InstallError(f"“{file}”不是普通文件，不能读取；请指定磁盘上的一个文件。")
        with file.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InstallError(f"“{file}”读不出来（{error.strerror}）；请检查文件和读取权限。") from error
