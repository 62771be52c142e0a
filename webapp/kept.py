"""What somebody typed into a form whose session or token had run out: it goes along and becomes a draft.

Forms with a draft carry its name; nothing of other forms is kept (a password is not).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from flask import current_app, request
from itsdangerous import BadSignature, URLSafeSerializer

from webapp import drafts
from webapp.forms import typed

_SECRET = ("accounts", "passwords", "addresses")  # their forms hold passwords


@dataclass(frozen=True)
class Kept:
    """A form by the name of its draft. `owner` is signed: whose session it was; another person is not given it."""

    draft: str
    fields: Mapping[str, str]
    owner: str = ""

    def pack(self) -> str:
        """As a hidden field carries it."""
        return json.dumps(asdict(self), ensure_ascii=False)

    def place(self) -> str | None:
        """The page of the form, as far as its name alone tells; its person alone is told more."""
        return drafts.plain_place(self.draft)

    def belongs_to(self, person_id: int) -> bool:
        if not self.owner:
            return True
        try:
            return bool(_signer().loads(self.owner) == person_id)
        except BadSignature:
            return False


def from_request(owner: int | None) -> Kept | None:
    """What the present form holds, if it was sent from a page of ours and fits into a draft."""
    name, fields = request.form.get("draft", ""), typed(request.form)
    if (
        request.method != "POST"
        or request.blueprint in _SECRET
        or not any(fields.values())
        or not _is_ours()
        or not drafts.fits(name, fields)
    ):
        return None
    return Kept(name, fields, _signer().dumps(owner) if owner is not None else "")


def unpack(words: str) -> Kept | None:
    """What a hidden field holds; nothing for what this module did not pack."""
    if not words or len(words) > 2 * drafts.MAX_LENGTH:
        return None
    try:
        found = json.loads(words)
        made = Kept(found["draft"], {str(k): str(v) for k, v in found["fields"].items()}, str(found["owner"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return made if isinstance(made.draft, str) and drafts.fits(made.draft, made.fields) else None


def put_back(person_id: int, kept: Kept) -> bool:
    """Make it a draft of this person; False where it was another's."""
    if not kept.belongs_to(person_id):
        return False
    drafts.put(person_id, kept.draft, kept.fields)
    return True


def _is_ours() -> bool:
    """Not sent by another site: nobody else's words may become a person's draft."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return False
    source = request.headers.get("Origin") or request.headers.get("Referer") or ""
    return not source or urlsplit(source).netloc == request.host


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt="kept")
