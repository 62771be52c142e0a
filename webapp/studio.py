"""方案编制: the plans an office writes, their drafts and versions; publishing and starting them."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_login import login_required
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from bpmn import dialect
from bpmn.comparing import Change, changes
from bpmn.plan import Facts, Plan
from bpmn.reading import read_plan
from engine import admission, drafting, published
from engine.drafting import Version
from ledger.calendar import local_day
from ledger.directory import directory_of, known_units
from ledger.errors import DubanError, Invalid, NotAllowed, NotFound, Refused
from ledger.queries.versions import publishings
from ledger.schema import unit
from webapp import context, forms, headers
from webapp.forms import Form
from webapp.start_check import start_check

bp = Blueprint("studio", __name__, url_prefix="/plans/studio")

Answer = AnyResponse | str | tuple[str, int]

ASKED = ("title", "short", "issuer", "docNo", "issued", "start", "end")


def require_writer() -> None:
    """Raises: NotAllowed for whoever coordinates no office."""
    if not context.actor().has("coordinator"):
        raise NotAllowed("方案由专班办工作人员编制。")


@bp.get("")
@login_required
def index() -> str:
    """Every plan of the person's offices: what is published, what is being written, what runs."""
    require_writer()
    return _index()


def _index(refusal: str = "") -> str:
    connection, actor = context.reading(), context.actor()
    by_plan = {key: list(found) for key, found in groupby(drafting.versions(connection, actor), lambda v: v.plan)}
    drafts = drafting.drafts(connection, actor)
    return render_template(
        "studio.html",
        plans=by_plan,
        drafts={d.plan: d for d in drafts},
        unpublished=[d for d in drafts if d.plan not in by_plan],
        running={key: drafting.running(connection, key) for key in by_plan},
        publishings=publishings(connection),
        refusal=refusal,
    )


# ---------------------------------------------------------------- a new plan
@bp.get("/new")
@login_required
def new() -> str:
    """The cover of a plan that is begun from nothing."""
    require_writer()
    today = local_day(context.now()).isoformat()
    offices = _offices()
    issuer = next(iter(offices.values()), "")
    return _new_page(Form("plan", {"issued": today, "start": today, "issuer": issuer}), offices)


@bp.post("/new")
@login_required
def create() -> Answer:
    require_writer()
    try:
        draft_id = context.perform(drafting.create, forms.text("office"), _facts())
    except DubanError as error:
        return _new_page(forms.refused("plan", request.form, error), _offices()), 422
    return redirect(url_for("editing.show", draft_id=draft_id))


def _new_page(form: Form, offices: dict[str, str]) -> str:
    labels = {name: dialect.ELEMENTS["plan"].attribute(name) for name in ASKED}
    return render_template("studio-new.html", form=form, offices=offices, labels=labels)


def _offices() -> dict[str, str]:
    keys = drafting.offices_of(context.actor())
    rows = context.reading().execute(select(unit.c.key, unit.c.name).where(unit.c.key.in_(keys)).order_by(unit.c.ord))
    return {r.key: r.name for r in rows}


def _facts() -> Facts:
    """The cover as it was typed; key, place and office come from the office. Raises: Invalid."""
    found: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name in ASKED:
        attribute = dialect.ELEMENTS["plan"].attribute(name)
        assert attribute is not None
        words = forms.text(name)
        try:
            found[name] = dialect.read_value(attribute, words) if words else None
        except dialect.DialectError as problem:
            wrong[name] = f"{problem}。"
        if not words and attribute.required:
            wrong[name] = f"请填写{attribute.label}。"
    if not wrong and found["end"] is not None and found["start"] > found["end"]:
        wrong["end"] = "结束日期早于开始日期，请改正。"
    if wrong:
        raise Invalid(wrong)
    period = (found["start"], found["end"])
    return Facts(
        "", found["title"], found["short"], found["issuer"], found["docNo"] or "", found["issued"], period, "", ""
    )  # fmt: skip


@bp.post("/load")
@login_required
def load() -> Answer:
    """A diagram that was taken home becomes a draft again, and is shown with what the linter says of it."""
    require_writer()
    file = request.files.get("file")
    try:
        if file is None or not file.filename:
            raise Refused("请先选择要载入的文件。")
        draft_id = context.perform(drafting.restore, file.read())
    except Refused as error:
        return _index(str(error)), 422
    return redirect(url_for("editing.show", draft_id=draft_id))


