"""发信: for administrators, whether mails go out, and what could not be delivered."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_login import login_required
from werkzeug.wrappers import Response

from engine.mail.contexts import KIND_NAMES, LINKS
from engine.mail.smtp import SendError
from engine.outbox import send_again
from ledger.errors import NotAllowed, Refused
from ledger.queries import operations
from ledger.queries.outgoing import own_address, undelivered
from webapp import context
from webapp.checking import test_mail
from webapp.paging import number_of
from webapp.settings import Settings

bp = Blueprint("outgoing", __name__, url_prefix="/outgoing")


@bp.get("")
@login_required
def index() -> str:
    return _page()


@bp.post("/<int:message_id>/again")
@login_required
def again(message_id: int) -> Response | tuple[str, int]:
    """重新发送."""
    _require()
    try:
        context.perform(send_again, message_id)
    except Refused as error:
        context.close_reading()
        return _page(str(error)), 409
    flash("已重新排队，定时服务随后发出。")
    return redirect(url_for("outgoing.index"))


@bp.post("/test")
@login_required
def test() -> Response | tuple[str, int]:
    """试信 to the administrator's own address: what `duban check --mail` does."""
    _require()
    transport = context.settings().transport
    if transport is None:
        context.close_reading()
        return _page("试信没有发：还没有设置发信服务器，邮件都留在发件箱里。怎样设置，见下面。"), 409
    mail_to = own_address(context.reading(), context.actor())
    context.close_reading()  # no view is kept open while a slow server is asked
    try:
        found = test_mail(transport, mail_to)
    except SendError as error:
        return _page(f"试信没有发出去：{error}"), 409
    flash(found.says)
    return redirect(url_for("outgoing.index"))


# What a technician writes: the settings of the environment, and how the two processes are started again.
LINES = (
    'export DUBAN_SMTP_HOST="mail.example.gov.cn"',
    'export DUBAN_SMTP_PORT="465"',
    'export DUBAN_SMTP_SECURITY="tls"',
    'export DUBAN_SMTP_USER="duban@example.gov.cn"',
    'export DUBAN_SMTP_PASSWORD="……"',
    'export DUBAN_SMTP_FROM="督办台账 <duban@example.gov.cn>"',
    "duban check --mail duban@example.gov.cn",
    "duban serve",
    "duban scheduler",
)
SECURITY = {"none": "不加密", "starttls": "连接后加密", "tls": "全程加密"}


def _facts(settings: Settings) -> list[tuple[str, str]]:
    """What is set, in words; of a password only that there is one."""
    signs_in = f"{settings.smtp_user}，密码已设置" if settings.smtp_user else "不用账号"
    return [
        ("发信服务器", f"{settings.smtp_host}，端口 {settings.smtp_port}"),
        ("加密", SECURITY[settings.smtp_security]),
        ("发信账号", signs_in),
        ("发件人", settings.smtp_from),
        ("邮件里的网址", settings.base_url),
    ]


def _require() -> None:
    if not context.actor().has("administrator"):
        raise NotAllowed("发信情况只对管理员开放。")


def _page(notice: str = "") -> str:
    _require()
    connection, settings = context.reading(), context.settings()
    return render_template(
        "outgoing.html",
        found=undelivered(connection, context.actor(), number_of("page")),
        standing=operations.standing(connection, context.now()),
        settings=settings,
        kinds=KIND_NAMES,
        links=LINKS,
        facts=_facts(settings),
        lines=LINES,
        notice=notice,
        link=lambda n: url_for("outgoing.index", page=n),
    )
