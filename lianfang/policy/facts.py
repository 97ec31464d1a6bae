"""What is known when a decision is made: frozen facts, nothing else.

A decision is `decide(subject, right, target, at, request)`. Everything it looks at is defined here and is hashable, so
that worlds can be generated and answers remembered. No framework, no database, no clock: time is an argument.

Ids of persons, organisations, groups and sharing groups are UUIDs; a group is named by the id of the organisation that
is the group member. Ids of cases are strings (the printed case number). Instants are aware datetimes. Every interval is
half-open [from, until).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Self
from uuid import UUID


class Tlp(IntEnum):
    """Traffic Light Protocol 2.0, ordered: the greater is the stricter."""

    CLEAR = 0
    GREEN = 1
    AMBER = 2
    AMBER_STRICT = 3
    RED = 4

    @property
    def label(self) -> str:
        """The label as it must be written, e.g. `TLP:AMBER+STRICT`."""
        return "TLP:" + self.name.replace("_", "+")


class Pap(IntEnum):
    """Permissible Actions Protocol: what a reader may do, carried with the item and never decided upon here."""

    CLEAR = 0
    GREEN = 1
    AMBER = 2
    RED = 3

    @property
    def label(self) -> str:
        """The label as it must be written, e.g. `PAP:AMBER`."""
        return f"PAP:{self.name}"


class Kind(StrEnum):
    """What kind of subject acts."""

    PUBLIC = "public"
    PERSON = "person"
    TOKEN = "token"  # noqa: S105  (a kind of subject)
    LINK = "link"
    SYSTEM = "system"


class Standing(StrEnum):
    """Standing of a group's membership at this instant."""

    NONE = "none"
    APPLICANT = "applicant"
    ACTIVE = "active"
    UNDER_REVIEW = "under_review"
    TERMINATING = "terminating"
    REVOKED = "revoked"
    TERMINATED = "terminated"


class Role(StrEnum):
    """Role of a person in its organisation."""

    MEMBER_ADMIN = "member_admin"
    SECURITY_CONTACT = "security_contact"
    MEMBER = "member"


class Duty(StrEnum):
    """Duty of the coordinator's staff, granted by two persons."""

    REVIEWER = "reviewer"
    APPROVER = "approver"
    ANALYST = "analyst"
    PUBLISHER = "publisher"
    PRIVACY_OFFICER = "privacy_officer"
    LEGAL = "legal"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    DUTY_GRANTER = "duty_granter"


class Channel(StrEnum):
    """The door through which something leaves."""

    PAGE = "page"
    LIST = "list"
    SNIPPET = "snippet"
    FILE = "file"
    API = "api"
    TAXII = "taxii"
    FEED = "feed"
    MAIL = "mail"
    WEBHOOK = "webhook"
    DIGEST = "digest"


class State(StrEnum):
    """State of an item version."""

    QUARANTINED = "quarantined"
    PUBLISHED = "published"
    RECALLED = "recalled"


class NameSource(StrEnum):
    """Who may learn the name of the source: every reader, or the coordinator alone."""

    EVERYONE = "everyone"
    COORDINATOR = "coordinator"


class Right(StrEnum):
    """Every right there is. `lianfang.policy.words.RIGHTS` holds a sentence for each."""

    # on intelligence, held on top of reading
    READ = "read"
    READ_SOURCE = "read_source"
    EXPORT = "export"
    MAIL_BODY = "mail_body"
    RELAY_TO_CONSTITUENTS = "relay_to_constituents"
    ANNOTATE = "annotate"
    REQUEST_DISCLOSURE = "request_disclosure"
    DISCLOSE = "disclose"
    USE_COMMERCIALLY = "use_commercially"
    # on intelligence, without reading it
    SUBMIT = "submit"
    VALIDATE = "validate"
    RELABEL = "relabel"
    RECALL = "recall"
    SEE_NOTICE = "see_notice"
    SEE_RECEIPTS = "see_receipts"
    SEE_LEDGER = "see_ledger"
    REDACT = "redact"
    DECIDE_CONSENT = "decide_consent"
    PUBLISH = "publish"
    RELEASE_TO_AUTHORITY = "release_to_authority"
    RELEASE_TO_LAW_ENFORCEMENT = "release_to_law_enforcement"
    # on everything else
    APPLY = "apply"
    ANSWER_CORRECTION = "answer_correction"
    CONFIRM_CONTACT = "confirm_contact"
    ENTER_MEMBERS_PLANE = "enter_members_plane"
    ENTER_STAFF_PLANE = "enter_staff_plane"
    VIEW_EXIT = "view_exit"
    FILE_APPEAL = "file_appeal"
    TAKE_UP = "take_up"
    REVIEW = "review"
    APPROVE = "approve"
    REVOKE = "revoke"
    DECIDE_APPEAL = "decide_appeal"
    GRANT_DUTY = "grant_duty"
    MANAGE_PEOPLE = "manage_people"
    FILE_CHANGE = "file_change"
    MAKE_TOKEN = "make_token"  # noqa: S105  (a right)
    EDIT_CHARTER = "edit_charter"
    IMPORT_LIST = "import_list"
    CHANGE_SETTING = "change_setting"
    START_STOP = "start_stop"
    END_STOP = "end_stop"
    PLACE_HOLD = "place_hold"
    READ_DIRECTORY = "read_directory"
    LIFT_HOLD = "lift_hold"
    VIEW_AUDIT = "view_audit"
    HANDLE_PRIVACY_CASE = "handle_privacy_case"


