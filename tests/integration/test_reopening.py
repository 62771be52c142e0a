"""撤销办结 of what was handed down: an accepted part is given anew while its whole is worked on; a whole that is given
anew keeps the parts it had accepted. On both databases."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from engine.commands import Entry, Part, TodoRef, revoke, submit, suspend, take_back
from ledger.calendar import end_of
from ledger.errors import Invalid, NotAllowed, Refused
from ledger.schema import AnyRow
from tests.integration import test_levels
from tests.integration.test_levels import CHENGUI, JINHU, NO, C, D, Levels
from webapp.items import panes_of

house = test_levels.house
WHY = {"until": date(2025, 6, 27), "ground": "抽查发现台账不实。"}


def accepted(house: Levels) -> None:
    """Both towns have reported and are accepted: 31 and 22, summed up by the county."""
    house.handed()
    for town, value in ((JINHU, 31), (CHENGUI, 22)):
        house.sign_for(NO, town)
        house.report(town, value)
        house.bring_up(town)
        house.review(town, agree=True)
    house.report(C, 53)


def apply(house: Levels) -> None:
    own = house.share(NO, C)
    house.do(C, submit, TodoRef(own.id, own.step, own.arm), Entry(), summary="已完成。")


def summed_up(house: Levels) -> object:
    standing = house.view(C).standing
    return standing.summed_up(house.share(NO, C).id, standing.gauges[0])


def again(house: Levels, town: str, before: AnyRow) -> AnyRow:
    """The part that a town was given anew."""
    new = house.share(NO, town)
    assert new.id != before.id and (new.parent_id, new.quota) == (house.share(NO, C).id, before.quota)
    return new


def test_an_accepted_part_is_given_anew_and_the_whole_waits_for_it(house: Levels) -> None:
    accepted(house)
    counts = house.item(NO).n_total, house.item(NO).n_done
    before = house.share(NO, JINHU)
    with pytest.raises(NotAllowed, match="撤销办结由大冶市工作人员办理"):
        house.do("zhuanban", revoke, before.id, **WHY)
    with pytest.raises(Invalid, match="不能晚于"):
        house.do(C, revoke, before.id, until=date(2025, 7, 20), ground="x")
    house.do(C, revoke, before.id, **WHY)
    new = again(house, JINHU, before)
    assert (new.state, new.due_at, new.lifecycle) == ("acknowledging", end_of(date(2025, 6, 27)), "local")
    assert [kind for kind, _ in house.tiers(NO, JINHU)] == ["tier:-3", "tier:0", "tier:1", "tier:5"]
    assert (house.item(NO).n_total, house.item(NO).n_done) == counts  # the city counts the county alone
    assert (JINHU, "liaison") in house.told("reopened")
    # What the town had reported counts no longer; what the county said of itself stays until it says otherwise.
    assert summed_up(house) == 22
    assert house.view(C).standing.part(house.share(NO, C).id).figures[house.figure()].value == 53
    with pytest.raises(Refused, match="还有 1 家下级单位没有办结（金湖街道）"):
        apply(house)
    house.sign_for(NO, JINHU)
    house.report(JINHU, 25)
    assert summed_up(house) == 47
    house.bring_up(JINHU)
    house.review(JINHU, agree=True)
    house.report(C, 47, confirmed=True)  # less than before: it says so
    house.close(NO, C)
    assert house.share(NO, C).state == "closed"


def test_what_has_been_handed_in_or_stands_still_comes_back_first(house: Levels) -> None:
    accepted(house)
    part = house.share(NO, CHENGUI)
    house.do("zhuanban", suspend, house.share(NO, C).id, ground="防汛。")
    with pytest.raises(Refused, match="已暂停计时，恢复后才能撤销"):
        house.do(C, revoke, part.id, **WHY)


def test_a_whole_that_was_summed_up_is_taken_back_first(house: Levels) -> None:
    accepted(house)
    part = house.share(NO, CHENGUI)
    apply(house)
    with pytest.raises(Refused, match="已汇总提交或办结，不能再撤销下级办结"):
        house.do(C, revoke, part.id, **WHY)
    assert not [p for p in panes_of(house.view(C), house.who(C), {}) if p.label.startswith("撤销办结")]
    house.do(C, take_back, house.share(NO, C).id)
    house.do(C, revoke, part.id, **WHY)
    assert again(house, CHENGUI, part).state == "acknowledging"


def test_a_whole_given_anew_keeps_what_it_had_accepted(house: Levels) -> None:
    """The office takes the county's closing back while the item is open: the towns' work stands, one is reopened."""
    accepted(house)
    house.close(NO, C)
    old, parts = house.share(NO, C), {t: house.share(NO, t) for t in (JINHU, CHENGUI)}
    house.do("zhuanban", revoke, old.id, until=date(2025, 7, 4), ground="汇总有误。")
    new = house.share(NO, C)
    assert (new.id != old.id, new.state, house.item(NO).state) == (True, "acknowledging", "open")
    assert {t: (house.share(NO, t).id, house.share(NO, t).parent_id, house.share(NO, t).state) for t in parts} == {
        t: (p.id, new.id, "closed") for t, p in parts.items()
    }
    house.sign_for(NO, C)
    assert summed_up(house) == 53
    house.do(C, revoke, parts[JINHU].id, **WHY)
    again(house, JINHU, parts[JINHU])
    assert summed_up(house) == 22
    house.sign_for(NO, JINHU)
    house.bring_up(JINHU)
    house.review(JINHU, agree=True)
    house.close(NO, C)
    house.close(NO, D)
    assert house.item(NO).state == "closed"


def test_a_closed_item_is_mended_apart(house: Levels) -> None:
    """After the item is over the parts stay with what they belonged to; the 整改 may be handed down anew."""
    accepted(house)
    house.close(NO, C)
    house.close(NO, D)
    old = house.share(NO, C)
    house.do("zhuanban", revoke, old.id, until=date(2025, 7, 4), ground="抽查不实。")
    assert {house.share(NO, t).parent_id for t in (JINHU, CHENGUI)} == {old.id}
    with pytest.raises(Refused, match="已汇总提交或办结"):
        house.do(C, revoke, house.share(NO, JINHU).id, **WHY)
    mending = f"{NO}改1"
    house.sign_for(mending, C)
    house.split(C, mending, Part(JINHU, Decimal(5)), gap="余数由本级补齐。")
    assert house.share(mending, JINHU).state == "acknowledging"
