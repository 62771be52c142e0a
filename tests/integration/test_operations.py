"""What watches a deployment: /healthz, /metrics, the banner, `duban check`; and starts that fail with a sentence."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import delete, insert, text, update
from sqlalchemy.engine import make_url

from engine import ticking
from ledger.clock import set_clock, wall_now
from ledger.database import Database
from ledger.migrating import upgrade
from ledger.schema import due, heartbeat, message, person
from tests.conftest import empty
from tests.integration.test_cli import duban
from webapp.app import create_app
from webapp.demo.office import Office
from webapp.demo.people import PASSWORD
from webapp.settings import Settings

LATE = timedelta(minutes=6)


def settings_of(db: Database, **more: Any) -> Settings:
    return Settings(secret_key=SecretStr("k" * 40), database_url=db.url, **more)


@pytest.fixture
def at_work(office: Office) -> Office:
    """The run has started, everything due is done, and mails wait to be sent."""
    ticking.tick(office.db)
    return office


def client_of(db: Database, **more: Any) -> FlaskClient:
    return create_app(settings_of(db, **more), db).test_client()


def sends_mail() -> dict[str, Any]:
    return {"smtp_host": "mail.example.gov.cn", "smtp_from": "duban@example.gov.cn"}


def silence(db: Database) -> None:
    with db.write() as tx:
        tx.connection.execute(update(heartbeat).values(beat_at=wall_now() - LATE))


def break_a_row(db: Database, at: timedelta = LATE) -> None:
    """A due row that no tick can do."""
    with db.write() as tx:
        tx.connection.execute(
            insert(due).values(owner_kind="system", owner_id=9, kind="nonsense", arm=1, at=tx.now - at, rank=0)
        )


def age_mails(db: Database) -> None:
    with db.write() as tx:
        tx.connection.execute(update(message).values(at=tx.now - timedelta(minutes=40)))


# ---------------------------------------------------------------- /healthz
def test_healthz_is_well_and_tells_nobody_anything_personal(at_work: Office) -> None:
    answer = client_of(at_work.db).get("/healthz")
    assert answer.status_code == 200 and answer.content_type == "application/json"
    assert answer.json is not None and answer.json["status"] == "ok"
    assert answer.json["checks"]["outbox"]["queued"] == 24
    assert set(re.findall(r"[^\x00-\x7f]|@", answer.text)) == set()


def test_healthz_fails_when_no_scheduler_ticks(at_work: Office) -> None:
    silence(at_work.db)
    client = client_of(at_work.db)
    answer = client.get("/healthz")
    assert answer.status_code == 503 and answer.json is not None
    assert not answer.json["checks"]["tick"]["ok"] and answer.json["checks"]["tick"]["age_seconds"] > 300
    assert client.get("/healthz/ready").status_code == client.get("/healthz/live").status_code == 200


def test_healthz_fails_when_a_scheduler_lives_but_gets_nothing_done(at_work: Office) -> None:
    break_a_row(at_work.db)
    ticking.tick(at_work.db)  # fails at the row, and moves the heartbeat
    answer = client_of(at_work.db).get("/healthz")
    assert answer.status_code == 503 and answer.json is not None
    checks = answer.json["checks"]
    assert checks["tick"]["ok"] and not checks["due"]["ok"]
    assert (checks["due"]["passed"], checks["due"]["lag_seconds"]) == (1, 360)


def test_healthz_fails_when_mail_does_not_go_out_unless_none_is_sent(at_work: Office) -> None:
    age_mails(at_work.db)
    assert client_of(at_work.db).get("/healthz").status_code == 200
    answer = client_of(at_work.db, **sends_mail()).get("/healthz")
    assert answer.status_code == 503 and answer.json is not None
    assert not answer.json["checks"]["outbox"]["ok"] and answer.json["checks"]["outbox"]["oldest_seconds"] == 2400


def test_healthz_fails_on_a_database_of_another_shape_or_none(at_work: Office) -> None:
    with at_work.db.writer.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    client = client_of(at_work.db)
    for path in ("/healthz", "/healthz/ready"):
        assert client.get(path).status_code == 503
    assert client.get("/healthz/live").status_code == 200


@pytest.mark.postgres
def test_healthz_says_so_when_the_database_is_away(postgres_url: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        away = make_url(postgres_url).set(port=probe.getsockname()[1]).render_as_string(hide_password=False)
        client = client_of(Database(away))
        answer = client.get("/healthz")
        assert (answer.status_code, answer.json) == (
            503,
            {"status": "failing", "checks": {"database": {"ok": False}}},
        )
        assert client.get("/healthz/live").status_code == 200
        assert "duban_database_up 0.0" in client.get("/metrics").text


# ---------------------------------------------------------------- /metrics
def values(answer: str) -> dict[str, float]:
    lines = (line.rpartition(" ") for line in answer.splitlines() if line and line[0] != "#")
    return {name: float(value) for name, _, value in lines}


def test_metrics_are_those_of_the_database(at_work: Office) -> None:
    break_a_row(at_work.db)
    age_mails(at_work.db)
    with at_work.db.write() as tx:
        first = tx.connection.execute(text("SELECT min(id) FROM message")).scalar_one()
        tx.connection.execute(update(message).where(message.c.id == first).values(state="dead"))
    known = values(client_of(at_work.db).get("/metrics").text)
    assert known["duban_database_up"] == 1
    assert (known["duban_due_lag_seconds"], known["duban_due_passed"]) == (360, 1)
    assert known['duban_outbox_messages{state="queued"}'] == 23
    assert known['duban_outbox_messages{state="dead"}'] == 1
    assert known["duban_outbox_oldest_seconds"] == 2400
    assert 0 <= known["duban_tick_age_seconds"] < 300
    assert known["duban_advance_waiting"] == 0
    kind = "sqlite" if at_work.db.is_sqlite else "postgresql"
    assert any(n.startswith("duban_build_info") and kind in n and 'release="' in n for n in known)


def test_metrics_of_a_database_in_which_nothing_has_ticked(migrated: Database) -> None:
    with migrated.writer.begin() as connection:
        set_clock(connection, wall_now())
    assert values(client_of(migrated).get("/metrics").text)["duban_tick_age_seconds"] == float("inf")


def test_requests_are_counted_by_route_and_refusals_by_kind(at_work: Office) -> None:
    client = client_of(at_work.db)
    name = 'duban_http_request_seconds_count{method="GET",route="/items/<int:item_id>",status="404"}'
    before = values(client.get("/metrics").text)
    enter(client)
    client.get("/items/4711")
    token = token_of(client, "/inbox")
    client.post("/items/1/urge", data={"csrf_token": token})
    client.open("/inbox", method="PHONE13800001111")
    after = values(client.get("/metrics").text)
    assert after[name] == before.get(name, 0) + 1
    assert not any("4711" in n or "13800001111" in n for n in after)


@pytest.mark.parametrize(
    ("address", "headers", "base_url", "status"),
    [
        ("127.0.0.1", {}, "http://127.0.0.1:8000", 200),
        ("10.1.2.3", {}, "http://127.0.0.1:8000", 403),
        ("10.9.2.3", {}, "http://127.0.0.1:8000", 200),
        ("10.1.2.3", {"Authorization": "Bearer " + "t" * 32}, "http://127.0.0.1:8000", 200),
        ("10.1.2.3", {"Authorization": "Bearer " + "x" * 32}, "http://127.0.0.1:8000", 403),
        ("10.1.2.3", {"Authorization": "Bearer ï"}, "http://127.0.0.1:8000", 403),
        ("127.0.0.1", {"X-Forwarded-For": "10.1.2.3"}, "http://127.0.0.1:8000", 403),  # a proxy's word
        ("127.0.0.1", {"Host": "duban.example.gov.cn"}, "https://duban.example.gov.cn", 403),
        ("127.0.0.1", {"Host": "127.0.0.1:8000"}, "https://duban.example.gov.cn", 200),
    ],
)
def test_metrics_are_for_allowed_addresses_and_tokens(
    at_work: Office, address: str, headers: dict[str, str], base_url: str, status: int
) -> None:
    allowed = {"metrics_from": "127.0.0.1, 10.9.0.0/16", "metrics_token": SecretStr("t" * 32), "base_url": base_url}
    client = client_of(at_work.db, **allowed)
    answer = client.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == status
    assert ("duban_due_passed" in answer.text) == (status == 200)


def test_without_a_token_setting_no_token_opens(at_work: Office) -> None:
    client = client_of(at_work.db)
    for header in ("Bearer ", "Bearer", ""):
        answer = client.get("/metrics", headers={"Authorization": header}, environ_base={"REMOTE_ADDR": "10.1.2.3"})
        assert answer.status_code == 403


# ---------------------------------------------------------------- the banner
def token_of(client: FlaskClient, page: str) -> str:
    found = re.search(r'csrf-token" content="([^"]+)"', client.get(page).text)
    assert found
    return found[1]


def enter(client: FlaskClient, account: str = "renshe") -> FlaskClient:
    data = {"csrf_token": token_of(client, "/login"), "account": account, "password": PASSWORD}
    assert client.post("/login", data=data).status_code == 302
    return client


def test_no_banner_while_all_is_well(at_work: Office) -> None:
    assert "note bad" not in enter(client_of(at_work.db, **sends_mail()), "zhuanban").get("/inbox").text


def test_banner_when_a_scheduler_lives_but_gets_nothing_done(at_work: Office) -> None:
    client = enter(client_of(at_work.db))
    break_a_row(at_work.db, timedelta(minutes=4))
    ticking.tick(at_work.db)
    assert "没有办成" not in client.get("/inbox").text  # the next tick may still do it
    break_a_row_again(at_work.db)
    page = client.get("/inbox").text
    assert "有 1 件到期的事没有办成，最早的已迟 6 分钟" in page
    assert "请联系管理员处理" in page and "duban scheduler" not in page  # a command says nothing to an official
    assert "请查看 duban scheduler 的日志。" in enter(client_of(at_work.db), "guanli").get("/inbox").text


def break_a_row_again(db: Database) -> None:
    with db.write() as tx:
        tx.connection.execute(delete(due).where(due.c.kind == "nonsense"))
    break_a_row(db)


def test_banner_over_mails_that_wait_is_for_those_who_can_act(at_work: Office) -> None:
    age_mails(at_work.db)
    words = "有 24 封邮件没有发出，最早的一封已等 40 分钟"
    assert words in enter(client_of(at_work.db, **sends_mail()), "zhuanban").get("/inbox").text
    assert words not in enter(client_of(at_work.db, **sends_mail()), "renshe").get("/inbox").text
    assert words not in enter(client_of(at_work.db), "zhuanban").get("/inbox").text  # no mail server: no fault


# ---------------------------------------------------------------- the page of an error
def test_the_page_of_an_error_bears_the_number_that_stands_in_the_response(at_work: Office) -> None:
    client = enter(client_of(at_work.db))
    with at_work.db.writer.begin() as connection:
        connection.execute(text("ALTER TABLE draft RENAME TO draft_gone"))
    for headers in ({}, {"HX-Request": "true"}):
        answer = client.get("/items/4", headers=headers)
        number = answer.headers["X-Request-ID"]
        assert answer.status_code == 500 and f"差错编号 {number}" in answer.text
        assert re.fullmatch(r"\d{4}-\d{4}-\d{4}", number)
    assert "差错编号" not in client.get("/nothing-here").text


# ---------------------------------------------------------------- starts that fail with a sentence
@pytest.mark.parametrize("command", ["serve", "scheduler", "init", "backup"])
def test_a_database_that_does_not_answer_is_named(command: str, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"postgresql+psycopg://duban:hidden-word@127.0.0.1:{probe.getsockname()[1]}/duban"
        done = duban(url, command, *([str(tmp_path / "x.zip")] if command == "backup" else []))
    assert done.returncode == 2
    assert "连不上 DUBAN_DATABASE_URL" in done.stderr and "请确认数据库已经启动" in done.stderr
    assert "hidden-word" not in done.stderr and "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    done = duban(f"sqlite:///{tmp_path / 'file' / 'var' / 'duban.sqlite3'}", "init")
    assert done.returncode == 2 and "DUBAN_DATABASE_URL" in done.stderr and "Traceback" not in done.stderr


def test_a_folder_of_the_demo_that_takes_no_files_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    done = duban("sqlite:///x", "demo", "--port", str(port), "--folder", str(tmp_path / "file" / "demo"))
    assert done.returncode == 2 and "--folder 指定的文件夹" in done.stderr and "Traceback" not in done.stderr


def test_a_database_that_is_older_or_newer_is_told_apart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'duban.sqlite3'}"
    upgrade(url)
    db = Database(url)
    for version, said in (("9999", "比本程序新"), ("0000", "比本程序新")):
        with db.writer.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version})
        done = duban(url, "serve")
        assert done.returncode == 2 and said in done.stderr
    db.close()


@pytest.mark.postgres
def test_a_database_that_only_reads_is_refused(postgres_url: str) -> None:
    empty(postgres_url)
    upgrade(postgres_url)
    url = make_url(postgres_url).update_query_dict({"options": "-c default_transaction_read_only=on"})
    done = duban(url.render_as_string(hide_password=False), "serve")
    assert done.returncode == 2 and "只能读、不能写" in done.stderr


def test_the_demo_does_not_run_on_another_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'duban.sqlite3'}"
    assert duban(url, "init", "--organisation", "huangshi").returncode == 0
    done = duban(url, "serve", DUBAN_DEMO="true")
    assert done.returncode == 2 and "DUBAN_DEMO=true" in done.stderr and "不是演示库" in done.stderr


def test_pages_for_everyone_need_an_address_for_everyone(tmp_path: Path) -> None:
    done = duban(f"sqlite:///{tmp_path / 'duban.sqlite3'}", "serve", "--host", "0.0.0.0")
    assert done.returncode == 2 and "DUBAN_BASE_URL" in done.stderr


# ---------------------------------------------------------------- duban check
class Picky:
    """A mail server that refuses what it is told to refuse."""

    def __init__(self) -> None:
        self.mails: list[str] = []
        self.sender = ""

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address != "duban@example.gov.cn":
            return "550 sender not known here"
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails += envelope.rcpt_tos
        return "250 OK"


@pytest.fixture
def picky() -> Iterator[tuple[Picky, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Picky()
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    yield server, port
    controller.stop()


def mail_settings(port: int, sender: str = "督办台账 <duban@example.gov.cn>") -> dict[str, str]:
    base = {"DUBAN_BASE_URL": "http://127.0.0.1:8000"}
    return {**base, "DUBAN_SMTP_HOST": "127.0.0.1", "DUBAN_SMTP_PORT": str(port), "DUBAN_SMTP_FROM": sender}


def test_check_of_an_installation_that_works(db_url: str, picky: tuple[Picky, int]) -> None:
    server, port = picky
    assert duban(db_url, "init", "--organisation", "huangshi").returncode == 0
    db = Database(db_url)
    ticking.tick(db)
    db.close()
    done = duban(db_url, "check", "--mail", "someone@example.gov.cn", **mail_settings(port))
    assert done.returncode == 0, done.stdout
    assert "不通过" not in done.stdout and "提醒" not in done.stdout
    assert server.mails == ["someone@example.gov.cn"]
    assert duban(db_url, "check", **mail_settings(port)).returncode == 0
    assert len(server.mails) == 1  # the probe itself sends nothing


def test_check_names_what_does_not_work(tmp_path: Path, picky: tuple[Picky, int]) -> None:
    _, port = picky
    url = f"sqlite:///{tmp_path / 'duban.sqlite3'}"
    (tmp_path / "file").touch()
    folders = {"DUBAN_BACKUP_FILES": "/nowhere", "DUBAN_FILES": str(tmp_path / "file" / "files")}
    done = duban(url, "check", **folders, **mail_settings(port, "wrong@example.gov.cn"))
    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if line.startswith("不通过")] == [
        f"不通过 附件：附件文件夹 {tmp_path}/file/files 不能写入（Not a directory），请检查 DUBAN_FILES 和权限。",
        "不通过 备份：DUBAN_BACKUP_FILES 中的 /nowhere 不存在，请改正或去掉。",
        "不通过 数据库：数据库尚未初始化，请先运行 duban init。",
        next(line for line in done.stdout.splitlines() if "sender not known here" in line),
    ]
    refused = duban(url, "check", **mail_settings(1))
    assert "发信服务器 127.0.0.1:1 不能用" in refused.stdout and "DUBAN_SMTP_HOST" in refused.stdout


def test_check_warns_of_what_is_unwise(at_work: Office) -> None:
    silence(at_work.db)
    with at_work.db.writer.begin() as connection:
        connection.execute(update(person).where(person.c.login == "guanli").values(active=False))
    more = {"DUBAN_BASE_URL": "http://duban.example.gov.cn"}
    done = duban(at_work.db.url, "check", **more)
    assert done.returncode == 0
    for words in ("密码会明文传输", "这是演示库", "没有动静", "没有设置 DUBAN_SMTP_HOST", "没有在任的管理员"):
        assert words in done.stdout
