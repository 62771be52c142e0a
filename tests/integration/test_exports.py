"""Sheets of the ledger: what the page shows, all of it and nothing else, written by whoever ticks."""

from __future__ import annotations

import html
import multiprocessing
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import time_machine
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import select, update
from xlsxwriter.exceptions import FileCreateError

from ledger import exports
from ledger.clock import wall_now
from ledger.database import Database
from ledger.exports import write_next
from ledger.files import Store
from ledger.queries.columns import COLUMNS
from ledger.queries.ledger import Filters
from ledger.schema import export
from ledger.sheets import AT_ONCE, Head, write_apart, write_sheet
from webapp.app import create_app
from webapp.demo.office import Office
from webapp.settings import Settings

WANTED = (
    "columns=no.light.title.lead.responsible.cooperating.feedback.left.figure.state.plan.heading.due_text"
    ".timeliness.reason.clause.due"
)


@pytest.fixture
def enter(office: Office, tmp_path: Path) -> Iterator[Callable[[str], FlaskClient]]:
    settings = Settings(secret_key=SecretStr("x" * 32), database_url=office.db.url, files=str(tmp_path / "files"))
    app = create_app(settings, office.db)
    app.config["WTF_CSRF_ENABLED"] = False

    def entered(login: str) -> FlaskClient:
        client = app.test_client()
        client.post("/login", data={"account": login, "password": "duban-demo"})
        return client

    yield entered


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "files")


def sheet_of(client: FlaskClient, tmp_path: Path, number: int) -> list[tuple[Any, ...]]:
    answer = client.get(f"/exports/{number}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/vnd.openxmlformats-officedocument.spreadsheetml")
    path = tmp_path / "got.xlsx"
    path.write_bytes(answer.data)
    answer.close()
    book = openpyxl.load_workbook(path)
    assert book["台账"].freeze_panes == "A2"
    return list(book["台账"].iter_rows(values_only=True))


def shown(client: FlaskClient, query: str) -> list[list[str]]:
    """The cells of every page of the ledger, as a person reads them."""
    lines, page = [], 1
    while True:
        page_of = client.get(f"/ledger?{query}&page={page}").get_data(as_text=True)
        for row in re.findall(r"<tr>\s*(<t[dh] .*?)</tr>", page_of, re.S):
            if 'scope="col"' in row:
                continue
            cells = re.findall(r"<(t[dh])[^>]*>(.*?)</\1>", row, re.S)
            unseen = r'<small.*?</small>|<span class="(?:only-phone|vh).*?</span>|<[^>]+>'
            plain = [re.sub(unseen, "", c) for _, c in cells]
            lines.append([html.unescape(cell.strip()) for cell in plain])
        if 'rel="next"' not in page_of:
            return lines
        page += 1


def test_a_sheet_is_what_the_page_shows(
    office: Office, enter: Callable[[str], FlaskClient], store: Store, tmp_path: Path
) -> None:
    client = enter("zhuanban")
    assert client.post("/exports", data={"asked": f"{WANTED}&sort=no&page=2"}).status_code == 302
    assert "排队中" in client.get("/exports").get_data(as_text=True)
    assert client.get("/exports/1").status_code == 404  # not written yet
    assert write_next(office.db, store)
    assert not write_next(office.db, store)
    assert "已写好" in client.get("/exports").get_data(as_text=True)
    head, *rows = sheet_of(client, tmp_path, 1)
    keys = WANTED.removeprefix("columns=").split(".")
    assert list(head) == [COLUMNS[key].words for key in keys]
    said = shown(client, f"{WANTED}&sort=no")
    assert len(rows) == len(said) > 24  # more than a page
    for row, cells in zip(rows, said, strict=True):
        *plain, due = row
        assert [("—" if value is None else str(value)) for value in plain] == cells[:-1]
        assert cells[-1] == ("未定" if due is None else f"{due:%m-%d}")  # a real date
    assert any(row[-1] and row[-1].date() == date(2025, 8, 31) for row in rows)


def test_a_sheet_holds_what_its_person_may_see_and_is_for_nobody_else(
    office: Office, enter: Callable[[str], FlaskClient], store: Store, tmp_path: Path
) -> None:
    liaison, stranger = enter("hubei-shifan"), enter("daye")
    liaison.post("/exports", data={"asked": ""})
    assert write_next(office.db, store)
    _, *rows = sheet_of(liaison, tmp_path, 1)
    said = shown(liaison, "size=100")
    assert [row[2] for row in rows] == [cells[2] for cells in said]
    assert 0 < len(rows) < 33
    assert stranger.get("/exports/1").status_code == 404
    assert stranger.post("/exports/1/remove").status_code == 404
    assert "还没有导出" in stranger.get("/exports").get_data(as_text=True)
    assert liaison.post("/exports/1/remove").status_code == 302
    assert liaison.get("/exports/1").status_code == 404
    assert not exports.path_of(store, 1).exists()


