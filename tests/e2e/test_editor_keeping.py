"""The editor loses nothing: what is typed, what outlives a log-in, what was taken home, what a colleague threw away."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from difflib import unified_diff
from itertools import pairwise

import pytest
from playwright.sync_api import Dialog, FilePayload, expect
from sqlalchemy import select, update

from ledger.schema import person, plan_draft
from tests.e2e.conftest import Enter
from tests.e2e.deployment import Site, wait_until
from tests.e2e.test_editor import fill, item, ready, saved, tool
from tests.e2e.visitor import Visitor

pytestmark = pytest.mark.e2e


# ---------------------------------------------------------------- a plan of three items
def begun(writer: Visitor, title: str, items: int = 3) -> str:
    """A new plan with one group of items; answers the address of its draft."""
    writer.go("/plans/studio/new")
    for label, words in (("方案名称", title), ("简称", title[:10]), ("文号", "无")):
        writer.page.get_by_label(re.compile(f"^{label}")).fill(words)
    writer.page.get_by_label("结束日期").fill("2025-12-31")
    writer.page.get_by_role("button", name="下一步：画任务").click()
    ready(writer)
    writer.page.locator(".djs-shape[data-element-id=h1]").click()
    for number in range(1, items + 1):
        tool(writer, "任务")
        item(writer, f"任务甲{number}", f"原话{number}。", "8月底前")
    saved(writer)
    return re.sub(r"^https?://[^/]+", "", writer.page.url)


def kept(site: Site, path: str) -> str:
    number = int(path.rsplit("/", 1)[1])
    with site.db.read() as connection:
        return str(connection.execute(select(plan_draft.c.xml).where(plan_draft.c.id == number)).scalar_one())


def numbers(xml: str) -> list[str]:
    """序号 of every item in the order of the file."""
    return re.findall(r'<duban:item [^>]*?\bno="([^"]*)"', xml)


def groups(xml: str) -> list[str]:
    return re.findall(r"<bpmn:adHocSubProcess.*?</bpmn:adHocSubProcess>", xml, re.S)


def home(writer: Visitor) -> None:
    """Back to the plan's own page of the panel."""
    writer.page.locator(".djs-container > svg").click(position={"x": 8, "y": 8})


def listed(writer: Visitor) -> list[str]:
    home(writer)
    return [words.strip() for words in writer.page.locator(".outline .toc-item").all_inner_texts()]


def drag(writer: Visitor, title: str, x: float, y: float) -> None:
    """Drag the box of an item so that its middle comes to this place of the window."""
    box = writer.page.locator(".djs-shape", has_text=title).last.bounding_box()
    assert box is not None
    mouse = writer.page.mouse
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse.down()
    mouse.move(x, y + 20, steps=8)
    mouse.move(x, y, steps=4)
    mouse.up()


def middle(writer: Visitor, title: str) -> tuple[float, float]:
    box = writer.page.locator(".djs-shape", has_text=title).last.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def forgive(writer: Visitor, path: str) -> None:
    """From now on saving may be refused, whatever the revision."""
    writer.refusals |= {f"{writer.site.url}{path}/save?revision={number}" for number in range(1, 60)}


# ---------------------------------------------------------------- the order
def test_what_is_moved_up_stands_first_in_the_file_the_list_and_after_opening_again(enter: Enter, site: Site) -> None:
    writer = enter("zhuanban", 1600)
    path = begun(writer, "次序方案")
    assert numbers(kept(site, path)) == ["1", "2", "3"]
    x, y = middle(writer, "任务甲1")
    drag(writer, "任务甲3", x, y - 20)
    wait_until(lambda: numbers(kept(site, path)) == ["3", "1", "2"])
    assert listed(writer) == ["3 任务甲3", "1 任务甲1", "2 任务甲2"]
    tops = [middle(writer, f"任务甲{n}")[1] for n in (3, 1, 2)]
    assert tops == sorted(tops)
    assert tops[1] - tops[0] > 30
    assert tops[2] - tops[1] > 30
    writer.look("moved")
    expect(writer.page.locator("[data-props]")).to_contain_text("序号没有按先后排列：3 在 1 前面")
    writer.page.get_by_role("button", name="整理图面").click()
    saved(writer)
    assert numbers(kept(site, path)) == ["3", "1", "2"]
    writer.page.reload()
    ready(writer)
    assert listed(writer) == ["3 任务甲3", "1 任务甲1", "2 任务甲2"]

    writer.page.get_by_role("button", name="重新编号").click()
    wait_until(lambda: numbers(kept(site, path)) == ["1", "2", "3"])
    assert listed(writer) == ["1 任务甲3", "2 任务甲1", "3 任务甲2"]
    writer.page.get_by_role("button", name="撤销").click()
    wait_until(lambda: numbers(kept(site, path)) == ["3", "1", "2"])


