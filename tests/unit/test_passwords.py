"""Whether a password is good enough: by length, once the obvious is left out."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.rules.passwords import MAX_LENGTH, MIN_LENGTH, MIN_REST, OBVIOUS, fault, rest

KNOWN = ("renshe", "陈静", "chenjing", "市人社局", "shirensheju", "黄石市", "huangshishi")


@pytest.mark.parametrize(
    "password",
    [
        "12345678",
        "123456789012",
        "1234567890abc",
        "aaaaaaaaaaaa",
        "abcabcabcabcabc",
        "qwertyuiop123",
        "1qaz2wsx3edc",
        "Password2025!",
        "P@ssw0rd1234",
        "renshe123456",
        "Renshe@2025",
        "renshe-renshe-renshe",
        "chenjing19900815",
        "chenjing1990-08-15",
        "13871234567",
        "huangshi2025",
        "ｈｕａｎｇｓｈｉ２０２５",
        "市人社局市人社局2025",
        "duban-demo",
        "9876543210zyx",
        "5201314woaini",
        "admin@admin.admin",
    ],
)
def test_what_is_guessed_first_is_refused(password: str) -> None:
    assert fault(password, KNOWN)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "骑单车去看磁湖的晚霞",
        "lamp-otter-fjord",
        "x7Kq-vB2m-hR9t",
        "tulipsonmonday",
        "q9w2z7p4v1",
    ],
)
def test_what_is_long_and_odd_is_taken_whatever_signs_it_has(password: str) -> None:
    assert fault(password, KNOWN) is None


@given(st.lists(st.sampled_from([*KNOWN, *OBVIOUS, "12345678", "abcdef", "2024", "qwerty"]), min_size=1, max_size=12))
def test_the_obvious_strung_together_is_never_taken(words: list[str]) -> None:
    assert fault(" ".join(words), KNOWN)


@given(st.text(max_size=160))
def test_only_the_length_of_what_is_left_decides(password: str) -> None:
    long_enough = MIN_LENGTH <= len(password) <= MAX_LENGTH
    assert (fault(password, KNOWN) is None) == (long_enough and len(rest(password, KNOWN)) >= MIN_REST)


@given(st.text(string.ascii_lowercase, min_size=20, max_size=40))
def test_signs_and_capitals_gain_nothing(password: str) -> None:
    assert len(rest(password.upper())) == len(rest(password))
