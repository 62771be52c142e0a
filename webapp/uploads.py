"""Putting files into a form before it is handed in: announced, sent in chunks, shown beside the form, taken out again.

Without JavaScript files come with the form itself and are put beside it in the same way, so that a refused form keeps
them.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from flask import Blueprint, Flask, get_template_attribute, jsonify, redirect, request, url_for
from flask_login import current_user, login_required
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from ledger import uploads
from ledger.errors import DubanError, Invalid, NotFound
from ledger.files import Misplaced
from ledger.queries.items import item_of, require_visible
from ledger.rules.filetypes import KINDS
from ledger.uploads import FIELD, Staged
from webapp import context, drafts
from webapp.files import answer
from webapp.forms import typed

bp = Blueprint("uploads", __name__)

AT_ONCE = 5  # full-sized files that may come with a form itself
_CARRYING = frozenset({"acts.report", "acts.submit", "acts.decide", "intakes.register"})
_TAKES_FILES = re.compile(r"(?:report|submit|decide)-([0-9]+)")  # of a share
_OF_CASE = re.compile(r"intake_(?:new|on-([0-9]+))-[a-z]+")  # of a case, upon an item or a new one

_WHOLE = re.compile("[0-9]{1,15}")
_NO_MARK = re.compile(r"[^0-9a-z:-]")


def install(app: Flask) -> None:
    """Must come before whatever reads a request's form."""
    app.before_request(_let_files_in)
    app.context_processor(_offered)


def _offered() -> dict[str, object]:
    """What a page offers to choose. A phone that is not told of HEIC sends its pictures as JPEG."""
    limits = context.settings().limits
    return {"limits": limits, "accepted": ",".join(f".{t}" for t in KINDS if t in limits.types and t != "heic")}


def _let_files_in() -> None:
    """Forms that carry files may be larger than other requests, for those who are logged in."""
    if request.endpoint in _CARRYING and request.mimetype == "multipart/form-data" and current_user.is_authenticated:
        limit = context.settings().limits.size * AT_ONCE
        request.max_content_length = limit + (request.max_content_length or 0)


# ---------------------------------------------------------------- in chunks
@bp.post("/uploads/for/<form>")
@login_required
def announce(form: str) -> tuple[Response, int]:
    """A file that is to come (name, size, mark); the answer says where to go on, and how the page shows it."""
    values = request.form
    try:
        _require_form(form)
        store, limits = context.store(), context.settings().limits
        made = uploads.announce(
            context.database(),
            store,
            limits,
            context.actor().person_id,
            form,
            name=values.get("name", ""),
            size=_whole(values.get("size", "")),
            mark=_NO_MARK.sub("", values.get("mark", "")),
        )
    except DubanError as error:
        return _refused(error)
    return _said(made), 201


@bp.patch("/uploads/<int:upload_id>")
@login_required
def accept(upload_id: int) -> tuple[Response, int]:
    """The next bytes, from the offset that the header Upload-Offset names; 409 says from where they are wanted."""
    said = request.headers.get("Upload-Offset", "")
    if not _WHOLE.fullmatch(said):
        return jsonify(error="没有说明从文件的第几个字节接着传（Upload-Offset 应为 0 或正整数），请重新选择文件。"), 400
    offset, chunk = int(said), request.get_data()
    person_id = context.actor().person_id
    context.close_reading()
    try:
        made = uploads.accept(context.database(), context.store(), person_id, upload_id, offset, chunk)
    except Misplaced as error:
        return jsonify(received=error.received), 409
    except DubanError as error:
        return _refused(error)
    return _said(made), 200


@bp.get("/uploads/<int:upload_id>")
@login_required
def show(upload_id: int) -> Response:
    """One's own file, before it is handed in."""
    file, sha256 = uploads.own(context.reading(), context.store(), context.actor().person_id, upload_id)
    if sha256 is None:
        raise NotFound("这个附件还没有传完。")
    return answer(file, sha256)


@bp.post("/uploads/<int:upload_id>/remove")
@login_required
def remove(upload_id: int) -> Response | tuple[str, int]:
    """Take a file out of its form. A form sent here as a whole comes back with what was typed in it."""
    person_id = context.actor().person_id
    context.close_reading()
    form = uploads.remove(context.database(), context.store(), person_id, upload_id)
    if request.accept_mimetypes.best == "application/json":
        return "", 204
    drafts.put(person_id, form, typed(request.form))
    return redirect(_require_form(form))


def _said(file: Staged) -> Response:
    row = get_template_attribute("parts/files.html", "waiting")
    return jsonify(id=file.id, received=file.received, stored=file.stored, html=row(file))


def _refused(error: DubanError) -> tuple[Response, int]:
    return jsonify(error=str(error)), 422 if isinstance(error, Invalid) else 404


def _whole(words: str) -> int:
    return int(words) if _WHOLE.fullmatch(words) else 0


def _require_form(form: str) -> str:
    """The page on which a form stands, if it takes files and the actor may see it. Raises: NotFound."""
    found, of_case = _TAKES_FILES.match(form), _OF_CASE.fullmatch(form)
    if of_case and context.actor().has("coordinator"):
        if of_case[1]:
            require_visible(context.reading(), context.sight(), int(of_case[1]))
        return drafts.plain_place(form) or ""
    if found is None or not drafts.is_form(form):
        raise NotFound("没有这张表单。")
    item_id = item_of(context.reading(), context.sight(), int(found[1]))
    return url_for("items.show", item_id=item_id, tab=form, _anchor="forms")


# ---------------------------------------------------------------- with the form
def handed_in(form: str) -> list[int]:
    """The uploads that a form hands in: those it names, wherever they were put, and the files it carries itself.

    Raises: Invalid, NotFound.
    """
    named = {int(number) for number in request.form.getlist("upload") if re.fullmatch("[0-9]{1,9}", number)}
    carried = [f for f in request.files.getlist(FIELD) if f.filename]
    numbers = sorted(named.union(_taken(form, carried) if carried else ()))
    context.settings().limits.require_count(len(numbers))
    return numbers


def _taken(form: str, carried: Collection[FileStorage]) -> list[int]:
    _require_form(form)
    person_id = context.actor().person_id
    context.close_reading()
    db, store, limits = context.database(), context.store(), context.settings().limits
    numbers, wrong = [], []
    for f in carried:
        try:
            made = uploads.take(db, store, limits, person_id, form, name=f.filename or "", source=f.stream)
            numbers.append(made.id)
        except Invalid as error:
            wrong.append(str(error))
    if wrong:
        raise Invalid({FIELD: "\n".join(wrong)})
    return numbers


def waiting(forms: Collection[str]) -> dict[str, list[Staged]]:
    """The person's files in these forms, by form."""
    return uploads.staged(context.reading(), context.store(), context.actor().person_id, forms)