def test_a_group_that_goes_takes_its_lines_along_and_what_is_dropped_lies_on_nothing(enter: Enter, site: Site) -> None:
    writer = enter("zhuanban", 1600)
    path = begun(writer, "删组方案", 2)
    for number in (2, 3):
        tool(writer, "任务组")
        tool(writer, "任务")
        item(writer, f"任务乙{number}", "原话。", "8月底前")
    wait_until(lambda: kept(site, path).count("<bpmn:sequenceFlow") == 2 + 2 * 3)
    x, y = middle(writer, "任务甲2")
    drag(writer, "任务乙2", x, y)
    wait_until(lambda: [len(numbers(each)) for each in groups(kept(site, path))] == [3, 0, 1])
    places = sorted(middle(writer, name)[1] for name in ("任务甲1", "任务甲2", "任务乙2"))
    assert min(b - a for a, b in pairwise(places)) > 30
    writer.look("dropped")
    home(writer)
    writer.page.locator(".outline").get_by_role("button", name="第二组任务").click()
    writer.page.locator(".djs-context-pad .entry", has_text="删除").click()
    expect(writer.page.locator(".outline")).not_to_contain_text("第二组任务")
    wait_until(lambda: kept(site, path).count("<bpmn:sequenceFlow") == 2 + 2 * 2)
    writer.look("removed")


def test_of_a_published_plan_only_the_group_that_was_touched_is_set_in_order(enter: Enter, site: Site) -> None:
    writer = enter("zhuanban", 1920)
    writer.go("/plans/studio")
    writer.page.locator("li.plan-row", has_text="百日攻坚").get_by_role("button", name="修订").click()
    ready(writer)
    path = re.sub(r"^https?://[^/]+", "", writer.page.url)
    before = kept(site, path)
    first, second = (numbers(each) for each in groups(before)[:2])
    drop, onto = (writer.page.locator(f".djs-shape[data-element-id=t{int(no):02}]") for no in (first[0], second[1]))
    box = onto.bounding_box()
    start = drop.bounding_box()
    assert box is not None
    assert start is not None
    mouse = writer.page.mouse
    mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    mouse.down()
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 + 6, steps=8)
    mouse.move(box["x"] + box["width"] / 2 + 2, box["y"] + box["height"] / 2 + 3, steps=4)
    mouse.up()
    wait_until(lambda: numbers(groups(kept(site, path))[0]) == first[1:])
    assert sorted(numbers(groups(kept(site, path))[1])) == sorted([*second, first[0]])
    writer.look("dropped")
    places = {(b["x"], b["y"]) for b in boxes_of(writer, second + first[:1])}
    assert len(places) == len(second) + 1
    writer.page.get_by_role("button", name="撤销").click()
    wait_until(lambda: kept(site, path) == before, lambda: changed(before, kept(site, path)))
    writer.page.get_by_role("button", name="整理图面").click()
    wait_until(lambda: kept(site, path) != before)
    assert numbers(kept(site, path)) == numbers(before)


def test_a_group_of_a_published_plan_that_grows_reaches_over_nothing(enter: Enter, site: Site) -> None:
    """Its neighbours below and the line that gathers the groups go on as far as it needs; undo puts everything back."""
    writer = enter("zhuanban", 1920)
    writer.go("/plans/studio")
    row = writer.page.locator("li.plan-row", has_text="百日攻坚")
    row.get_by_role("button", name="修订").or_(row.get_by_role("link", name="继续修订")).click()
    ready(writer)
    path = re.sub(r"^https?://[^/]+", "", writer.page.url)
    before = kept(site, path)
    assert collisions(before) == []
    tallest = max(group_ids(before), key=lambda ident: bottom_of(before, ident))
    writer.page.locator(f".djs-shape[data-element-id={tallest}] .djs-hit-all").first.click()
    for _ in range(3):
        tool(writer, "任务")
    wait_until(lambda: bottom_of(kept(site, path), tallest) > bottom_of(before, tallest))
    saved(writer)
    writer.look("grown")
    assert collisions(kept(site, path)) == []
    for _ in range(3):
        writer.page.get_by_role("button", name="撤销").click()
    wait_until(lambda: kept(site, path) == before, lambda: changed(before, kept(site, path)))


Box = tuple[float, float, float, float]


