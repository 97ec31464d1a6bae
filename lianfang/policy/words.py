"""What a decision is called: sentences for rights, rules and audiences, in both languages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from lianfang.kernel.clock import show
from lianfang.kernel.text import Bilingual
from lianfang.policy.decide import NO_PERMIT, RULES, Decision, decide
from lianfang.policy.facts import (
    Audience,
    AudienceKind,
    Channel,
    Duty,
    Kind,
    Label,
    Pair,
    Request,
    Right,
    Standing,
    State,
    Subject,
    Tlp,
    UpstreamKind,
)
from lianfang.policy.predicates import published_now


def _say(zh: str, en: str) -> Bilingual:
    return Bilingual(zh=zh, en=en)


FEW = _say("少數會員", "few members")
"""What is said of an audience below the floor."""

RIGHTS: dict[Right, Bilingual] = {
    Right.READ: _say("閱讀情資", "read an item"),
    Right.READ_SOURCE: _say("看到來源的名稱", "see the name of the source"),
    Right.EXPORT: _say("匯出檔案或經由機器取得", "export by file or machine"),
    Right.MAIL_BODY: _say("在郵件裡收到內容", "receive the content by mail"),
    Right.RELAY_TO_CONSTITUENTS: _say("轉送給內部成員", "relay to constituents"),
    Right.ANNOTATE: _say("加註目擊、意見與提問", "add sightings, opinions and questions"),
    Right.REQUEST_DISCLOSURE: _say("提出徵詢", "ask for a disclosure"),
    Right.DISCLOSE: _say("揭露給對象以外的人", "disclose beyond the audience"),
    Right.USE_COMMERCIALLY: _say("商業使用", "use commercially"),
    Right.SUBMIT: _say("提交情資", "submit intelligence"),
    Right.VALIDATE: _say("驗證隔離中的情資", "validate a quarantined item"),
    Right.RELABEL: _say("變更標示或對象", "change label or audience"),
    Right.RECALL: _say("召回情資", "recall an item"),
    Right.SEE_NOTICE: _say("看到召回通知", "see the notice of a recall"),
    Right.SEE_RECEIPTS: _say("看到誰收到", "see who received it"),
    Right.SEE_LEDGER: _say("看到揭露簿", "see the ledger of disclosures"),
    Right.REDACT: _say("製作遮蔽版", "make a redacted version"),
    Right.DECIDE_CONSENT: _say("決定是否同意揭露", "decide on a consent"),
    Right.PUBLISH: _say("對外公開", "publish"),
    Right.RELEASE_TO_AUTHORITY: _say("移交主管機關", "release to the authority"),
    Right.RELEASE_TO_LAW_ENFORCEMENT: _say("移交執法機關", "release to law enforcement"),
    Right.APPLY: _say("提出入會申請", "apply for membership"),
    Right.ANSWER_CORRECTION: _say("答覆補正", "answer a correction"),
    Right.CONFIRM_CONTACT: _say("確認自己的聯絡資料", "confirm one's contact data"),
    Right.ENTER_MEMBERS_PLANE: _say("進入會員區", "enter the members' plane"),
    Right.ENTER_STAFF_PLANE: _say("進入工作區", "enter the staff plane"),
    Right.VIEW_EXIT: _say("查看離會專區", "view the exit page"),
    Right.FILE_APPEAL: _say("提出申訴", "file an appeal"),
    Right.TAKE_UP: _say("承辦案件", "take up a case"),
    Right.REVIEW: _say("審查案件", "review a case"),
    Right.APPROVE: _say("核准案件", "approve a case"),
    Right.REVOKE: _say("取消會籍", "revoke a membership"),
    Right.DECIDE_APPEAL: _say("決定申訴", "decide an appeal"),
    Right.GRANT_DUTY: _say("授予職務", "grant a duty"),
    Right.MANAGE_PEOPLE: _say("管理組織的人員", "manage the organisation's people"),
    Right.READ_DIRECTORY: _say("看會員名錄", "see the directory of members"),
    Right.FILE_CHANGE: _say("提出異動申請", "file a change of the member's data"),
    Right.MAKE_TOKEN: _say("建立金鑰", "make a token"),
    Right.EDIT_CHARTER: _say("編修規章", "edit the charter"),
    Right.IMPORT_LIST: _say("匯入名單", "import a list"),
    Right.CHANGE_SETTING: _say("變更設定", "change a setting"),
    Right.START_STOP: _say("啟動停止揭露", "start the stop of disclosure"),
    Right.END_STOP: _say("結束停止揭露", "end the stop of disclosure"),
    Right.PLACE_HOLD: _say("對帳號或金鑰設下安全保全", "place a security hold"),
    Right.LIFT_HOLD: _say("解除安全保全", "lift a security hold"),
    Right.VIEW_AUDIT: _say("查看稽核紀錄", "view the audit"),
    Right.HANDLE_PRIVACY_CASE: _say("處理個資案件", "handle a privacy case"),
}
"""Every right, as the words after "may"."""

_ADDRESSED: dict[AudienceKind, Bilingual] = {
    AudienceKind.ALLIANCE: _say("全體團體會員", "all group members"),
    AudienceKind.GROUPS: _say("指定的團體會員", "the chosen group members"),
    AudienceKind.SHARING_GROUPS: _say("分享群組的團體會員", "group members of the sharing groups"),
    AudienceKind.COORDINATOR_ONLY: _say("只有協調中心的分析員", "only the coordinator's analysts"),
    AudienceKind.PERSONS: _say("只有指名的人，在網頁上", "only the named persons, on the page"),
}
_NOBODY = _say("沒有會員，只有來源自己和協調中心的分析員", "no member: only its source and the coordinator's analysts")
_SUBMITTER = _say("只有提交的本人，在網頁上", "only the person who submitted it, on the page")
_ANYONE = _say("任何人都看得到", "anyone can see it")
_NOT_PUBLIC = _say("；不對外公開", "; not the public")


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule that spoke, its sentence and its clause."""

    rule: str
    sentence: Bilingual
    clause: str


