"""The members' overview: what waits for me, what is new, how we stand. Put together from every app below."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from lianfang.accounts import queries as accounts
from lianfang.accounts.doors import door, may
from lianfang.accounts.models import Token
from lianfang.accounts.views.asked import asked, pair
from lianfang.charter.models import ConfidentialityDuty, DocumentVersion
from lianfang.charter.queries import in_force
from lianfang.intel import queries as intel
from lianfang.intel import receipts, shown
from lianfang.intel.words import TYPES
from lianfang.kernel.clock import taipei
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.members import queries as members
from lianfang.members.subjects import SCREENED
from lianfang.policy import store
from lianfang.policy.facts import Channel, Right, Standing, Tlp

_NEW = 5
# What has a title of its own; relations and markings are met on the pages of what they join.
_TOLD = intel.Filters(types=frozenset(TYPES) - {"relationship", "marking-definition", "identity", "sighting"})
_SOON = timedelta(days=14)
_WEEKS = 8
# Three layers, the narrowest circle lowest: more could not be told apart in one hue.
_LAYERS = ((Tlp.RED, Tlp.AMBER_STRICT), (Tlp.AMBER,), (Tlp.GREEN, Tlp.CLEAR))
_LEAST_ADMINISTRATORS = 2

_DEPUTY = Bilingual(zh="補上副管理員", en="Add a second administrator")
_DEPUTY_WHY = Bilingual(
    zh="每個會員至少要有2位管理員，目前有{n}位可以登入。",
    en="Each member needs 2 administrators; {n} can sign in now.",
)
_INVITE = Bilingual(zh="邀請", en="Invite")
_ANSWER = Bilingual(zh="對取消意向提出陳述", en="Answer the notice of intent to revoke")
_ANSWER_WHY = Bilingual(
    zh="協調中心審查是否取消會籍，期限前可以陳述或改正。",
    en="The coordination centre reviews your membership; you may answer or correct within the limit.",
)
_ANSWER_NOW = Bilingual(zh="陳述", en="Answer")
_VOUCH = Bilingual(zh="為同事確認身分", en="Vouch for a colleague")
_VOUCH_WHY = Bilingual(
    zh="{n}位同事遺失第二道驗證，等兩位管理員確認。", en="{n} lost a second factor; two administrators confirm."
)
_SEE = Bilingual(zh="查看", en="See")
_ROTATE = Bilingual(zh="更換連線金鑰「{name}」", en="Replace the connection key “{name}”")
_ROTATE_WHY = Bilingual(zh="到期後，這個系統就收不到情資。", en="Once it ends, that system receives nothing.")
_CHANGE = Bilingual(zh="更換", en="Replace")
_CONNECT = Bilingual(zh="連接第一個系統", en="Connect your first system")
_CONNECT_WHY = Bilingual(
    zh="建立金鑰，讓SIEM或防火牆自動取得情資。",
    en="Make a key, so that your SIEM or firewall gets intelligence itself.",
)
_MAKE = Bilingual(zh="建立金鑰", en="Make a key")

_AMENDED = Bilingual(zh="規章已修訂為第{n}版", en="The charter is amended: version {n}")
_AMENDED_WHY = Bilingual(zh="與前一版逐條對照。", en="Beside the version before, clause by clause.")
_AGAIN = Bilingual(zh="請再次確認保密義務（第{n}版）", en="Acknowledge your duty again (version {n})")
_AGAIN_WHY = Bilingual(zh="不影響您現在的權限。", en="What you may do now does not depend on it.")
_ACKNOWLEDGE = Bilingual(zh="去確認", en="Acknowledge")

_STANDING = {
    Standing.ACTIVE: (Bilingual(zh="有效", en="In force"), "good"),
    Standing.UNDER_REVIEW: (Bilingual(zh="有效，取消審查中", en="In force, under review"), "warn"),
    Standing.TERMINATING: (Bilingual(zh="有效，申請終止中", en="In force, termination requested"), "warn"),
}


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits for this reader, with its one button."""

    title: Bilingual
    why: Bilingual
    url: str
    label: Bilingual
    due: datetime | None = None


@require_safe
@door.member
def overview(request: HttpRequest) -> HttpResponse:
    """What waits for me first, then what is new, then how we stand."""
    subject, at, mine = asked(request).subject, asked(request).at, pair(request)
    tokens = _tokens(request)
    charter, acknowledged = in_force(kind="charter", at=at), _acknowledged(request)
    context = {
        "tasks": [*_tasks(request, tokens), *_amended(charter, acknowledged)],
        "new": _newest(request),
        "standing": _STANDING.get(subject.standing),
        "membership": getattr(request, "membership", None),
        "charter": charter,
        "acknowledged": acknowledged,
        "administrators": accounts.administrators(organization=mine.organization, group=mine.group, at=at),
        "roster": _roster(request),
        "tokens": tokens,
        **_weeks(request),
        "may_leave": may(subject=subject, right=Right.MANAGE_PEOPLE, at=at) and not subject.is_constituent,
        "may_connect": may(subject=subject, right=Right.MAKE_TOKEN, at=at),
    }
    return render(request, "members/overview.html", context)


