"""The application factory: settings and a database in, a WSGI application out. Nothing here knows a rule."""

from __future__ import annotations

import logging
from importlib import import_module
from secrets import token_hex

from flask import Flask, make_response, render_template, request
from flask import Response as FlaskResponse
from flask.globals import request_ctx
from flask_compress import Compress
from flask_login import current_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

from ledger.database import Database
from ledger.errors import Conflict, DubanError, Invalid, NotAllowed, NotFound, Questions
from ledger.trouble import trouble_of
from webapp import context, devices, doors, frame, guard, headers, kept, marks, outage, tracing, uploads, words
from webapp.forms import fresh
from webapp.settings import Settings

log = logging.getLogger(__name__)

# Every part of the pages registers here and nowhere else; each module has one blueprint named `bp`.
BLUEPRINTS = [
    "webapp.accounts",
    "webapp.passwords",
    "webapp.own",
    "webapp.addresses",
    "webapp.handing",
    "webapp.administering",
    "webapp.setting_up",
    "webapp.enrolling",
    "webapp.units",
    "webapp.unit_directory",
    "webapp.days",
    "webapp.logs",
    "webapp.outgoing",
    "webapp.home",
    "webapp.inbox",
    "webapp.signing",
    "webapp.items",
    "webapp.acts",
    "webapp.rounds",
    "webapp.intakes",
    "webapp.drafts",
    "webapp.uploads",
    "webapp.files",
    "webapp.ledger_list",
    "webapp.views",
    "webapp.exports",
    "webapp.plans",
    "webapp.warroom",
    "webapp.figures",
    "webapp.studio",
    "webapp.editing",
    "webapp.clearings",
    "webapp.health",
    "webapp.metrics",
]
DEMO_BLUEPRINTS = ["webapp.demo.clock", "webapp.demo.entrance", "webapp.demo.mail"]

STATUS = {Invalid: 422, Questions: 422, Conflict: 409, NotAllowed: 403, NotFound: 404}
TITLES = {
    400: ("请求没有读懂", "页面可能放得太久了。请返回上一页，刷新后再试一次。"),
    403: ("这里不能进入", "您的岗位没有办理此事的权限。如有需要，请联系专班办。"),
    404: ("没有这一页", "地址可能写错了，或者这件事不在您的岗位可见的范围内。"),
    405: ("请求没有读懂", "请返回上一页，按页面上的按钮办理。"),
    413: ("内容太大", "请减少文字或附件后再提交。"),
    429: ("操作太频繁", "请稍等几分钟再试。"),
}


def create_app(settings: Settings, database: Database) -> Flask:
    """The web application of one deployment. The caller owns `database` and closes it."""
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # fields are shown in the order of the dialect
    app.config.update(_config(settings))
    app.extensions["duban"] = {"settings": settings, "database": database}
    app.jinja_env.globals["fresh"] = fresh
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies)  # type: ignore[method-assign]
    tracing.install(app)  # before anything that may refuse
    uploads.install(app)
    CSRFProtect(app)
    Compress(app)
    app.after_request(_whole)
    for part in (guard, doors, devices, headers, words, marks, frame):
        part.install(app)
    for name in [*BLUEPRINTS, *(DEMO_BLUEPRINTS if settings.demo else [])]:
        app.register_blueprint(import_module(name).bp)
    app.teardown_request(context.close_reading)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(DubanError, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _broken)
    return app


def _whole(response: FlaskResponse) -> FlaskResponse:
    """A static file is read whole and closed before it goes out: of one that is compressed, or sent to a reader who
    hangs up, nobody would close the file."""
    if request.endpoint == "static":
        response.direct_passthrough = False
        response.make_sequence()
        response.close()
    return response


def _config(settings: Settings) -> dict[str, object]:
    prefix = "__Host-" if settings.is_https else ""
    return {
        "SECRET_KEY": settings.secret_key.get_secret_value() or token_hex(32),
        # Who is logged in: a random token, nothing else. What Flask signs holds the CSRF token and a notice to show.
        "LOGIN_COOKIE_NAME": f"{prefix}duban",
        "DEVICE_COOKIE_NAME": f"{prefix}duban-device",
        "SESSION_COOKIE_NAME": f"{prefix}duban-form",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.is_https,
        # Not pages: their length beside words that somebody else chose would tell of the token in them (BREACH).
        "COMPRESS_MIMETYPES": ["text/css", "text/javascript", "image/svg+xml", "application/xml"],
        "SESSION_COOKIE_PATH": "/",
        "MAX_CONTENT_LENGTH": 1024 * 1024,
        "MAX_FORM_PARTS": 2000,
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session: a form left open over lunch still works
        "WTF_CSRF_SSL_STRICT": True,
    }


# ---------------------------------------------------------------- when something is wrong
def _page(status: int, title: str, sentence: str) -> Response:
    """A calm page, or for htmx a notice to put where the answer would have stood."""
    context.close_reading()
    values = {"title": title, "sentence": sentence, "number": tracing.request_number() if status >= 500 else ""}
    if request.headers.get("HX-Request"):
        return make_response(render_template("parts/refusal.html", **values), status)
    return make_response(render_template("error.html" if _known() else "error-plain.html", **values), status)


def _known() -> bool:
    try:
        return bool(current_user.is_authenticated)
    except Exception:  # the database itself may be what is broken
        log.exception("could not tell who asks")
        return False


def _refused(error: DubanError) -> Response:
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 409)
    title = {403: "这里不能办理", 404: "没有找到"}.get(status, "没有办成")
    return _page(status, title, str(error))


def _stale_form(_error: CSRFError) -> Response:
    """The page lay too long, or somebody else logged in beside it. What was typed is offered again."""
    typed = kept.from_request(None)
    if typed and not request.headers.get("HX-Request"):
        context.close_reading()
        if _known():
            return make_response(render_template("stale.html", kept=typed), 400)
        return make_response(doors.ask_to_log_in())
    return _page(400, "页面已经过期", "为了安全，这一页需要重新打开。请返回上一页，刷新后再提交。")


def _http(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return make_response(error.get_response())
    if request_ctx.url_adapter is None:  # a Host nobody can be called: there is no address to link to on a page
        return make_response(error.get_response())
    if error.code >= 500:
        return outage.page(None, error.code)
    return _page(error.code, *TITLES.get(error.code, TITLES[400]))


def _broken(error: Exception) -> Response:
    """The database's trouble is a 503 that passes, anything else a mistake of ours; either keeps what was typed."""
    trouble = trouble_of(error)
    if trouble:
        log.warning("not done: the database is in trouble", extra={"refused": trouble})
    else:
        log.exception("request failed", exc_info=error)
    context.close_reading()
    return outage.page(trouble, 503 if trouble else 500)