def test_a_form_sent_twice_is_one_sheet_and_there_are_not_too_many(
    office: Office, enter: Callable[[str], FlaskClient]
) -> None:
    client = enter("zhuanban")
    for _ in range(2):
        assert client.post("/exports", data={"asked": "", "once": "a"}).status_code == 302
    with office.db.read() as connection:
        assert len(exports.of_person(connection, office.holder("jiuye-lingdao", "coordinator"))) == 1
    for n in range(exports.MOST - 1):
        client.post("/exports", data={"asked": f"words={n}", "once": f"b{n}"})
    refused = client.post("/exports", data={"asked": "words=x", "once": "c"})
    assert refused.status_code == 409
    assert "请先删除" in refused.get_data(as_text=True)


def test_a_sheet_whose_writer_died_is_written_by_another(office: Office, store: Store) -> None:
    number = _asked(office)
    _set(office.db, state="writing", beat_at=wall_now())
    assert not write_next(office.db, store)  # somebody is at it
    _set(office.db, beat_at=wall_now() - exports.STALLED - timedelta(seconds=1))
    assert write_next(office.db, store)
    assert exports.path_of(store, number).is_file()


def test_what_cannot_be_written_says_so(office: Office, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    number = _asked(office)
    store.folder.mkdir(parents=True)
    (store.folder / "exports").write_text("in the way")
    with pytest.raises(OSError):
        write_next(office.db, store)
    with office.db.read() as connection:
        assert connection.execute(select(export.c.state)).scalar_one() == "failed"
    assert not write_next(office.db, store)
    assert number


def test_sheets_are_forgotten_after_a_day(office: Office, store: Store) -> None:
    number = _asked(office)
    write_next(office.db, store)
    exports.forget(office.db, store, wall_now() - exports.KEPT)
    assert exports.path_of(store, number).is_file()
    with time_machine.travel(wall_now() + exports.KEPT + timedelta(minutes=1)):
        exports.forget(office.db, store, wall_now() - exports.KEPT)
    assert not exports.path_of(store, number).exists()
    with office.db.read() as connection:
        assert connection.execute(select(export)).all() == []


def test_a_long_sheet_is_written_by_a_process_of_its_own(
    office: Office, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []
    for apart in (exports.APART, 0):
        monkeypatch.setattr(exports, "APART", apart)
        number = _asked(office)
        assert write_next(office.db, store)
        kept.append(list(openpyxl.load_workbook(exports.path_of(store, number))["台账"].iter_rows(values_only=True)))
    assert kept[0] == kept[1]
    assert multiprocessing.active_children() == []


def test_a_writer_that_is_killed_or_stopped_leaves_nobody_waiting(tmp_path: Path) -> None:
    def rows() -> Iterator[list[str]]:
        for n in range(100_000):
            if n == AT_ONCE * 4:
                (writer,) = multiprocessing.active_children()
                writer.kill()
            yield ["某某"]

    with pytest.raises(ChildProcessError):
        write_apart(tmp_path / "sheet.xlsx", "台账", [Head("一", 10)], rows())
    with pytest.raises(FileCreateError):
        write_apart(tmp_path / "nowhere" / "sheet.xlsx", "台账", [Head("一", 10)], [["某某"]] * AT_ONCE)
    with pytest.raises(ZeroDivisionError):
        write_apart(tmp_path / "sheet.xlsx", "台账", [Head("一", 10)], ([str(1 // n)] for n in range(3, -1, -1)))
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("words", ["=1+1", "+86", "@SUM(A1)", "-2", '=HYPERLINK("http://x")', "0012", "http://x.cn"])
def test_text_stays_text(words: str, tmp_path: Path) -> None:
    path = tmp_path / "sheet.xlsx"
    write_sheet(path, "台账", [Head(words, 10)], [[words]])
    cells = [row[0] for row in openpyxl.load_workbook(path)["台账"].iter_rows()]
    assert [(cell.value, cell.data_type, cell.hyperlink) for cell in cells] == [(words, "s", None)] * 2


def _asked(office: Office) -> int:
    with office.db.write() as tx:
        return exports.ask(tx, office.holder("jiuye-lingdao", "coordinator"), Filters())


def _set(db: Database, **values: Any) -> None:
    with db.write() as tx:
        tx.connection.execute(update(export).values(**values))