def _amended(charter: DocumentVersion | None, acknowledged: ConfidentialityDuty | None) -> list[Task]:
    """The charter was amended since this reader acknowledged it; to do so again is a wish, no condition."""
    if charter is None or acknowledged is None or acknowledged.document_version.number >= charter.number:
        return []
    number = charter.number
    return [Task(_AMENDED.format(n=number), _AMENDED_WHY, reverse("charter_compare", args=[number]), _SEE),
            Task(_AGAIN.format(n=number), _AGAIN_WHY, reverse("confidentiality"), _ACKNOWLEDGE)]  # fmt: skip


def _hearing(request: HttpRequest) -> list[Task]:
    """A notice of intent that nobody answered yet."""
    subject, held = asked(request).subject, getattr(request, "membership", None)
    if subject.standing is not Standing.UNDER_REVIEW or subject.is_constituent or held is None:
        return []
    case = members.open_revocation(held.pk)
    if case is None or case.notice is None or members.statements(case):
        return []
    return [Task(_ANSWER, _ANSWER_WHY, reverse("hearing"), _ANSWER_NOW, case.notice_due)]


def _tasks(request: HttpRequest, tokens: list[Token]) -> list[Task]:
    subject, at, mine = asked(request).subject, asked(request).at, pair(request)
    found: list[Task] = []
    if may(subject=subject, right=Right.MANAGE_PEOPLE, at=at):
        number = accounts.administrators(organization=mine.organization, group=mine.group, at=at)
        if number < _LEAST_ADMINISTRATORS and not subject.is_constituent:
            found.append(Task(_DEPUTY, _DEPUTY_WHY.format(n=number), reverse("people"), _INVITE))
        found += _hearing(request)
        waiting = [
            reset
            for reset in accounts.open_resets(organizations=[mine.organization])
            if reset.account.person_id != subject.person
        ]
        if waiting:
            found.append(Task(_VOUCH, _VOUCH_WHY.format(n=len(waiting)), reverse("people"), _SEE))
    if may(subject=subject, right=Right.MAKE_TOKEN, at=at):
        found += [
            Task(
                _ROTATE.format(name=one.name),
                _ROTATE_WHY,
                reverse("connection", args=[one.pk]),
                _CHANGE,
                one.expires_at,
            )
            for one in tokens
            if one.expires_at - at <= _SOON
        ]
        if not tokens:
            found.append(Task(_CONNECT, _CONNECT_WHY, reverse("connections"), _MAKE))
    # Those with a limit first, the oldest of them on top.
    return sorted(found, key=lambda task: (task.due is None, task.due or at))


def _ending(token: Token) -> Task:
    title, url = _ROTATE.format(name=token.name), reverse("connection", args=[token.pk])
    return Task(title, _ROTATE_WHY, url, _CHANGE, token.expires_at)


def _tokens(request: HttpRequest) -> list[Token]:
    """The live keys of the pair, for those who manage them."""
    subject, at, mine = asked(request).subject, asked(request).at, pair(request)
    if not may(subject=subject, right=Right.MAKE_TOKEN, at=at):
        return []
    live = Token.objects.filter(
        affiliation__organization=mine.organization,
        affiliation__group=mine.group,
        revoked_at__isnull=True,
        expires_at__gt=at,
    )
    return list(live.select_related("use").order_by("name", "created_at"))


def _newest(request: HttpRequest) -> list[shown.Row]:
    """The newest that this reader may see, with a receipt like any other list."""
    subject, at = asked(request).subject, asked(request).at
    asking = intel.asked(Channel.LIST)
    try:
        page = receipts.deliver(
            by=subject,
            request=asking,
            at=at,
            make=lambda: intel.latest(subject=subject, at=at, request=asking, limit=_NEW, filters=_TOLD),
        )
    except Refusal:
        # The policy moved while this was put together: better none than something decided a moment ago.
        return []
    return shown.rows(items=page.items, labels=store.labels(item.label_id for item in page.items))


def _weeks(request: HttpRequest) -> dict[str, Any]:
    """What came in each of the last weeks (from Monday, Taipei) by label, of what this reader may see."""
    subject, at = asked(request).subject, asked(request).at
    today = taipei(at).replace(hour=0, minute=0, second=0, microsecond=0)
    monday = today - timedelta(days=today.weekday())
    starts = [monday - timedelta(weeks=week) for week in reversed(range(_WEEKS))]
    numbers = intel.weekly(subject=subject, at=at, request=intel.asked(Channel.LIST), starts=starts, filters=_TOLD)
    rows = [
        (f"{start:%m/%d}", [sum(numbers[tlp][place] for tlp in layer) for layer in _LAYERS])
        for place, start in enumerate(starts)
    ]
    keys = [" / ".join(tlp.label for tlp in layer) for layer in _LAYERS]
    return {"weeks": rows if any(sum(values) for _, values in rows) else [], "week_keys": keys}


def _acknowledged(request: HttpRequest) -> ConfidentialityDuty | None:
    mine = pair(request)
    return (
        ConfidentialityDuty.objects.filter(
            person=asked(request).subject.person, organization=mine.organization, group=mine.group
        )
        .select_related("document_version")
        .order_by("-acknowledged_at")
        .first()
    )


def _roster(request: HttpRequest) -> dict[str, Any]:
    rows = members.roster_of(pair(request).group)
    if asked(request).subject.is_constituent:
        rows = rows.filter(organization=pair(request).organization)
    whole, passed = rows.count(), rows.filter(screening__in=SCREENED).count()
    return {"whole": whole, "passed": passed, "open": whole - passed}
