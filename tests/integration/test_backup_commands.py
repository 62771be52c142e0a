"""`duban backup` and `duban restore` as an administrator uses them: real processes, a deployment that goes on."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import select, text

from engine import ticking
from engine.clearing import settle
from ledger.archive import ArchiveError
from ledger.archive.manifest import NAME
from ledger.clearing import Cleared, Place, reapply
from ledger.database import Database
from ledger.files import Store
from ledger.schema import content, event, person
from tests.conftest import empty
from tests.integration.test_backup import rewritten
from tests.integration.test_cli import ROOT, duban
from webapp import keeping
from webapp.demo.office import Office
from webapp.settings import Settings

ODD = """ä'b"c\\d$HOME`e` 督办=#;"""


@pytest.fixture
def at_work(office: Office) -> Office:
    office.acknowledge("daye")
    office.report("daye", "13", "已上门对接用人单位九家。", {"trainee-posts": 214})
    ticking.tick(office.db)
    return office


def target(office: Office, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of the other kind."""
    if not office.db.is_sqlite:
        return f"sqlite:///{tmp_path / 'other.sqlite3'}"
    url: str = request.getfixturevalue("postgres_url")
    empty(url)
    return url


@pytest.mark.postgres
def test_a_deployment_moves_to_the_other_kind_of_database(
    at_work: Office, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    archive, plans = tmp_path / "duban.zip", tmp_path / "plans"
    (plans / "own").mkdir(parents=True)
    (plans / "own" / "plan.bpmn").write_text("<own/>")
    done = duban(at_work.db.url, "backup", str(archive), DUBAN_PLACE=ODD, DUBAN_BACKUP_FILES=str(plans))
    assert done.returncode == 0, done.stderr
    assert "已备份到" in done.stdout and "密钥" in done.stdout
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert duban(at_work.db.url, "backup", str(archive)).returncode == 2  # never over another
    assert "完整" in duban("sqlite:///x", "backup", "check", str(archive)).stdout

    env = tmp_path / "duban.env"
    assert duban("sqlite:///x", "backup", "settings", str(archive), str(env)).returncode == 0
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert sourced(env)["DUBAN_PLACE"] == ODD
    assert sourced(env)["DUBAN_SECRET_KEY"] == "s" * 40

    url, out = target(at_work, request, tmp_path), tmp_path / "out"
    restored = duban(url, "restore", str(archive), "--files", str(out))
    assert restored.returncode == 0, restored.stderr
    assert "核验无误" in restored.stdout
    assert (out / "plans" / "own" / "plan.bpmn").read_text() == "<own/>"
    assert duban(url, "init", "--organisation", "huangshi").returncode == 0
    again = duban(url, "restore", str(archive))
    assert again.returncode == 2 and "不是空的" in again.stderr


def sourced(env: Path) -> dict[str, str]:
    """What `sh` makes of the file."""
    script = f"set -a; . {env}; env -0"
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True, env={"PATH": os.environ["PATH"]})
    lines = done.stdout.decode().split("\0")
    return dict(line.split("=", 1) for line in lines if line.startswith("DUBAN_"))


def test_settings_that_were_given_and_no_others_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DUBAN_DATABASE_URL", raising=False)
    settings = Settings(secret_key="k" * 40, smtp_host="127.0.0.1", smtp_user="u", smtp_password="p" * 9)  # type: ignore[arg-type]
    kept = keeping.environment_of(settings).decode().splitlines()
    assert [line.split("=")[0] for line in kept] == [
        "DUBAN_SECRET_KEY",
        "DUBAN_SMTP_HOST",
        "DUBAN_SMTP_PASSWORD",
        "DUBAN_SMTP_USER",
    ]
    assert 'DUBAN_SMTP_PASSWORD="ppppppppp"' in kept


def test_findings_of_a_restored_database_are_printed_and_end_with_1(at_work: Office, tmp_path: Path) -> None:
    with at_work.db.writer.begin() as connection:
        connection.execute(text("UPDATE item SET title = '改过的标题' WHERE no = '4'"))
    archive = tmp_path / "tampered.zip"
    assert duban(at_work.db.url, "backup", str(archive)).returncode == 0
    done = duban(f"sqlite:///{tmp_path / 'restored.sqlite3'}", "restore", str(archive))
    assert done.returncode == 1
    assert "改过的标题" in done.stdout and "发现 1 处差异" in done.stdout and "与办理记录不一致" in done.stderr


def test_a_damaged_archive_is_refused_with_a_sentence(at_work: Office, tmp_path: Path) -> None:
    archive = tmp_path / "duban.zip"
    assert duban(at_work.db.url, "backup", str(archive)).returncode == 0
    archive.write_bytes(archive.read_bytes()[:-500])
    for command in (("restore",), ("backup", "check")):
        done = duban(f"sqlite:///{tmp_path / 'restored.sqlite3'}", *command, str(archive))
        assert done.returncode and "不是完整的归档" in done.stderr and "Traceback" not in done.stderr


def test_an_archive_does_not_write_outside_the_folder_for_its_files(at_work: Office, tmp_path: Path) -> None:
    archive, evil = tmp_path / "duban.zip", tmp_path / "evil.zip"
    (tmp_path / "x").write_text("x")
    done = duban(at_work.db.url, "backup", str(archive), DUBAN_BACKUP_FILES=str(tmp_path / "x"))
    assert done.returncode == 0

    def misled(name: str, told: bytes) -> bytes:
        return told.replace(b"files/x", b"files/../../x") if name == NAME else told

    rewritten(archive, evil, misled)
    with zipfile.ZipFile(evil) as packed, zipfile.ZipFile(tmp_path / "worse.zip", "w") as worse:
        for name in packed.namelist():
            worse.writestr(name.replace("files/x", "files/../../x"), packed.read(name))
    assert json.loads(zipfile.ZipFile(tmp_path / "worse.zip").read(NAME))["files"]
    with pytest.raises(ArchiveError, match="文件夹之外"):
        keeping._extract_files(tmp_path / "worse.zip", tmp_path / "out" / "deep")
    assert (tmp_path / "x").read_text() == "x"


def test_what_was_cleared_leaves_older_archives_too(at_work: Office, tmp_path: Path) -> None:
    archive = tmp_path / "old.zip"
    assert duban(at_work.db.url, "backup", str(archive)).returncode == 0
    with at_work.db.write() as tx:
        place = tx.connection.execute(
            select(event.c.stream, event.c.seq).where(event.c.kind == "assignment.reported")
        ).one()
        assert reapply(tx, Cleared(frozenset({Place(place.stream, place.seq, "progress")})))
    listed = duban(at_work.db.url, "backup", "clearings")
    assert listed.stdout == f"stream,seq,field\n{place.stream},{place.seq},progress\n"
    (tmp_path / "clearings.csv").write_text(listed.stdout)
    url = f"sqlite:///{tmp_path / 'restored.sqlite3'}"
    done = duban(url, "restore", str(archive), "--clearings", str(tmp_path / "clearings.csv"))
    assert done.returncode == 0, done.stderr
    assert texts(url) == [None]
    # with a file store that has seen the clearing nobody needs to think of the list
    settle(at_work.db, Store(tmp_path / "files"))
    third = f"sqlite:///{tmp_path / 'third.sqlite3'}"
    done = duban(third, "restore", str(archive), DUBAN_FILES=str(tmp_path / "files"))
    assert done.returncode == 0 and texts(third) == [None] and "没有找到" not in done.stderr
    fourth = f"sqlite:///{tmp_path / 'fourth.sqlite3'}"
    done = duban(fourth, "restore", str(archive), DUBAN_FILES=str(tmp_path / "other"))
    assert done.returncode == 0 and texts(fourth) != [None] and "没有找到依规清除的清单" in done.stderr
    cleansed = duban(at_work.db.url, "backup", "cleanse", str(archive))
    assert cleansed.returncode == 0 and "删去 1 处" in cleansed.stdout
    assert "没有需要删去的内容" in duban(at_work.db.url, "backup", "cleanse", str(archive)).stdout
    again = f"sqlite:///{tmp_path / 'again.sqlite3'}"
    assert duban(again, "restore", str(archive)).returncode == 0
    assert texts(again) == [None]


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_an_archive_of_the_release_before_is_restored_and_verifies(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path / 'duban.sqlite3'}"
    if kind == "postgresql":
        url = request.getfixturevalue("postgres_url")
        empty(url)
    done = duban(url, "restore", str(ROOT / "tests/data/release-0.1.0.zip"), DUBAN_FILES=str(tmp_path / "files"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "核验无误" in done.stdout


def test_files_that_stand_in_the_way_are_named_before_anything_is_taken_in(at_work: Office, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x").write_text(folder)
    both = f"{tmp_path / 'a' / 'x'}:{tmp_path / 'b' / 'x'}"
    refused = duban(at_work.db.url, "backup", str(tmp_path / "two.zip"), DUBAN_BACKUP_FILES=both)
    assert refused.returncode == 2 and "有两个 x" in refused.stderr
    archive = tmp_path / "one.zip"
    assert duban(at_work.db.url, "backup", str(archive), DUBAN_BACKUP_FILES=str(tmp_path / "a" / "x")).returncode == 0
    url = f"sqlite:///{tmp_path / 'restored.sqlite3'}"
    refused = duban(url, "restore", str(archive), "--files", str(tmp_path / "b"))
    assert refused.returncode == 2 and "已经存在" in refused.stderr and (tmp_path / "b" / "x").read_text() == "b"
    assert duban(url, "restore", str(archive), "--files", str(tmp_path / "c")).returncode == 0  # it was left empty
    assert (tmp_path / "c" / "x").read_text() == "a"


def texts(url: str) -> list[str | None]:
    db = Database(url)
    with db.read() as connection:
        found = connection.execute(select(content.c.text).where(content.c.field == "progress")).scalars().all()
        assert connection.execute(select(person.c.id)).first()
    db.close()
    return list(found)
