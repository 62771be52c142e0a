"""Completion rules: who closes an item, and whom the lead waits for."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.rules.completion import Rule, Share, ShareRole, applies, blockers, closes

LEAD = Share("hrss", "lead", 0)
SECOND = Share("edu", "lead", 1)
DUTY = Share("daye", "responsible", 2)
HELP = Share("sasac", "cooperating", 3)
OPEN = Share("others", "cooperating", 4, open_group=True)
ITEM = (LEAD, SECOND, DUTY, HELP, OPEN)


def accepted(*shares: Share) -> list[Share]:
    """The item with exactly these shares accepted."""
    return [replace(share, accepted=share in shares) for share in ITEM]


def ids(shares: list[Share]) -> list[str]:
    return [share.id for share in shares]


def test_the_first_printed_lead_waits_for_everybody_named() -> None:
    assert ids(blockers("lead", ITEM, "hrss")) == ["edu", "daye", "sasac"]
    assert ids(blockers("lead", accepted(SECOND, HELP), "hrss")) == ["daye"]
    assert blockers("lead", accepted(SECOND, DUTY, HELP), "hrss") == []


def test_blockers_come_by_role_then_by_printed_place() -> None:
    shares = (HELP, replace(DUTY, id="b", order=9), DUTY, SECOND, LEAD)
    assert ids(blockers("lead", shares, "hrss")) == ["edu", "daye", "b", "sasac"]


def test_others_wait_for_nobody() -> None:
    assert blockers("lead", ITEM, "edu") == []
    assert blockers("lead", ITEM, "sasac") == []
    assert blockers("all", ITEM, "daye") == []


def test_the_gate_can_be_switched_off() -> None:
    assert blockers("lead", ITEM, "hrss", gated=False) == []
    assert closes("lead", accepted(LEAD), gated=False)
    assert not closes("lead", accepted(SECOND, DUTY, HELP), gated=False)


def test_a_lead_item_closes_when_the_first_lead_and_all_feedback_are_accepted() -> None:
    assert closes("lead", accepted(LEAD, SECOND, DUTY, HELP))
    assert not closes("lead", accepted(SECOND, DUTY, HELP))
    assert not closes("lead", accepted(LEAD, SECOND, DUTY))  # a unit added after the application still counts


def test_an_open_group_gates_once_somebody_is_named() -> None:
    named = (*accepted(LEAD, SECOND, DUTY, HELP)[:4], replace(OPEN, open_group=False))
    assert not closes("lead", named)
    assert ids(blockers("lead", named, "hrss")) == ["others"]


def test_an_open_group_printed_first_leaves_the_application_to_the_next_lead() -> None:
    shares = (replace(LEAD, open_group=True), SECOND)
    assert applies("lead", shares, "edu")
    assert not applies("lead", shares, "hrss")


def test_without_a_lead_the_last_responsible_share_closes() -> None:
    duties = [Share(f"county{n}", "responsible", n, accepted=n != 6) for n in range(7)]
    help_ = Share("sasac", "cooperating", 9)
    assert not closes("all", [*duties, help_])
    assert closes("all", [*(replace(duty, accepted=True) for duty in duties), help_])


def test_cooperating_or_unnamed_shares_alone_never_close() -> None:
    assert not closes("all", [replace(HELP, accepted=True)])
    assert not closes("all", [replace(OPEN, role="responsible", accepted=True)])
    assert not closes("lead", [replace(HELP, accepted=True)])
    assert not closes("lead", [])


def test_who_applies_and_who_hands_in_feedback() -> None:
    assert [applies("lead", ITEM, share.id) for share in ITEM] == [True, False, False, False, False]
    assert [applies("all", ITEM, share.id) for share in ITEM] == [True, True, True, False, False]


def test_an_unknown_applicant_is_refused() -> None:
    with pytest.raises(ValueError, match="nobody"):
        blockers("lead", ITEM, "nobody")


ROLES: tuple[ShareRole, ...] = ("lead", "responsible", "cooperating")
roles = st.sampled_from(ROLES)
items = st.lists(st.tuples(roles, st.booleans(), st.booleans()), min_size=1, max_size=8).map(
    lambda rows: [Share(str(n), role, n, accepted, is_open) for n, (role, accepted, is_open) in enumerate(rows)]
)


@given(items, st.sampled_from(["lead", "all"]), st.booleans())
def test_accepting_more_never_reopens(shares: list[Share], rule: Rule, gated: bool) -> None:
    if closes(rule, shares, gated=gated):
        assert closes(rule, [replace(share, accepted=True) for share in shares], gated=gated)


@given(items, st.booleans())
def test_an_applicant_without_blockers_closes_a_lead_item_by_being_accepted(shares: list[Share], gated: bool) -> None:
    for share in shares:
        if applies("lead", shares, share.id):
            done = [replace(other, accepted=other.accepted or other is share) for other in shares]
            assert closes("lead", done, gated=gated) is (blockers("lead", shares, share.id, gated=gated) == [])
