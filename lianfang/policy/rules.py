"""The rules about reading, and about what is held on top of reading (sections 2 and 3 of the policy).

Read it as prose: each rule has its id, the clause it comes from, one sentence in two languages, and a predicate that
says when it speaks. Ids are stable: code, pages, documents and tests use them. "People" are persons and their tokens.
"""

from __future__ import annotations

from lianfang.policy.facts import (
    Channel,
    Duty,
    Kind,
    Label,
    NameSource,
    NarrowedKind,
    Right,
    Role,
    Source,
    State,
    Subject,
    Tlp,
    UpstreamKind,
)
from lianfang.policy.predicates import (
    NO_DECISIONS,
    OF_SUBJECTS,
    READING,
    SPEAKERS,
    WITHOUT_FACTOR,
    a_source,
    addressed_to_group,
    admin_of_its_group,
    former_source_admin,
    has_left,
    member_people,
    membership_in_force,
    named_analyst,
    named_in,
    on_duty,
    people,
    public_covers,
    public_item,
    reads_every_parent,
    relayed_to,
    submitted_it,
    the_only_source,
    within,
)
from lianfang.policy.registry import Question, allows, forbid, permit

# --- 2. reading: permits --------------------------------------------------------------------------------------------


@permit(
    "P-own",
    clause="2.1",
    zh="來源組織自己的人可讀自己的情資，隔離與緩發中也可以；團體的管理員也可讀其內部成員的；RED只有提交的本人。",
    en="People of the only source read their own item, also while quarantined or embargoed; a group's admin also "
    "its constituents'; with several sources, those who may read every parent; RED only the person who submitted it.",
    rights={Right.READ},
)
def p_own(q: Question) -> bool:
    subject, label = q.subject, q.label
    if label is None or not people(subject) or not membership_in_force(subject):
        return False
    if subject.is_coordinator and not (on_duty(subject, Duty.ANALYST) and submitted_it(subject, label)):
        return False
    if label.tlp is Tlp.RED and not (subject.kind is Kind.PERSON and submitted_it(subject, label)):
        return False
    if len(label.sources) > 1:
        return a_source(subject, label) and reads_every_parent(q, label)
    return the_only_source(subject, label) or admin_of_its_group(subject, label)


@permit(
    "P-alliance",
    clause="2.1, TLP",
    zh="分享對象包含這個團體會員，團體會員自己的人可讀，最高到AMBER+STRICT。",
    en="A group member's own people read what is addressed to it, up to AMBER+STRICT.",
    rights={Right.READ},
)
def p_alliance(q: Question) -> bool:
    subject, label = q.subject, q.label
    return (
        label is not None
        and people(subject)
        and not subject.is_constituent
        and label.tlp <= Tlp.AMBER_STRICT
        and addressed_to_group(subject, label)
    )


@permit(
    "P-constituent",
    clause="TLP",
    zh="內部成員可讀其團體會員轉送的情資，最高到AMBER。",
    en="People of a constituent read what is addressed to their group member and relayed by it, up to AMBER.",
    rights={Right.READ},
)
def p_constituent(q: Question) -> bool:
    subject, label = q.subject, q.label
    return (
        label is not None
        and people(subject)
        and subject.is_constituent
        and label.tlp <= Tlp.AMBER
        and addressed_to_group(subject, label)
        and relayed_to(subject, label)
    )


@permit(
    "P-named",
    clause="TLP",
    zh="RED指名的人可讀，只在網頁上。",
    en="A person named in a RED audience reads it, on the page only.",
    rights={Right.READ},
)
def p_named(q: Question) -> bool:
    label = q.label
    return label is not None and q.subject.kind is Kind.PERSON and label.tlp is Tlp.RED and named_in(q.subject, label)


@permit(
    "P-analyst",
    clause="2.2",
    zh="協調中心的分析員可讀，最高到AMBER+STRICT，對象不論。",
    en="The coordinator's analysts read up to AMBER+STRICT, whatever the audience.",
    rights={Right.READ},
)
def p_analyst(q: Question) -> bool:
    label = q.label
    return label is not None and on_duty(q.subject, Duty.ANALYST) and label.tlp <= Tlp.AMBER_STRICT


