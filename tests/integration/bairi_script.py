"""What people do in the whole-plan test: acts on 百日攻坚 from 2025-05-23 to its end, typed by hand.

A row is (day, hour, act, units, items, more). `units` and `items` are space-separated; every unit acts on every item.
Each item belongs to one of the stories that the test names: on time, late, returned twice, reported 无新进展 ...
"""

from __future__ import annotations

from typing import NamedTuple

C6 = "daye yangxin huangshigang xisaishan xialu kaifaqu"
U3 = "hubei-shifan hubei-ligong hubei-gongcheng"
EVERYBODY = (
    "renshe jiaoyu guozi jingxin bianban keji caizheng danbao shijian youzheng jiaoyun shangwu xuanchuan gongan "
    f"{U3} {C6} jiuye-lingdao"
)
OFFICE = "jiuye-lingdao"


class Row(NamedTuple):
    day: str
    hour: int
    act: str
    units: str
    items: str = ""
    more: str = ""


def _application(applied: str, units: str, items: str, reviewed: str) -> list[Row]:
    """Applied at 10:00, signed at 14:00, agreed at 15:00 of the day of review."""
    return [
        Row(applied, 10, "apply", units, items),
        Row(applied, 14, "agree", units, items),
        Row(reviewed, 15, "agree", units, items),
    ]


def _returned(applied: str, units: str, items: str, reviewed: str) -> list[Row]:
    return [
        Row(applied, 10, "apply", units, items),
        Row(applied, 14, "agree", units, items),
        Row(reviewed, 15, "return", units, items, "缺佐证材料，请补齐明细后再报。"),
    ]


def _feedback(day: str, units: str, items: str) -> list[Row]:
    """A cooperating unit's feedback, taken by the lead within the hour."""
    return [Row(day, 10, "apply", units, items), Row(day, 11, "agree", units, items)]


SIGNING_FOR = [
    Row("05-23", 14, "acknowledge", EVERYBODY),
    Row("08-25", 14, "acknowledge", OFFICE),  # item 33 opens by date
]

THURSDAYS = [
    "05-29",
    "06-05",
    "06-12",
    "06-19",
    "06-26",
    "07-03",
    "07-10",
    "07-17",
    "07-24",
    "07-31",
    "08-07",
    "08-14",
    "08-21",
    "08-28",
]
# Round -> units that do not report on its Thursday.
FORGETS = {3: ("shijian", "youzheng"), 5: ("jiaoyun",), 7: ("youzheng",), 14: ("xialu",)}
# Who is asked (open lead or responsible share): 宣传部 is done on 07-15, most others on 08-22.
ASKED_9_TO_13 = EVERYBODY.replace(" xuanchuan", "")
ASKED_14 = f"renshe {U3} caizheng danbao {C6} {OFFICE}"

WEEKLY = [
    Row(
        day,
        10,
        "weekly",
        " ".join(
            unit
            for unit in (EVERYBODY if n <= 8 else ASKED_9_TO_13 if n <= 13 else ASKED_14).split()
            if unit not in FORGETS.get(n, ())
        ),
    )
    for n, day in enumerate(THURSDAYS, start=1)
] + [Row("06-27", 15, "weekly", "jiaoyun")]  # round 5, after the reminder of its last day

MONTHLY_UNITS = f"{OFFICE} {C6} jiaoyu guozi {U3}"
MONTHLY = [
    Row("05-27", 16, "monthly", MONTHLY_UNITS, "32"),
    Row("06-26", 16, "monthly", MONTHLY_UNITS, "32"),
    Row("07-25", 16, "monthly", MONTHLY_UNITS.replace(" yangxin", ""), "32"),
    Row("07-31", 15, "monthly", "yangxin", "32"),
    Row("08-26", 16, "monthly", MONTHLY_UNITS, "32"),
    Row("05-27", 17, "posts", C6, "10"),
    Row("06-26", 17, "posts", C6.replace(" xisaishan", ""), "10"),
    Row("07-02", 10, "posts", "xisaishan", "10"),
    Row("07-25", 17, "posts", C6, "10"),
    Row("08-26", 17, "posts", C6.replace(" kaifaqu", ""), "10"),
    Row("09-08", 10, "posts", "kaifaqu", "10"),
]

NOTHING_NEW = [Row("06-11", 15, "nothing-new", "renshe", "4 6 12 16 25")]