def why(decision: Decision) -> list[Reason]:
    """Why it is so: the permits of an allowed decision, the forbids of a denied one, or that no rule permits."""
    speaking = decision.permits if decision.allowed else decision.forbids
    if not speaking:
        return [Reason("", NO_PERMIT, "")]
    return [Reason(rule, RULES[rule].sentence, RULES[rule].clause) for rule in speaking]


def audience_sentence(label: Label, *, at: datetime, size: int | Bilingual | None = None) -> Bilingual:
    """Who can see an item with this label at this instant, in at most 60 Chinese characters.

    `size` is the published size of the audience, already floored: a number, or `FEW`; None = nothing is said of it.
    """
    special = _by_state(label, at)
    if special is not None:
        return special
    if label.tlp is Tlp.CLEAR and published_now(label, at):
        return _join(_ANYONE)
    sized = _size(size) if _reaches_groups(label) else ()
    return _join(_embargo(label, at), _addressed(label), *sized, _relay(label), _upstream(label), _NOT_PUBLIC)


def _reaches_groups(label: Label) -> bool:
    if label.tlp is Tlp.RED:
        return False
    if label.audience.kind is AudienceKind.ALLIANCE:
        return True
    return label.audience.kind in (AudienceKind.GROUPS, AudienceKind.SHARING_GROUPS) and bool(label.audience.members)


def _by_state(label: Label, at: datetime) -> Bilingual | None:
    if label.state is State.QUARANTINED:
        return _say("隔離中：只有來源自己和分析員看得到。", "Quarantined: only its own people and analysts can see it.")
    if label.state is State.RECALLED:
        return _say(
            "已召回：只有來源自己和分析員在網頁上看得到。", "Recalled: only its own people and analysts, on the page."
        )
    upstream = label.upstream
    ended = upstream.until is not None and upstream.until <= at
    if upstream.kind is UpstreamKind.HOLD or (upstream.kind is UpstreamKind.PERMITTED and ended):
        return _say(
            "先前的約定保留中：只有來源自己和指名的分析員。",
            "Held by an earlier agreement: only its own people and named analysts.",
        )
    return None


def _addressed(label: Label) -> Bilingual:
    kind, members = label.audience.kind, label.audience.members
    if kind is AudienceKind.PERSONS and not members:
        return _SUBMITTER
    if kind in (AudienceKind.GROUPS, AudienceKind.SHARING_GROUPS) and not members:
        return _NOBODY
    if label.tlp is Tlp.RED and kind is not AudienceKind.PERSONS:
        return _SUBMITTER
    return _ADDRESSED[kind]


def _relay(label: Label) -> Bilingual | None:
    if not _reaches_groups(label) or label.tlp > Tlp.AMBER:
        return None
    return _say("與其轉送的內部成員", " and the constituents that they relay it to")


def _size(size: int | Bilingual | None) -> tuple[Bilingual, ...]:
    match size:
        case None:
            return ()
        case int():
            return (_say(f"（{size}個）", f" ({size})"),)
        case _:
            return (_say(f"（{size.zh}）", f" ({size.en})"),)


def _embargo(label: Label, at: datetime) -> Bilingual | None:
    if label.not_before is None or at >= label.not_before:
        return None
    until = show(label.not_before)
    return _say(f"{until}起：", f"From {until}: ")


def _upstream(label: Label) -> Bilingual | None:
    if label.upstream.kind is not UpstreamKind.PERMITTED:
        return None
    return _say("，限先前約定的團體", ", limited to the groups of an earlier agreement")


