"""When an act could not be taken: a page that says so plainly and hands back what was typed, ready to be sent again.

It asks nothing of the database, not even who is asking.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app, make_response, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from ledger.trouble import Trouble
from webapp import tracing

RETRY_SECONDS = 10
WORDS = {
    Trouble.AWAY: ("数据库暂时连不上", "服务器上的数据库没有应答，多半是在重启。"),
    Trouble.BUSY: ("系统正忙", "同时办理的人多，这一次没有排上。"),
    Trouble.FULL: ("服务器磁盘写不进去", "请告诉管理员：服务器磁盘已满或不可写。"),
    Trouble.UNSURE: (
        "不能确定是否已经提交",
        "提交时与数据库的连接断了，这一次可能已经记下，也可能没有。请先看办理记录：已经记下的不要再交，没有记下再重新提交。",
    ),
}
BROKEN = ("系统出了差错", "差错已经记下；若再试仍不行，请联系管理员。")
_NOT_TAKEN = "刚才的内容没有提交，已为您保留在下方，请过一会儿点“重新提交”。"
_NOTHING_DONE = "刚才的操作没有生效，请过一会儿再试。"
_ASK_AGAIN = "请过一会儿再打开这一页。"

LABELS = {
    "summary": "完成情况",
    "progress": "进展",
    "problem": "问题",
    "reason": "意见",
    "words": "催办内容",
    "spoke_to": "受话人",
    "answer": "答复",
}
LONG = 40  # characters from which a value is shown, whatever its field is called


@dataclass(frozen=True)
class Kept:
    """What a form held: texts to look at and mend (name, label, value), the rest to be sent as it is (name, value)."""

    texts: tuple[tuple[str, str, str], ...]
    rest: tuple[tuple[str, str], ...]

    @property
    def choices(self) -> int:
        """Figures and ticks among the rest, for the sentence that counts them."""
        return sum(bool(value) and name.startswith(("figure-", "todo", "assignments")) for name, value in self.rest)


def kept(data: MultiDict[str, str]) -> Kept:
    """The fields of a form without its token; an empty text is not shown."""
    fields = [(name, value) for name, value in data.items(multi=True) if name != "csrf_token"]
    texts = tuple((name, _label(name), value) for name, value in fields if _is_text(name, value))
    return Kept(texts, tuple((name, value) for name, value in fields if not _is_text(name, value)))


def _label(name: str) -> str:
    return LABELS.get(name.partition("-")[0], "您写的内容")


def _is_text(name: str, value: str) -> bool:
    return bool(value.strip()) and (name.partition("-")[0] in LABELS or len(value) > LONG or "\n" in value)


def page(trouble: Trouble | None, status: int) -> Response:
    """The page, or for htmx a notice to put where the answer would have stood; None is a mistake of our own."""
    title, sentence = WORDS[trouble] if trouble else BROKEN
    form = _form()
    if trouble is not Trouble.UNSURE:
        sentence += _NOT_TAKEN if form else _ASK_AGAIN if request.method == "GET" else _NOTHING_DONE
    template = "parts/refusal.html" if request.headers.get("HX-Request") else "outage.html"
    # Past Flask's render_template, whose context processors ask who is logged in.
    html = current_app.jinja_env.get_template(template).render(
        title=title, sentence=sentence, kept=form, number=tracing.request_number()
    )
    response = make_response(html, status)
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def _form() -> Kept | None:
    """What may be shown again: never a form with a password."""
    if request.method != "POST" or any("password" in name for name in request.form):
        return None
    return kept(request.form)
