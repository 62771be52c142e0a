"""The demonstration's story: 百日攻坚 from 2025-05-23 to the morning of 2025-07-17, as a table of human acts.

Every act is a command of `engine.commands` at its moment of the demo's clock, with the ticks in between; no row is
inserted. Figures and reasons are invented, plan, units and targets are the document's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import partial

from bpmn.library import plan_xml
from bpmn.reading import read_plan
from engine import opening, ticking
from ledger import organisation
from ledger.calendar import moment
from ledger.clock import set_clock
from ledger.database import Database
from ledger.directory import register_units
from webapp.demo.office import Office
from webapp.demo.people import seat_people, units_of

PLAN = "huangshi-2025-bairi"
START = moment(date(2025, 5, 23), time(9))
TODAY = moment(date(2025, 7, 17), time(9, 40))

COUNTIES = ("daye", "yangxin", "huangshigang", "xisaishan", "xialu", "kaifaqu")
COLLEGES = ("hubei-shifan", "hubei-ligong", "hubei-gongcheng")
WEEKS = tuple(date(2025, m, d) for m, d in ((5, 29), (6, 5), (6, 12), (6, 19), (6, 26), (7, 3), (7, 10)))
MONTHS = (date(2025, 5, 30), date(2025, 6, 30))

# When each unit signs for what it was handed; the others do on the first afternoon.
SLOW_TO_SIGN = {"jiaoyun": date(2025, 5, 27), "youzheng": date(2025, 5, 29), "kaifaqu": date(2025, 5, 26)}
# Weeks (counted from 0) in which a unit's liaison forgot the report.
FORGOTTEN = {"youzheng": (1, 4), "jiaoyun": (2,), "danbao": (5,), "xisaishan": (3,), "kaifaqu": (1, 5)}

# Where each unit's own figure stands at the end of week 7: item, indicator, unit, value.
FIGURES = (
    ("5", "market-posts", "renshe", 6120),
    ("5", "market-posts", "guozi", 2310),
    ("5", "market-posts", "jingxin", 2780),
    ("7", "non-quota-posts", "renshe", 1180),
    ("7", "non-quota-posts", "bianban", 726),
    ("11", "grassroots-posts", "renshe", 1412),
    ("21", "training-camps", "renshe", 13),
    ("23", "invited-graduates", "xuanchuan", 11240),
)
FEEDBACK_FIGURES = (
    ("13", "trainee-posts", dict(zip(COUNTIES, (214, 92, 118, 57, 71, 36), strict=True))),
    ("5", "market-posts", dict(zip(COUNTIES, (2140, 1710, 1180, 860, 940, 390), strict=True))),
)
# 家门口招聘会 held by the end of week 6.
FAIRS = dict(zip(COUNTIES, (7, 6, 6, 4, 6, 5), strict=True))
PROGRESS = {
    "5": "走访重点企业，归集岗位并在“黄石就业云地图”发布。",
    "7": "与用编单位核对需求，第二批编制外岗位正在公示。",
    "11": "会同乡镇（街道）归集基层教育、医疗、养老服务岗位。",
    "21": "进校开展职业规划、企业探营和模拟面试。",
    "23": "组织毕业生分批走进产业园区和重点企业。",
}


@dataclass(frozen=True)
class Act:
    """One human act and its moment."""

    at: datetime
    do: Callable[[Office], object]


def build(db: Database, progress: Callable[[float], None] = lambda done: None) -> int:
    """Bring an empty, migrated database to the demo's day; returns the run. `progress` gets the share of acts done."""
    run_id = begin(db)
    office = Office(db, run_id)
    office.at(START)
    script = sorted(acts(), key=lambda act: act.at)
    for n, act in enumerate(script):
        office.at(act.at)
        act.do(office)
        office.at(act.at)  # what the act calls for at once goes out now, as it would with a scheduler beside it
        progress(n / len(script))
    office.at(TODAY)
    return run_id


def begin(db: Database, at: datetime = START) -> int:
    """Start the plan at a moment of the stored clock on an empty, migrated database, with people for every unit."""
    known, plan = organisation.load("huangshi"), read_plan(plan_xml(PLAN))
    with db.writer.begin() as connection:
        set_clock(connection, at)
    with db.write() as tx:
        register_units(tx, known)
        seat_people(tx, plan, known)
        ticking.start_ticking(tx, tx.now)
        run_id = opening.start_run(tx, opening.publish(tx, plan_xml(PLAN)))
    return run_id


def acts() -> Iterator[Act]:
    """The whole script, in no order."""
    yield from _signing_for()
    yield from _weekly()
    yield from _monthly()
    yield from _stories()


def _act(day: date, hour: int, minute: int, method: Callable[..., object], *args: object, **kwargs: object) -> Act:
    return Act(moment(day, time(hour, minute)), lambda office: partial(method, office)(*args, **kwargs))


def _units(*roles: str) -> list[str]:
    return units_of(read_plan(plan_xml(PLAN)), organisation.load("huangshi"), *roles)