# ---------------------------------------------------------------- versions
@bp.get("/versions/<int:version_id>")
@login_required
def version(version_id: int) -> str:
    """One published version: its ground, what it changed for each unit, its drawing."""
    require_writer()
    return _version_page(version_id, Form("start"))


def _version_page(version_id: int, form: Form) -> str:
    headers.allow_diagram()
    connection, actor = context.reading(), context.actor()
    shown = drafting.version_of(connection, actor, version_id)
    others = [v for v in drafting.versions(connection, actor) if v.plan == shown.plan]
    former = next((v for v in others if v.number < shown.number), None)
    made = published.of_digest(connection, shown.digest)
    running = drafting.running(connection, shown.plan)
    startable = others[0].number == shown.number and running is None
    return render_template(
        "studio-version.html",
        version=shown,
        form=form,
        check=start_check(made.plan) if startable else None,
        cover=made.plan.facts,
        size=made.size,
        publishing=publishings(connection).get(version_id),
        former=former,
        is_newest=others[0].number == shown.number,
        changes=_changes(_plan(former), made.plan),
        running=running,
    )


@bp.get("/versions/<int:version_id>/diagram.bpmn")
@login_required
def drawing(version_id: int) -> Response:
    """The published diagram, byte for byte."""
    require_writer()
    return Response(drafting.version_of(context.reading(), context.actor(), version_id).xml, mimetype="application/xml")


@bp.post("/versions/<int:version_id>/revise")
@login_required
def revise(version_id: int) -> AnyResponse:
    """Open the draft of this plan, or begin one from this version."""
    require_writer()
    draft_id = context.perform(drafting.revise, version_id)
    return redirect(url_for("editing.show", draft_id=draft_id))


@bp.post("/versions/<int:version_id>/start")
@login_required
def start(version_id: int) -> Answer:
    """Start the version: its items are handed out."""
    require_writer()
    try:
        knowing = request.form.get("knowing") == "1"
        run_id = context.perform(drafting.start_version, version_id, knowing=knowing)
    except Invalid as error:
        context.close_reading()
        return _version_page(version_id, forms.refused("start", request.form, error)), 422
    flash("方案已启动，任务已交办到各单位。")
    return redirect(url_for("plans.show", run_id=run_id))


def _plan(former: Version | None) -> Plan | None:
    return None if former is None else published.of_digest(context.reading(), former.digest).plan


def _changes(old: Plan | None, new: Plan) -> dict[str, list[Change]]:
    return changes(old, new, known_units(context.reading(), new.facts.jurisdiction))


# ---------------------------------------------------------------- publishing a draft
@bp.get("/<int:draft_id>/publish")
@login_required
def ask(draft_id: int) -> str:
    """What publishing would change, by unit, and the form that asks for the ground."""
    require_writer()
    return _publish_page(draft_id, Form("publish"))


@bp.post("/<int:draft_id>/publish")
@login_required
def publish(draft_id: int) -> Answer:
    require_writer()
    revision = request.form.get("revision", 0, type=int)
    try:
        version_id = context.perform(drafting.publish_draft, draft_id, revision, forms.text("ground"))
    except (NotAllowed, NotFound):
        raise
    except DubanError as error:
        return _publish_page(draft_id, forms.refused("publish", request.form, error)), 422
    flash("已发布，成为不可更改的一版。")
    return redirect(url_for("studio.version", version_id=version_id))


def _publish_page(draft_id: int, form: Form) -> str:
    connection, actor = context.reading(), context.actor()
    draft = drafting.draft_of(connection, actor, draft_id)
    found = admission.findings(draft.xml, directory_of(context.reading()))
    errors, warnings = (list(dict.fromkeys(f.message for f in found if f.severity == s)) for s in ("error", "warning"))
    base = drafting.version_of(connection, actor, draft.base_version_id) if draft.base_version_id else None
    return render_template(
        "studio-publish.html",
        draft=draft,
        form=form,
        errors=errors,
        warnings=warnings,
        changes={} if errors else _changes(_plan(base), read_plan(draft.xml)),
        running=drafting.running(connection, draft.plan),
        check=None if errors else start_check(read_plan(draft.xml)),
    )


@bp.post("/<int:draft_id>/discard")
@login_required
def discard(draft_id: int) -> AnyResponse:
    """Throw the draft away, as it was when the page was opened."""
    require_writer()
    context.perform(drafting.discard, draft_id, request.form.get("revision", 0, type=int))
    flash("草稿已删除，已发布的版本不受影响。")
    return redirect(url_for("studio.index"))
