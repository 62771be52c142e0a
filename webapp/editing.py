"""The editor of a draft, and what it asks the server: the draft, units, the meaning of a rule, and to be saved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, render_template, request, url_for
from flask_login import current_user, login_required

from bpmn import library, phrases
from bpmn.comparing import changes
from bpmn.descriptor import descriptor, panel
from bpmn.dialect import read_date
from bpmn.drawing import size_of
from bpmn.explaining import Explanation, explain_cadence, explain_limit
from bpmn.lifecycle import LOCAL
from bpmn.lint import Finding
from bpmn.reading import read_lifecycle, read_plan
from bpmn.xml import MAX_BYTES, DiagramError
from engine import admission, drafting
from engine.known_figures import KnownFigure, known_figures
from ledger.directory import directory_of, known_units
from ledger.errors import Conflict, DubanError, NotFound
from ledger.queries.directory import entries
from webapp import context, headers, words
from webapp.studio import require_writer

bp = Blueprint("editing", __name__, url_prefix="/plans/studio")

MOST_CHOICES = 8
TAKING = ("editing.save", "editing.check", "editing.restore", "studio.load")


@bp.before_app_request
def _let_diagrams_in() -> None:
    """A diagram may be larger than a form, for those who are logged in; the reader has a limit of its own."""
    if request.endpoint in TAKING and current_user.is_authenticated:
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
        lifecycles=[[k, read_lifecycle(library.lifecycle_xml(k)).name] for k in library.lifecycle_keys() if k != LOCAL],
        **_state(draft),
    )


@bp.post("/<int:draft_id>/save")
@login_required
def save(draft_id: int) -> tuple[Response, int]:
    """Keep the diagram in the request's body; `revision` is the one it was made from."""
    require_writer()
    revision = request.args.get("revision", 0, type=int)
    try:
        xml = drafting.in_own_words(context.reading(), context.actor(), draft_id, request.get_data(cache=False))
        context.perform(drafting.save, draft_id, revision, xml)
    except DubanError as error:
        return _not_done(error)
    return jsonify(_state(drafting.draft_of(context.reading(), context.actor(), draft_id))), 200


@bp.post("/<int:draft_id>/check")
@login_required
def check(draft_id: int) -> tuple[Response, int]:
    """What the linter says of a diagram that may take the draft's place, and whom it would change what for."""
    require_writer()
    try:
        draft = drafting.draft_of(context.reading(), context.actor(), draft_id)
        xml = drafting.in_own_words(context.reading(), context.actor(), draft_id, request.get_data(cache=False))
    except DubanError as error:
        return _not_done(error)
    found = [_found(f) for f in admission.findings(xml, directory_of(context.reading()))]
    try:
        lines, compared = _lines(draft, xml), "与现在的草稿相比，没有影响任何单位的改动。"
    except DiagramError:
        lines, compared = [], "有错误没有改正，比不出与现在的草稿有哪些不同。"
    return jsonify(findings=found, changes=lines, compared=compared), 200


def _lines(draft: drafting.PlanDraft, xml: bytes) -> list[str]:
    """What a diagram says otherwise than the draft, a line each. Raises: DiagramError where one cannot be read."""
    by_unit = changes(read_plan(draft.xml), read_plan(xml), known_units(context.reading(), draft.jurisdiction))
    return [
        f"{unit}　{change.no} {change.title}：{change.words}" if change.title else f"{unit}：{change.words}"
        for unit, found in by_unit.items()
        for change in found
    ]


@bp.post("/restore")
@login_required
def restore() -> tuple[Response, int]:
    """A draft of its own from the diagram in the request's body; answers where it is."""
    require_writer()
    try:
        draft_id = context.perform(drafting.restore, request.get_data(cache=False))
    except DubanError as error:
        return _not_done(error)
    return jsonify(place=url_for("editing.show", draft_id=draft_id)), 200


def _not_done(error: DubanError) -> tuple[Response, int]:
    status = 409 if isinstance(error, Conflict) else 404 if isinstance(error, NotFound) else 422
    return jsonify(words=_said(error)), status


def _said(error: DubanError) -> str:
    if isinstance(error, Conflict):
        when = words.short_clock(error.at) if error.at else "刚才"
        return f"{error.who} 于 {when} {error.what}。您的改动没有写入，仍在本页。"
    return str(error)


def _state(draft: drafting.PlanDraft) -> dict[str, Any]:
    return {
        "revision": draft.revision,
        "saver": [draft.saved_by, words.short_clock(draft.saved_at)],
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
    directory = known_units(context.reading(), draft.jurisdiction)
    if "alone" in request.args:  # one unit is wanted, no group
        directory = replace(directory, groups=())
    found = entries(directory, request.args.get("words", ""), MOST_CHOICES + 1)
    shown = [{"name": entry.name, "note": entry.note} for entry in found[:MOST_CHOICES]]
    return jsonify(found=shown, more=len(found) > len(shown))


@bp.get("/<int:draft_id>/figures")
@login_required
def figures(draft_id: int) -> Response:
    """Figures of other plans by what is typed, so that one is filled once for all (一数一源)."""
    require_writer()
    draft = drafting.draft_of(context.reading(), context.actor(), draft_id)
    found = known_figures(context.reading(), draft.jurisdiction, draft.plan, request.args.get("words", ""))
    shown = [{"note": f"{known.plan}，任务 {known.no}", **_asked(known)} for known in found[:MOST_CHOICES]]
    return jsonify(found=shown, more=len(found) > len(shown))


def _asked(known: KnownFigure) -> dict[str, str]:
    """What the two must have in common, by the names of the dialect."""
    figure = known.figure
    said = {"key": figure.key, "name": figure.name, "unit": figure.unit, "sum": figure.sum, "per": figure.per}
    said |= {"definition": figure.definition, "source": figure.source, "asOf": figure.as_of}
    return {name: value for name, value in {**said, "reporter": figure.reporter}.items() if value}


@bp.get("/<int:draft_id>/explain")
@login_required
def explain(draft_id: int) -> Response:
    """What a limit or a rhythm means, told back; `read` asks for the rule that the words alone are, where any is: they
    may count from an `item`, given as its element and its number."""
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
    if asked.pop("read", ""):
        items = (named.partition(" ") for named in request.args.getlist("item"))
        setting = phrases.Setting(period, context.calendar(), {number: ident for ident, _, number in items})
        asked = phrases.read(element, text, setting) or {}
    return _told(explain_limit(element, asked, text, period, context.calendar()), asked)


def _told(told: Explanation, rule: dict[str, str] | None = None) -> Response:
    problem = words.without_latin(told.problem)
    steps = [list(step) for step in told.steps]
    return jsonify(says=told.says, steps=steps, problem=problem, rule=rule, rhythm=told.rhythm)
