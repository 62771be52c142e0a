"""Views of the ledger on both databases: whose they are, whom they show what, and what is left of one that is stale."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, select, update

from engine.commands import perform
from ledger import views
from ledger.clearing import Cleared, Scrubber
from ledger.clock import wall_now
from ledger.directory import leave_post
from ledger.errors import Invalid, NotAllowed, NotFound, Refused
from ledger.queries.ledger import Filters
from ledger.schema import default_view, ledger_view, post
from ledger.views import View
from tests.integration.test_indexes import client_of
from tests.statements import statements
from webapp.demo.office import Office

ASKED = Filters(light="warn", sort="due", columns="no.title.timeliness", page=3, after="1.2.3.4")


def keep(office: Office, login: str, name: str, unit: str | None = None, asked: Filters = ASKED, **more: bool) -> int:
    return perform(office.db, office.who(login), views.keep, name, asked, unit, **({"as_default": False} | more))


def seen(office: Office, login: str) -> list[View]:
    with office.db.read() as connection:
        return views.views_of(connection, office.who(login))


@pytest.fixture
def enter(office: Office) -> Iterator[Callable[[str], FlaskClient]]:
    yield lambda login: client_of(office.db, login)


# ---------------------------------------------------------------- whose they are
def test_a_view_is_its_persons_until_it_is_shared(office: Office) -> None:
    number = keep(office, "renshe", "我的红黄灯")
    assert [v.name for v in seen(office, "renshe")] == ["我的红黄灯"]
    assert seen(office, "renshe-fenguan") == seen(office, "jiaoyu") == []
    perform(office.db, office.who("renshe"), views.rename, number, "全局的红黄灯", "renshe")
    (shared,) = seen(office, "renshe-fenguan")
    assert (shared.name, shared.unit_name, shared.is_own, shared.is_changed_by) == (
        "全局的红黄灯",
        "市人社局",
        False,
        False,
    )
    assert seen(office, "jiaoyu") == []
    for act, given in ((views.rename, ("改名", None)), (views.remove, ())):
        with pytest.raises(NotAllowed):
            perform(office.db, office.who("renshe-fenguan"), act, number, *given)
        with pytest.raises(NotFound):
            perform(office.db, office.who("jiaoyu"), act, number, *given)
    perform(office.db, office.who("renshe"), views.remove, number)
    assert seen(office, "renshe") == seen(office, "renshe-fenguan") == []


def test_who_leaves_leaves_the_unit_its_view(office: Office) -> None:
    """It stays shared; then anybody of the unit may tidy it up."""
    number, owner = keep(office, "renshe", "留下的视图", "renshe"), office.who("renshe")
    with office.db.write() as tx:
        for found in tx.connection.execute(select(post.c.id).where(post.c.person_id == owner.person_id)).scalars():
            leave_post(tx, found)
    (left,) = seen(office, "renshe-fenguan")
    assert left.is_changed_by and not left.is_own
    with pytest.raises(NotAllowed):  # whose it is, nobody else decides
        perform(office.db, office.who("renshe-fenguan"), views.rename, number, "新名", None)
    perform(office.db, office.who("renshe-fenguan"), views.rename, number, "新名", "renshe")
    perform(office.db, office.who("renshe-fenguan"), views.remove, number)
    assert seen(office, "renshe-fenguan") == []


def test_names_and_numbers_are_checked(office: Office) -> None:
    for name in ("", "　 ", "长" * 21, "张三 13871234567"):
        with pytest.raises(Invalid):
            keep(office, "renshe", name)
    with pytest.raises(Invalid, match="自己任职的单位"):
        keep(office, "renshe", "共享给别人", "jiaoyu")
    first = keep(office, "renshe", "甲")
    assert keep(office, "renshe", " 甲 ", asked=Filters(light="red")) == first  # asks something else from now on
    assert seen(office, "renshe")[0].asked["light"] == "red"
    keep(office, "renshe", "乙")
    with pytest.raises(Invalid, match="已经有一个视图"):
        perform(office.db, office.who("renshe"), views.rename, first, "乙", None)
    for n in range(views.MOST - 2):
        keep(office, "renshe", f"第{n}个")
    with pytest.raises(Refused, match="请先删除"):
        keep(office, "renshe", "再来一个")


def test_what_is_kept_is_the_question_and_not_the_place_in_its_answer(office: Office) -> None:
    keep(office, "renshe", "甲")
    (kept,) = seen(office, "renshe")
    assert {k: v for k, v in kept.asked.items() if v} == {
        "light": "warn",
        "sort": "due",
        "columns": "no.title.timeliness",
        "size": 24,
        "page": 1,
    }


def test_words_that_are_cleared_go_from_views_too() -> None:
    scrubber = Scrubber(Cleared(frozenset(), frozenset({7})))
    scrubber.learn("person", {"id": 7, "name": "陈静"})
    row = {"id": 1, "person_id": 7, "name": "陈静负责的", "asked": json.dumps({"words": ""})}
    assert scrubber.row("ledger_view", row) is None
    assert scrubber.row("ledger_view", row | {"name": "甲", "asked": json.dumps({"words": "陈静"})}) is None
    assert scrubber.row("ledger_view", row | {"name": "甲"}) == row | {"name": "甲"}


# ---------------------------------------------------------------- pages
def test_kept_opened_named_anew_and_deleted_by_its_page(office: Office, enter: Callable[[str], FlaskClient]) -> None:
    client = enter("renshe")
    sent = client.post("/ledger/views", data={"name": "红黄灯", "asked": "light=warn&sort=due&page=2&after=1.1.1.1"})
    assert sent.headers["Location"] == "/ledger?light=warn&sort=due"
    page = client.get("/ledger?light=warn&sort=due").get_data(as_text=True)
    assert re.search(r'href="/ledger/views/1"[^>]*aria-current="true">红黄灯', page)
    assert client.get("/ledger/views/1").headers["Location"] == "/ledger?light=warn&sort=due"
    assert "灯：红灯和黄灯；排序：时限" in client.get("/ledger/views").get_data(as_text=True)
    client.post("/ledger/views/1", data={"name": "盯紧的", "unit": "renshe"})
    assert "盯紧的" in enter("renshe-fenguan").get("/ledger").get_data(as_text=True)
    assert "盯紧的" not in enter("jiaoyu").get("/ledger").get_data(as_text=True)
    refused = client.post("/ledger/views", data={"name": "", "asked": ""})
    assert (refused.status_code, "请给视图起个名称" in refused.get_data(as_text=True)) == (422, True)
    client.post("/ledger/views/1/remove")
    assert client.get("/ledger/views/1").status_code == 404


def test_a_shared_view_shows_what_its_reader_may_see(office: Office, enter: Callable[[str], FlaskClient]) -> None:
    """The same question, two answers: the coordinator's office sees the plan, a university its own items."""
    keep(office, "zhuanban", "全部", "jiuye-lingdao", Filters(size=100))
    with office.db.write() as tx:  # somebody of the office, and of a university
        tx.connection.execute(update(ledger_view).values(unit="hubei-shifan"))
    for login, most in (("zhuanban", 33), ("hubei-shifan", 32)):
        client = enter(login)
        page = client.get(client.get("/ledger/views/1").headers["Location"]).get_data(as_text=True)
        assert 0 < page.count('<th scope="row" class="tt">') <= most
    assert page.count('<th scope="row" class="tt">') < 33


