"""The words of the mails: what they may say, and that they never say nothing."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from engine.mail.contexts import ACCOUNT_KINDS, KIND_NAMES, Kind, without_secret
from engine.mail.rendering import address_of, render
from ledger.rules.verbs import Role

KINDS: tuple[str, ...] = get_args(Kind)
TITLE = "集中开展“六进”校园活动"


def line(**changes: Any) -> dict[str, Any]:
    said = {"word": "逾期 2 个工作日", "shape": "◆", "colour": "red"}
    return said | {"title": TITLE, "plan": "百日攻坚", "note": "", "due": "07-15"} | changes


def plan_week(**changes: Any) -> dict[str, Any]:
    counts = {"heading": "上周办结的任务", "closed": 0, "late": 0, "waiting": 0, "done": 9, "total": 33, "left_out": 0}
    return counts | {"plan": "", "lines": []} | changes


def context(**changes: Any) -> dict[str, Any]:
    counts = {"count": 4, "overdue": 0, "told": 1, "copied": False, "titles": True, "lines": [line()]}
    week = {"since": "2025-07-07", "until": "2025-07-13", "plans": [plan_week()], "seal": None}
    where = week | {
        "day": "2025-07-17",
        "post": "市人社局 联络员",
        "base_url": "http://127.0.0.1:8000",
        "link": "/inbox",
    }
    return counts | where | {"round": {"name": "周调度", "n": 8}, "act": "延期申请已同意"} | changes


def test_every_kind_has_a_name_and_a_template() -> None:
    assert set(KIND_NAMES) == {*KINDS, *ACCOUNT_KINDS}
    for kind in KINDS:
        rendered = render(kind, context())
        assert rendered.subject.startswith("【督办台账】")
        assert "市人社局 联络员　2025-07-17 周四" in rendered.text
        assert rendered.html.lstrip().startswith("<!doctype html>")


@pytest.mark.parametrize("kind", KINDS)
def test_without_leave_no_title_round_plan_or_date_goes_out(kind: str) -> None:
    rendered = render(kind, context(titles=False, told=3))
    for part in (rendered.subject, rendered.text, rendered.html):
        for secret in (TITLE, "百日攻坚", "第8期", "周调度", "07-15", *(["逾期"] if kind != "weekly" else [])):
            assert secret not in part  # the coordinator's week counts what is late, and names nothing


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_to_say_is_never_sent(kind: str) -> None:
    with pytest.raises(ValueError, match="nothing to say"):
        render(kind, context(told=0, lines=[]))


@pytest.mark.parametrize("kind", KINDS)
def test_no_mail_counts_zero(kind: str) -> None:
    rendered = render(kind, context(count=0, told=2))
    assert "0 件" not in rendered.subject + rendered.text + rendered.html


def test_digest_counts_what_is_late() -> None:
    assert render("digest", context(count=5, overdue=1)).subject == "【督办台账】您有 5 件待办，其中 1 件逾期"
    assert render("digest", context(count=5)).subject == "【督办台账】您有 5 件待办"


def test_digest_for_somebody_who_is_only_kept_informed_speaks_of_others() -> None:
    rendered = render("digest", context(copied=True, count=0, told=2, lines=[line(), line()]))
    assert rendered.subject == "【督办台账】有 2 件任务逾期较久，请您关注"
    assert rendered.text.count(TITLE) == 2


def test_what_a_line_does_not_show_is_counted() -> None:
    assert "另有 3 件，请登录查看。" in render("digest", context(told=4)).text


def test_one_item_stands_in_the_subject_when_titles_may_go_out() -> None:
    assert render("returned", context()).subject == f"【督办台账】退回补正：{TITLE}"
    assert render("urged", context(titles=False)).subject == "【督办台账】您有 1 件任务被催办"
    assert len(render("handed", context(lines=[line(title="长" * 90)])).subject) < 50


def test_titles_are_text_in_html() -> None:
    html = render("urged", context(lines=[line(title="<img src=x>")])).html
    assert "<img" not in html
    assert "&lt;img src=x&gt;" in html


def test_round_is_asked_for_with_its_due_time() -> None:
    rendered = render("request", context(lines=[line(due="07-18 17:00")], link="/rounds/3"))
    assert rendered.subject == "【督办台账】第8期周调度，请于 07-18 17:00 前报送"
    assert "本期无新进展" in rendered.text
    assert "http://127.0.0.1:8000/rounds/3" in rendered.html
    assert render("request", context(titles=False)).subject == "【督办台账】您有 1 件报送待办"


def test_a_line_leads_to_its_page_else_to_the_mails() -> None:
    rendered = render("digest", context(told=2, lines=[line(path="/items/20"), line()]))
    assert 'href="http://127.0.0.1:8000/items/20"' in rendered.html
    assert rendered.html.count('href="http://127.0.0.1:8000/inbox"') == 2


def test_the_week_adds_up_what_the_plans_brought() -> None:
    weeks = [plan_week(plan="百日攻坚", closed=3, late=2, lines=[line()]), plan_week(closed=1, waiting=4)]
    rendered = render("weekly", context(plans=weeks, told=2, lines=[]))
    assert rendered.subject == "【督办台账】上周办结 4 件，逾期 2 件，待您审核 4 件"
    assert "07-07 至 07-13 的情况" in rendered.text
    assert "百日攻坚：上周办结 3，逾期 2，待审核 0，累计办结 9 / 33" in rendered.text
    assert "其余方案：上周办结 1，逾期 0，待审核 4，累计办结 9 / 33" in rendered.text
    assert rendered.html.count(TITLE) == rendered.text.count(TITLE) == 1
    assert render("weekly", context()).subject == "【督办台账】上周没有办结的任务，也没有逾期"


def test_the_week_carries_the_seal_and_how_to_compare_it() -> None:
    seal = {"ordinal": 1234, "hash": "ab" * 32, "at": "2025-07-14 09:00"}
    for part in ((sealed := render("weekly", context(seal=seal))).text, sealed.html):
        assert f"duban verify --head 1234:{'ab' * 32}" in part
        assert "截至 2025-07-14 09:00，全部办理记录封存到第 1234 号" in part
    assert "封存" not in render("weekly", context()).text


@pytest.mark.parametrize("path", ["//evil.example", "http://evil.example", "javascript:1", ""])
def test_links_lead_nowhere_else(path: str) -> None:
    with pytest.raises(ValueError, match="not a path"):
        address_of("http://127.0.0.1:8000", path)


# ---------------------------------------------------------------- about the account of the reader
@pytest.mark.parametrize("kind", ACCOUNT_KINDS)
def test_mail_about_an_account_holds_its_link_and_no_name(kind: str) -> None:
    link = "/password/reset?token=abc" if kind == "reset" else "/password/forgotten"
    said = {
        "day": "2025-07-17",
        "until": "2025-07-17T02:15:00+00:00",
        "link": link,
        "base_url": "https://duban.example",
    }
    rendered = render(kind, said)
    assert rendered.subject.startswith("【督办台账】")
    for part in (rendered.text, rendered.html):
        assert f"https://duban.example{link}" in part
        if kind in ("handed_over", "taken_over", "deputising"):  # which speak of a post, and do not say which
            assert not any(role.label in part for role in set(Role) - {Role.ADMINISTRATOR})
        else:
            assert "待办" not in part and "岗位" not in part
    assert ("10:15" in rendered.text) is (kind == "locked")
    assert without_secret(kind, said)["link"] == link.partition("?")[0]


def test_what_was_decided_is_said_with_the_title_or_not_at_all() -> None:
    assert render("told", context()).subject == f"【督办台账】延期申请已同意：{TITLE}"
    assert render("told", context(titles=False)).subject == "【督办台账】您有 1 件任务有新的办理情况"
    assert render("applied", context(titles=False)).subject == "【督办台账】您有 1 份申请待审批"


def test_who_takes_over_by_a_new_account_is_led_to_a_password() -> None:
    said = {"day": "2025-07-17", "link": "/password/forgotten", "base_url": "https://duban.example"}
    assert "设置密码" in render("taken_over", {**said, "new": "1"}).text
    assert "登录查看" in render("taken_over", said).text
    assert "账号已停用" in render("handed_over", {**said, "closed": "1"}).text
    assert "停用" not in render("handed_over", said).text


def test_a_deputy_is_told_until_when_and_when_it_is_over_before() -> None:
    said = {"day": "2025-07-17", "link": "/inbox", "base_url": "https://duban.example"}
    begun = render("deputising", {**said, "until": "2025-07-25"})
    assert begun.subject == "【督办台账】请代理岗位，至 07-25"
    assert "同时发给您" in begun.text
    assert "不再发给您" in render("deputising", {**said, "ended": "1"}).text


def test_an_empty_post_is_told_by_who_reads_it() -> None:
    assert render("vacant", context(told=2, count=9)).subject == "【督办台账】2 个岗位空缺，有 9 件待办，由您接办"
    assert "请确定人选" in render("vacant", context(copied=True)).subject
    assert "请商定" in render("vacant", context(asked=True)).subject
