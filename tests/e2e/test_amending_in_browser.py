"""The office puts right what is misprinted in a running plan, on the item's page, at both widths."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Enter

GROUND = "领导小组第3次会议议定。"


@pytest.mark.parametrize(("width", "item"), [(1280, 13), (390, 21)])
def test_the_office_amends_words_date_and_target(enter: Enter, width: int, item: int) -> None:
    office = enter("zhuanban", width=width)
    office.go(f"/items/{item}?tab=item_amend_text-{item}")
    office.look("words")
    title = office.page.get_by_label("标题")
    old = title.input_value()
    title.fill(f"{old}（勘误）")
    office.page.get_by_label("理由和依据").fill(GROUND)
    office.press("更正文字", "已更正，各承办单位都会收到通知。")
    office.look("corrected")
    assert f"标题已更正，发布的方案印作：“{old}”" in office.page.inner_text("main")
    office.go(f"/items/{item}?tab=item_amend_due-{item}")
    office.look("date")
    office.page.get_by_label("调整为").fill("2025-09-30")
    office.page.get_by_label("理由和依据").fill(GROUND)
    office.press("调整时限", "已调整任务时限，有关单位会收到通知。")
    office.look("dated")
    assert "2025-09-30 周二" in office.page.inner_text("main")
    run = office.page.locator(".crumb a").first.get_attribute("href")
    office.go(f"{run}/changes")
    office.look("changes")
    assert "→ 2025-09-30 周二" in office.page.inner_text("main")


@pytest.mark.parametrize(("width", "each"), [(1280, 10), (390, 20)])
def test_the_quotas_of_all_units_are_added_up_while_they_are_typed(enter: Enter, width: int, each: int) -> None:
    office = enter("zhuanban", width=width)
    office.go("/items/13?tab=item_amend_quota-13")
    office.look("quotas")
    fields, total = office.page.locator("input[name^=quota-]"), office.page.locator("[data-sum]")
    target = int(office.page.locator("[data-whole]").get_attribute("data-whole") or 0)
    n = fields.count()
    assert n > 1
    for k in range(n):
        fields.nth(k).fill(str(each))
    assert f"合计 {each * n:,} / {target:,}，还差 {target - each * n:,}" in total.inner_text()
    office.look("lacking")
    fields.nth(0).fill(str(target - each * (n - 1) + width))
    assert f"，多出 {width:,}" in total.inner_text()
    fields.nth(0).fill(str(target - each * (n - 1)))
    assert "，一致" in total.inner_text()
    office.page.get_by_label("理由和依据").fill(GROUND)
    office.press("调整份额", "已调整份额，有变化的承办单位会收到通知。")
    office.look("shared")