def _signing_for() -> Iterator[Act]:
    for n, unit in enumerate(_units()):
        day = SLOW_TO_SIGN.get(unit, date(2025, 5, 23))
        yield _act(day, 14 + n // 20, (n * 3) % 60, Office.acknowledge, unit)


def _weekly() -> Iterator[Act]:
    """Each week's reports; figures grow evenly to where they stand, and weeks without news are said so in one tap."""
    for week, day in enumerate(WEEKS):
        for n, unit in enumerate(_units("lead", "responsible")):
            if week in FORGOTTEN.get(unit, ()):
                continue
            entries = {
                no: ({key: value * (week + 1) // len(WEEKS)}, PROGRESS[no])
                for no, key, holder, value in FIGURES
                if holder == unit
            }
            if unit in COUNTIES and week % 2:
                entries["14"] = ({}, "孵化园入驻项目持续增加，为大学生创客提供场地和辅导。")
                fairs = FAIRS[unit] * (week + 1) // 6
                figures = {"local-job-fairs": fairs, "campuses-visited": week > 2, "promotion-events": week > 4}
                entries["26"] = (figures, "家门口招聘会按月举办，进高校推介按计划开展。")
            yield _act(day, 10 + n // 12, (n * 5) % 60, Office.report_round, unit, "weekly", entries)
    yield _act(date(2025, 7, 16), 16, 20, Office.report_round, "xuanchuan", "weekly", {})
    yield _act(date(2025, 7, 16), 16, 42, Office.report_round, "caizheng", "weekly", {})


def _monthly() -> Iterator[Act]:
    """岗位征集月报 and 月通报, 西塞山区 two days late in June; and the counties' own figures."""
    for month, day in enumerate(MONTHS):
        for n, unit in enumerate(COUNTIES):
            late = unit == "xisaishan" and month == 1
            on = date(2025, 7, 2) if late else day
            text = "政策性、市场化、社会化岗位分类统计表已核对，动态更新。"
            yield _act(on, 9, 30 + n, Office.report_round, unit, "posts", {"10": ({}, text)})
        for n, unit in enumerate((*COUNTIES, "jiaoyu", "guozi", *COLLEGES, "jiuye-lingdao")):
            text = "本月工作动态简报和重点指标预测研判已形成。"
            yield _act(day, 15, n, Office.report_round, unit, "monthly", {"32": ({}, text)})
    for step, day in enumerate((date(2025, 6, 13), date(2025, 7, 9), date(2025, 7, 16)), start=1):
        for no, key, by_county in FEEDBACK_FIGURES:
            for n, (unit, value) in enumerate(by_county.items()):
                if step == 3 and unit not in ("daye", "huangshigang"):
                    continue
                done = value if step == 3 else value * step * 2 // 5
                if step == 2 and unit not in ("daye", "huangshigang"):
                    done = value
                yield _act(day, 10 + n % 6, 22, Office.report, unit, no, "已上门对接用人单位并核实。", {key: done})


def _closed(unit: str, no: str, day: date, summary: str) -> Iterator[Act]:
    """An application that goes straight through: applied, signed where the plan wants it, agreed."""
    yield _act(day, 9, 10, Office.apply, unit, no, summary)
    yield _act(day, 11, 5, Office.decide, unit, no)
    yield _act(day, 15, 30, _decide_if_open, unit, no)


def _decide_if_open(office: Office, unit: str, no: str) -> None:
    if office.is_waiting(unit, no):
        office.decide(unit, no)


def _stories() -> Iterator[Act]:
    """What makes the demo's day: something closed, late, returned, waiting for a signature and for a review."""
    d = date
    for unit in COLLEGES[:2]:  # 清单第 1 项: one college of three is late
        yield from _closed(unit, "1", d(2025, 6, 26), "完成2025届毕业生就业情况摸底，一人一档全部入库。")
    for unit, day in (("caizheng", d(2025, 7, 2)), ("danbao", d(2025, 7, 4)), ("renshe", d(2025, 7, 8))):
        yield from _closed(unit, "17", day, "创业担保贷款实现线上申请、一窗受理，办理时限压缩。")
    yield from _closed("jiaoyu", "20", d(2025, 6, 24), "协助完成各校“六进”活动的组织和场地保障。")
    yield _act(d(2025, 6, 27), 9, 20, Office.apply, "renshe", "20", "“六进”活动在三所高校全部开展。")
    yield _act(d(2025, 6, 27), 10, 40, Office.decide, "renshe", "20")
    reason = "缺活动场次明细，请附各校日期、场地、参加人数。"
    yield _act(d(2025, 7, 10), 15, 0, Office.decide, "renshe", "20", agree=False, reason=reason)
    for unit in COLLEGES:
        yield from _closed(unit, "22", d(2025, 7, 3), "留黄就业工作站配齐人员，毕业生咨询当日答复。")
    yield from _closed("renshe", "22", d(2025, 7, 10), "三所高校留黄就业工作站全部运行，服务毕业生三千余人次。")
    for unit in COUNTIES:
        yield from _closed(unit, "18", d(2025, 7, 14), "“零工驿站”已挂牌运行，岗位信息每日更新。")
    yield _act(d(2025, 7, 16), 9, 50, Office.apply, "renshe", "18", "用工联盟与各级零工驿站全部贯通，共享用工平稳。")
    yield _act(
        d(2025, 7, 15),
        9,
        40,
        Office.apply,
        "hubei-ligong",
        "28",
        "“24小时人社高校服务e站”建成，十项高频服务可自助办理。",
    )
    yield _act(d(2025, 7, 15), 11, 20, Office.decide, "hubei-ligong", "28")
    for unit in ("jiaoyu", "hubei-shifan"):
        yield from _closed(unit, "29", d(2025, 7, 15), "两个包保帮扶机制已建立，责任到人到班。")
    yield from _closed("jiaoyu", "30", d(2025, 7, 14), "困难毕业生帮扶台账建成，分类帮扶措施逐人落实。")
    for unit in COLLEGES[:1]:
        yield from _closed(unit, "21", d(2025, 7, 11), "求职训练营各场次按计划完成，材料已报。")
