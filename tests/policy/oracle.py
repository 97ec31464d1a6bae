"""A second evaluation of the policy, to hold the first one to.

Written from the text of the policy, right by right and top to bottom, not from the rules: it knows nothing but the
frozen facts. It answers with the same ids, so that not only the answer but every reason for it is compared.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime

from lianfang.policy import facts as f

R, K, T, D, ST = f.Right, f.Kind, f.Tlp, f.Duty, f.Standing

ON_READING = {
    R.READ, R.READ_SOURCE, R.EXPORT, R.MAIL_BODY, R.RELAY_TO_CONSTITUENTS, R.ANNOTATE, R.REQUEST_DISCLOSURE,
    R.DISCLOSE, R.USE_COMMERCIALLY,
}  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """The answer and every id that spoke."""

    allowed: bool
    permits: frozenset[str]
    forbids: frozenset[str]


def evaluate(s: f.Subject, right: f.Right, target: f.Target, at: datetime, request: f.Request) -> Verdict:
    """Deny by default; a forbid beats every permit."""
    item = target if isinstance(target, f.Label) else None
    case = target if isinstance(target, f.Case) else None
    permits: set[str] = set()
    forbids: set[str] = set()
    if right in ON_READING:
        if item is not None:
            _reading(s, right, item, at, request, permits, forbids)
    elif item is not None:
        _metadata(s, right, item, at, request, permits)
    _else(s, right, item, case, at, permits)
    _not_yet(right, forbids)
    if right is not R.APPLY:
        _reader(s, right, target, at, request, forbids)
    _eyes(s, right, case, forbids)
    return Verdict(bool(permits) and not forbids, frozenset(permits), frozenset(forbids))


def can_read(s: f.Subject, item: f.Label, at: datetime, request: f.Request) -> bool:
    """Read at this instant and channel; a filter by source concerns only the item that is filtered."""
    return evaluate(s, R.READ, item, at, _unfiltered(request)).allowed


def _unfiltered(request: f.Request) -> f.Request:
    if not request.by_source:
        return request
    fields = {name: getattr(request, name) for name in request.__dataclass_fields__}
    return f.Request(**(fields | {"by_source": False}))


# --- facts in the policy's words ------------------------------------------------------------------------------------


def _machine_or_person(s: f.Subject) -> bool:
    return s.kind == K.PERSON or s.kind == K.TOKEN


def _staff(s: f.Subject, *duties: f.Duty) -> bool:
    return _machine_or_person(s) and s.is_coordinator and any(duty in s.duties for duty in duties)


def _speaking_pairs(item: f.Label) -> set[f.Pair]:
    """Each source as an organisation; for an external source the owner."""
    pairs: set[f.Pair] = set()
    for source in item.sources:
        pair = source.pair if source.external is None else item.owner
        if pair is not None:
            pairs.add(pair)
    return pairs


def _is_source(s: f.Subject, item: f.Label) -> bool:
    return s.pair in _speaking_pairs(item) if s.pair else False


def _is_only_source(s: f.Subject, item: f.Label) -> bool:
    return _is_source(s, item) and len(item.sources) == 1


def _is_public(item: f.Label, at: datetime) -> bool:
    if item.state != f.State.PUBLISHED or item.tlp != T.CLEAR or item.publication is None:
        return False
    if at < item.publication.start:
        return False
    return not (item.publication.until is not None and at >= item.publication.until)


def _contains_group(s: f.Subject, item: f.Label) -> bool:
    if s.is_coordinator or s.pair is None:
        return False
    audience = item.audience
    if audience.kind == f.AudienceKind.ALLIANCE:
        return True
    if audience.kind == f.AudienceKind.GROUPS:
        return any(group == s.pair.group for group in audience.members)
    if audience.kind == f.AudienceKind.SHARING_GROUPS:
        return any(group in audience.members for group in s.sharing_groups)
    return False


def _own(s: f.Subject, item: f.Label, at: datetime, request: f.Request) -> bool:
    """P-own."""
    if not _machine_or_person(s) or s.pair is None:
        return False
    submitted = item.submitted_by is not None and s.person == item.submitted_by
    if s.is_coordinator:
        if D.ANALYST not in s.duties or not submitted:
            return False
    elif s.standing not in {ST.ACTIVE, ST.UNDER_REVIEW, ST.TERMINATING}:
        return False
    if item.tlp == T.RED and (s.kind != K.PERSON or not submitted):
        return False
    if len(item.sources) == 1:
        if _is_source(s, item):
            return True
        its_group = {pair.group for pair in _speaking_pairs(item)}
        return s.role == f.Role.MEMBER_ADMIN and not s.is_constituent and s.pair.group in its_group
    if not _is_source(s, item) or not item.parents:
        return False
    return all(can_read(s, parent, at, request) for parent in item.parents)


def _is_named(s: f.Subject, item: f.Label) -> bool:
    if s.person is None or s.pair is None or item.audience.kind != f.AudienceKind.PERSONS:
        return False
    return any(named == f.Named(s.person, s.pair.organization) for named in item.audience.members)


def _is_named_analyst(s: f.Subject, item: f.Label) -> bool:
    return s.person in item.named_analysts and _staff(s, D.ANALYST)


# --- 2. reading -----------------------------------------------------------------------------------------------------


def _read_permits(s: f.Subject, item: f.Label, at: datetime, request: f.Request) -> set[str]:
    holds = set()
    both, amber_strict = _machine_or_person(s), item.tlp != T.RED
    if _own(s, item, at, request):
        holds.add("P-own")
    if both and amber_strict and not s.is_constituent and _contains_group(s, item):
        holds.add("P-alliance")
    if both and s.is_constituent and item.tlp in {T.CLEAR, T.GREEN, T.AMBER} and _contains_group(s, item):
        assert s.pair is not None
        by_item = s.pair.group in item.relayed_by
        highest = max([*s.relays, *s.terms.automatic_relay], default=-1)
        if by_item or (item.tlp <= highest and not item.once_above_amber):
            holds.add("P-constituent")
    if s.kind == K.PERSON and item.tlp == T.RED and _is_named(s, item):
        holds.add("P-named")
    if amber_strict and _staff(s, D.ANALYST):
        holds.add("P-analyst")
    if amber_strict and _staff(s, D.PUBLISHER, D.LEGAL, D.APPROVER) and set(s.cases) & set(item.cases):
        holds.add("P-case")
    if _is_public(item, at) and s.kind not in {K.LINK, K.SYSTEM}:
        holds.add("P-public")
    return holds


def _reading(
    s: f.Subject, right: f.Right, item: f.Label, at: datetime, request: f.Request, permits: set[str], forbids: set[str]
) -> None:
    reads = _read_permits(s, item, at, request)
    analyst = _staff(s, D.ANALYST)
    contact = s.role in {f.Role.MEMBER_ADMIN, f.Role.SECURITY_CONTACT}
    member = _machine_or_person(s) and s.pair is not None and not s.is_coordinator
    if right == R.READ:
        permits |= reads
    elif right == R.READ_SOURCE and reads:
        if _names(s, item, reads, request):
            permits.add("G-read_source")
    elif right in {R.EXPORT, R.MAIL_BODY} and reads:
        permits.add(f"G-{right}")
    elif right == R.ANNOTATE and reads - {"P-public"}:
        permits.add("G-annotate")
    elif right == R.RELAY_TO_CONSTITUENTS and reads - {"P-public"}:
        if member and not s.is_constituent and s.role == f.Role.MEMBER_ADMIN:
            permits.add("G-relay_to_constituents")
    elif right in {R.REQUEST_DISCLOSURE, R.DISCLOSE} and reads and (analyst or (member and contact)):
        permits.add(f"G-{right}")
    _item(s, right, item, at, request, "P-own" in reads, forbids)
    _using(s, right, item, at, request, forbids)


def _names(s: f.Subject, item: f.Label, reads: set[str], request: f.Request) -> bool:
    if _staff(s, D.ANALYST):
        return True
    if item.name_source == f.NameSource.EVERYONE and reads & {"P-alliance", "P-constituent", "P-named"}:
        return True
    if not _machine_or_person(s) or s.pair is None:
        return False
    if _is_only_source(s, item):
        return True
    asked = request.source
    if asked is None or asked not in item.sources:
        return False
    return s.pair == (asked.pair if asked.external is None else item.owner)


def _item(
    s: f.Subject, right: f.Right, item: f.Label, at: datetime, request: f.Request, own: bool, forbids: set[str]
) -> None:
    analyst, named = _staff(s, D.ANALYST), _is_named_analyst(s, item)
    people_of_source = _machine_or_person(s) and _is_source(s, item)
    page = request.channel == f.Channel.PAGE

    up = item.upstream
    if up.kind != f.UpstreamKind.NONE and not own:
        hold = up.kind == f.UpstreamKind.HOLD or (up.until is not None and at >= up.until)
        in_groups = s.pair is not None and (
            s.pair.group in up.groups or any(group in up.sharing_groups for group in s.sharing_groups)
        )
        if not (named if hold else in_groups or people_of_source or analyst):
            forbids.add("F-upstream")
    if item.not_before is not None and at < item.not_before and not (own or named):
        forbids.add("F-embargo")
    if item.state == f.State.QUARANTINED and not (own or analyst):
        forbids.add("F-quarantine")
    if item.state == f.State.RECALLED:
        reads_it = right in {R.READ, R.READ_SOURCE}
        if not (page and reads_it and (people_of_source or analyst)):
            forbids.add("F-recalled")
    if not _inside(s, item, own or people_of_source or named):
        forbids.add("F-narrowed")
    if not (own and _is_only_source(s, item)):
        for required in item.requires:
            if not can_read(s, required, at, request):
                forbids.add("F-container")
    if item.tlp == T.RED and (not page or s.kind == K.TOKEN or right in {R.EXPORT, R.MAIL_BODY}):
        forbids.add("F-red-channel")
    if request.stop and item.tlp != T.CLEAR and not (own and page):
        forbids.add("F-stop")


def _inside(s: f.Subject, item: f.Label, of_source: bool) -> bool:
    to = item.narrowed_to
    if to.kind == f.NarrowedKind.NONE:
        return True
    if to.kind == f.NarrowedKind.SOURCE:
        return of_source
    if s.pair is None:
        return False
    if to.kind == f.NarrowedKind.PERSON:
        return s.person == to.id and s.pair.organization == to.organization
    if to.kind == f.NarrowedKind.CONSTITUENTS_OF and not s.is_constituent:
        return False
    return s.pair.group == to.id


def _using(s: f.Subject, right: f.Right, item: f.Label, at: datetime, request: f.Request, forbids: set[str]) -> None:
    if right == R.USE_COMMERCIALLY:
        forbids.add("U-purpose")
    if right == R.EXPORT and request.channel == f.Channel.FILE and not _is_public(item, at):
        declared = bool(request.purpose) or (s.caveats is not None and bool(s.caveats.purpose))
        if not declared:
            forbids.add("U-export")
    by_key = s.terms.encrypted_mail and request.encrypted and item.tlp != T.RED
    if right == R.MAIL_BODY and item.tlp not in {T.CLEAR, T.GREEN} and not by_key:
        forbids.add("U-mail")
    if right == R.RELAY_TO_CONSTITUENTS and (s.kind != K.PERSON or item.tlp in {T.AMBER_STRICT, T.RED}):
        forbids.add("U-relay")
    if request.by_source and not evaluate(s, R.READ_SOURCE, item, at, _unfiltered(request)).allowed:
        forbids.add("U-view")


# --- who reads: what is said of the subject -------------------------------------------------------------------------


def _reader(
    s: f.Subject, right: f.Right, target: f.Target, at: datetime, request: f.Request, forbids: set[str]
) -> None:
    if not isinstance(target, f.Label):
        _without_item(s, right, request, forbids)
    if not _machine_or_person(s):
        return
    item = target if isinstance(target, f.Label) else None
    covered = right in {R.READ, R.EXPORT, R.MAIL_BODY} and item is not None and _is_public(item, at)
    if (item is None or item.tlp != T.CLEAR) and not s.acknowledged:
        forbids.add("F-duty")
    if not s.mfa:
        if item is not None and item.tlp in {T.AMBER, T.AMBER_STRICT, T.RED}:
            forbids.add("F-mfa")
        if item is None and right not in {R.ENTER_MEMBERS_PLANE, R.SUBMIT}:
            forbids.add("F-mfa")
    if covered:
        return
    in_force = s.is_coordinator or s.standing in {ST.ACTIVE, ST.UNDER_REVIEW, ST.TERMINATING}
    if not in_force and not _former(s, right, target):
        forbids.add("F-standing")
    if s.is_constituent and not s.constituent_ok:
        forbids.add("F-constituent")
    if s.left_at is not None and at >= s.left_at:
        forbids.add("F-left")
    if item is not None and right in ON_READING:
        _gap(s, item, forbids)
    if s.kind == K.TOKEN and _token_says_no(s, right, target, at, request):
        forbids.add("F-token")


def _without_item(s: f.Subject, right: f.Right, request: f.Request, forbids: set[str]) -> None:
    """Rights on an item, asked about none: only what is said of the way of asking can still speak."""
    declared = request.purpose or (s.caveats and s.caveats.purpose)
    if right == R.EXPORT and request.channel == f.Channel.FILE and not declared:
        forbids.add("U-export")
    if right == R.RELAY_TO_CONSTITUENTS and s.kind != K.PERSON:
        forbids.add("U-relay")


def _gap(s: f.Subject, item: f.Label, forbids: set[str]) -> None:
    to = item.narrowed_to
    if s.pair is not None and to.kind == f.NarrowedKind.GROUP and to.id == s.pair.group:
        return
    for gap in s.gaps:
        if item.shared_at >= gap.start and (gap.end is None or item.shared_at < gap.end):
            forbids.add("F-gap")


def _token_says_no(s: f.Subject, right: f.Right, target: f.Target, at: datetime, request: f.Request) -> bool:
    caveats, owner = s.caveats, s.owner
    assert caveats is not None
    assert owner is not None
    if caveats.expires_at is not None and at >= caveats.expires_at:
        return True
    needed = {right, R.READ} if right in ON_READING else {right}
    if not needed <= caveats.rights:
        return True
    if caveats.networks:
        if request.network is None:
            return True
        address = ipaddress.ip_address(request.network)
        if all(address not in ipaddress.ip_network(network) for network in caveats.networks):
            return True
    if caveats.views is not None and request.view not in caveats.views:
        return True
    if right in ON_READING and isinstance(target, f.Label) and target.tlp > caveats.max_tlp:
        return True
    if s.is_coordinator and (not s.terms.staff_tokens or (right not in ON_READING and right != R.SUBMIT)):
        return True
    return not evaluate(owner, right, target, at, request).allowed


# --- 3. on metadata, without reading --------------------------------------------------------------------------------


def _metadata(s: f.Subject, right: f.Right, item: f.Label, at: datetime, request: f.Request, permits: set[str]) -> None:
    analyst = _staff(s, D.ANALYST)
    contact = s.role in {f.Role.MEMBER_ADMIN, f.Role.SECURITY_CONTACT}
    speaks = _machine_or_person(s) and _is_source(s, item) and (contact or analyst)
    members_source = _machine_or_person(s) and _is_source(s, item) and not s.is_coordinator
    if right == R.VALIDATE and analyst:
        permits.add("G-validate")
    if right in {R.RECALL, R.REDACT} and (speaks or analyst):
        permits.add(f"G-{right}")
    if right == R.DECIDE_CONSENT and speaks:
        permits.add("G-decide_consent")
    if right in {R.SEE_RECEIPTS, R.SEE_LEDGER} and (members_source or analyst or _staff(s, D.AUDITOR)):
        permits.add(f"G-{right}")
    if right == R.SEE_NOTICE and item.state == f.State.RECALLED:
        was_public = item.publication is not None and s.kind not in {K.LINK, K.SYSTEM}
        concerned = _machine_or_person(s) and (request.received or _is_source(s, item) or analyst)
        if was_public or concerned:
            permits.add("G-see_notice")
    if right == R.RELEASE_TO_AUTHORITY and analyst:
        permits.add("G-release_to_authority")
    if right == R.RELEASE_TO_LAW_ENFORCEMENT and _staff(s, D.LEGAL):
        permits.add("G-release_to_law_enforcement")
    if right == R.RELABEL and request.becomes is not None:
        first = item.state == f.State.QUARANTINED and item.submitted_by is not None and s.person == item.submitted_by
        if first and _machine_or_person(s) and _is_only_source(s, item):
            permits.add("G-relabel")
        elif not _someone_may_gain(item, request.becomes):
            if speaks or analyst:
                permits.add("G-relabel")
        elif speaks and all(pair == s.pair or pair in request.agreed_by for pair in _speaking_pairs(item)):
            permits.add("G-relabel")


def _someone_may_gain(old: f.Label, new: f.Label) -> bool:
    """Each way in which a label can be looser, one after another."""
    for part in ("sources", "owner", "submitted_by", "shared_at"):
        if getattr(old, part) != getattr(new, part):
            return True
    if new.tlp < old.tlp or new.once_above_amber < old.once_above_amber:
        return True
    for part in ("named_analysts", "relayed_by", "cases"):
        if getattr(new, part) - getattr(old, part):
            return True
    if old.requires - new.requires:
        return True
    if old.parents != new.parents and (not old.parents or old.parents - new.parents):
        return True
    if _audience_gains(old, new) or _narrowing_gains(old.narrowed_to, new.narrowed_to):
        return True
    if _upstream_gains(old.upstream, new.upstream):
        return True
    if old.not_before is not None and (new.not_before is None or new.not_before < old.not_before):
        return True
    if old.state != new.state and old.state != f.State.PUBLISHED:
        return True
    if old.name_source != new.name_source and new.name_source == f.NameSource.EVERYONE:
        return True
    return _publication_gains(old.publication, new.publication)


def _audience_gains(old: f.Label, new: f.Label) -> bool:
    was, now = old.audience, new.audience
    if now.kind == f.AudienceKind.COORDINATOR_ONLY:
        return False
    if now.kind == f.AudienceKind.PERSONS:
        known = was.members if was.kind == f.AudienceKind.PERSONS and old.tlp == T.RED else frozenset()
        return any(person not in known for person in now.members)
    if was.kind == f.AudienceKind.ALLIANCE:
        return False
    return was.kind != now.kind or any(group not in was.members for group in now.members)


def _narrowing_gains(was: f.NarrowedTo, now: f.NarrowedTo) -> bool:
    if was == now:
        return False
    return was.kind != f.NarrowedKind.NONE or now.kind == f.NarrowedKind.GROUP


def _upstream_gains(was: f.Upstream, now: f.Upstream) -> bool:
    if was == now or was.kind == f.UpstreamKind.NONE or now.kind == f.UpstreamKind.HOLD:
        return False
    if was.kind == f.UpstreamKind.HOLD or now.kind == f.UpstreamKind.NONE:
        return True
    if now.groups - was.groups or now.sharing_groups - was.sharing_groups:
        return True
    return was.until is not None and (now.until is None or now.until > was.until)


def _publication_gains(was: f.Publication | None, now: f.Publication | None) -> bool:
    if now is None:
        return False
    if was is None or now.start < was.start:
        return True
    return was.until is not None and (now.until is None or now.until > was.until)


# --- 4 and 5. going outside, deciding -------------------------------------------------------------------------------


def _former(s: f.Subject, right: f.Right, target: f.Target) -> bool:
    """D-former."""
    if s.kind != K.PERSON or s.is_coordinator or s.pair is None or not s.mfa:
        return False
    if s.role != f.Role.MEMBER_ADMIN or s.standing not in {ST.REVOKED, ST.TERMINATED}:
        return False
    own = isinstance(target, f.Label) and _is_source(s, target)
    if right == R.VIEW_EXIT:
        return own or not isinstance(target, f.Label)
    if right == R.RECALL:
        return own and s.terms.former_may_recall
    if right == R.DECIDE_CONSENT:
        return own
    if right == R.FILE_APPEAL and not s.is_constituent:
        return not isinstance(target, f.Case) or target.organization == s.pair.organization
    return False


STAFF_RIGHTS: dict[f.Right, set[f.Duty]] = {
    R.TAKE_UP: {D.REVIEWER},
    R.REVIEW: {D.REVIEWER},
    R.IMPORT_LIST: {D.REVIEWER},
    R.APPROVE: {D.APPROVER},
    R.REVOKE: {D.APPROVER},
    R.DECIDE_APPEAL: {D.APPROVER},
    R.CHANGE_SETTING: {D.APPROVER},
    R.GRANT_DUTY: {D.DUTY_GRANTER},
    R.EDIT_CHARTER: {D.PUBLISHER},
    R.PUBLISH: {D.PUBLISHER},
    R.START_STOP: set(D),
    R.PLACE_HOLD: set(D),
    R.LIFT_HOLD: {D.APPROVER},
    R.ENTER_STAFF_PLANE: set(D),
    R.END_STOP: {D.ANALYST, D.APPROVER},
    R.VIEW_AUDIT: {D.AUDITOR},
    R.HANDLE_PRIVACY_CASE: {D.PRIVACY_OFFICER},
}


def _else(
    s: f.Subject, right: f.Right, item: f.Label | None, case: f.Case | None, at: datetime, permits: set[str]
) -> None:
    both = _machine_or_person(s)
    if right in STAFF_RIGHTS and both and s.is_coordinator and STAFF_RIGHTS[right] & s.duties:
        permits.add(f"G-{right}")
    if right == R.APPLY and s.kind != K.SYSTEM:
        permits.add("G-apply")
    if right == R.SUBMIT and (_staff(s, D.ANALYST) or (both and s.pair is not None and not s.is_coordinator)):
        permits.add("G-submit")
    if right == R.ENTER_MEMBERS_PLANE and both and s.pair is not None and not s.is_coordinator:
        permits.add("G-enter_members_plane")
    if right == R.READ_DIRECTORY and s.kind == K.PERSON and s.pair is not None and not s.is_coordinator:
        both_chose = case is None or (case.kind, case.state) == ("directory", "both")
        if both_chose and not s.is_constituent:
            permits.add("G-read_directory")
    if right in {R.MANAGE_PEOPLE, R.MAKE_TOKEN, R.FILE_CHANGE} and s.kind == K.PERSON and s.pair is not None:
        has_tokens = right == R.MANAGE_PEOPLE or not s.is_coordinator or s.terms.staff_tokens
        its_own = case is None or case.organization == s.pair.organization
        centre_files = right == R.FILE_CHANGE and s.is_coordinator
        if s.role == f.Role.MEMBER_ADMIN and has_tokens and its_own and not centre_files:
            permits.add(f"G-{right}")
    if right in {R.VIEW_EXIT, R.FILE_APPEAL, R.RECALL, R.DECIDE_CONSENT} and _former(s, right, item or case):
        permits.add("D-former")
    if right in {R.ANSWER_CORRECTION, R.CONFIRM_CONTACT, R.FILE_APPEAL} and s.kind == K.LINK and s.caveats is not None:
        alive = s.caveats.expires_at is None or s.caveats.expires_at > at
        if alive and right in s.caveats.rights and case is not None and s.case == case.id:
            permits.add("G-link")


def _not_yet(right: f.Right, forbids: set[str]) -> None:
    if right == R.USE_COMMERCIALLY:
        forbids.add("U-purpose")
    if right in {R.DISCLOSE, R.REQUEST_DISCLOSURE, R.DECIDE_CONSENT}:
        forbids.add("D-consent")
    if right == R.PUBLISH:
        forbids.add("D-publish")
    if right == R.RELEASE_TO_AUTHORITY:
        forbids.add("D-authority")
    if right == R.RELEASE_TO_LAW_ENFORCEMENT:
        forbids.add("D-enforcement")
    if right == R.REDACT:
        forbids.add("D-derived")
    if right == R.SEE_LEDGER:
        forbids.add("D-ledger")


def _eyes(s: f.Subject, right: f.Right, case: f.Case | None, forbids: set[str]) -> None:
    if case is None or right == R.APPLY:
        return
    me = s.person
    if me in case.reviewed_by and right in {R.APPROVE, R.REVOKE, R.DECIDE_APPEAL}:
        forbids.add("S-review")
    if me in case.decided_by and right == R.DECIDE_APPEAL:
        forbids.add("S-appeal")
    by_two = {R.APPROVE, R.GRANT_DUTY, R.CHANGE_SETTING, R.START_STOP, R.END_STOP, R.LIFT_HOLD}
    if me in case.decided_by and right in by_two:
        forbids.add("S-second")
    if me in case.authored_by and right in {R.APPROVE, R.PUBLISH}:
        forbids.add("S-author")
    if me is not None and me == case.concerns and right == R.GRANT_DUTY:
        forbids.add("S-self")
    if me in case.conflicted:
        forbids.add("S-conflict")