@dataclass(frozen=True, slots=True)
class Pair:
    """The (organisation, group) pair that a person acts for; a group member's own pair holds the same id twice."""

    organization: UUID
    group: UUID


@dataclass(frozen=True, slots=True)
class Named:
    """A person named in a RED audience: this person, acting for this organisation."""

    person: UUID
    organization: UUID


@dataclass(frozen=True, slots=True)
class Gap:
    """An interval [start, end) in which a membership was not in force; `end` None while it lasts."""

    start: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The operator's settings that decide, as in force at the instant of the decision (registry of settings)."""

    automatic_relay: frozenset[Tlp] = frozenset({Tlp.CLEAR, Tlp.GREEN})
    """Classes that every group relays to its constituents without a rule of its own."""
    staff_tokens: bool = False
    """Whether the coordinator's people may use tokens."""
    encrypted_mail: bool = False
    """Whether AMBER and AMBER+STRICT may be mailed encrypted to the person's own key, instead of a notice."""
    former_may_recall: bool = True
    """Whether the member_admin of a source that left may still recall its items."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caveats:
    """What a token (or a signed link) is limited to, whatever its owner may do."""

    rights: frozenset[Right]
    max_tlp: Tlp = Tlp.RED
    """Limits reading, not writing."""
    views: frozenset[str] | None = None
    """Collections or saved views by id; None = any."""
    networks: tuple[str, ...] = ()
    """Networks in CIDR notation from which it may be used; empty = any."""
    expires_at: datetime | None = None
    purpose: str = ""
    """Declared when the token is made; stands for the purpose of every export through it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who acts, and what is true of it at this instant. Rights never add up across pairs."""

    kind: Kind
    person: UUID | None = None
    pair: Pair | None = None
    is_constituent: bool = False
    standing: Standing = Standing.NONE
    """Standing of the pair's *group*; the coordinator's own organisation counts as active."""
    constituent_ok: bool = False
    """Screened clear, or a name hit that a human decided to be somebody else."""
    is_coordinator: bool = False
    gaps: frozenset[Gap] = frozenset()
    acknowledged: bool = False
    """Has acknowledged the duty of confidentiality for this pair; a token: its owner has."""
    left_at: datetime | None = None
    mfa: bool = False
    """The session was opened with a second factor; a token: its owner has a confirmed factor now."""
    role: Role = Role.MEMBER
    duties: frozenset[Duty] = frozenset()
    relays: frozenset[Tlp] = frozenset()
    """Classes that this subject's group relays to its constituents by a member_admin's rule (save the automatic)."""
    sharing_groups: frozenset[UUID] = frozenset()
    """Sharing groups that this subject's group is in now."""
    cases: frozenset[str] = frozenset()
    """Cases assigned to this person."""
    caveats: Caveats | None = None
    """Of a token or a link; None for everybody else."""
    owner: Subject | None = None
    """Of a token: the person, as it would act by itself now."""
    token: UUID | None = None
    case: str = ""
    """Of a link: the one case it opens."""
    name: str = ""
    """Of the system: the job's name. Never a person's name."""
    terms: Terms = Terms()

    def __post_init__(self) -> None:
        if self.kind is Kind.TOKEN and (
            self.caveats is None or self.owner is None or self.owner.kind is not Kind.PERSON
        ):
            raise ValueError("a token needs caveats and the person who owns it")
        if self.kind is Kind.LINK and (self.caveats is None or not self.case):
            raise ValueError("a link needs caveats and a case")

    @classmethod
    def public(cls) -> Self:
        """Anybody who has not signed in."""
        return cls(kind=Kind.PUBLIC)

    @classmethod
    def system(cls, name: str) -> Self:
        """A job. It reads nothing: it decides for the subject in whose name it works."""
        return cls(kind=Kind.SYSTEM, name=name)

    @classmethod
    def link(cls, *, case: str, rights: frozenset[Right], expires_at: datetime) -> Self:
        """The holder of a signed link: named rights on one case until it expires. Reads no intelligence."""
        return cls(kind=Kind.LINK, case=case, caveats=Caveats(rights=rights, expires_at=expires_at))

    @classmethod
    def of_token(cls, *, token: UUID, owner: Subject, caveats: Caveats) -> Self:
        """The token of a person: the owner's facts, within the caveats."""
        facts = {name: getattr(owner, name) for name in _OWNER_FACTS}
        return cls(kind=Kind.TOKEN, token=token, owner=owner, caveats=caveats, **facts)

    @property
    def actor_id(self) -> str:
        """How this subject stands in the audit ledger; stable, without any personal value."""
        match self.kind:
            case Kind.PERSON:
                return f"person:{self.person}"
            case Kind.TOKEN:
                return f"token:{self.token}"
            case Kind.LINK:
                return f"link:{self.case}"
            case Kind.SYSTEM:
                return f"system:{self.name}"
            case Kind.PUBLIC:
                return "public"


