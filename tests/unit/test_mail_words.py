"""The words of the mails: what they may say, and that they never say nothing."""

from __future__ import annotations

from datetime import date, time
from typing import Any, get_args

import pytest

from engine.mail.contexts import KIND_NAMES, Kind, Line
from engine.mail.rendering import address_of, deadline, render
from ledger.calendar import end_of, moment

KINDS: tuple[Kind, ...] = get_args(Kind)
TITLE = "集中开展“六进”校园活动"


def line(**changes: Any) -> Line:
    plain = {
        "colour": "red",
        "word": "逾期",
        "title": TITLE,
        "plan": "百日攻坚",
        "note": "",
        "due": "07-15",
        "left": "",
        "path": "/items/20",
    }
    return plain | changes  # type: ignore[return-value]


def context(**changes: Any) -> Any:
    plain = {
        "person": {"post": "市人社局 联络员"}, "day": "2025-07-17", "jurisdiction": "黄石市", "base_url": "http://127.0.0.1:8000",
        "link": "/inbox", "titles": True, "count": 1, "overdue": 0, "copied": 0, "copies": [], "lines": [line()],
        "round": "周调度第8期", "plan": "百日攻坚专项行动方案", "due": "07-18 周五 17:00",
    }  # fmt: skip
    return plain | changes


def test_every_kind_has_a_name_and_a_template() -> None:
    assert set(KIND_NAMES) == set(KINDS)
    for kind in KINDS:
        rendered = render(kind, context())
        assert rendered.subject.startswith("【督办台账】")
        assert "市人社局 联络员　2025-07-17 周四" in rendered.text
        assert rendered.html.lstrip().startswith("<!doctype html>")


@pytest.mark.parametrize("kind", KINDS)
def test_without_leave_no_title_round_or_plan_goes_out(kind: Kind) -> None:
    rendered = render(kind, context(titles=False, count=3, copied=2, copies=[line()]))
    for part in (rendered.subject, rendered.text, rendered.html):
        for secret in (TITLE, "百日攻坚", "第8期", "07-18", "07-15"):
            assert secret not in part


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_to_say_is_never_sent(kind: Kind) -> None:
    with pytest.raises(ValueError, match="nothing to say"):
        render(kind, context(count=0, lines=[]))


@pytest.mark.parametrize("kind", KINDS)
def test_no_mail_counts_zero(kind: Kind) -> None:
    rendered = render(kind, context(count=2))
    assert "0 件" not in rendered.subject + rendered.text + rendered.html


def test_digest_of_copies_alone_speaks_of_them() -> None:
    rendered = render("digest", context(count=0, lines=[], copied=2, copies=[line(), line()]))
    assert rendered.subject == "【督办台账】有 2 件任务逾期较久，请您关注"
    assert rendered.text.count(TITLE) == 2
    assert "0 件" not in rendered.html


def test_one_item_stands_in_the_subject_when_titles_may_go_out() -> None:
    assert render("returned", context()).subject == f"【督办台账】退回补正：{TITLE}"
    assert render("urged", context(titles=False)).subject == "【督办台账】您有 1 件任务被催办"
    assert len(render("handed", context(lines=[line(title="长" * 90)])).subject) < 50


def test_titles_are_text_in_html() -> None:
    html = render("urged", context(lines=[line(title="<img src=x>")])).html
    assert "<img" not in html
    assert "&lt;img src=x&gt;" in html


def test_round_is_asked_for_with_its_due_time() -> None:
    rendered = render("request", context(count=7, lines=[], link="/report/3"))
    assert rendered.subject == "【督办台账】周调度第8期，请于 07-18 周五 17:00 前报送"
    assert "本期需报 7 项，07-18 周五 17:00 截止。" in rendered.text
    assert "http://127.0.0.1:8000/report/3" in rendered.html


def test_deadline_at_the_end_of_a_day_belongs_to_that_day() -> None:
    assert deadline(end_of(date(2025, 8, 31))) == "08-31 周日 24:00"
    assert deadline(moment(date(2025, 7, 18), time(17))) == "07-18 周五 17:00"


@pytest.mark.parametrize("path", ["//evil.example", "http://evil.example", "javascript:1", ""])
def test_links_lead_nowhere_else(path: str) -> None:
    with pytest.raises(ValueError, match="not a path"):
        address_of("http://127.0.0.1:8000", path)
