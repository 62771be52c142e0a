"""Names of files: harmless wherever they are saved, and marks of secrecy in any disguise."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.rules.filenames import MAX_BYTES, cleaned, secret_mark, split


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("情况说明.pdf", "情况说明.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\fakepath\\现场 照片.JPG", "现场 照片.JPG"),
        ("/var/www/index.html/..", "附件"),
        ("a\x00b\r\nc.txt", "ab c.txt"),
        ("清单\u202efdp.exe", "清单fdp.exe"),  # shown right to left it would end in "exe.pdf"
        ("零\u200b宽.pdf", "零宽.pdf"),
        ('一<二>三:四"五|六?七*.pdf', "一_二_三_四_五_六_七_.pdf"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("COM¹.pdf", "_COM¹.pdf"),
        ("CONTACT.pdf", "CONTACT.pdf"),
        ("  .hidden.  ", "hidden"),
        (".pdf", "pdf"),
        ("", "附件"),
        ("...", "附件"),
        ("e\u0301te\u0301.pdf", "été.pdf"),
    ],
)
def test_a_name_is_made_harmless(given_name: str, kept: str) -> None:
    assert cleaned(given_name) == kept


@given(st.text(max_size=400))
def test_any_name_becomes_one_that_every_system_can_keep(name: str) -> None:
    kept = cleaned(name)
    assert kept
    assert kept not in (".", "..")
    assert len(kept.encode()) <= MAX_BYTES
    assert not set(kept) & set('/\\<>:"|?*')
    assert {unicodedata.category(c) for c in kept}.isdisjoint({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
    assert kept == kept.strip(" .")
    assert cleaned(kept) == kept


def test_a_long_name_keeps_its_extension() -> None:
    kept = cleaned("关于全市百日攻坚行动进展情况的报告" * 40 + ".docx")
    assert kept.endswith(".docx")
    assert len(kept.encode()) <= MAX_BYTES


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a.b.PDF", ("a.b", "PDF")),
        ("清单", ("清单", "")),
        ("v1.二", ("v1.二", "")),
        ("x.toolongextension", ("x.toolongextension", "")),
    ],
)
def test_an_extension_is_short_and_latin(name: str, parts: tuple[str, str]) -> None:
    assert split(name) == parts


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("绝密★一号文件.pdf", "绝密"),
        ("【机密】会议纪要.docx", "机密"),
        ("秘密-人员名单.xls", "秘密"),
        ("机 密 文 件.pdf", "机密"),
        ("机\u200b密.pdf", "机密"),
        ("国家秘密事项.doc", "秘密"),
        ("工作秘密清单.doc", "秘密"),
        ("内部资料.pdf", "内部资料"),
        ("简报（内部）.pdf", "内部"),
        ("【内部】简报.pdf", "内部"),
        ("简报 注意保存.pdf", "注意保存"),
        ("機密.txt", "机密"),
        ("祕密.txt", "秘密"),
        ("絕密.txt", "绝密"),
        ("内部資料.txt", "内部资料"),
        ("机-密.txt", "机密"),
        ("机.密.txt", "机密"),
        ("机、密.txt", "机密"),
        ("机_密_文件.txt", "机密"),
        ("机|密.txt", "机密"),
        ("秘\u0301密.txt", "秘密"),
        ("ｍ机\ufe0f密.txt", "机密"),
        ("内部（资料）.txt", "内部资料"),
        ("内部·传阅.txt", "内部传阅"),
        ("商业秘密级★10年.txt", "秘密"),
        ("商业秘密★长期.txt", "秘密"),
        ("商业秘密（级）.txt", "秘密"),
        ("保守国家秘密级文件.txt", "秘密"),
        ("机密级★20年.txt", "机密"),
    ],
)
def test_a_mark_of_secrecy_is_seen(name: str, mark: str) -> None:
    assert secret_mark(name) == mark


@pytest.mark.parametrize(
    "name",
    [
        "就业见习岗位清单.xlsx",
        "计算机密码应用安全性评估报告.pdf",
        "出租车司机密切联系群众.docx",
        "拒绝密切接触者入场须知.pdf",
        "商业秘密保护示范点.docx",
        "内部控制制度.docx",
        "内部审计报告.docx",
        "保密工作总结.docx",
        "保密承诺书.pdf",
        "保守国家秘密法学习情况.docx",
        "商業秘密保護.docx",
        "商业秘密级别划分办法.docx",
        "秘书处通知.doc",
        "秘书长讲话（定稿）.doc",
        "密切联系群众_调研报告.docx",
        "司机、密切接触者名单.xlsx",
        "手机-密码重置说明.pdf",
        "农机_密植技术.pptx",
        "主机.密钥管理办法.pdf",
        "飞机（密云）航线.pdf",
        "机关大院密闭空间检查.docx",
        "涉密人员管理.docx",
        "揭榜挂帅：绝缘材料.pdf",
        "★先进个人★.docx",
        "人口密度.xlsx",
    ],
)
def test_ordinary_words_are_no_mark(name: str) -> None:
    assert secret_mark(name) == ""