def test_the_default_view_opens_the_ledger(office: Office, enter: Callable[[str], FlaskClient]) -> None:
    keep(office, "renshe", "红黄灯", "renshe", as_default=True)
    client, colleague = enter("renshe"), enter("renshe-fenguan")
    assert client.get("/ledger").headers["Location"] == "/ledger/views/1"
    assert client.get("/ledger?page=1").status_code == colleague.get("/ledger").status_code == 200
    colleague.post("/ledger/views/1/default", data={"on": "1"})  # a shared one
    assert colleague.get("/ledger").status_code == 302
    client.post("/ledger/views/1/default", data={"on": "0"})
    assert client.get("/ledger").status_code == 200
    client.post("/ledger/views/1", data={"name": "红黄灯", "unit": ""})  # no longer shared
    assert colleague.get("/ledger").status_code == 200
    client.post("/ledger/views/1/remove")
    with office.db.read() as connection:
        assert connection.execute(select(default_view)).all() == []


@pytest.mark.parametrize(
    ("asked", "gone", "address"),
    [
        ({"run": 999, "light": "red", "heading": "某板块"}, "方案", "/ledger?light=red"),
        ({"run": 1, "heading": "没有的板块"}, "板块", "/ledger?run=1"),
        ({"columns": "title.vanished.due"}, "列", "/ledger?columns=title.due"),
        ({"state": "vanished", "due": "vanished"}, "状态、时限", "/ledger?page=1"),
    ],
)
def test_a_stale_view_opens_with_a_notice(
    office: Office, enter: Callable[[str], FlaskClient], asked: dict[str, str], gone: str, address: str
) -> None:
    values = {"id": 1, "person_id": office.who("renshe").person_id, "name": "旧的", "saved_at": wall_now()}
    with office.db.write() as tx:
        tx.connection.execute(insert(ledger_view).values(**values, asked=json.dumps(asked)))
    client = enter("renshe")
    opened = client.get("/ledger/views/1")
    assert opened.headers["Location"] == address
    assert f"视图“旧的”里的{gone}已经没有了" in client.get(address).get_data(as_text=True)
    assert client.get("/ledger/views").status_code == client.get("/ledger").status_code == 200


def test_the_ledger_asks_for_its_views_once(office: Office, enter: Callable[[str], FlaskClient]) -> None:
    client, counts = enter("renshe"), []
    client.get("/ledger?page=1")  # what a process remembers between two pages is read once
    for n in range(2):
        with statements(office.db.reader) as found:
            client.get("/ledger?page=1")
        counts.append(len(found))
        for k in range(6):
            keep(office, "renshe", f"{n}-{k}", "renshe")
    assert counts[0] == counts[1]
