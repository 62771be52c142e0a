"""The demonstration's story: 百日攻坚 from 2025-05-23 to the morning of 2025-07-17, as a table of human acts, and three
plans beside it that ask the same units.

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

FANXIANG, KEJI, MAMAGANG = "huangshi-2025-fanxiang", "huangshi-2025-keji-zhuanhua", "huangshi-2025-mamagang"
# The working day on which each of the plans beside it is handed out.
STARTS = {FANXIANG: date(2025, 5, 26), KEJI: date(2025, 5, 29), MAMAGANG: date(2025, 7, 16)}

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
# Of the eight held in 大冶市, those of its towns.
TOWN_FAIRS = {"daye-jinhu": 4, "daye-chengui": 3, "daye-baoan": 1}
PROGRESS = {
    "5": "走访重点企业，归集岗位并在“黄石就业云地图”发布。",
    "7": "与用编单位核对需求，第二批编制外岗位正在公示。",
    "11": "会同乡镇（街道）归集基层教育、医疗、养老服务岗位。",
    "21": "进校开展职业规划、企业探营和模拟面试。",
    "23": "组织毕业生分批走进产业园区和重点企业。",
}

# What the plans beside it have come to, as reported by their units: plan, item, indicator, value of each unit.
FIGURES_BESIDE: tuple[tuple[str, str, str, dict[str, int]], ...] = (
    (FANXIANG, "6", "city-projects", {"renshe": 2, "daye": 1, "yangxin": 1}),
    (FANXIANG, "15", "farm-leaders", {"nongye": 41, "daye": 52, "yangxin": 38, "xialu": 9}),
    (FANXIANG, "16", "farm-services", {"nongye": 8}),
    (FANXIANG, "21", "new-brands", {"daye": 1, "yangxin": 1, "xisaishan": 1}),
    (FANXIANG, "38", "trained-founders", {"renshe": 96, "nongye": 41}),
    (FANXIANG, "38", "rural-founders", {"nongye": 6}),
    (FANXIANG, "38", "farmer-courses", {"nongye": 1}),
    (FANXIANG, "42", "science-yards", {"keji": 1}),
    (KEJI, "4", "solved-needs", {"keji": 37, **dict(zip(COUNTIES, (16, 9, 12, 7, 11, 19), strict=True))}),
)
# Items of theirs that a unit has brought to its end.
CLOSED_BESIDE = (
    (FANXIANG, "5", "renshe", date(2025, 6, 25), "“创业云地图”已发布，场地、融资、培训、导师信息按月更新。"),
    (FANXIANG, "4", "nongye", date(2025, 7, 9), "农产品初加工项目库建成，首批项目已入库。"),
    (FANXIANG, "4", "shangwu", date(2025, 7, 11), "初加工项目与商贸企业对接渠道已建立。"),
    (FANXIANG, "43", "shuiwu", date(2025, 7, 15), "“六税两费”减征和重点群体税收减免政策全部落实。"),
    (KEJI, "7", "jingxin", date(2025, 7, 10), "首批应用场景清单已向企业开放。"),
)


@dataclass(frozen=True)
class Act:
    """One human act, its moment, and the plan it belongs to, which is started when its first act comes."""

    at: datetime
    do: Callable[[Office], object]
    plan: str = PLAN


def build(db: Database, progress: Callable[[float], None] = lambda done: None) -> int:
    """Bring an empty, migrated database to the demo's day; returns the run. `progress` gets the share of acts done."""
    run_id = begin(db)
    office = Office(db, run_id)
    offices = {PLAN: office}
    office.at(START)
    script = sorted([*acts(), *beside()], key=lambda act: act.at)
    for n, act in enumerate(script):
        office.at(act.at)
        if act.plan not in offices:
            offices[act.plan] = Office(db, start(db, act.plan))
        act.do(offices[act.plan])
        office.at(act.at)  # what the act calls for at once goes out now, as it would with a scheduler beside it
        progress(n / len(script))
    office.at(TODAY)
    return run_id


