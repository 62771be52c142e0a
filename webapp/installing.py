"""What `duban init` does: tables, units, people, an administrator, and on demand a first running plan.

Everything can be run again: what is there already stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, select

from bpmn.library import plan_keys, plan_xml
from engine import accounts, enrolling, opening, ticking
from engine.admission import require_clean
from engine.enrolling import Enrolment
from ledger import organisation
from ledger.database import Database
from ledger.directory import (
    adopt_directories,
    directory_of,
    known_units,
    register_person,
    register_units,
    take_post,
)
from ledger.errors import NotEvery
from ledger.migrating import upgrade
from ledger.organisation import Organisation
from ledger.rules.verbs import Role
from ledger.schema import jurisdiction, post, run
from ledger.tables import TableError, said_of
from webapp import hashing
from webapp.given import InstallError, bytes_of
from webapp.people_file import people_of


def install(db: Database, organisation_key: str | None = None) -> str:
    """Create or migrate the tables, fill the directory of a place that has none with a shipped one; returns what was
    done, a sentence. Raises: InstallError.
    """
    upgrade(db.url)
    with db.write() as tx:
        ticking.start_ticking(tx, tx.now)
        adopted = [f"{known.name}单位目录已存入数据库。" for known in adopt_directories(tx)]
        if organisation_key is not None:
            known = load_organisation(organisation_key)
            new = register_units(tx, known)
            adopted.append(f"{known.name}单位目录新增 {new} 个单位，共 {len(known.units)} 个。")
    return f"数据库已就绪。{''.join(adopted)}"


def load_organisation(key: str) -> Organisation:
    """The organisation shipped under a key. Raises: InstallError."""
    try:
        return organisation.load(key)
    except KeyError:
        raise InstallError(f"没有名为“{key}”的单位目录；随附的有：{'、'.join(organisation.shipped())}。") from None


def only_place(connection: Connection) -> str:
    """The jurisdiction whose directory is kept here. Raises: InstallError where there is none yet."""
    key = connection.execute(select(jurisdiction.c.key).order_by(jurisdiction.c.key).limit(1)).scalar()
    if key is None:
        raise InstallError("还没有单位目录：请用 --organisation 指定随附的目录，或打开上面的网址在网页上设置。")
    return str(key)


def has_administrator(connection: Connection) -> bool:
    held = select(post.c.id).where(post.c.role == Role.ADMINISTRATOR, post.c.until.is_(None)).limit(1)
    return connection.execute(held).first() is not None


def add_administrator(db: Database, login: str, email: str, unit_key: str) -> str | None:
    """Add the first administrator; returns the password, or None where there is one already."""
    with db.write() as tx:
        if has_administrator(tx.connection):
            return None
        password = hashing.made()
        hashed = hashing.hashed_made(password)
        person_id = register_person(tx, login=login, name="管理员", email=email, password_hash=hashed, must_change=True)
        take_post(tx, person_id, unit_key, Role.ADMINISTRATOR)
    return password


def give_password(db: Database, login: str) -> str:
    """A new password for an account, which must be changed at the next log-in. Raises: NotFound."""
    password = hashing.made()
    hashed = hashing.hashed(password)
    with db.write() as tx:
        accounts.give_password(tx, login, hashed)
    return password


def add_people(db: Database, file: Path) -> dict[str, str]:
    """Add the people of a table (`webapp.people_file`), all or none; accounts and posts that are there stay.

    Returns the passwords that were made for lines without one, by login. Raises: InstallError naming every bad line.
    """
    with db.read() as connection:
        known = known_units(connection, only_place(connection))
    try:
        people, numbers = people_of(file.name, bytes_of(file), known)
        made, hashes = passwords_for(people)
        with db.write() as tx:
            done = enrolling.enrol(tx, people, hashes)
    except TableError as error:
        raise InstallError(str(error)) from None
    except NotEvery as error:
        raise InstallError("\n".join(said_of(error.reasons, numbers))) from None
    return {login: made[login] for login in done.accounts if login in made}


def passwords_for(people: Sequence[Enrolment]) -> tuple[dict[str, str], dict[str, str]]:
    """Passwords that are made for those who were given none, and all of them hashed, by login. Takes longer than a
    transaction should."""
    given = {one.login: one.password for one in people if one.password}
    made = {one.login: hashing.made() for one in people if one.login not in given}
    hashes = {login: hashing.hashed(password) for login, password in given.items()}
    return made, hashes | {login: hashing.hashed_made(password) for login, password in made.items()}


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
