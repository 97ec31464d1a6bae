"""What the words of the rules mean: the sets of rights they speak of, and small predicates over the facts."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address, ip_network
from uuid import UUID

from lianfang.policy.facts import AudienceKind, Duty, Kind, Label, Named, Right, Role, Standing, State, Subject, Tlp
from lianfang.policy.registry import Question, allows

# --- what the rights have in common ---------------------------------------------------------------------------------

READING = frozenset({
    Right.READ, Right.READ_SOURCE, Right.EXPORT, Right.MAIL_BODY, Right.RELAY_TO_CONSTITUENTS, Right.ANNOTATE,
    Right.REQUEST_DISCLOSURE, Right.DISCLOSE, Right.USE_COMMERCIALLY,
})  # fmt: skip
"""Reading, and what is held on top of it."""

OPEN_TO_ALL = frozenset({Right.READ, Right.EXPORT, Right.MAIL_BODY})
"""What the public does with a published item; whatever is said of a reader does not take that from him."""

OF_FORMER = frozenset({Right.VIEW_EXIT, Right.FILE_APPEAL, Right.RECALL, Right.DECIDE_CONSENT})
"""What is left to a source whose membership ended."""

OF_LINKS = frozenset({Right.ANSWER_CORRECTION, Right.CONFIRM_CONTACT, Right.FILE_APPEAL})
"""What a signed link may open."""

WITHOUT_FACTOR = frozenset({Right.ENTER_MEMBERS_PLANE, Right.SUBMIT})
"""What, with no label named yet, needs no second factor."""

OF_SUBJECTS = frozenset(Right) - {Right.APPLY}
"""Every right but to apply, which is anybody's."""

NO_DECISIONS = READING | {Right.SUBMIT}
"""What staff could do by token if the operator allowed staff to have them: everything else is a decision."""

IN_FORCE = frozenset({Standing.ACTIVE, Standing.UNDER_REVIEW, Standing.TERMINATING})
ENDED = frozenset({Standing.REVOKED, Standing.TERMINATED})
SPEAKERS = frozenset({Role.MEMBER_ADMIN, Role.SECURITY_CONTACT})


# --- what the words mean --------------------------------------------------------------------------------------------


def people(subject: Subject) -> bool:
    """Persons and their tokens."""
    return subject.kind in (Kind.PERSON, Kind.TOKEN)


def membership_in_force(subject: Subject) -> bool:
    """The group's membership is in force; the coordinator's own organisation always counts as active."""
    return subject.is_coordinator or subject.standing in IN_FORCE


def member_people(subject: Subject) -> bool:
    """People of a group member or of a constituent, not of the coordinator."""
    return people(subject) and subject.pair is not None and not subject.is_coordinator


def on_duty(subject: Subject, *duties: Duty) -> bool:
    """Staff of the coordinator with one of these duties."""
    return people(subject) and subject.is_coordinator and not subject.duties.isdisjoint(duties)


def a_source(subject: Subject, label: Label) -> bool:
    """The subject's pair is one of the sources (for an external source: the owner)."""
    return subject.pair in label.owners


def the_only_source(subject: Subject, label: Label) -> bool:
    """The subject's pair is the only source."""
    return len(label.sources) == 1 and a_source(subject, label)


def submitted_it(subject: Subject, label: Label) -> bool:
    """The subject is the person (or a token of the person) who submitted the item."""
    return subject.person is not None and subject.person == label.submitted_by


def group_of(subject: Subject) -> UUID | None:
    """The group member that the subject belongs to."""
    return subject.pair.group if subject.pair is not None else None


def organization_of(subject: Subject) -> UUID | None:
    """The organisation that the subject acts for."""
    return subject.pair.organization if subject.pair is not None else None


def admin_of_its_group(subject: Subject, label: Label) -> bool:
    """The member_admin of the group that a source belongs to: itself, or a constituent of it."""
    return (
        subject.role is Role.MEMBER_ADMIN
        and not subject.is_constituent
        and any(owner.group == group_of(subject) for owner in label.owners)
    )


