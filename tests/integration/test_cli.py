"""The command line as an administrator uses it: real processes, a real database."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select, update

from bpmn.library import plan_xml
from ledger.migrating import is_current
from ledger.schema import event, item, message, person, post, run, unit
from webapp import hashing

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = """login,name,email,unit,role,password
renshe,陈静,renshe@example.gov.cn,市人社局,liaison,
renshe,陈静,renshe@example.gov.cn,市人社局,section_head,
jiaoyu,李敏,jiaoyu@example.gov.cn,市教育局,liaison,given-by-hand
"""
BAD = """login,name,email,unit,role,password
a,甲,a@example.gov.cn,没有的局,liaison,
b,乙,b@example.gov.cn,市人社局,boss,
c,,c@example.gov.cn,市人社局,liaison,
"""


def duban(url: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("DUBAN_")}
    env |= {"DUBAN_DATABASE_URL": url, "DUBAN_SECRET_KEY": "s" * 40, **more}
    command = [sys.executable, "-m", "webapp.cli", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)


def test_init_takes_an_empty_database_to_a_running_plan(db_url: str, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    people.write_text(PEOPLE, "utf-8")
    done = duban(db_url, "init", "--organisation", "huangshi", "--people", str(people), "--plan", "huangshi-2025-bairi")
    assert done.returncode == 0, done.stderr
    assert "管理员账号 admin，初始密码" in done.stdout
    assert "账号 renshe，初始密码" in done.stdout and "given-by-hand" not in done.stdout
    again = duban(db_url, "init")
    assert again.returncode == 0 and again.stdout == "数据库已就绪。\n"
    engine = create_engine(db_url)
    with engine.connect() as connection:
        assert is_current(engine)
        assert len(connection.execute(select(unit.c.key)).all()) > 40
        assert set(connection.execute(select(person.c.login)).scalars()) == {"admin", "renshe", "jiaoyu"}
        assert sorted(connection.execute(select(post.c.role).where(post.c.unit == "renshe")).scalars()) == [
            "liaison",
            "section_head",
        ]
        assert connection.execute(select(run.c.title)).scalar_one().endswith("专项行动方案")
        assert len(connection.execute(select(item.c.id)).all()) == 33
    engine.dispose()


def test_every_bad_line_of_a_people_file_is_named_and_none_is_taken(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'duban.sqlite3'}"
    people = tmp_path / "people.csv"
    people.write_text(BAD, "utf-8")
    done = duban(url, "init", "--organisation", "huangshi", "--people", str(people))
    assert done.returncode == 1
    assert [line[:6] for line in done.stderr.splitlines()] == ["第 2 行：", "第 3 行：", "第 4 行："]
    assert "没有的局" in done.stderr and "boss" in done.stderr
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.execute(select(person.c.login)).scalars().all() == ["admin"]
    engine.dispose()


@pytest.mark.parametrize("command", ["serve", "scheduler"])
def test_nothing_runs_on_a_database_of_another_shape(tmp_path: Path, command: str) -> None:
    done = duban(f"sqlite:///{tmp_path / 'empty.sqlite3'}", command)
    assert done.returncode == 2
    assert "duban init" in done.stderr


def test_a_missing_setting_is_named_at_start(tmp_path: Path) -> None:
    done = duban(f"sqlite:///{tmp_path / 'x.sqlite3'}", "serve", DUBAN_SECRET_KEY="short")
    assert done.returncode == 2
    assert "DUBAN_SECRET_KEY" in done.stderr


def test_lint_prints_findings_and_exits_1_on_an_error(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.sqlite3'}"
    good, bad = tmp_path / "good.bpmn", tmp_path / "bad.bpmn"
    good.write_bytes(plan_xml("huangshi-2025-bairi"))
    bad.write_bytes(plan_xml("huangshi-2025-bairi").replace("市国资委".encode(), "没有的委".encode()))
    assert duban(url, "lint", str(good)).returncode == 0
    assert json.loads(duban(url, "lint", str(good), "--json").stdout) == []
    done = duban(url, "lint", str(bad), "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert {"rule", "severity", "element", "message"} == set(found[0])
    assert any("没有的委" in f["message"] for f in found)


@pytest.mark.parametrize(
    ("command", "file"),
    [
        (("lint", "{file}"), "pipe"),
        (("lint", "{file}", "--json"), "/proc/self/mem"),
        (("init", "--plan", "{file}"), "/proc/self/mem"),
        (("init", "--organisation", "huangshi", "--people", "{file}"), "pipe"),
    ],
)
def test_what_cannot_be_read_as_a_file_is_said_in_a_sentence(
    command: tuple[str, ...], file: str, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    path = str(tmp_path / file)  # an absolute name stays as it is
    done = duban(f"sqlite:///{tmp_path / 'x.sqlite3'}", *(word.format(file=path) for word in command))
    assert done.returncode in (1, 2)
    assert path in done.stderr and "请" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://root@127.0.0.1/test", "应以 sqlite:/// 或 postgresql+psycopg:// 开头"),
        ("nonsense", "应以 sqlite:/// 或 postgresql+psycopg:// 开头"),
        ("postgresql+psycopg://nobody@127.0.0.1:9/none", "连不上 DUBAN_DATABASE_URL"),
    ],
)
@pytest.mark.parametrize("command", ["init", "scheduler"])
def test_a_database_that_cannot_be_is_said_in_a_sentence(url: str, words: str, command: str) -> None:
    done = duban(url, command)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_the_folder_of_a_sqlite_file_is_made(tmp_path: Path) -> None:
    assert duban(f"sqlite:///{tmp_path / 'var' / 'new' / 'duban.sqlite3'}", "init").returncode == 0


def test_a_password_given_on_the_machine_opens_a_locked_account_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'duban.sqlite3'}"
    duban(url, "init", "--organisation", "huangshi", "--admin-email", "admin@example.gov.cn")
    engine = create_engine(url)
    with engine.begin() as connection:
        before = connection.execute(select(person.c.password_hash)).scalar_one()
        assert connection.execute(select(person.c.must_change)).scalar_one()  # made by `duban init`
        connection.execute(update(person).values(active=False, must_change=False))
    done = duban(url, "password", "admin")
    assert done.returncode == 0, done.stderr
    made = re.search(r"账号 admin 的新密码：(\S{19})（", done.stdout)
    with engine.connect() as connection:
        row = connection.execute(select(person)).one()
        assert made and hashing.fits(row.password_hash, made[1]) and row.password_hash != before
        assert row.active and row.must_change
        assert connection.execute(select(message.c.kind)).scalars().all() == ["changed"]
        assert "account.password-given" in connection.execute(select(event.c.kind)).scalars().all()
    engine.dispose()
    nobody = duban(url, "password", "no-such-one")
    assert nobody.returncode == 1 and "没有账号“no-such-one”" in nobody.stderr


@pytest.mark.parametrize(
    ("name", "value"), [("DUBAN_LOGIN_LOG_DAYS", "30"), ("DUBAN_IDLE_MINUTES", "1"), ("DUBAN_PROXIES", "9")]
)
def test_a_setting_of_the_doors_that_cannot_be_is_named(tmp_path: Path, name: str, value: str) -> None:
    done = duban(f"sqlite:///{tmp_path / 'x.sqlite3'}", "serve", **{name: value})
    assert done.returncode == 2 and name in done.stderr