@permit(
    "P-case",
    clause="2.2, 3.2",
    zh="協調中心的發布、法務、核准人員可讀指派給自己的案件裡的情資，RED除外。",
    en="Publishers, legal staff and approvers read the items of a case assigned to them, never RED.",
    rights={Right.READ},
)
def p_case(q: Question) -> bool:
    subject, label = q.subject, q.label
    return (
        label is not None
        and on_duty(subject, Duty.PUBLISHER, Duty.LEGAL, Duty.APPROVER)
        and not subject.cases.isdisjoint(label.cases)
        and label.tlp < Tlp.RED
    )


@permit(
    "P-public",
    clause="2.2",
    zh="已公開發布的CLEAR情資，任何人都可讀。",
    en="Anyone reads a CLEAR item of which exactly this version was published.",
    rights={Right.READ},
)
def p_public(q: Question) -> bool:
    label = q.label
    return label is not None and q.subject.kind not in (Kind.LINK, Kind.SYSTEM) and public_item(label, q.at)


MEMBERS_PLANE = (p_own, p_alliance, p_constituent, p_named, p_analyst, p_case)


def may_read_but_for_forbids(q: Question) -> bool:
    """Some permit to read holds; the forbids speak for themselves."""
    return reads_in_members_plane(q) or p_public(q)


def reads_in_members_plane(q: Question) -> bool:
    """Some permit to read holds that is not the public's."""
    return any(holds(q) for holds in MEMBERS_PLANE)


# --- 2. reading: forbids about the subject --------------------------------------------------------------------------


@forbid(
    "F-standing",
    clause="1.4, 2.3, 2.5, 5.3",
    zh="會籍未生效的團體會員與其內部成員，從生效的那一刻起，不能使用會員區。",
    en="A group member whose membership is not in force, and its constituents, have nothing of the members' plane.",
    rights=OF_SUBJECTS,
)
def f_standing(q: Question) -> bool:
    return (
        people(q.subject) and not membership_in_force(q.subject) and not former_source_admin(q) and not public_covers(q)
    )


@forbid(
    "F-constituent",
    clause="1.3",
    zh="內部成員還沒查核、無法查核或有未結的相符紀錄時，不能存取，自己的情資也一樣。",
    en="A constituent that is not screened, unverifiable, or has an open hit has no access, its own items included.",
    rights=OF_SUBJECTS,
)
def f_constituent(q: Question) -> bool:
    return people(q.subject) and q.subject.is_constituent and not q.subject.constituent_ok and not public_covers(q)


@forbid(
    "F-duty",
    clause="3.1",
    zh="確認保密義務之前，不能讀CLEAR以上的情資，也不能行使會員的權利。",
    en="Nobody reads anything above CLEAR, or acts as a member, before acknowledging the duty of confidentiality.",
    rights=OF_SUBJECTS,
)
def f_duty(q: Question) -> bool:
    above_clear = q.label is None or q.label.tlp > Tlp.CLEAR
    return people(q.subject) and above_clear and not q.subject.acknowledged


@forbid(
    "F-left",
    clause="3.1, 3.3",
    zh="已離開組織的人不能存取；保密義務一直都在。",
    en="A person who left the organisation has no access; the duty remains without end.",
    rights=OF_SUBJECTS,
)
def f_left(q: Question) -> bool:
    return people(q.subject) and has_left(q.subject, q.at) and not public_covers(q)


@forbid(
    "F-mfa",
    clause="2.3",
    zh="AMBER以上，以及每一項決定，都要第二道驗證。",
    en="AMBER and above, and every decision, needs a second factor.",
    rights=OF_SUBJECTS,
)
def f_mfa(q: Question) -> bool:
    needed = q.label.tlp >= Tlp.AMBER if q.label is not None else q.right not in WITHOUT_FACTOR
    return people(q.subject) and needed and not q.subject.mfa


@forbid(
    "F-token",
    clause="2.3",
    zh="金鑰不能超過它的限制，也不能超過擁有者此刻的權利；協調中心的決定不能用金鑰。",
    en="A token never exceeds its caveats, nor its owner's rights at this moment; staff decide nothing by token.",
    rights=OF_SUBJECTS,
)
def f_token(q: Question) -> bool:
    if q.subject.kind is not Kind.TOKEN or public_covers(q):
        return False
    return beyond_caveats(q) or staff_by_token(q) or beyond_owner(q)