ON_TIME = [
    # feedback of the cooperating units, then of the other leads, then the first leads and all responsible units
    *_feedback("08-18", f"{C6} {U3}", "2 3"),
    *_feedback("08-18", C6, "5 13 15 18 24"),
    *_feedback("08-18", U3, "21 22"),
    *_application("08-19", "renshe", "2", "08-20"),
    *_application("08-19", "jiaoyu", "3", "08-20"),
    *_application("08-19", "guozi jingxin", "5", "08-20"),
    *_application("08-19", "bianban", "7", "08-20"),
    *_application("08-19", f"keji {U3}", "15", "08-20"),
    *_application("08-21", "jiaoyu", "2", "08-22"),
    *_application("08-21", "renshe", "3 5 7 13 15 18 21 22 24", "08-22"),
    *_application("08-21", "renshe bianban guozi", "9", "08-22"),
    *_application("08-21", f"renshe {U3}", "12 25", "08-22"),
    *_application("08-21", C6, "14", "08-22"),
    *_application("08-21", "shijian youzheng jiaoyun", "19", "08-22"),
    *_application("08-21", f"renshe shijian gongan {U3}", "31", "08-22"),
    *_application("08-21", U3, "16", "08-22"),
    # 市商务局's deputy head signs item 19 only the next morning
    Row("08-21", 10, "apply", "shangwu", "19"),
    Row("08-22", 10, "agree", "shangwu", "19"),
    Row("08-22", 15, "agree", "shangwu", "19"),
    # 市人社局's deputy head sends item 16 back to be mended; it is handed in again the same day
    Row("08-21", 10, "apply", "renshe", "16"),
    Row("08-21", 14, "return", "renshe", "16", "数据与附表不一致，请核对后再送签。"),
    Row("08-21", 16, "apply", "renshe", "16"),
    Row("08-21", 17, "agree", "renshe", "16"),
    Row("08-22", 15, "agree", "renshe", "16"),
    # due 06-30 and 07-31
    *_application("06-20", "hubei-shifan hubei-ligong", "1", "06-23"),
    *_application("07-18", f"renshe jiaoyu {U3}", "29 30", "07-21"),
]

LATE = [
    *_application("07-02", "hubei-gongcheng", "1", "07-03"),
    *_application("09-08", f"renshe {U3}", "6 28", "09-09"),
    *_application("09-08", "renshe caizheng danbao", "17", "09-09"),
    *_application("09-08", C6, "26", "09-09"),
    *_application("09-08", "renshe", "27", "09-09"),
]

RETURNED_TWICE = [
    *_returned("07-07", "renshe", "4 11", "07-08"),
    *_returned("07-07", "guozi", "8", "07-08"),
    *_returned("07-07", "xuanchuan", "23", "07-08"),
    *_returned("07-09", "renshe", "4 11", "07-10"),
    *_returned("07-09", "guozi", "8", "07-10"),
    *_returned("07-09", "xuanchuan", "23", "07-10"),
    *_application("07-14", "renshe", "4 11", "07-15"),
    *_application("07-14", "guozi", "8", "07-15"),
    *_application("07-14", "xuanchuan", "23", "07-15"),
    # item 20 is due 06-30: the first return gives until 07-02, the second until 07-04
    *_feedback("06-20", "jiaoyu", "20"),
    *_returned("06-26", "renshe", "20", "06-27"),
    *_returned("06-30", "renshe", "20", "07-01"),
    *_application("07-04", "renshe", "20", "07-07"),
]

RECURRING = [
    *_application("09-01", C6.replace(" kaifaqu", ""), "10", "09-02"),
    Row("09-08", 11, "apply", "kaifaqu", "10"),
    Row("09-08", 14, "agree", "kaifaqu", "10"),
    Row("09-09", 15, "agree", "kaifaqu", "10"),
    *_feedback("09-03", f"{C6} jiaoyu guozi {U3}", "32"),
    # what the 领导小组 itself holds needs no signature and is reviewed by 市人社局's deputy head
    Row("09-04", 10, "apply", OFFICE, "32"),
    Row("09-05", 15, "agree", OFFICE, "32"),
    Row("08-28", 10, "apply", OFFICE, "33"),
    Row("08-29", 15, "agree", OFFICE, "33"),
]

URGED = [
    Row("06-10", 10, "lead-urges", "yangxin", "13", "请本周内反馈见习岗位募集情况。"),
    Row("09-02", 10, "office-urges", C6, "26", "招聘会进展尚未办结，请本周内报送。"),
]

# 大冶市 hands five of its items down to three towns each, on a Monday; they are done the day after.
TOWNS = "daye-jinhu daye-chengui daye-baoan"
SPLIT_ITEMS = "5 10 13 14 26"
SPLIT = [
    Row("06-16", 10, "split", "daye", SPLIT_ITEMS, TOWNS),
    Row("06-16", 15, "acknowledge", TOWNS),
    Row("06-17", 10, "apply", TOWNS, SPLIT_ITEMS),
    Row("06-17", 11, "agree", TOWNS, SPLIT_ITEMS),  # the deputy heads of the towns
    Row("06-17", 14, "agree", TOWNS, SPLIT_ITEMS),  # their county
]
# What the towns come to of the county's 500 and 260.
TOWN_FIGURES = {
    ("5", "market-posts"): dict(zip(TOWNS.split(), (250, 150, 100), strict=True)),
    ("13", "trainee-posts"): dict(zip(TOWNS.split(), (130, 80, 50), strict=True)),
}

# The last word on two figures: 6 x 500 + 15,000 + 6,000 + 5,000 = 29,000 and 6 x 260 = 1,560.
FIGURES = {
    ("5", "market-posts"): {**dict.fromkeys(C6.split(), 500), "renshe": 15000, "guozi": 6000, "jingxin": 5000},
    ("13", "trainee-posts"): dict.fromkeys(C6.split(), 260),
}

SCRIPT = [
    *SIGNING_FOR, *WEEKLY, *MONTHLY, *NOTHING_NEW, *ON_TIME, *LATE, *RETURNED_TWICE, *RECURRING, *URGED,
]  # fmt: skip
