"""`duban check`: everything that an installation needs, looked at once, with the way out where something is missing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Literal

from sqlalchemy import Connection, func, select, text
from sqlalchemy.engine import make_url

from engine.mail.rendering import Rendered
from engine.mail.smtp import SendError, Transport, is_address
from ledger.calendar import local_day
from ledger.clock import wall_now
from ledger.database import Database
from ledger.queries.operations import standing
from ledger.schema import clock, person, post
from webapp.health import SILENT_AFTER, faults_of
from webapp.settings import Settings, is_loopback
from webapp.starting import StartError, ready_database

Level = Literal["ok", "warn", "bad"]
MARKS = {"ok": "通过", "warn": "提醒", "bad": "不通过"}
LITTLE_SPACE = 1 << 30


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    about: str
    says: str


def check(settings: Settings, transport: Transport | None, mail_to: str | None = None) -> Iterator[Finding]:
    """Everything, in the order in which it would be mended."""
    yield from _settings(settings)
    yield from _folders(settings)
    yield from _database(settings)
    yield from _mail(settings, transport, mail_to)


def _settings(settings: Settings) -> Iterator[Finding]:
    yield Finding("ok", "设置", f"设置了 {len(settings.model_fields_set)} 项，名称和取值都正确。")
    if settings.demo:
        yield Finding("warn", "设置", "DUBAN_DEMO=true：演示模式，账号和密码都写在登录页上，不能用于正式工作。")
    if settings.base_url.startswith("http://") and not is_loopback(settings.address):
        yield Finding("warn", "设置", "DUBAN_BASE_URL 是 http://，密码会明文传输。请用 TLS 代理并改为 https://。")
    if settings.smtp_user and settings.smtp_security == "none" and not is_loopback(settings.smtp_host):
        yield Finding("warn", "设置", "DUBAN_SMTP_SECURITY=none：发信密码会明文传输。请改为 tls 或 starttls。")
    if settings.smtp_port == 465 and settings.smtp_security != "tls":
        yield Finding("warn", "设置", "465 端口一般要求 DUBAN_SMTP_SECURITY=tls。")


def _folders(settings: Settings) -> Iterator[Finding]:
    folder = settings.store.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            yield Finding("ok", "附件", f"附件文件夹 {folder} 能写入。")
    except OSError as error:
        yield Finding(
            "bad", "附件", f"附件文件夹 {folder} 不能写入（{error.strerror or error}），请检查 DUBAN_FILES 和权限。"
        )
    for path in backup_paths(settings):
        if not path.exists():
            yield Finding("bad", "备份", f"DUBAN_BACKUP_FILES 中的 {path} 不存在，请改正或去掉。")
    file = make_url(settings.database_url).database
    if settings.database_url.startswith("sqlite") and file and Path(file).exists():
        free = shutil.disk_usage(Path(file).parent).free
        level: Level = "ok" if free >= LITTLE_SPACE else "warn"
        yield Finding(level, "磁盘", f"数据库所在磁盘剩余 {free / LITTLE_SPACE:.1f} GB。")


def backup_paths(settings: Settings) -> list[Path]:
    """The files and folders that a backup takes along."""
    return [Path(part) for part in settings.backup_files.split(":") if part]


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        db = ready_database(settings)
    except StartError as error:
        yield Finding("bad", "数据库", str(error))
        return
    try:
        yield Finding("ok", "数据库", "连得上，能写入，版本与本程序一致。")
        with db.read() as connection:
            yield from _content(db, connection, settings)
            yield from _machinery(db, connection, settings)
    finally:
        db.close()


def _content(db: Database, connection: Connection, settings: Settings) -> Iterator[Finding]:
    if not db.is_sqlite and (encoding := connection.execute(text("SHOW server_encoding")).scalar_one()) != "UTF8":
        yield Finding("bad", "数据库", f"编码是 {encoding}，应为 UTF8：请用 UTF-8 编码另建一个库。")
    if not settings.demo and connection.execute(select(clock.c.id)).first() is not None:
        yield Finding("warn", "数据库", "这是演示库，账号和密码都是公开的。正式工作请另建一个库。")
    held = (post.c.role == "administrator") & post.c.until.is_(None) & person.c.active
    admins = select(func.count()).select_from(post.join(person, person.c.id == post.c.person_id)).where(held)
    if not connection.execute(admins).scalar_one():
        yield Finding("warn", "账号", "没有在任的管理员，请运行 duban init 建立。")


def _machinery(db: Database, connection: Connection, settings: Settings) -> Iterator[Finding]:
    found = standing(connection, db.seen_now(connection))
    faults = faults_of(found, wall_now(), sends_mail=settings.sends_mail)
    yield from (Finding("warn", "运行", fault.says + fault.mend) for fault in faults)
    if not faults:
        minutes = int(SILENT_AFTER.total_seconds() // 60)
        yield Finding("ok", "运行", f"定时服务 {minutes} 分钟内运行过，到期事项都已办理，发件箱没有积压。")
    if found.dead:
        yield Finding("warn", "发件箱", f"有 {found.dead} 封邮件发不出去（地址被拒收），请核对人员的邮箱。")


def _mail(settings: Settings, transport: Transport | None, mail_to: str | None) -> Iterator[Finding]:
    if transport is None:
        yield Finding("warn", "发信", "没有设置 DUBAN_SMTP_HOST：邮件留在发件箱，谁也收不到。")
        return
    where = f"{settings.smtp_host}:{settings.smtp_port}"
    try:
        transport.probe()
        yield Finding("ok", "发信", f"发信服务器 {where} 连得上，接受发件人 {settings.smtp_from}。")
        if mail_to:
            yield test_mail(transport, mail_to)
    except SendError as error:
        yield Finding(
            "bad",
            "发信",
            f"发信服务器 {where} 不能用（{error}）。请检查 DUBAN_SMTP_HOST、DUBAN_SMTP_PORT、DUBAN_SMTP_SECURITY、"
            "DUBAN_SMTP_USER、DUBAN_SMTP_PASSWORD 和 DUBAN_SMTP_FROM。",
        )


def test_mail(transport: Transport, mail_to: str) -> Finding:
    """Send one mail. Raises: SendError."""
    if not is_address(mail_to):
        return Finding("bad", "发信", f"“{mail_to}”不是邮件地址，没有发试信。")
    words, now = "这是督办台账的试信，收到即说明发信设置正确，不必回复。", wall_now()
    mail = Rendered("【督办台账】试信", words, f"<p>{words}</p>", "test", local_day(now).isoformat())
    transport.send(mail_to, mail, f"<test-{now:%Y%m%d%H%M%S%f}@duban>", now)
    return Finding("ok", "发信", f"试信已交给发信服务器，请到 {mail_to} 查收。")