def beyond_caveats(q: Question) -> bool:
    """Past its expiry, or outside its rights, networks, views or highest TLP (which limits reading, not writing)."""
    caveats, request = q.subject.caveats, q.request
    if caveats is None or (caveats.expires_at is not None and caveats.expires_at <= q.at):
        return True
    if q.right not in caveats.rights or (q.right in READING and Right.READ not in caveats.rights):
        return True
    if caveats.networks and not within(request.network, caveats.networks):
        return True
    if caveats.views is not None and request.view not in caveats.views:
        return True
    return q.right in READING and q.label is not None and q.label.tlp > caveats.max_tlp


def staff_by_token(q: Question) -> bool:
    """A token of the coordinator's people, where they may have none, or for a decision."""
    return q.subject.is_coordinator and (not q.subject.terms.staff_tokens or q.right not in NO_DECISIONS)


def beyond_owner(q: Question) -> bool:
    """The owner could not do it in person at this moment."""
    return q.subject.owner is None or not allows(q.by(q.subject.owner))


# --- 2. reading: forbids about the item -----------------------------------------------------------------------------


@forbid(
    "F-gap",
    clause="1.4",
    zh="會籍未生效期間分享的情資，恢復後仍不提供，直到分析員放行。",
    en="What was shared while a membership was not in force stays withheld from it until an analyst releases it.",
    rights=READING,
)
def f_gap(q: Question) -> bool:
    subject, label = q.subject, q.label
    if label is None or not people(subject) or public_covers(q):
        return False
    released = (
        label.narrowed_to.kind is NarrowedKind.GROUP
        and subject.pair is not None
        and label.narrowed_to.id == subject.pair.group
    )
    return not released and any(
        gap.start <= label.shared_at and (gap.end is None or label.shared_at < gap.end) for gap in subject.gaps
    )


@forbid(
    "F-upstream",
    clause="2.1",
    zh="來源先前的約定優先：未載明條件的只有來源自己和指名的分析員；載明的只限那些團體，到期為止。",
    en="An earlier agreement of the source is stronger than any label: on hold it reaches only its own people and "
    "named analysts; permitted, only those groups, until it ends.",
    rights=READING,
)
def f_upstream(q: Question) -> bool:
    subject, label = q.subject, q.label
    if label is None or label.upstream.kind is UpstreamKind.NONE or p_own(q):
        return False
    upstream = label.upstream
    ended = upstream.until is not None and upstream.until <= q.at
    if upstream.kind is UpstreamKind.HOLD or ended:
        return not named_analyst(subject, label)
    keeps_access = on_duty(subject, Duty.ANALYST) or (people(subject) and a_source(subject, label))
    permitted = subject.pair is not None and (
        subject.pair.group in upstream.groups or not subject.sharing_groups.isdisjoint(upstream.sharing_groups)
    )
    return not (keeps_access or permitted)


@forbid(
    "F-embargo",
    clause="2.2",
    zh="緩發時間之前，只有來源自己和指名的分析員。",
    en="Before the embargo ends, only its own people and named analysts.",
    rights=READING,
)
def f_embargo(q: Question) -> bool:
    label = q.label
    return (
        label is not None
        and label.not_before is not None
        and q.at < label.not_before
        and not p_own(q)
        and not named_analyst(q.subject, label)
    )


@forbid(
    "F-quarantine",
    clause="3.1",
    zh="隔離中的情資，只有來源自己和分析員。",
    en="A quarantined item is for its own people and analysts only.",
    rights=READING,
)
def f_quarantine(q: Question) -> bool:
    label = q.label
    return (
        label is not None and label.state is State.QUARANTINED and not p_own(q) and not on_duty(q.subject, Duty.ANALYST)
    )


@forbid(
    "F-recalled",
    clause="2.3",
    zh="已召回的情資，來源自己的人和分析員還能在網頁上看，不能匯出。",
    en="A recalled item is still read on pages by its own people and analysts, without export; by no one else.",
    rights=READING,
)
def f_recalled(q: Question) -> bool:
    subject, label = q.subject, q.label
    if label is None or label.state is not State.RECALLED:
        return False
    on_page = q.request.channel is Channel.PAGE and q.right in (Right.READ, Right.READ_SOURCE)
    theirs = on_duty(subject, Duty.ANALYST) or (people(subject) and a_source(subject, label))
    return not (on_page and theirs)


