"""The command `duban`."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

import click
from sqlalchemy.exc import OperationalError

from engine.mail.smtp import Transport
from engine.scheduler import run_scheduler
from ledger.database import Database
from ledger.errors import DubanError
from ledger.migrating import is_current
from webapp import installing
from webapp.serving import open_database, serve_until_interrupted
from webapp.settings import Settings, SettingsError, load


@click.group(help="Duban 督办台账")
def main() -> None:
    """The group every command of the distribution hangs on."""


def settings_or_exit() -> Settings:
    """The settings, or the reasons why there are none, one a line, and exit status 2."""
    try:
        return load()
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(2)


@main.command(help="启动网页服务")
@click.option("--host", default="127.0.0.1", show_default=True, help="监听地址")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="监听端口")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="进程数")
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1), help="每个进程的线程数")
def serve(host: str, port: int, workers: int, threads: int) -> None:
    """Serve the pages with gunicorn until interrupted."""
    settings = settings_or_exit()
    migrated_or_exit(open_database(settings)).close()
    serve_until_interrupted(settings, host, port, workers=workers, threads=threads)


def no_database(error: OperationalError) -> NoReturn:
    """The database does not answer: say so and end with status 2."""
    click.echo(f"连不上 DUBAN_DATABASE_URL 指定的数据库：{error.orig}", err=True)
    sys.exit(2)


def migrated_or_exit(db: Database) -> Database:
    """The database, if it has the shape of this release; else what to do, and exit status 2."""
    try:
        current = is_current(db.writer)
    except OperationalError as error:
        no_database(error)
    if not current:
        click.echo("数据库尚未初始化或版本较旧，请先运行 duban init。", err=True)
        sys.exit(2)
    return db


def transport_of(settings: Settings) -> Transport | None:
    """The mail server the settings name, None where mail is not set up."""
    if not settings.smtp_host:
        return None
    return Transport(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_from,
        settings.smtp_security,
        settings.smtp_user or None,
        settings.smtp_password.get_secret_value() or None,
    )


@main.command(help="按时钟办事：开启期次、提醒、发信（可同时运行多个）")
@click.option("--every", default=5.0, show_default=True, type=click.FloatRange(0.2), help="每隔几秒看一次")
def scheduler(every: float) -> None:
    """Tick until interrupted."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a beat that outlasts the interval is no news
    settings = settings_or_exit()
    run_scheduler(
        migrated_or_exit(open_database(settings)), transport_of(settings), settings.base_url, every_seconds=every
    )


@main.command(help="建库、登记单位和人员；可重复运行")
@click.option("--organisation", default="huangshi", show_default=True, help="单位目录")
@click.option("--people", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="人员表（CSV）")
@click.option("--admin", default="admin", show_default=True, help="管理员账号")
@click.option("--admin-email", default="admin@localhost", show_default=True, help="管理员邮箱")
@click.option("--admin-unit", default="zhengfuban", show_default=True, help="管理员所在单位（目录中的 key）")
@click.option("--plan", help="启动一份方案：方案库里的名称，或 .bpmn 文件")
def init(
    organisation: str, people: Path | None, admin: str, admin_email: str, admin_unit: str, plan: str | None
) -> None:
    """Take an empty installation to its first running plan."""
    db = open_database(settings_or_exit())
    try:
        click.echo(installing.install(db, organisation))
        if password := installing.add_administrator(db, admin, admin_email, admin_unit):
            click.echo(f"管理员账号 {admin}，初始密码 {password}（只显示这一次，请登录后保管好）。")
        if people:
            for login, made in installing.add_people(db, people, installing.load_organisation(organisation)).items():
                click.echo(f"账号 {login}，初始密码 {made}")
        if plan:
            click.echo(installing.start_plan(db, plan))
    except (installing.InstallError, DubanError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except OperationalError as error:
        no_database(error)
    finally:
        db.close()


@main.command(help="检查一份方案图能否运行")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def lint(file: Path, as_json: bool) -> None:
    """Print the findings; exit status 1 when one of them is an error."""
    found = installing.findings(file.read_bytes())
    if as_json:
        click.echo(json.dumps([asdict(f) for f in found], ensure_ascii=False, indent=1))
    else:
        for f in found:
            click.echo(f"{'错误' if f.severity == 'error' else '提醒'} {f.element or '整图'}：{f.message}（{f.rule}）")
        click.echo("没有发现问题。" if not found else f"共 {len(found)} 处。")
    sys.exit(any(f.severity == "error" for f in found))


@main.command(help="一条命令看演示：百日攻坚方案办到一半的样子")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="监听端口")
@click.option(
    "--folder", default="var/demo", show_default=True, type=click.Path(path_type=Path), help="演示数据的文件夹"
)
@click.option("--fresh", is_flag=True, help="丢掉上次的演示数据，从头来")
def demo(port: int, folder: Path, fresh: bool) -> None:
    """Build the demonstration once, then run web, scheduler and mail sink until interrupted."""
    from webapp.demo import running

    running.run(folder, port, fresh=fresh)


if __name__ == "__main__":
    main()
