"""The people file of `duban init`: hostile cells, encodings and sizes are named by their line; nobody is half registered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from engine.mail.rendering import Rendered
from engine.mail.smtp import compose
from ledger.clock import wall_now
from ledger.database import Database
from ledger.directory import account_faults
from ledger.migrating import upgrade
from ledger.rules.texts import as_seen, hidden_characters, is_formula
from ledger.schema import event, person, post
from tests.conftest import Moulds
from webapp import installing
from webapp.given import InstallError

HEAD = "login,name,email,unit,role,password\n"
GOOD = "renshe,陈静,renshe@example.gov.cn,市人社局,liaison,\n"


def _installed(url: str) -> int:
    upgrade(url)
    db = Database(url)
    installing.install(db, "huangshi")
    db.close()
    return 0


@pytest.fixture
def db(db_url: str, moulds: Moulds) -> Iterator[Database]:
    moulds.pour(_installed, db_url)
    made = Database(db_url)
    yield made
    made.close()


CELLS = {
    "formula in a name": "a,=HYPERLINK(1),a@example.gov.cn,市人社局,liaison,\n",
    "formula with a blank": "a, +1+1,a@example.gov.cn,市人社局,liaison,\n",
    "full-width formula": "a,＝1,a@example.gov.cn,市人社局,liaison,\n",
    "formula in a login": "=a,甲,a@example.gov.cn,市人社局,liaison,\n",
    "header in an address": 'a,甲,"a@example.gov.cn\r\nBcc: x@evil.example",市人社局,liaison,\n',
    "header in a name": 'a,"甲\r\nBcc: x@evil.example",a@example.gov.cn,市人社局,liaison,\n',
    "two addresses": 'a,甲,"a@example.gov.cn,b@evil.example",市人社局,liaison,\n',
    "address with a name": "a,甲,甲 <a@example.gov.cn>,市人社局,liaison,\n",
    "address of no shape": "a,甲,@,市人社局,liaison,\n",
    "address not ascii": "a,甲,甲@example.gov.cn,市人社局,liaison,\n",
    "path in a login": "../../etc/passwd,甲,a@example.gov.cn,市人社局,liaison,\n",
    "markup in a login": "<script>,甲,a@example.gov.cn,市人社局,liaison,\n",
    "turned name": "a,甲\u202e乙,a@example.gov.cn,市人社局,liaison,\n",
    "control in a name": "a,甲\x07乙,a@example.gov.cn,市人社局,liaison,\n",
    "long login": f"{'x' * 61},甲,a@example.gov.cn,市人社局,liaison,\n",
    "long name": f"a,{'长' * 41},a@example.gov.cn,市人社局,liaison,\n",
    "long address": f"a,甲,{'x' * 200}@example.gov.cn,市人社局,liaison,\n",
    "long password": f"a,甲,a@example.gov.cn,市人社局,liaison,{'x' * 201}\n",
    "unit as a path": "a,甲,a@example.gov.cn,../../etc,liaison,\n",
    "role as code": "a,甲,a@example.gov.cn,市人社局,__class__,\n",
    "too many columns": "a,甲,a@example.gov.cn,市人社局,liaison,,=1+1\n",
    "too few columns": "a,甲\n",
}
FILES = {
    "empty": b"",
    "nul": HEAD.encode() + b"a\0b,x,x@y,z,liaison,\n",
    "utf-16": (HEAD + GOOD).encode("utf-16"),
    "binary": bytes(range(256)) * 10,
    "zip": b"PK\x03\x04" + bytes(1000),
    "huge": HEAD.encode() + b"x" * 3_000_000,
    "huge cell": HEAD.encode() + b'"' + b"x" * 200_000 + b'",a,a@b,c,liaison,\n',
    "open quote": HEAD.encode() + b'"' + b"a\n" * 90_000,
    "100,000 lines": HEAD.encode() + b"a,b\n" * 100_000,
    "other columns": b"typename,__class__,version\n1,2,3\n",
    "twice the same column": b"login,login,name,email,unit,role,password\n",
}


@pytest.mark.parametrize("cell", CELLS)
def test_a_hostile_line_is_named_and_nobody_is_registered(db: Database, tmp_path: Path, cell: str) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes((HEAD + GOOD + CELLS[cell]).encode())
    refused(db, file, line=True)


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_is_refused_in_words(db: Database, tmp_path: Path, name: str) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(FILES[name])
    refused(db, file, line=False)


def refused(db: Database, file: Path, *, line: bool) -> None:
    with pytest.raises(InstallError) as caught:
        installing.add_people(db, file)
    words = str(caught.value)
    assert "请" in words or "不能用" in words or "应" in words or "不对" in words or "没有" in words or "都要" in words
    assert len(words) < 20_000 and not hidden_characters(words.replace("\n", ""))
    if line:
        assert words.startswith("第 3 行") or words.startswith("第 4 行"), words
    with db.read() as connection:
        for table in (person, post):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0
        kinds = set(connection.execute(select(event.c.kind)).scalars())
    assert kinds == {"jurisdiction.registered", "unit.registered", "group.described"}


def test_a_whole_file_goes_in(db: Database, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(b"\xef\xbb\xbf" + (HEAD + GOOD).encode().replace(b"\n", b"\r\n"))
    assert set(installing.add_people(db, file)) == {"renshe"}


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(login=st.text(max_size=70), name=st.text(max_size=50), email=st.text(max_size=60) | st.emails())
def test_what_is_no_fault_can_stand_in_a_mail_and_in_a_sheet(login: str, name: str, email: str) -> None:
    faults = account_faults(login, name, email)
    if "email" not in faults:
        mail = compose(
            "duban@example.gov.cn",
            email,
            Rendered("标题", "文", "<p>文</p>", "digest", "2025-05-23"),
            "<1@d>",
            wall_now(),
        )
        assert str(mail["To"]) == email
        assert b"\r\n\r\n" in mail.as_bytes()
    if "name" not in faults:
        assert as_seen(name) == name and not is_formula(name) and not set(name) & set("\n\r\t")
    if "login" not in faults:
        assert not is_formula(login) and not set(login) & set("/\\<>\"' \n\r\t\0")


@given(st.text())
def test_visible_text_stays_what_it_is(text: str) -> None:
    once = as_seen(text)
    assert as_seen(once) == once
    assert not hidden_characters(once)
    once.encode()  # no half of a character is left


@pytest.mark.parametrize("name", ["\u3164", "\ufe0f", "\u200d", "王" + "\u0335" * 9])
def test_a_name_can_be_seen_and_covers_nothing(name: str) -> None:
    assert set(account_faults("wang", name, "wang@example.gov.cn")) == {"name"}
