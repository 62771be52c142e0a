"""The application factory: settings and a database in, a WSGI application out. Nothing here knows a rule."""

from __future__ import annotations

import logging
from datetime import timedelta
from importlib import import_module
from secrets import token_hex

from flask import Flask, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from ledger.database import Database
from ledger.errors import Conflict, DubanError, Invalid, NotAllowed, NotFound, Questions
from webapp import accounts, context, frame, headers, words
from webapp.settings import Settings

log = logging.getLogger(__name__)

# Every part of the pages registers here and nowhere else; each module has one blueprint named `bp`.
BLUEPRINTS = [
    "webapp.accounts",
    "webapp.inbox",
    "webapp.items",
    "webapp.acts",
    "webapp.rounds",
    "webapp.drafts",
    "webapp.ledger_list",
    "webapp.plans",
]
DEMO_BLUEPRINTS = ["webapp.demo.clock", "webapp.demo.entrance", "webapp.demo.mail"]

STATUS = {Invalid: 422, Questions: 422, Conflict: 409, NotAllowed: 403, NotFound: 404}
TITLES = {
    400: ("请求没有读懂", "页面可能放得太久了。请返回上一页，刷新后再试一次。"),
    403: ("这里不能进入", "您的岗位没有办理此事的权限。如有需要，请联系专班办。"),
    404: ("没有这一页", "地址可能写错了，或者这件事不在您的岗位可见的范围内。"),
    405: ("请求没有读懂", "请返回上一页，按页面上的按钮办理。"),
    413: ("内容太大", "请减少文字后再提交。"),
    429: ("操作太频繁", "请稍等几分钟再试。"),
    500: ("系统出了差错", "刚才的操作没有生效，差错已经记下。请稍后再试；若仍不行，请联系管理员。"),
}


def create_app(settings: Settings, database: Database) -> Flask:
    """The web application of one deployment. The caller owns `database` and closes it."""
    app = Flask(__name__)
    app.config.update(_config(settings))
    app.extensions["duban"] = {"settings": settings, "database": database}
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    CSRFProtect(app)
    for part in (accounts, headers, words, frame):
        part.install(app)
    for name in [*BLUEPRINTS, *(DEMO_BLUEPRINTS if settings.demo else [])]:
        app.register_blueprint(import_module(name).bp)
    app.add_url_rule("/", "home", lambda: redirect(url_for("inbox.show")))
    app.teardown_request(context.close_reading)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(DubanError, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _broken)
    return app


def _config(settings: Settings) -> dict[str, object]:
    return {
        "SECRET_KEY": settings.secret_key.get_secret_value() or token_hex(32),
        "SESSION_COOKIE_NAME": "duban",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.base_url.startswith("https://"),
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=settings.session_hours),
        "REMEMBER_COOKIE_HTTPONLY": True,
        "MAX_CONTENT_LENGTH": 1024 * 1024,
        "MAX_FORM_PARTS": 2000,
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session: a form left open over lunch still works
        "WTF_CSRF_SSL_STRICT": True,
        "RATELIMIT_HEADERS_ENABLED": False,
    }


# ---------------------------------------------------------------- when something is wrong
def _page(status: int, title: str, sentence: str) -> Response:
    """A calm page, or for htmx a notice to put where the answer would have stood."""
    context.close_reading()
    if request.headers.get("HX-Request"):
        return make_response(render_template("parts/refusal.html", title=title, sentence=sentence), status)
    template = "error.html" if _known() else "error-plain.html"
    return make_response(render_template(template, title=title, sentence=sentence), status)


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
    return _page(400, "页面已经过期", "为了安全，这一页需要重新打开。请返回上一页，刷新后再提交。")


def _http(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return make_response(error.get_response())
    title, sentence = TITLES.get(error.code, TITLES[400] if error.code < 500 else TITLES[500])
    return _page(error.code, title, sentence)


def _broken(error: Exception) -> Response:
    log.exception("%s %s failed", request.method, request.path, exc_info=error)
    return _page(500, *TITLES[500])