def drawn(xml: str) -> dict[str, Box]:
    """Left, top, right and bottom of every shape."""
    bounds = " ".join(f'{name}="([^"]+)"' for name in ("x", "y", "width", "height"))
    found = re.findall(rf'<bpmndi:BPMNShape [^>]*?bpmnElement="([^"]+)".*?<dc:Bounds {bounds}', xml, re.S)
    return {i: (x, y, x + w, y + h) for i, *box in found for x, y, w, h in [tuple(map(float, box))]}


def group_ids(xml: str) -> list[str]:
    return re.findall(r'<bpmn:adHocSubProcess id="([^"]+)"', xml)


def bottom_of(xml: str, ident: str) -> float:
    return drawn(xml)[ident][3]


def collisions(xml: str) -> list[tuple[str, str]]:
    """Groups that lie on another shape of the drawing, or across which a line runs."""
    shapes = drawn(xml)
    inside = {i for each in groups(xml) for i in re.findall(r'\bid="([^"]+)"', each)} - set(group_ids(xml))
    edges = re.findall(r'<bpmndi:BPMNEdge [^>]*?bpmnElement="([^"]+)"(.*?)</bpmndi:BPMNEdge>', xml, re.S)
    found = []
    for group in group_ids(xml):
        box = shapes[group]
        found += [(group, i) for i, other in shapes.items() if i != group and i not in inside and crosses(box, other)]
        for line, points in edges:
            if line in inside:
                continue
            way = [(float(x), float(y)) for x, y in re.findall(r'<di:waypoint x="([^"]+)" y="([^"]+)"', points)]
            parts = [(min(a, c), min(b, d), max(a, c), max(b, d)) for (a, b), (c, d) in pairwise(way)]
            found += [(group, line) for part in parts if crosses(box, part)]
    return found


def crosses(a: Box, b: Box) -> bool:
    return a[0] + 1 < b[2] and b[0] + 1 < a[2] and a[1] + 1 < b[3] and b[1] + 1 < a[3]


def changed(before: str, after: str) -> str:
    return "\n".join(unified_diff(before.split("\n"), after.split("\n"), lineterm="", n=0))


def boxes_of(writer: Visitor, nos: list[str]) -> list[dict[str, float]]:
    found = [writer.page.locator(f".djs-shape[data-element-id=t{int(no):02}]").bounding_box() for no in nos]
    return [{"x": round(box["x"]), "y": round(box["y"])} for box in found if box]


# ---------------------------------------------------------------- typing
def test_what_is_typed_is_saved_before_the_field_is_left(enter: Enter, site: Site) -> None:
    writer = enter("zhuanban")
    path = begun(writer, "键入方案", 1)
    props = writer.page.locator("[data-props]")
    clause = props.get_by_label("文件原话", exact=True)
    clause.press_sequentially("对重点企业用工摸底")
    wait_until(lambda: "对重点企业用工摸底" in kept(site, path))
    due = props.get_by_label("完成时限", exact=True)
    due.fill("")
    due.press_sequentially("9月底前", delay=30)
    expect(props.locator(".told").first).to_contain_text("2025-09-30")
    due.press("Backspace")
    due.press_sequentially("前", delay=30)
    expect(due).to_be_focused()
    expect(due).to_have_value("9月底前")
    wait_until(lambda: ">9月底前</duban:due>" in kept(site, path))


def test_a_page_that_goes_in_the_middle_of_a_word_leaves_it_on_the_device(enter: Enter, site: Site) -> None:
    writer = enter("zhuanban")
    path = begun(writer, "离开方案", 1)
    writer.page.context.set_offline(True)
    # What a page that is gone still sends is not always held back by a window that is offline.
    writer.page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError('offline')) }")
    clause = writer.page.locator("[data-props]").get_by_label("文件原话", exact=True)
    clause.press_sequentially("没有保存的话")
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    writer.page.on("dialog", leave)
    writer.page.goto("about:blank")
    assert asked == ["beforeunload"]
    writer.page.context.set_offline(False)
    assert "没有保存的话" not in kept(site, path)
    writer.page.goto(site.url + path)
    ready(writer)
    offer = writer.page.locator("[data-offer]")
    expect(offer).to_contain_text("没有存到服务器的改动")
    writer.look("offered")
    offer.get_by_role("button", name="检查并载入").click()
    expect(offer).to_contain_text("处错误")
    offer.get_by_role("button", name="用它替换现在的内容").click()
    wait_until(lambda: "没有保存的话" in kept(site, path))


def payload(xml: bytes) -> FilePayload:
    return {"name": "我的改动.bpmn", "mimeType": "application/xml", "buffer": xml}


