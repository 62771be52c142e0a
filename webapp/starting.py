"""What a process needs before it starts: settings that fit, folders to write to, a database of this release.

Whatever is missing is said in a sentence that names the variable and the way out; the process ends with status 2.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import click
from sqlalchemy import select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from ledger.database import Database
from ledger.migrating import head, knows, revision_of
from ledger.schema import clock
from webapp.serving import open_database
from webapp.settings import Settings, SettingsError, is_loopback, load


class StartError(Exception):
    """The process cannot start; the message says why and what to do."""


def fail(error: Exception) -> NoReturn:
    """Say it and end with status 2."""
    click.echo(str(error), err=True)
    sys.exit(2)


def settings_or_exit() -> Settings:
    """The settings, or the reasons why there are none, one a line, and exit status 2."""
    try:
        return load()
    except SettingsError as error:
        fail(error)


def database_or_exit(settings: Settings) -> Database:
    """The database, if it answers and has the shape of this release; else why not, and exit status 2."""
    try:
        return ready_database(settings)
    except StartError as error:
        fail(error)


def ready_database(settings: Settings) -> Database:
    """The database after every check. Raises: StartError."""
    db = reachable_database(settings)
    try:
        _check(db, settings)
    except StartError:
        db.close()
        raise
    return db


def reachable_database(settings: Settings) -> Database:
    """The database, whatever its shape. Raises: StartError when it does not answer."""
    try:
        db = open_database(settings)
    except OSError as error:
        raise StartError(
            f"DUBAN_DATABASE_URL 指定的文件夹建不了（{error.strerror}：{error.filename}），请换一个位置或修改权限。"
        ) from error
    try:
        with db.writer.connect():
            return db
    except DBAPIError as error:
        db.close()
        raise no_database(settings, error) from error


def no_database(settings: Settings, error: DBAPIError) -> StartError:
    """The database does not answer, said with its address but never its password."""
    address = make_url(settings.database_url).render_as_string(hide_password=True)
    reason = str(error.orig).strip().replace("\n", "；")
    way = (
        "请确认这个文件和它的文件夹可以读写。"
        if settings.database_url.startswith("sqlite")
        else "请确认数据库已经启动，地址、账号、密码和库名正确，并允许从本机连接。"
    )
    return StartError(f"连不上 DUBAN_DATABASE_URL 指定的数据库 {address}：{reason}。{way}")


def _check(db: Database, settings: Settings) -> None:
    with db.writer.connect() as connection:
        revision = revision_of(connection)
    if revision is None:
        raise StartError("数据库尚未初始化，请先运行 duban init。")
    if not knows(revision):
        raise StartError(f"数据库的版本（{revision}）比本程序新，请升级本系统，或让 DUBAN_DATABASE_URL 指向另一个库。")
    if revision != head():
        raise StartError(
            f"数据库还是旧版本（{revision}，需要 {head()}）：请先 duban backup 备份，再运行 duban init 升级。"
        )
    try:
        with db.writer.connect() as connection, connection.begin() as writing:
            connection.execute(text("UPDATE heartbeat SET name = name WHERE name = ''"))
            writing.rollback()
    except DBAPIError as error:
        raise StartError(
            f"DUBAN_DATABASE_URL 指定的数据库只能读、不能写：{error.orig}。请检查权限和磁盘空间。"
        ) from error
    with db.read() as connection:
        if settings.demo and connection.execute(select(clock.c.id)).first() is None:
            raise StartError(
                "DUBAN_DEMO=true，但 DUBAN_DATABASE_URL 指向的不是演示库：演示模式会公开账号和密码。"
                "请去掉 DUBAN_DEMO；要看演示请运行 duban demo。"
            )


def writable_or_exit(folder: Path, name: str) -> None:
    """The folder, made if it is missing, takes files; else why not, and exit status 2."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        fail(StartError(f"{name} 指定的文件夹 {folder} 不能写入（{error.strerror}），请换一个位置或修改权限。"))


def address_or_exit(settings: Settings, host: str, port: int) -> None:
    """Where the pages listen fits the address that mails and cookies name; else why not, and exit status 2."""
    if (fault := address_fault(settings, host, port)) is not None:
        fail(StartError(fault))


def address_fault(settings: Settings, host: str, port: int) -> str | None:
    """What does not fit: links that nobody, or somebody else, would answer. A proxy may stand before any other name."""
    if not is_loopback(settings.address):
        return None
    if not is_loopback(host):
        return (
            f"服务对外监听 {host}，而 DUBAN_BASE_URL 是 {settings.base_url}：邮件里的链接别人打不开。"
            "请把 DUBAN_BASE_URL 设为大家访问的地址，或去掉 --host。"
        )
    said = urlsplit(settings.base_url)
    named = said.port or (443 if said.scheme == "https" else 80)
    if named != port:
        return (
            f"服务监听端口 {port}，而 DUBAN_BASE_URL 是 {settings.base_url}：邮件里的链接打不开。"
            f"请设 DUBAN_BASE_URL=http://{settings.address}:{port}，或用 --port {named}。"
        )
    return None
