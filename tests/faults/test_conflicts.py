"""Sixty-four browsers at once on one run, over real HTTP: one winner a todo, the others told who and when."""

from __future__ import annotations

import time as stopwatch
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import select

from ledger.directory import register_person, take_post
from ledger.schema import assignment, item, share
from ledger.verification import broken_chains, replay_differences
from tests.bench.world import COLLEAGUE, UNITS, World, item_of
from tests.faults.browser import Answer, Browser, Fields
from tests.faults.mailserver import mail_server
from tests.faults.site import PASSWORD, START, Site, build, cheap, running, wait_until

pytestmark = pytest.mark.slow

CLIENTS, RIVALS = 64, 10
CONTESTED, COUNTIES = UNITS[0], UNITS[1:8]
WHEN = "05-23 10:00"


@dataclass(frozen=True)
class Form:
    """What one browser is about to send."""

    login: str
    path: str
    fields: Fields


@pytest.fixture
def world(db_url: str) -> Iterator[World]:
    """Items of two units each, one whose ten liaisons are rivals, one of seven counties."""
    seven = item_of("seven", "extra", START, [(u.key, "responsible") for u in COUNTIES])
    alone = item_of("alone", "extra", START, [(CONTESTED.key, "responsible")])
    made = build(db_url, 40, [seven, alone])
    with made.db.write() as tx:
        for n in range(RIVALS):
            rival = register_person(
                tx,
                login=f"rival-{n}",
                name=f"第{n}位联络员",
                email=f"rival-{n}@huangshi.example",
                password_hash=cheap.hash(PASSWORD),
            )
            take_post(tx, rival, CONTESTED.key, "liaison")
    yield made
    made.db.close()


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[Site]:
    workers = 1 if world.db.is_sqlite else 2
    with mail_server() as mail, running(world, mail, tmp_path, workers=workers, threads=8) as deployed:
        yield deployed


class Crowd:
    """Sixty-four people, each with a browser and logged in."""

    def __init__(self, site: Site) -> None:
        self.site = site
        parties = [f"rival-{n}" for n in range(RIVALS)] + [u.key for u in COUNTIES]
        rest = [u.key for u in UNITS[8:]] + [f"{COLLEAGUE}{u.key}" for u in UNITS[1:]]
        self.others = rest[: CLIENTS - len(parties)]
        self.logins = parties + self.others
        assert len(set(self.logins)) == CLIENTS
        self.browsers = {login: Browser(site.ports) for login in self.logins}
        for login, browser in self.browsers.items():
            assert browser.log_in(login).status == 200

    def at_once(self, forms: Sequence[Form]) -> dict[str, Answer]:
        """Everybody sends at the same moment; who has no form opens the inbox."""
        by_login = {form.login: form for form in forms}
        assert len(by_login) == len(forms)
        barrier = Barrier(CLIENTS)

        def give(login: str) -> Answer:
            form = by_login.get(login)
            barrier.wait()
            if form is None:
                return self.browsers[login].get(login, "/inbox")
            return self.browsers[login].post(login, form.path, form.fields)

        began = stopwatch.monotonic()
        with ThreadPoolExecutor(CLIENTS) as pool:
            answers = dict(zip(self.logins, pool.map(give, self.logins), strict=True))
        print(
            f"{CLIENTS} at once in {stopwatch.monotonic() - began:.2f} s", Counter(a.status for a in answers.values())
        )
        assert {a.status for a in answers.values()} <= {200, 302, 409}, self.site.logs[-3000:]
        return answers


def shares(world: World, element: str) -> list[int]:
    return world.shares(world.item(world.runs[0], element))


def sole_winner(site: Site, answers: dict[str, Answer], kept: str = "") -> None:
    """Of the rivals one went through; the nine others read who and when, and find their own text again."""
    rivals = {login: answer for login, answer in answers.items() if login.startswith("rival-")}
    winners = [login for login, answer in rivals.items() if answer.status == 302]
    assert len(winners) == 1, Counter(a.status for a in rivals.values())
    name = f"{CONTESTED.short} 第{winners[0].removeprefix('rival-')}位联络员 已于 {WHEN}"
    for login, answer in rivals.items():
        if login != winners[0]:
            assert answer.status == 409
            assert name in unescape(answer.page)
            assert kept.format(login) in answer.page


def test_sixty_four_at_once_and_one_winner_a_todo(site: Site) -> None:
    world, crowd = site.world, Crowd(site)
    rivals = [f"rival-{n}" for n in range(RIVALS)]
    contested, seven = shares(world, "alone")[0], shares(world, "seven")
    counties = [u.key for u in COUNTIES]
    # 签收: rivals on one todo, seven counties on one item, everybody else on a share of their own.
    own = waiting(site, crowd.others)
    forms = [Form(r, f"/assignments/{contested}/acknowledge", [("arm", "1")]) for r in rivals]
    forms += [Form(u, f"/assignments/{s}/acknowledge", [("arm", "1")]) for u, s in zip(counties, seven, strict=True)]
    forms += [Form(login, f"/assignments/{s}/acknowledge", [("arm", "1")]) for login, s in own.items()]
    answers = crowd.at_once(forms)
    sole_winner(site, answers)
    assert {answers[login].status for login in (*counties, *own)} == {302}
    # 申请办结 of the one, 填报 of the seven and of the others.
    summary = "完成情况由 {} 填写"
    where = [("arm", "1"), ("confirmed", "1")]
    forms = [Form(r, f"/assignments/{contested}/submit", [*where, ("summary", summary.format(r))]) for r in rivals]
    forms += [reporting(u, s) for u, s in (*zip(counties, seven, strict=True), *own.items())]
    answers = crowd.at_once(forms)
    sole_winner(site, answers, summary)
    assert {answers[login].status for login in (*counties, *own)} == {302}
    # 期次报送: the rivals on one share of the round, every unit on its own.
    wait_until(lambda: CONTESTED.key in world.owed(world.runs[0]))  # the scheduler has opened it
    owed = world.owed(world.runs[0])
    forms = [Form(r, f"/rounds/{owed[CONTESTED.key]}/nothing-new", []) for r in rivals]
    forms += [Form(u, f"/rounds/{owed[u]}/nothing-new", []) for u in owed if u in crowd.logins]
    answers = crowd.at_once(forms)
    sole_winner(site, answers)
    assert {answers[u].status for u in owed if u in crowd.logins} == {302}
    with site.db.read() as connection:
        assert broken_chains(connection) == []
        assert replay_differences(connection) == []
        reported = connection.execute(select(share.c.unit).where(share.c.state == "reported")).scalars()
        assert set(reported) == {CONTESTED.key, *(u for u in owed if u in crowd.logins)}


def reporting(login: str, share_id: int) -> Form:
    fields = [("act", "report"), ("progress", f"{login} 按计划推进"), ("confirmed", "1")]
    return Form(login, f"/assignments/{share_id}/report", fields)


def waiting(site: Site, logins: Sequence[str]) -> dict[str, int]:
    """A share to sign for, a different one for each of these people who has any."""
    rows = (
        select(assignment.c.unit, assignment.c.id)
        .join(item, item.c.id == assignment.c.item_id)
        .where(assignment.c.state == "acknowledging", item.c.element.like("i%"))
        .order_by(assignment.c.id)
    )
    free: dict[str, list[int]] = {}
    with site.db.read() as connection:
        for unit, one in connection.execute(rows):
            free.setdefault(unit, []).append(one)
    found = {}
    for login in logins:
        if left := free.get(login.removeprefix(COLLEAGUE)):
            found[login] = left.pop()
    assert len(found) > 40
    return found
