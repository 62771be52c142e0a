"""What `duban init` does: tables, units, people, an administrator, and on demand a first running plan.

Everything can be run again: what is there already stays as it is.
"""

from __future__ import annotations

import csv
import secrets
from dataclasses import dataclass
from pathlib import Path

from argon2 import PasswordHasher
from sqlalchemy import select

from bpmn.library import plan_keys, plan_xml
from bpmn.lint import Finding, lint
from bpmn.reading import read_plan
from engine import opening, ticking
from ledger import organisation
from ledger.database import Database, Tx
from ledger.directory import register_person, register_units, take_post
from ledger.errors import Invalid
from ledger.migrating import upgrade
from ledger.organisation import Organisation
from ledger.rules.verbs import Role
from ledger.schema import person, run

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
        ticking.start_ticking(tx)
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
        password = secrets.token_urlsafe(9)
        hashed = PasswordHasher().hash(password)
        person_id = register_person(tx, login=login, name="管理员", email=email, password_hash=hashed)
        take_post(tx, person_id, unit, Role.ADMINISTRATOR)
    return password


def add_people(db: Database, file: Path, known: Organisation) -> dict[str, str]:
    """Add the people of a CSV file (login,name,email,unit,role,password), all or none; known logins stay as they are.

    Returns the passwords that were made for lines without one, by login. Raises: InstallError naming every bad line.
    """
    with db.read() as connection:
        there = set(connection.execute(select(person.c.login)).scalars())
    rows = [row for row in _read(file, known) if row.login not in there]
    made: dict[str, str] = {}
    hasher = PasswordHasher()
    with db.write() as tx:
        ids: dict[str, int] = {}
        for row in rows:
            if row.login not in ids:
                password = row.password or made.setdefault(row.login, secrets.token_urlsafe(9))
                ids[row.login] = _register(tx, row, hasher.hash(password))
            take_post(tx, ids[row.login], row.unit, row.role)
    return made


def _register(tx: Tx, row: Row, password_hash: str) -> int:
    try:
        return register_person(tx, login=row.login, name=row.name, email=row.email, password_hash=password_hash)
    except Invalid as error:
        raise InstallError(f"第 {row.line} 行：{error}") from error


def _read(file: Path, known: Organisation) -> list[Row]:
    rows, faults = [], []
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        missing = [c for c in COLUMNS[:-1] if c not in (reader.fieldnames or ())]
        if missing:
            raise InstallError(f"{file.name} 缺少列：{'、'.join(missing)}。第一行应为 {','.join(COLUMNS)}。")
        for fields in reader:
            row = Row(reader.line_num, *((fields.get(c) or "").strip() for c in COLUMNS))
            found = known.resolve(row.unit)
            fault = _fault(row, len(found.units) if found else 0)
            if fault:
                faults.append(f"第 {row.line} 行：{fault}")
            elif found:
                rows.append(Row(row.line, row.login, row.name, row.email, found.units[0].key, row.role, row.password))
    if faults:
        raise InstallError("\n".join(faults))
    return rows


def _fault(row: Row, units: int) -> str | None:
    if not (row.login and row.name and row.email):
        return "账号、姓名、邮箱都要填写。"
    if units != 1:
        return f"单位目录中没有“{row.unit}”这一个单位。"
    if row.role not in set(Role):
        return f"岗位“{row.role}”不对，可用：{'、'.join(f'{r.value}（{r.label}）' for r in Role)}。"
    return None


def findings(xml: bytes) -> list[Finding]:
    """The linter's findings against the organisation that the plan itself names."""
    try:
        known = organisation.load(read_plan(xml).facts.jurisdiction)
    except Exception:  # what cannot be read is what the linter explains
        known = Organisation("", "", (), ())
    return lint(xml, known)


def start_plan(db: Database, source: str) -> str:
    """Publish and start a plan of the library (by key) or of a file; returns a sentence. Raises: InstallError."""
    xml = plan_xml(source) if source in plan_keys() else _bytes(Path(source))
    errors = [f.message for f in findings(xml) if f.severity == "error"]
    if errors:
        raise InstallError("这份方案图还不能启动：\n" + "\n".join(errors))
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
    return file.read_bytes()
