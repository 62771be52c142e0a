"""Numbers of persons in text: found however they are written, and nothing else taken for them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.rules.personal import _CHECKS, _WEIGHTS, is_identity, personal_numbers, refusal_of

GAPS = st.sampled_from(("", " ", "-", "－", "　", " - "[:2]))


def identity(area: str, born: date, order: int) -> str:
    """A made-up number with the right check digit."""
    body = f"{area}{born:%Y%m%d}{order:03d}"
    return body + _CHECKS[sum(int(d) * w for d, w in zip(body, _WEIGHTS, strict=True)) % 11]


IDENTITIES = st.builds(
    identity,
    st.integers(110000, 659999).map(str),
    st.dates(date(1930, 1, 1), date(2030, 12, 31)),
    st.integers(0, 999),
)
MOBILES = st.builds(lambda second, rest: f"1{second}{rest:09d}", st.integers(3, 9), st.integers(0, 10**9 - 1))
AROUND = st.text("联系人进展情况张三，。（）", max_size=8)


def kinds(text: str) -> list[str]:
    return [f.kind for f in personal_numbers(text)]


@given(IDENTITIES, AROUND, AROUND)
def test_an_identity_number_is_found_in_any_words(number: str, before: str, after: str) -> None:
    assert kinds(f"{before}：{number}，{after}") == ["identity"]
    assert kinds(f"{before}：{number.lower()}。") == ["identity"]
    wide = number.translate({ord(str(d)): ord("０") + d for d in range(10)})
    assert kinds(f"{before}{wide}") == ["identity"]


@given(IDENTITIES, st.integers(0, 16), st.integers(1, 9))
def test_another_digit_makes_it_no_identity_number(number: str, place: int, more: int) -> None:
    changed = number[:place] + str((int(number[place]) + more) % 10) + number[place + 1 :]
    assert not is_identity(changed)
    assert "identity" not in kinds(changed)


@given(IDENTITIES, GAPS)
def test_an_identity_number_in_groups_is_found(number: str, gap: str) -> None:
    assert kinds(gap.join((number[:6], number[6:14], number[14:]))) == ["identity"]


@given(st.lists(IDENTITIES | MOBILES, min_size=1, max_size=3), st.sampled_from(("1", "12", "45", "300")))
def test_digits_that_stand_beside_a_number_do_not_hide_it(numbers: list[str], beside: str) -> None:
    """As the number of the line, or an age in the next column, whatever the check digit is."""
    found = ["identity" if len(number) == 18 else "mobile" for number in numbers]
    for gap in (" ", "\t", "\n"):
        assert kinds(gap.join(f"{beside}{gap}{number}" for number in numbers)) == found
    assert kinds("1 11010519491231002X") == kinds("1\t11010519491231002X\t45") == ["identity"]


@given(MOBILES, GAPS, st.sampled_from(("", "+86 ", "86-", "0086")), AROUND, AROUND)
def test_a_mobile_number_is_found_however_it_is_written(
    number: str, gap: str, prefix: str, before: str, after: str
) -> None:
    assert kinds(f"{before}：{prefix}{gap.join((number[:3], number[3:7], number[7:]))}；{after}") == ["mobile"]


@given(st.integers(0, 10**15), st.sampled_from(("个", "元", "万元", "")))
def test_what_is_no_such_number_is_left_alone(number: int, unit: str) -> None:
    digits = str(number)
    if not (len(digits) == 11 and digits[0] == "1" and digits[1] in "3456789"):
        assert "identity" not in kinds(f"完成{digits}{unit}")
        if len(digits) != 13 or not digits.startswith("86"):
            assert kinds(f"完成{digits}{unit}") == []


@given(st.text())
def test_any_text_is_read_and_places_lie_within_it(text: str) -> None:
    for f in personal_numbers(text):
        assert 0 <= f.start < f.end <= len(text)
    assert (refusal_of(text) is None) == (personal_numbers(text) == [])


@pytest.mark.parametrize(
    "text",
    [
        "电话 0714-6512345，传真 0714-6512346",
        "热线 12345、12333",
        "邮箱 zhangsan13800000000x@huangshi.example",
        "zhang13912345678@huangshi.example",
        "统一社会信用代码 91420200MA12345678",
        "投资 13,912,345,678 元",
        "2025-06-30 13:45，20250630134512",
        "文号黄就业办〔2025〕18号",
        "编号 1234567890123456789",
        "单号 139123456789",
        "编码 91420200MA13912345678",
        "0.13912345678，1234.13912345678",
        "合计 13912345678.50 元",
        "发电 13912345678kWh",
        "",
    ],
)
def test_official_numbers_are_allowed(text: str) -> None:
    assert kinds(text) == []


IDENTITY = identity("420281", date(1990, 1, 1), 123)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("联系人：13800138000,13900139000", ["mobile", "mobile"]),
        ("13800138000.13900139000", ["mobile"]),
        ("1,13800138000", ["mobile"]),
        ("1.13800138000\n12.13900139000", ["mobile", "mobile"]),
        ("13800138000,2", ["mobile"]),
        ("Tel13800138000", ["mobile"]),
        ("Tel+8613800138000", ["mobile"]),
        ("微信wx13800138000", ["mobile"]),
        (f"身份证号ID{IDENTITY}", ["identity"]),
        (f"SFZ{IDENTITY}", ["identity"]),
        (f"2,{IDENTITY}", ["identity"]),
        (f"3.{IDENTITY}", ["identity"]),
        (f"{IDENTITY},{IDENTITY}", ["identity", "identity"]),
        (f"{IDENTITY}A", ["identity"]),
    ],
)
def test_what_stands_beside_a_number_does_not_hide_it(text: str, found: list[str]) -> None:
    assert kinds(text) == found


def test_the_words_name_kind_and_place_and_never_the_number() -> None:
    number = identity("420202", date(1990, 1, 1), 123)
    said = refusal_of(f"已对接。\n联系人张三 {number}，电话 139 1234 5678")
    assert said is not None and "身份证号、手机号码" in said and "第 2 行" in said
    assert number not in said and "5678" not in said
