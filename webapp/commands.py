"""The commands of `duban` that run a deployment; see `webapp.cli`."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click
from sqlalchemy.exc import DBAPIError

from engine.scheduler import run_scheduler
from ledger.clock import confirm_clock
from ledger.errors import DubanError
from webapp import checking, installing, setting_up, verifying
from webapp.given import InstallError
from webapp.loglines import configure, form_of
from webapp.serving import serve_until_interrupted
from webapp.starting import (
    StartError,
    address_or_exit,
    database_or_exit,
    fail,
    no_database,
    reachable_database,
    settings_or_exit,
    writable_or_exit,
)


@click.command(help="启动网页服务")
@click.option("--host", default="127.0.0.1", show_default=True, help="监听地址")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="监听端口")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="进程数")
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1), help="每个进程的线程数")
def serve(host: str, port: int, workers: int, threads: int) -> None:
    """Serve the pages with gunicorn until interrupted."""
    settings = settings_or_exit()
    address_or_exit(settings, host, port)
    writable_or_exit(settings.store.folder, "DUBAN_FILES")
    database_or_exit(settings).close()
    configure(form_of(settings.log, settings.demo, sys.stderr))
    serve_until_interrupted(settings, host, port, workers=workers, threads=threads)


@click.command(help="按时钟办事：开启期次、提醒、发信（可同时运行多个）")
@click.option("--every", default=5.0, show_default=True, type=click.FloatRange(0.2), help="每隔几秒看一次")
@click.option("--clock-is-right", is_flag=True, help="已核对服务器时钟，现在是对的（被怀疑时，或停用四天以上用）")
def scheduler(every: float, clock_is_right: bool) -> None:
    """Tick until interrupted."""
    settings = settings_or_exit()
    db = database_or_exit(settings)
    if clock_is_right:
        with db.write() as tx:
            confirm_clock(tx.connection)
    configure(form_of(settings.log, settings.demo, sys.stderr))
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a beat that outlasts the interval is no news
    run_scheduler(
        db,
        settings.transport,
        settings.base_url,
        settings.store,
        every_seconds=every,
        log_days=settings.login_log_days,
        upload_days=settings.upload_days,
    )


@click.command(help="建库、登记单位和人员；可重复运行")
@click.option("--organisation", help="随附的单位目录，如 huangshi；不指定则在网页上设置")
@click.option("--people", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="人员表（.xlsx 或 .csv）")
@click.option("--admin", default="admin", show_default=True, help="管理员账号")
@click.option("--admin-email", default="admin@localhost", show_default=True, help="管理员邮箱")
@click.option("--admin-unit", default="zhengfuban", show_default=True, help="管理员所在单位（目录中的 key）")
@click.option("--plan", help="启动一份方案：方案库里的名称，或 .bpmn 文件")
def init(
    organisation: str | None, people: Path | None, admin: str, admin_email: str, admin_unit: str, plan: str | None
) -> None:
    """Take an empty installation to its first running plan."""
    settings = settings_or_exit()
    try:
        db = reachable_database(settings)
    except StartError as error:
        fail(error)
    try:
        click.echo(installing.install(db, organisation))
        if organisation:
            if password := installing.add_administrator(db, admin, admin_email, admin_unit):
                click.echo(f"管理员账号 {admin}，初始密码 {password}（只显示这一次，首次登录须修改）。")
        elif (address := setting_up.address(settings, db)) is not None:
            click.echo(f"还没有管理员。请启动 duban serve，在 24 小时内打开这个网址完成设置：\n{address}")
        if people:
            for login, made in installing.add_people(db, people).items():
                click.echo(f"账号 {login}，初始密码 {made}")
        if plan:
            click.echo(installing.start_plan(db, plan))
    except (InstallError, DubanError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    finally:
        db.close()


@click.command(help="为账号重设密码并解锁、启用（邮件和网页都进不来时用）")
@click.argument("account")
def password(account: str) -> None:
    """The last way in, for whoever sits at the machine."""
    db = database_or_exit(settings_or_exit())
    try:
        made = installing.give_password(db, account)
    except DubanError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    finally:
        db.close()
    click.echo(f"账号 {account} 的新密码：{made}（只显示这一次，登录后须修改；原来的登录已全部结束）")


@click.command(help="逐项检查设置、数据库、定时服务和发信服务器")
@click.option("--mail", "mail_to", metavar="邮箱", help="另发一封试信到这个邮箱")
def check(mail_to: str | None) -> None:
    """Print what was looked at, a line each; exit status 1 when something does not work."""
    settings = settings_or_exit()
    found = list(checking.check(settings, settings.transport, mail_to))
    for one in found:
        click.echo(f"{checking.MARKS[one.level]:　<3} {one.about}：{one.says}")
    sys.exit(any(one.level == "bad" for one in found))


@click.command(help="核对全部记录：链、封存、重演、待办与流程、提醒与邮件；有差异时退出码为 1")
@click.option("--head", "heads", multiple=True, metavar="N:HASH", help="邮件里的封存凭据，可多次")
@click.option(
    "--mail",
    "mails",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="每周情况邮件的原件（.eml），可多次",
)
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def verify(heads: tuple[str, ...], mails: tuple[Path, ...], as_json: bool) -> None:
    """Print every difference; exit status 1 when there is one, 2 when it cannot be run."""
    try:
        kept = [verifying.parse_head(words) for words in heads]
        kept += [found for file in mails for found in verifying.heads_of_mail(file)]
    except verifying.HeadError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    settings = settings_or_exit()
    db = database_or_exit(settings)
    try:
        status = verifying.verify(db, settings.store, kept, as_json=as_json)
    except DBAPIError as error:
        fail(no_database(settings, error))
    finally:
        db.close()
    sys.exit(status)


@click.command(help="一条命令看演示：四个方案同时办理、办到一半的样子")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="监听端口")
@click.option(
    "--folder", default="var/demo", show_default=True, type=click.Path(path_type=Path), help="演示数据的文件夹"
)
@click.option("--fresh", is_flag=True, help="丢掉上次的演示数据，从头来")
def demo(port: int, folder: Path, fresh: bool) -> None:
    """Build the demonstration once, then run web, scheduler and mail sink until interrupted."""
    from webapp.demo import running

    running.run(folder, port, fresh=fresh)