def _join(*parts: Bilingual | None) -> Bilingual:
    said = [part for part in parts if part is not None]
    english = "".join(part.en for part in said)
    return _say("".join(part.zh for part in said) + "。", english[:1].upper() + english[1:] + ".")


class Answer(StrEnum):
    """How it stands with somebody."""

    CAN = "can"
    NOT_YET = "not_yet"
    CANNOT = "cannot"


@dataclass(frozen=True, slots=True)
class Other:
    """Somebody, how it stands with him, and why."""

    who: Bilingual
    answer: Answer
    reason: Bilingual
    rule: str
    clause: str


def others(label: Label, *, at: datetime) -> list[Other]:
    """Who can read the item, who cannot yet and who cannot, by asking the same `decide` for one of each kind."""
    return [_other(example, label, at) for example in _examples(label)]


@dataclass(frozen=True, slots=True)
class _Example:
    who: Bilingual
    subject: Subject
    absent: Bilingual
    later: Subject | None = None
    """The same after a step that is open to somebody else, e.g. a relay."""


_NOWHERE = UUID(int=0)
"""No organisation has this id: it stands for one that is in no audience."""


def _examples(label: Label) -> list[_Example]:
    outside = _say("不在分享對象裡。", "Not in the audience.")
    addressed = _member(label.audience)
    constituent = replace(
        addressed, is_constituent=True, constituent_ok=True, pair=Pair(UUID(int=1), _group_of(addressed))
    )
    return [
        *_source_examples(label),
        _Example(_say("分享對象的團體會員", "group members in the audience"), addressed, outside),
        _Example(
            _say("分享對象的內部成員", "constituents of those members"),
            constituent,
            _say("團體的管理員還沒有轉送，或標示不能轉送。", "Not relayed by their group, or not to be relayed."),
            later=replace(constituent, relays=frozenset({Tlp.AMBER})),
        ),
        *([] if label.audience.kind is AudienceKind.ALLIANCE else [_Example(_OUTSIDERS, _stranger(), outside)]),
        _Example(
            _say("協調中心的分析員", "the coordinator's analysts"),
            _analyst(),
            _say("RED只給指名的人。", "RED is for the named persons alone."),
        ),
        _Example(
            _say("一般大眾", "the public"),
            Subject.public(),
            _say("沒有同意涵蓋公開。", "No consent covers the public."),
        ),
    ]


_OUTSIDERS = _say("其他團體會員", "other group members")


def _member(audience: Audience) -> Subject:
    group = UUID(int=2)
    if audience.kind is AudienceKind.GROUPS and audience.members:
        group = next(member for member in sorted(audience.members, key=str) if isinstance(member, UUID))
    sharing = frozenset(member for member in audience.members if isinstance(member, UUID))
    return replace(_stranger(), pair=Pair(group, group), sharing_groups=sharing)


def _stranger() -> Subject:
    return Subject(
        kind=Kind.PERSON,
        person=_NOWHERE,
        pair=Pair(_NOWHERE, _NOWHERE),
        standing=Standing.ACTIVE,
        acknowledged=True,
        mfa=True,
    )


def _analyst() -> Subject:
    return replace(_stranger(), is_coordinator=True, duties=frozenset({Duty.ANALYST}))


def _source_examples(label: Label) -> list[_Example]:
    """The source itself, where it is a member: of several, one whose people must read every parent."""
    if label.owner is None or label.owner not in label.owners:
        return []
    own = replace(
        _stranger(),
        pair=label.owner,
        is_constituent=label.owner.organization != label.owner.group,
        constituent_ok=True,
    )
    return [
        _Example(
            _say("來源組織的人", "people of the source"),
            own,
            _say("RED只有提交的本人。", "RED: only the person who submitted it."),
        )
    ]


def _group_of(subject: Subject) -> UUID:
    return subject.pair.group if subject.pair is not None else _NOWHERE


def _other(example: _Example, label: Label, at: datetime) -> Other:
    decision = _reads(example.subject, label, at)
    if decision.allowed:
        return _row(example, Answer.CAN, decision)
    later = [at] if label.not_before is None else [max(at, label.not_before)]
    if label.publication is not None:
        later.append(max(at, label.publication.start))
    hopeful = any(_reads(example.later or example.subject, label, instant).allowed for instant in later)
    return _row(example, Answer.NOT_YET if hopeful else Answer.CANNOT, decision)


def _row(example: _Example, answer: Answer, decision: Decision) -> Other:
    absent = not decision.permits and not decision.forbids
    reason = example.absent if absent else decision.sentence
    return Other(example.who, answer, reason, decision.rule or "".join(decision.permits[:1]), decision.clause)


def _reads(subject: Subject, label: Label, at: datetime) -> Decision:
    request = Request(channel=Channel.PAGE)
    return decide(subject=subject, right=Right.READ, target=label, at=at, request=request)