@forbid(
    "F-narrowed",
    clause="TLP",
    zh="只給某一方的項目，其他人不能讀。",
    en="An entry narrowed to somebody is read by nobody else.",
    rights=READING,
)
def f_narrowed(q: Question) -> bool:
    return q.label is not None and not inside_narrowing(q, q.label)


def inside_narrowing(q: Question, label: Label) -> bool:
    """The subject is whom the entry is narrowed to."""
    subject, narrowed = q.subject, label.narrowed_to
    pair = subject.pair
    match narrowed.kind:
        case NarrowedKind.NONE:
            return True
        case NarrowedKind.GROUP:
            return pair is not None and pair.group == narrowed.id
        case NarrowedKind.CONSTITUENTS_OF:
            return pair is not None and pair.group == narrowed.id and subject.is_constituent
        case NarrowedKind.PERSON:
            return pair is not None and (subject.person, pair.organization) == (narrowed.id, narrowed.organization)
        case NarrowedKind.SOURCE:
            return p_own(q) or (people(subject) and a_source(subject, label)) or named_analyst(subject, label)


@forbid(
    "F-container",
    clause="2.2",
    zh="報告所繫結的項目有一個不能讀，報告就不能讀（唯一來源自己的人除外）。",
    en="Whoever may not read everything that a container binds does not read it, save its only source's own people.",
    rights=READING,
)
def f_container(q: Question) -> bool:
    label = q.label
    if label is None or all(allows(q.reading(required)) for required in label.requires):
        return False
    return not (the_only_source(q.subject, label) and p_own(q))


@forbid(
    "F-red-channel",
    clause="TLP",
    zh="RED只在網頁上看，不經金鑰、匯出、訂閱、TAXII、API、郵件、推送、摘要或搜尋摘錄。",
    en="RED leaves only on a page: never by token, export, feed, TAXII, API, mail, webhook, digest or search snippet.",
    rights=READING,
)
def f_red_channel(q: Question) -> bool:
    return (
        q.label is not None
        and q.label.tlp is Tlp.RED
        and (
            q.request.channel is not Channel.PAGE
            or q.subject.kind is Kind.TOKEN
            or q.right in (Right.EXPORT, Right.MAIL_BODY)
        )
    )


@forbid(
    "F-stop",
    clause="2.3",
    zh="停止揭露期間，CLEAR以上都不送出也不列出；自己的情資只能在網頁上看。",
    en="While the stop of disclosure is on, nothing above CLEAR is delivered or listed; own items on the page only.",
    rights=READING,
)
def f_stop(q: Question) -> bool:
    return (
        q.request.stop
        and q.label is not None
        and q.label.tlp > Tlp.CLEAR
        and not (q.request.channel is Channel.PAGE and p_own(q))
    )


# --- 3. using -------------------------------------------------------------------------------------------------------


@permit(
    "G-read_source",
    clause="2.2",
    zh="來源的名稱：唯一來源自己、多來源各自看自己的、分析員；來源選擇對所有讀者顯示時，經對象讀到的人。",
    en="The source's name is for the only source, of several each its own, analysts, and the audience if the source "
    "chose to be named to everyone.",
    rights={Right.READ_SOURCE},
)
def g_read_source(q: Question) -> bool:
    subject, label = q.subject, q.label
    if label is None or not may_read_but_for_forbids(q):
        return False
    if (people(subject) and the_only_source(subject, label)) or on_duty(subject, Duty.ANALYST):
        return True
    if label.name_source is NameSource.EVERYONE and (p_alliance(q) or p_constituent(q) or p_named(q)):
        return True
    return people(subject) and own_name(subject, label, q.request.source)


def own_name(subject: Subject, label: Label, asked: Source | None) -> bool:
    """The one source that is asked about is the subject's own pair (for an external source: the owner's)."""
    return subject.pair is not None and any(
        source == asked and subject.pair == (label.owner if source.external is not None else source.pair)
        for source in label.sources
    )


