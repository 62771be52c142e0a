"""What people type for a name, and that nobody reads the dictionary who does not ask it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ledger.pinyin import initials, spelt


@pytest.mark.parametrize(
    ("words", "whole", "first"),
    [("市人社局", "shirensheju", "srsj"), ("重庆", "chongqing", "cq"), ("A 角", "A jiao", "A j"), ("", "", "")],
)
def test_a_name_as_it_is_typed(words: str, whole: str, first: str) -> None:
    assert (spelt(words), initials(words)) == (whole, first)


def test_a_command_and_the_pages_start_without_the_dictionary() -> None:
    said = "import sys, webapp.commands, webapp.keeping, webapp.app; print('pypinyin' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