def reads_every_parent(question: Question, label: Label) -> bool:
    """May read each item that this one was made from. A derived item without known parents is nobody's."""
    return bool(label.parents) and all(allows(question.reading(parent)) for parent in label.parents)


def speaks_for_source(subject: Subject, label: Label) -> bool:
    """The source's member_admin or security_contact; for the coordinator's own items an analyst."""
    if not people(subject) or not a_source(subject, label):
        return False
    return subject.role in SPEAKERS or on_duty(subject, Duty.ANALYST)


def named_in(subject: Subject, label: Label) -> bool:
    """This person, for this organisation, is named in the audience. Groups are no names."""
    return any(
        isinstance(named, Named) and named.person == subject.person and named.organization == organization_of(subject)
        for named in label.audience.members
    )


def named_analyst(subject: Subject, label: Label) -> bool:
    """An analyst named on the item."""
    return on_duty(subject, Duty.ANALYST) and subject.person in label.named_analysts


def addressed_to_group(subject: Subject, label: Label) -> bool:
    """The audience contains the subject's group."""
    if subject.pair is None or subject.is_coordinator:
        return False
    match label.audience.kind:
        case AudienceKind.ALLIANCE:
            return True
        case AudienceKind.GROUPS:
            return group_of(subject) in label.audience.members
        case AudienceKind.SHARING_GROUPS:
            return not subject.sharing_groups.isdisjoint(label.audience.members)
        case _:
            return False


def relayed_to(subject: Subject, label: Label) -> bool:
    """The subject's group relays this item to its constituents: by its class, or this very item.

    Who relays a class relays what is less strict too. What was once above AMBER is relayed item by item only.
    """
    if group_of(subject) in label.relayed_by:
        return True
    classes = subject.relays | subject.terms.automatic_relay
    return not label.once_above_amber and any(label.tlp <= relayed for relayed in classes)


def published_now(label: Label, at: datetime) -> bool:
    """A publication of exactly this version is in force."""
    publication = label.publication
    return publication is not None and publication.start <= at and (publication.until is None or at < publication.until)


def public_covers(question: Question) -> bool:
    """The public may have it, so nothing that is said of this reader takes it away."""
    label = question.label
    return question.right in OPEN_TO_ALL and label is not None and public_item(label, question.at)


def public_item(label: Label, at: datetime) -> bool:
    """CLEAR, published here, and published to everyone."""
    return label.tlp is Tlp.CLEAR and label.state is State.PUBLISHED and published_now(label, at)


def has_left(subject: Subject, at: datetime) -> bool:
    """The person left the organisation, from that instant on."""
    return subject.left_at is not None and subject.left_at <= at


@lru_cache(maxsize=4096)
def within(address: str | None, networks: tuple[str, ...]) -> bool:
    """The address lies in one of the networks; what cannot be read lies in none."""
    try:
        return any(ip_address(str(address)) in ip_network(network) for network in networks)
    except ValueError:
        return False


def former_source_admin(q: Question) -> bool:
    """The member_admin, in person and with a second factor, of a source whose membership ended, and what is left."""
    subject = q.subject
    if subject.kind is not Kind.PERSON or subject.pair is None or subject.is_coordinator:
        return False
    if subject.standing not in ENDED or subject.role is not Role.MEMBER_ADMIN or not subject.mfa:
        return False
    return left_to_former(q)


def left_to_former(q: Question) -> bool:
    """What of the right is left to a former source's member_admin."""
    subject, label, case = q.subject, q.label, q.case
    own_item = label is not None and a_source(subject, label)
    match q.right:
        case Right.VIEW_EXIT:
            return label is None or own_item
        case Right.RECALL:
            return own_item and subject.terms.former_may_recall
        case Right.DECIDE_CONSENT:
            return own_item
        case Right.FILE_APPEAL:
            own_case = case is None or case.organization == organization_of(subject)
            return own_case and not subject.is_constituent
        case _:
            return False