@permit(
    "G-export",
    clause="2.2",
    zh="可讀的人可以匯出。",
    en="Whoever may read may export.",
    rights={Right.EXPORT},
)
@permit(
    "G-mail_body",
    clause="TLP",
    zh="可讀的人，內容可以寫在郵件裡。",
    en="Whoever may read may have the content in a mail.",
    rights={Right.MAIL_BODY},
)
def g_whoever_reads(q: Question) -> bool:
    return may_read_but_for_forbids(q)


@permit(
    "G-annotate",
    clause="2.1",
    zh="在會員區可讀的人可以加註目擊、意見與提問。",
    en="Whoever may read in the members' plane may add sightings, opinions and questions.",
    rights={Right.ANNOTATE},
)
def g_annotate(q: Question) -> bool:
    return reads_in_members_plane(q)


@permit(
    "G-relay_to_constituents",
    clause="TLP",
    zh="團體的管理員可以把讀得到的情資轉送給內部成員。",
    en="A group's member_admin may relay what it may read to its constituents.",
    rights={Right.RELAY_TO_CONSTITUENTS},
)
def g_relay(q: Question) -> bool:
    return (
        member_people(q.subject)
        and not q.subject.is_constituent
        and q.subject.role is Role.MEMBER_ADMIN
        and reads_in_members_plane(q)
    )


@permit(
    "G-request_disclosure",
    clause="2.2",
    zh="可讀的管理員、資安聯絡人與分析員可以提出徵詢。",
    en="Readers who are member_admin or security_contact, and analysts, may ask for a disclosure.",
    rights={Right.REQUEST_DISCLOSURE},
)
@permit(
    "G-disclose",
    clause="2.2",
    zh="可讀的管理員、資安聯絡人與分析員，取得同意後可以揭露。",
    en="The same may disclose, once every source consented.",
    rights={Right.DISCLOSE},
)
def g_ask_disclosure(q: Question) -> bool:
    asks = (member_people(q.subject) and q.subject.role in SPEAKERS) or on_duty(q.subject, Duty.ANALYST)
    return asks and may_read_but_for_forbids(q)


@forbid(
    "U-purpose",
    clause="2.1, 2.2",
    zh="收到的情資只用於研究分析與重大事件預警，一律不得商業使用。",
    en="Received intelligence is for research, analysis and warning of major incidents; commercial use is refused.",
    rights={Right.USE_COMMERCIALLY},
)
def u_purpose(q: Question) -> bool:  # noqa: ARG001  (always, whoever asks)
    return True


@forbid(
    "U-export",
    clause="2.2, 2.3",
    zh="匯出檔案要先說明用途；公開的情資不用。",
    en="A file needs a stated purpose; a public item does not.",
    rights={Right.EXPORT},
)
def u_export(q: Question) -> bool:
    declared = q.request.purpose or (q.subject.caveats is not None and q.subject.caveats.purpose)
    return q.request.channel is Channel.FILE and not declared and not public_covers(q)


@forbid(
    "U-view",
    clause="2.2",
    zh="依來源篩選時，看不到來源名稱的項目不會符合。",
    en="A filter by source never matches a hidden source.",
    rights=READING,
)
def u_view(q: Question) -> bool:
    return q.request.by_source and q.label is not None and not allows(q.naming())


@forbid(
    "U-mail",
    clause="TLP",
    zh="郵件內文只寫到GREEN；AMBER以上只通知登入，RED一律不寄。",
    en="A mail carries GREEN and CLEAR; of AMBER and AMBER+STRICT only a notice to log in; RED never.",
    rights={Right.MAIL_BODY},
)
def u_mail(q: Question) -> bool:
    if q.label is None or q.label.tlp <= Tlp.GREEN:
        return False
    encrypted = q.subject.terms.encrypted_mail and q.request.encrypted
    return q.label.tlp is Tlp.RED or not encrypted


@forbid(
    "U-relay",
    clause="TLP",
    zh="轉送由管理員本人做，AMBER+STRICT與RED一律不轉送。",
    en="Relaying is done by a member_admin in person, never for AMBER+STRICT or RED.",
    rights={Right.RELAY_TO_CONSTITUENTS},
)
def u_relay(q: Question) -> bool:
    return q.subject.kind is not Kind.PERSON or (q.label is not None and q.label.tlp > Tlp.AMBER)
