"""Who plays in the demonstration. Organisations, people and numbers are invented; addresses end in `.example`."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from lianfang.kernel import ubn
from lianfang.policy.facts import Duty


@dataclass(frozen=True, slots=True)
class Player:
    """A person: name in the pages, title, address."""

    name: str
    title: str
    email: str


@dataclass(frozen=True, slots=True)
class Team:
    """The three people that an application names."""

    admin: Player
    deputy: Player
    contact: Player


@dataclass(frozen=True, slots=True)
class Company:
    """An applicant with its people and its constituents (name, and whether its screening is clear)."""

    name_zh: str
    name_en: str
    kind: str
    ubn: str
    domain: str
    sector: str
    responsible: str
    team: Team
    stock_code: str = ""
    certificate_number: str = ""
    authority: str = ""
    address: str = "示範市測試路1號9樓"
    constituents: tuple[tuple[str, str], ...] = ()


CENTRE_ZH, CENTRE_EN = "示範協調中心", "Demonstration Coordination Centre"

GRANTERS = (
    Player("沈例舉", "主任", "director@centre.example"),
    Player("高設想", "副主任", "deputy@centre.example"),
)
STAFF: tuple[tuple[Duty, Player], ...] = (
    (Duty.REVIEWER, Player("周範例", "審查員", "reviewer@centre.example")),
    (Duty.APPROVER, Player("鄭比方", "組長", "approver@centre.example")),
    (Duty.APPROVER, Player("謝示意", "組長", "approver2@centre.example")),
    (Duty.ANALYST, Player("羅假定", "分析員", "analyst@centre.example")),
    (Duty.PUBLISHER, Player("方舉例", "編輯", "publisher@centre.example")),
    (Duty.LEGAL, Player("蘇擬定", "法務", "legal@centre.example")),
    (Duty.AUDITOR, Player("魏樣張", "稽核員", "auditor@centre.example")),
    (Duty.PRIVACY_OFFICER, Player("田虛構", "個資專員", "privacy@centre.example")),
    (Duty.OPERATOR, Player("江模擬", "系統管理員", "operator@centre.example")),
)


def _team(domain: str, admin: str, deputy: str, contact: str) -> Team:
    return Team(
        Player(admin, "資安長", f"admin@{domain}"),
        Player(deputy, "資安經理", f"deputy@{domain}"),
        Player(contact, "資安工程師", f"contact@{domain}"),
    )


QUADRANT = Company(
    name_zh="第九象限電子股份有限公司",
    name_en="Ninth Quadrant Electronics",
    kind="twse",
    ubn="90000017",
    stock_code="9951",
    domain="quadrant.example",
    sector="semiconductor",
    responsible="石樣品",
    team=_team("quadrant.example", "林樣本", "陳示範", "王測試"),
)
OBSERVATORY = Company(
    name_zh="海底天文台電信股份有限公司",
    name_en="Seafloor Observatory Telecom",
    kind="twse",
    ubn="90000049",
    stock_code="9952",
    domain="observatory.example",
    sector="telecom",
    responsible="金樣例",
    team=_team("observatory.example", "張假設", "李虛擬", "許擬真"),
)
_KINDS = ("商業銀行", "票券金融", "證券", "產物保險", "人壽保險", "期貨", "信用合作社", "電子支付")
_NAMES = ("雲梯", "琥珀橋", "回聲", "薄荷", "紙鶴", "潮汐")


def _branches(taken: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """A roster as an association has one: those with a story first, then some forty more with numbers of nobody."""
    numbers = (f"{number:08d}" for number in count(91_000_000) if ubn.is_valid(f"{number:08d}"))
    names = [f"{name}{kind}股份有限公司" for kind in _KINDS for name in _NAMES][:38]
    return (*taken, *zip(names, numbers, strict=False))


GRAVITY = Company(
    name_zh="無重力金融資安協會",
    name_en="Zero-Gravity Financial Security Association",
    kind="association",
    ubn="90000086",
    certificate_number="示社字第1150000號",
    authority="示範市政府",
    domain="gravity.example",
    sector="finance",
    responsible="許擬名",
    constituents=_branches((("玻璃砧板商業銀行股份有限公司", "90000115"), ("紙船保險股份有限公司", "90000147"))),
    team=_team("gravity.example", "趙舉隅", "錢試作", "孫草擬"),
)
ORIGAMI = Company(
    name_zh="摺紙能源股份有限公司",
    name_en="Origami Energy",
    kind="tpex",
    ubn="90000184",
    stock_code="9953",
    domain="origami.example",
    sector="energy",
    responsible="秦樣板",
    team=_team("origami.example", "何設例", "呂試用", "施模型"),
)
MIRROR = Company(
    name_zh="倒影鋼鐵股份有限公司",
    name_en="Mirror Steel",
    kind="twse",
    ubn="90000218",
    stock_code="9954",
    domain="mirror.example",
    sector="manufacturing",
    responsible="曹例示",
    team=_team("mirror.example", "彭擬稿", "潘樣式", "范假想"),
)
DAYDREAM = Company(
    name_zh="白日夢物流股份有限公司",
    name_en="Daydream Logistics",
    kind="tpex",
    ubn="90000245",
    stock_code="9955",
    domain="daydream.example",
    sector="transport",
    responsible="丁示例",
    constituents=(("紙船網路股份有限公司", "90000276"), ("迴紋針倉儲股份有限公司", "90000271")),
    team=_team("daydream.example", "唐草圖", "馮試辦", "董樣張"),
)
TEACUP = Company(
    name_zh="茶杯風暴製藥股份有限公司",
    name_en="Teacup Storm Pharmaceuticals",
    kind="twse",
    ubn="90000261",
    stock_code="9956",
    domain="teacup.example",
    sector="health",
    responsible="袁設定",
    team=_team("teacup.example", "夏推想", "傅舉證", "曾擬議"),
)
BANKER = Player("白試算", "資安主管", "security@chopping-board.example")
"""Works at the first constituent of the association."""
