"""The short form of the long run (`make faults`): twenty kills and more, half of them on each database."""

from __future__ import annotations

import json
from pathlib import Path
from random import SystemRandom

import pytest

from tests.faults.killing import scenario

pytestmark = pytest.mark.slow

KILLS = 11


def test_nothing_is_lost_doubled_or_half_done_when_processes_are_killed(db_url: str, tmp_path: Path) -> None:
    seed = SystemRandom().randrange(10**6)
    print(f"seed {seed}")  # shown where the test fails; `python -m tests.faults --seed` takes it
    found = scenario(db_url, tmp_path, KILLS, seed, lambda line: print(json.dumps(line, ensure_ascii=False)))
    assert found.wrong == []
    assert (found.lost, found.doubled) == (0, 0)
    # It is no proof unless the victims had work in hand.
    assert found.kills == KILLS == found.with_commands_in_flight + found.with_claims_in_flight
    assert found.with_commands_in_flight > 0 and found.with_claims_in_flight > 0
    assert found.requests_broken > 0
