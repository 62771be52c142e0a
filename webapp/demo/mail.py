"""/demo/mail: the mails the demo has sent, as they arrived at its own mail server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, abort, render_template, request, url_for
from flask_login import login_required
from sqlalchemy import select

from engine.mail.contexts import KIND_NAMES
from ledger.queries.words import ROLE_WORDS
from ledger.schema import person, post, unit
from webapp import context, headers
from webapp.demo.mailsink import Head, Mailbox, body
from webapp.guard import whole

bp = Blueprint("demo_mail", __name__, url_prefix="/demo/mail")

PAGE = 40
# The mail's own page: inline styles are all it needs. It has no script, no image and no form.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


@dataclass(frozen=True)
class Addressee:
    """Whose address it is: 市人社局 联络员."""

    address: str
    post: str


def mailbox() -> Mailbox:
    """The folder the demo's mail server writes into."""
    return Mailbox(Path(context.settings().demo_mail))


@bp.get("")
@login_required
def index() -> str:
    to, kind, page = request.args.get("to", ""), request.args.get("kind", ""), _page()
    everything = mailbox().heads()
    found = [h for h in everything if (not to or h.to == to) and (not kind or h.kind == kind)]
    posts = addressees()
    return render_template(
        "demo/mails.html",
        mails=found[(page - 1) * PAGE : page * PAGE],
        found=len(found),
        total=len(everything),
        posts=posts,
        addresses=sorted({h.to for h in everything}, key=lambda a: posts.get(a, Addressee(a, a)).post),
        kinds=KIND_NAMES,
        to=to,
        kind=kind,
        page=page,
        pages=max(1, -(-len(found) // PAGE)),
        link=lambda number: url_for("demo_mail.index", to=to or None, kind=kind or None, page=number),
    )


@bp.get("/<int:number>")
@login_required
def show(number: int) -> str:
    """One mail: its head, its HTML part in a frame that can do nothing but show it, its text part."""
    headers.allow_frames()
    mail = mailbox().mail(number)
    if mail is None:
        abort(404)
    head = next(h for h in mailbox().heads() if h.number == number)
    return render_template(
        "demo/mail.html",
        head=head,
        sent=str(mail.get("From", "")),
        message_id=str(mail.get("Message-ID", "")),
        text=body(mail, "plain"),
        posts=addressees(),
        kinds=KIND_NAMES,
        **_neighbours(head),
    )


@bp.get("/<int:number>/html")
@login_required
def html(number: int) -> Response:
    """The HTML part alone. Its links open in the window around the frame."""
    headers.allow_frames()
    mail = mailbox().mail(number)
    if mail is None:
        abort(404)
    page = body(mail, "html").replace("<head>", '<head><base target="_top">', 1)
    return Response(page, headers={"Content-Security-Policy": _MAIL_POLICY})


def addressees() -> dict[str, Addressee]:
    """Address -> the post of the person it belongs to."""
    rows = context.reading().execute(
        select(person.c.email, unit.c.short, post.c.role)
        .join(post, post.c.person_id == person.c.id)
        .join(unit, unit.c.key == post.c.unit)
        .where(post.c.until.is_(None))
        .order_by(post.c.id.desc())
    )
    return {r.email: Addressee(r.email, f"{r.short} {ROLE_WORDS.get(r.role, r.role)}") for r in rows}


def _neighbours(head: Head) -> dict[str, int | None]:
    numbers = [h.number for h in mailbox().heads()]
    place = numbers.index(head.number)
    return {
        "newer": numbers[place - 1] if place else None,
        "older": numbers[place + 1] if place + 1 < len(numbers) else None,
    }


def _page() -> int:
    return max(1, whole(request.args.get("page")))