# ---------------------------------------------------------------- log-in, files, colleagues
def test_saving_goes_on_after_a_new_log_in_in_another_window(enter: Enter, site: Site) -> None:
    writer = enter("zhuanban")
    path = begun(writer, "登录方案", 1)
    beside = writer.page.context.new_page()
    beside.goto(site.url + "/home")
    beside.get_by_role("button", name="退出").click()
    forgive(writer, path)
    fill(writer, "短标题", "登录以后")
    alarm = writer.page.locator("[data-alarm]")
    expect(alarm).to_contain_text("登录已过期，请在新窗口重新登录")
    combobox = writer.page.get_by_role("combobox", name="添加单位")
    combobox.press_sequentially("srsj")
    expect(writer.page.get_by_role("listbox")).to_contain_text("没有查到：登录已过期")
    other = Visitor(beside, site, 1280, None, "beside")
    other.go("/login")
    other.log_in("zhuanban")
    expect(alarm).to_be_hidden()
    wait_until(lambda: 'title="登录以后"' in kept(site, path))
    combobox.fill("局")
    expect(writer.page.get_by_role("listbox")).to_contain_text("还有更多")


def test_a_file_comes_back_into_the_draft_and_what_it_replaced_can_be_had_again(enter: Enter, site: Site) -> None:
    writer = enter("zhuanban")
    path = begun(writer, "载入方案", 1)
    before = kept(site, path)
    file = payload(before.replace("任务甲1", "带回来的").encode())
    chooser = writer.page.locator("[data-load]")
    offer = writer.page.locator("[data-offer]")
    writer.expect_refusal(f"{path}/check")
    chooser.set_input_files(payload(b"<x/>"))
    expect(offer).to_contain_text("没有载入“我的改动”")
    chooser.set_input_files(file)
    expect(offer).to_contain_text("检查出 1 处错误")
    expect(offer.get_by_role("listitem")).to_have_text("还没有单位的任务　1 带回来的：短标题由“任务甲1”改为“带回来的”")
    writer.look("checked")
    offer.get_by_role("button", name="用它替换现在的内容").click()
    expect(offer).to_contain_text("已载入")
    wait_until(lambda: "带回来的" in kept(site, path))
    assert listed(writer) == ["1 带回来的"]
    tool(writer, "任务")
    wait_until(lambda: numbers(kept(site, path)) == ["1", "2"])
    offer.get_by_role("button", name="恢复载入前的内容").click()
    wait_until(lambda: kept(site, path) == before)


def test_a_draft_that_is_thrown_away_lives_on_with_whoever_has_it_open(enter: Enter, site: Site) -> None:
    first, second = enter("zhuanban"), enter("zhuanban", 1600)
    path = begun(first, "删除方案", 0)
    tool(first, "任务")
    fill(first, "短标题", "任务甲1")
    wait_until(lambda: "任务甲1" in kept(site, path))
    second.go(path)
    ready(second)
    number = int(path.rsplit("/", 1)[1])
    with site.db.write() as tx:  # a colleague saves it, which this page does not hear of
        colleague = tx.connection.execute(select(person.c.id, person.c.name).where(person.c.login == "renshe")).one()
        at = datetime(2025, 6, 3, 7, 8, tzinfo=UTC)
        saved = {"revision": plan_draft.c.revision + 1, "saved_by": colleague.id, "saved_at": at}
        tx.connection.execute(update(plan_draft).where(plan_draft.c.id == number).values(saved))
    asked: list[str] = []

    def agree(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.accept()

    first.page.on("dialog", agree)
    first.page.get_by_role("button", name="删除草稿").click()
    expect(first.page.locator(".toast")).to_contain_text("草稿已删除")
    assert asked[0].startswith(f"这份草稿最后由{colleague.name}于 06-03 15:08 保存。")
    forgive(second, path)
    second.page.locator(".djs-shape", has_text="任务甲1").last.click()
    fill(second, "短标题", "没有白写")
    alarm = second.page.locator("[data-alarm]")
    expect(alarm).to_contain_text("没有这份草稿")
    second.look("gone")
    alarm.get_by_role("button", name="另存为新草稿").click()
    second.page.wait_for_url(lambda url: not url.endswith(path))
    ready(second)
    again = re.sub(r"^https?://[^/]+", "", second.page.url)
    assert 'title="没有白写"' in kept(site, again)

    # the same file from the list of plans: its draft is there again, and is not written over
    first.go("/plans/studio")
    taken = payload(kept(site, again).encode())
    first.page.get_by_label("下载过的方案文件").set_input_files(taken)
    first.expect_refusal("/plans/studio/load")
    first.page.get_by_role("button", name="载入为草稿").click()
    expect(first.page.get_by_role("alert")).to_contain_text("已有草稿，没有载入")
    first.look("taken-already")
