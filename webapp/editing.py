"""The editor of a draft, and what it asks the server: the draft, units, the meaning of a rule, and to be saved."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, jsonify, render_template, request
from flask_login import current_user, login_required

from bpmn import library, phrases
from bpmn.descriptor import descriptor, panel
from bpmn.dialect import read_date
from bpmn.drawing import size_of
from bpmn.explaining import Explanation, explain_cadence, explain_limit
from bpmn.lint import Finding
from bpmn.reading import read_lifecycle
from bpmn.xml import MAX_BYTES
from engine import admission, drafting
from ledger.directory import directory_of, known_units
from ledger.errors import Conflict, DubanError, NotFound
from ledger.queries.directory import entries
from webapp import context, headers, words
from webapp.studio import require_writer

bp = Blueprint("editing", __name__, url_prefix="/plans/studio")

MOST_UNITS = 8


@bp.before_app_request
def _let_diagrams_in() -> None:
    """A diagram may be larger than a form, for those who are logged in; the reader has a limit of its own."""
    if request.endpoint == "editing.save" and current_user.is_authenticated:
        request.max_content_length = max(MAX_BYTES + 1024, current_app.config["MAX_CONTENT_LENGTH"])


@bp.get("/<int:draft_id>")
@login_required
def show(draft_id: int) -> str:
    """The editor on a wide screen, the drawing alone on a narrow one (frontend/studio.js chooses)."""
    require_writer()
    headers.allow_diagram()
    draft = drafting.draft_of(context.reading(), context.actor(), draft_id)
    return render_template("editor.html", draft=draft, size=size_of(draft.xml))


@bp.get("/<int:draft_id>/draft.bpmn")
@login_required
def diagram(draft_id: int) -> Response:
    """The draft as it was last saved."""
    require_writer()
    return Response(drafting.draft_of(context.reading(), context.actor(), draft_id).xml, mimetype="application/xml")


@bp.get("/<int:draft_id>/draft.json")
@login_required
def begin(draft_id: int) -> Response:
    """Everything the editor begins with."""
    require_writer()
    draft = drafting.draft_of(context.reading(), context.actor(), draft_id)
    return jsonify(
        xml=draft.xml.decode(),
        published=draft.base_version_id is not None,
        dialect={"descriptor": descriptor(), "panel": panel()},
        lifecycles=[[key, read_lifecycle(library.lifecycle_xml(key)).name] for key in library.lifecycle_keys()],
        **_state(draft),
    )


@bp.post("/<int:draft_id>/save")
@login_required
def save(draft_id: int) -> tuple[Response, int]:
    """Keep the diagram in the request's body; `revision` is the one it was made from."""
    require_writer()
    revision = request.args.get("revision", 0, type=int)
    try:
        sent = request.get_data(cache=False)
        xml = drafting.in_own_words(context.reading(), context.actor(), draft_id, sent)
        context.perform(drafting.save, draft_id, revision, xml)
    except DubanError as error:
        status = 409 if isinstance(error, Conflict) else 404 if isinstance(error, NotFound) else 422
        return jsonify(words=_said(error)), status
    return jsonify(_state(drafting.draft_of(context.reading(), context.actor(), draft_id))), 200


def _said(error: DubanError) -> str:
    if isinstance(error, Conflict):
        when = words.short_clock(error.at) if error.at else "刚才"
        return f"{error.who} 于 {when} {error.what}。您的改动没有写入，仍在本页。"
    return str(error)


def _state(draft: drafting.PlanDraft) -> dict[str, Any]:
    return {
        "revision": draft.revision,
        "saved": f"{words.short_clock(draft.saved_at)} 由{draft.saved_by}保存",
        "findings": [_found(f) for f in admission.findings(draft.xml, directory_of(context.reading()))],
    }


def _found(finding: Finding) -> dict[str, str | None]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "element": finding.element,
        "message": words.without_latin(finding.message),
    }


@bp.get("/<int:draft_id>/units")
@login_required
def units(draft_id: int) -> Response:
    """Names of the directory that may be meant by what is typed: a name, an alias, or pinyin."""
    require_writer()
    draft = drafting.draft_of(context.reading(), context.actor(), draft_id)
    found = entries(known_units(context.reading(), draft.jurisdiction), request.args.get("words", ""), MOST_UNITS)
    return jsonify([{"name": entry.name, "note": entry.note} for entry in found])


@bp.get("/<int:draft_id>/explain")
@login_required
def explain(draft_id: int) -> Response:
    """What a limit or a rhythm means, told back; `read` is the rule that printed words alone would be."""
    require_writer()
    drafting.draft_of(context.reading(), context.actor(), draft_id)
    asked = request.args.to_dict()
    element, text = asked.pop("element", ""), asked.pop("text", "")
    if element == "cadence":
        return _told(explain_cadence(asked, context.calendar()))
    try:
        period = (read_date(asked.pop("period_start", "")), read_date(asked.pop("period_end", "")))
    except ValueError:
        return _told(Explanation(problem="请先填写方案的开始日期和结束日期。"))
    if element not in ("due", "opens"):
        raise NotFound("没有这种规则。")
    if asked.pop("read", "") and (found := phrases.read(text, period)) is not None:
        return _told(explain_limit(element, found, text, period, context.calendar()), found)
    return _told(explain_limit(element, asked, text, period, context.calendar()))


def _told(told: Explanation, rule: dict[str, str] | None = None) -> Response:
    problem = words.without_latin(told.problem)
    return jsonify(says=told.says, steps=[list(step) for step in told.steps], problem=problem, rule=rule)
