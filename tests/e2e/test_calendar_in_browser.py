"""工作日历 in the browser: days chosen by mouse, finger and keyboard, looked through, decided; as a table; without
scripts."""

from __future__ import annotations

import csv
import re
from io import StringIO

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Enter
from tests.e2e.deployment import Site
from webapp.demo.people import PASSWORD

pytestmark = pytest.mark.e2e

GROUND = "市防汛抗旱指挥部通知，黄汛〔2025〕9号。"
WIDTHS = [1280, 390]
# In which month each window chooses its days.
MONTH = {1280: "07", 390: "08"}


def tick(page: Page, *days: str) -> None:
    for day in days:
        page.locator(f"input[name=days][value='{day}']").check()


def word(page: Page, words: str) -> None:
    page.get_by_role("radio", name=words, exact=True).check()


@pytest.mark.parametrize("width", WIDTHS)
def test_days_are_chosen_looked_through_and_decided(enter: Enter, width: int) -> None:
    visitor = enter("guanli", width)
    page, month = visitor.page, MONTH[width]
    visitor.go("/calendar")
    days = [f"2025-{month}-{n}" for n in ("14", "15")]
    tick(page, days[0])
    box = page.locator(f"input[name=days][value='{days[1]}']")
    box.focus()
    page.keyboard.press("Space")
    expect(box).to_be_checked()
    visitor.expect_refusal("/calendar")
    page.locator("#decide").get_by_role("button", name="预览", exact=True).click()
    expect(page.locator("#err-word")).to_have_text("请选择上班、休息或按国家公布。")
    expect(box).to_be_checked()
    visitor.look("no-word")
    word(page, "休息")
    page.locator("#decide").get_by_role("button", name="预览", exact=True).click()
    expect(page.locator("#err-ground")).to_contain_text("请写明依据")
    page.locator("[name=ground]").fill(GROUND)
    page.locator("#decide").get_by_role("button", name="预览", exact=True).click()
    preview = page.get_by_role("status").filter(has_text="设定预览")
    expect(preview).to_contain_text(f"2025年{int(month)}月14日")
    expect(preview).to_contain_text("不变：")
    expect(preview).to_be_focused()
    visitor.look("preview")
    visitor.press("确认设定", "已设定 2 天，有关提醒和期次已按新的日历安排。")
    expect(page.get_by_role("row").filter(has_text=f"{int(month)}月14日").first).to_contain_text(GROUND)
    expect(page.get_by_role("checkbox", name=re.compile(f"^{int(month)}月15日 .* 设定休息$"))).to_be_visible()
    visitor.look("decided")


def test_a_table_goes_out_and_comes_in(enter: Enter, site: Site) -> None:
    visitor = enter("guanli")
    page = visitor.page
    answer = page.request.get(f"{site.url}/calendar/2025.csv")
    assert answer.body().startswith("\ufeff日期,星期,安排,名称,来源\r\n2025-01-01,周三,休息,元旦,国家公布\r\n".encode())
    rows = list(csv.DictReader(StringIO(answer.body().decode("utf-8-sig"))))
    assert len(rows) == 365
    assert rows[25] == {"日期": "2025-01-26", "星期": "周日", "安排": "上班", "名称": "", "来源": "国家公布"}

    def hand_in(text: str) -> None:
        if not page.locator("[name=table]").is_visible():
            page.get_by_text("导入表格").click()
        page.set_input_files("[name=table]", {"name": "日历.csv", "mimeType": "text/csv", "buffer": text.encode()})
        page.locator("#decide").get_by_role("button", name="预览", exact=True).click()

    visitor.go("/calendar")
    visitor.expect_refusal("/calendar")
    hand_in("日期,安排,依据\n2025-09-08,放,\n2025-02-30,休息,\n")
    expect(page.locator(".err")).to_have_text(
        [
            "第 2 行：安排“放”看不懂，请写 上班、休息 或 按国家公布。",
            "第 3 行：“2025-02-30”不是日期，请写成 2026-10-09。",
        ]
    )
    visitor.look("faults")
    hand_in(f"日期,安排,依据\n2025-09-08,休息,{GROUND}\n2025/9/14,上班,{GROUND}\n")
    expect(page.get_by_role("status").filter(has_text="设定预览")).to_contain_text("2025年9月14日 上班")
    visitor.look("table")
    visitor.press("确认设定", "已设定 2 天，有关提醒和期次已按新的日历安排。")


def test_it_is_done_without_scripts_too(browser: Browser, site: Site) -> None:
    context = browser.new_context(locale="zh-CN", java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/login")
    page.get_by_label("账号").fill("guanli")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登 录").click()
    page.goto(f"{site.url}/calendar")
    page.locator("[name=first]").fill("2025-10-09")
    page.locator("[name=last]").fill("2025-10-10")
    word(page, "休息")
    page.locator("[name=ground]").fill(GROUND)
    page.locator("[name=first]").press("Enter")
    expect(page.get_by_role("status").filter(has_text="设定预览")).to_contain_text("2025年10月9日至10月10日 休息")
    page.get_by_role("button", name="确认设定").click()
    expect(page.locator(".toast")).to_have_text("已设定 2 天，有关提醒和期次已按新的日历安排。")
    context.close()
