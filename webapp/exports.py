"""导出: the ledger as a sheet, exactly as its page shows it; a scheduler writes it while its person goes on working."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import parse_qsl

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file, url_for
from flask_login import login_required
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as Answer

from ledger import exports
from ledger.calendar import local_day
from ledger.errors import AlreadySent, NotFound
from webapp import context
from webapp.drafts import once
from webapp.questions import address, asked_for, filters_of

bp = Blueprint("exports", __name__)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.get("/exports")
@login_required
def show() -> str:
    """The sheets one has asked for; while one is being written the page asks again."""
    found = exports.of_person(context.reading(), context.actor().person_id)
    addresses = {e.id: address(filters_of(e.asked)) for e in found}
    return render_template("exports.html", found=found, addresses=addresses, most=exports.MOST)


@bp.post("/exports")
@login_required
def ask() -> Answer:
    """导出 what an address of the ledger shows."""
    asked = asked_for(MultiDict(parse_qsl(request.form.get("asked", ""), keep_blank_values=True)))
    person_id = context.actor().person_id
    with suppress(AlreadySent):
        context.perform(once(exports.ask), person_id, asked)
    return redirect(url_for("exports.show"))


@bp.get("/exports/<int:number>")
@login_required
def download(number: int) -> Response:
    """The file, to whoever asked for it and nobody else."""
    found = exports.own(context.reading(), context.actor().person_id, number)
    if found.state != "done":
        raise NotFound("这份导出还没有写好，请稍等再下载。")
    context.close_reading()
    name = f"督办台账{local_day(found.asked_at):%Y%m%d}-{number}.xlsx"
    try:
        response = send_file(exports.path_of(context.store(), number), XLSX, as_attachment=True, download_name=name)
    except FileNotFoundError as error:
        raise NotFound("这份导出的文件已经清理，请重新导出。") from error
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/exports/<int:number>/remove")
@login_required
def remove(number: int) -> Answer:
    """Throw a sheet away before its day is over."""
    person_id = context.actor().person_id
    context.close_reading()
    exports.remove(context.database(), context.store(), person_id, number)
    flash("已删除。")
    return redirect(url_for("exports.show"))
