"""Files of the ledger as browsers get them: to whom the share's reports are open, shown only where that is harmless."""

from __future__ import annotations

import logging

from flask import Blueprint, Response, request, send_file
from flask_login import login_required

from ledger.attachments import Attached, readable
from ledger.errors import NotFound
from ledger.rules.filetypes import IMAGES, SHOWN
from webapp import context

log = logging.getLogger(__name__)
bp = Blueprint("files", __name__)

_LOCKED = "default-src 'none'; sandbox"
# A browser's own viewer of PDF does not start in a sandbox; no script of ours or of the file's runs in it.
_PDF = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'"


@bp.get("/files/<int:attachment_id>")
@login_required
def show(attachment_id: int) -> Response:
    """A file of an event; with `?download` it is saved, not shown."""
    file, sha256 = readable(context.reading(), context.sight(), attachment_id)
    return answer(file, sha256)


def answer(file: Attached, sha256: str) -> Response:
    """The content under its name; whole, in ranges, or 304. Raises: NotFound when the store has lost it."""
    shown = file.media_type in SHOWN and "download" not in request.args
    context.close_reading()
    try:
        response = send_file(
            context.store().path(sha256),
            mimetype=file.media_type,
            as_attachment=not shown,
            download_name=file.name,
            conditional=True,
            etag=f"file-{file.id}",
        )
    except FileNotFoundError as error:
        log.error("the store has lost file %s", file.id)
        raise NotFound("附件库里没有这个文件，请告诉管理员运行 duban verify。") from error
    response.headers["Content-Security-Policy"] = _PDF if shown and file.media_type not in IMAGES else _LOCKED
    # A picture in a page is asked for again every time, and answered with 304 to those who still may see it.
    response.headers["Cache-Control"] = "private, no-cache" if shown else "no-store"
    return response