_OWNER_FACTS = (
    "person", "pair", "is_constituent", "standing", "constituent_ok", "is_coordinator", "gaps", "acknowledged",
    "left_at", "mfa", "role", "duties", "relays", "sharing_groups", "cases", "terms",
)  # fmt: skip


class AudienceKind(StrEnum):
    """How an audience is given."""

    ALLIANCE = "alliance"
    GROUPS = "groups"
    SHARING_GROUPS = "sharing_groups"
    COORDINATOR_ONLY = "coordinator_only"
    PERSONS = "persons"


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom the source addressed. Members are group ids, sharing group ids, or `Named` persons; empty = nobody."""

    kind: AudienceKind
    members: frozenset[UUID] | frozenset[Named] = frozenset()

    @classmethod
    def alliance(cls) -> Self:
        """Every group member, whoever that is at the instant of reading."""
        return cls(AudienceKind.ALLIANCE)

    @classmethod
    def groups(cls, *groups: UUID) -> Self:
        """These group members."""
        return cls(AudienceKind.GROUPS, frozenset(groups))

    @classmethod
    def sharing_groups(cls, *groups: UUID) -> Self:
        """The group members that are in any of these sharing groups at the instant of reading."""
        return cls(AudienceKind.SHARING_GROUPS, frozenset(groups))

    @classmethod
    def coordinator_only(cls) -> Self:
        """The coordinator's analysts and nobody else."""
        return cls(AudienceKind.COORDINATOR_ONLY)

    @classmethod
    def persons(cls, *persons: Named) -> Self:
        """These persons (RED only)."""
        return cls(AudienceKind.PERSONS, frozenset(persons))


class UpstreamKind(StrEnum):
    """Whether an earlier agreement of the source stands over the item."""

    NONE = "none"
    PERMITTED = "permitted"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Upstream:
    """An earlier agreement of the source: none, permitted to these groups before `until`, or hold (terms unknown)."""

    kind: UpstreamKind = UpstreamKind.NONE
    groups: frozenset[UUID] = frozenset()
    sharing_groups: frozenset[UUID] = frozenset()
    until: datetime | None = None


class NarrowedKind(StrEnum):
    """To whom one entry of the exchange log is narrowed."""

    NONE = "none"
    GROUP = "group"
    CONSTITUENTS_OF = "constituents_of"
    PERSON = "person"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class NarrowedTo:
    """An entry appended for somebody alone.

    `group`: everybody whose pair is of that group (TLP and relay still decide about its constituents);
    `constituents_of`: that group's constituents; `person`: that person for that organisation; `source`: the source
    and the named analysts.
    """

    kind: NarrowedKind = NarrowedKind.NONE
    id: UUID | None = None
    organization: UUID | None = None
    """Of a person."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where an item comes from: a pair as it was at submission, or an external party by its register key."""

    pair: Pair | None = None
    external: str | None = None

    def __post_init__(self) -> None:
        if (self.pair is None) == (self.external is None):
            raise ValueError("a source is either a pair or an external party")