def begin(db: Database, at: datetime = START) -> int:
    """Start 百日攻坚 at a moment of the stored clock on an empty, migrated database, with people for every unit."""
    prepare(db, at)
    return start(db, PLAN)


def prepare(db: Database, at: datetime) -> None:
    """Set the clock of an empty, migrated database, let it tick, and register the units."""
    with db.writer.begin() as connection:
        set_clock(connection, at)
    with db.write() as tx:
        register_units(tx, organisation.load("huangshi"))
        ticking.start_ticking(tx, tx.now)


def start(db: Database, key: str) -> int:
    """Start a plan of the library now, with people for every unit of it; returns the run."""
    xml = plan_xml(key)
    with db.write() as tx:
        seat_people(tx, read_plan(xml), organisation.load("huangshi"))
        return opening.start_run(tx, opening.publish(tx, xml))


def acts() -> Iterator[Act]:
    """The whole script, in no order."""
    yield from _signing_for()
    yield from _weekly()
    yield from _monthly()
    yield from _stories()
    yield from _handed_down()


def _act(
    day: date, hour: int, minute: int, method: Callable[..., object], *args: object, plan: str = PLAN, **kwargs: object
) -> Act:
    return Act(moment(day, time(hour, minute)), lambda office: partial(method, office)(*args, **kwargs), plan)


def _units(*roles: str, plan: str = PLAN) -> list[str]:
    return units_of(read_plan(plan_xml(plan)), organisation.load("huangshi"), *roles)


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


def _handed_down() -> Iterator[Act]:
    """大冶市 hands its 家门口招聘会 down to three towns: one is done, one waits for the county, one is under way."""
    yield _act(date(2025, 5, 28), 9, 30, Office.split, "daye", "26", date(2025, 8, 15), list(TOWN_FAIRS))
    for n, (town, fairs) in enumerate(TOWN_FAIRS.items()):
        yield _act(date(2025, 5, 28), 15, n, Office.acknowledge, town)
        figures = {"local-job-fairs": fairs}
        yield _act(date(2025, 7, 9), 9, 40 + n, Office.report, town, "26", "招聘会进村进社区，现场接受咨询。", figures)
    yield from _closed("daye-jinhu", "26", date(2025, 7, 14), "四场招聘会全部办结，达成意向三百余人。")
    yield _act(date(2025, 7, 16), 9, 30, Office.apply, "daye-chengui", "26", "三场招聘会全部办结，名单已存档。")
    yield _act(date(2025, 7, 16), 11, 0, Office.decide, "daye-chengui", "26")


def _closed(unit: str, no: str, day: date, summary: str, plan: str = PLAN) -> Iterator[Act]:
    """An application that goes straight through: applied, signed where the plan wants it, agreed."""
    yield _act(day, 9, 10, Office.apply, unit, no, summary, plan=plan)
    yield _act(day, 11, 5, Office.decide, unit, no, plan=plan)
    yield _act(day, 15, 30, _decide_if_open, unit, no, plan=plan)


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


def beside() -> Iterator[Act]:
    """The three other plans: handed out, signed for, some figures reported, little of it closed yet."""
    for plan, day in STARTS.items():
        yield Act(moment(day, time(9)), lambda office: None, plan)
        for n, unit in enumerate(_units(plan=plan)):
            if plan != MAMAGANG or unit not in COUNTIES:  # handed out yesterday; the counties have yet to sign for it
                yield _act(day, 15 + n // 30, (n * 2) % 60, Office.acknowledge, unit, plan=plan)
    for plan, no, key, by_unit in FIGURES_BESIDE:
        for n, (unit, value) in enumerate(by_unit.items()):
            text = "已对照任务逐项落实，台账同步更新。"
            yield _act(date(2025, 7, 8), 16, n, Office.report, unit, no, text, {key: value}, plan=plan)
    for plan, no, unit, day, summary in CLOSED_BESIDE:
        yield from _closed(unit, no, day, summary, plan)