@dataclass(frozen=True, slots=True)
class Publication:
    """A publication of exactly this item version, in force in [start, until)."""

    start: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What is protected, and how: everything about one item version that decides who may do what with it."""

    sources: frozenset[Source]
    submitted_by: UUID | None
    """The person who submitted it (a token submits as its owner)."""
    owner: Pair | None
    """The pair that brought it in: of an only source that source, of an external source the submitting pair."""
    tlp: Tlp
    audience: Audience
    shared_at: datetime
    pap: Pap | None = None
    narrowed_to: NarrowedTo = NarrowedTo()
    requires: frozenset[Label] = frozenset()
    """Labels of the transitive closure of the binding references, each without its own `requires`."""
    parents: frozenset[Label] = frozenset()
    """Labels of what a derived item was made from."""
    upstream: Upstream = Upstream()
    named_analysts: frozenset[UUID] = frozenset()
    not_before: datetime | None = None
    state: State = State.PUBLISHED
    publication: Publication | None = None
    name_source: NameSource = NameSource.COORDINATOR
    relayed_by: frozenset[UUID] = frozenset()
    """Groups that relayed this very item to their constituents."""
    once_above_amber: bool = False
    """Was AMBER+STRICT or RED in some earlier label: relayed item by item only, newly decided."""
    cases: frozenset[str] = frozenset()
    """Cases that the item belongs to."""

    def __post_init__(self) -> None:
        if not self.sources:
            raise ValueError("sources: an item has at least one source")
        if any(required.requires for required in self.requires):
            raise ValueError("requires: a required label stands without its own requires")

    @property
    def owners(self) -> frozenset[Pair]:
        """Every pair that speaks as a source: the source pairs, and the owner for an external source."""
        pairs = {source.pair for source in self.sources if source.pair is not None}
        if self.owner is not None and any(source.external is not None for source in self.sources):
            pairs.add(self.owner)
        return frozenset(pairs)

    def relabelled(self, *, tlp: Tlp, audience: Audience) -> Self:
        """The same item under another label. Above AMBER voids relays; tightening withdraws a publication."""
        above = tlp > Tlp.AMBER
        return replace(
            self,
            tlp=tlp,
            audience=audience,
            once_above_amber=self.once_above_amber or above or self.tlp > Tlp.AMBER,
            relayed_by=frozenset() if above else self.relayed_by,
            publication=None if tlp > self.tlp else self.publication,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """How something is asked for."""

    channel: Channel
    stop: bool = False
    """The stop of disclosure is on."""
    received: bool = False
    """For a single item: the subject's organisation holds a receipt for it."""
    network: str | None = None
    """Address the request comes from; only a token limited to networks needs it."""
    view: str | None = None
    """Collection or saved view that is asked through."""
    purpose: str = ""
    """Purpose stated in this session; a file needs one."""
    encrypted: bool = False
    """The mail will be encrypted to this person's own key."""
    by_source: bool = False
    """The request filters by source."""
    source: Source | None = None
    """For `read_source`: the one source whose name is asked; None = all of them."""
    becomes: Label | None = None
    """For `relabel`: the label that the item would have."""
    agreed_by: frozenset[Pair] = frozenset()
    """For `relabel` to wider: the sources that agreed, beside the one who asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What rights that are not on intelligence are asked about."""

    id: str = ""
    kind: str = ""
    organization: UUID | None = None
    state: str = ""
    concerns: UUID | None = None
    """The person it is about, e.g. who would hold the duty that is granted."""
    assigned: frozenset[UUID] = frozenset()
    reviewed_by: frozenset[UUID] = frozenset()
    decided_by: frozenset[UUID] = frozenset()
    """Who decided, or signed first where two must; of an appeal: who decided the revocation."""
    authored_by: frozenset[UUID] = frozenset()
    conflicted: frozenset[UUID] = frozenset()
    """Who declared a conflict of interest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A source's consent to disclose one item version to this audience for this purpose, in force in [start, until)."""

    item_version: str
    source: Source
    audience: str
    purpose: str
    attribution: str
    start: datetime
    until: datetime | None = None


Target = Label | Case | None
