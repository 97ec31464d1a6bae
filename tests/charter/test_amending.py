"""A document is amended by two approvers, published in two places and mailed to every member at one instant (4.1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from lianfang.audit.models import Entry
from lianfang.charter import actions, providers, queries
from lianfang.charter.models import Amendment, DocumentVersion, Told
from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual
from lianfang.outbox.models import Delivery
from lianfang.policy.facts import Role, Subject
from tests.accounts.cast import Few, enter, member_organization
from tests.world import SYSTEM, Actor

pytestmark = pytest.mark.django_db

MICRO = timedelta(microseconds=1)
JOB = Subject.system("charter.publish")
SUMMARY = Bilingual(zh="第2.4條增訂每年確認一次。", en="Clause 2.4: confirm once a year.")
SITE = "https://www.centre.example/news/charter-2"


def refused(act: Callable[[], Any]) -> Refusal:
    with pytest.raises(Refusal) as caught, transaction.atomic():
        act()
    return caught.value


def again(amendment: Amendment) -> Amendment:
    return Amendment.objects.select_related("base", "version").get(pk=amendment.pk)


def titles(amendment: Amendment) -> Bilingual:
    return Bilingual(zh=amendment.title_zh, en=amendment.title_en)


def begun(cast: Few, by: Actor | None = None) -> Amendment:
    at = cast.clock.tick()
    return actions.begin_amendment(kind="charter", by=(by or cast.staff["publisher"]).subject(), at=at)


def written(cast: Few, amendment: Amendment | None = None, number: str = "2.4") -> Amendment:
    """A draft in which one clause says more."""
    amendment = amendment or begun(cast)
    clauses = [
        one | {"zh": one["zh"] + "每年確認一次。", "en": one["en"] + " Once a year."} if one["id"] == number else one
        for one in amendment.clauses
    ]
    return actions.save_amendment(
        amendment=amendment, titles=titles(amendment), clauses=clauses, revision=amendment.revision, what=number,
        by=cast.staff["publisher"].subject(), at=cast.clock.tick(),
    )  # fmt: skip


def proposed(cast: Few, *, days: float = 30) -> Amendment:
    amendment = written(cast)
    at = cast.clock.tick()
    actions.propose_amendment(
        amendment=amendment, summary=SUMMARY, effective_at=at + timedelta(days=days),
        by=cast.staff["publisher"].subject(), at=at,
    )  # fmt: skip
    return again(amendment)


def approved(cast: Few, *, days: float = 30) -> Amendment:
    amendment = proposed(cast, days=days)
    for who in ("approver", "approver2"):
        actions.approve_amendment(amendment=amendment, by=cast.staff[who].subject(), at=cast.clock.tick())
    return again(amendment)


def on_the_website(cast: Few, amendment: Amendment) -> Amendment:
    at = cast.clock.tick()
    actions.record_website(amendment=amendment, url=SITE, published_at=at, by=cast.staff["publisher"].subject(), at=at)
    return again(amendment)


def issued(cast: Few, *, days: float = 30) -> DocumentVersion:
    amendment = on_the_website(cast, approved(cast, days=days))
    actions.order_issue(amendment=amendment, by=cast.staff["publisher"].subject(), at=cast.clock.tick())
    version = actions.finish_issue(amendment=amendment, by=JOB, at=cast.clock.tick())
    assert version is not None
    return version


def test_a_version_comes_into_force_at_its_instant_and_not_before(cast: Few) -> None:
    amendment = on_the_website(cast, approved(cast))
    planned = amendment.effective_at
    assert planned is not None
    for at in (cast.clock.at, planned, planned + timedelta(days=400)):
        found = queries.in_force(kind="charter", at=at)
        assert found is not None
        assert found.number == 1, "approved alone binds nobody"
    publisher = cast.staff["publisher"]
    actions.order_issue(amendment=amendment, by=publisher.subject(), at=cast.clock.tick())
    now = cast.clock.tick()
    version = actions.finish_issue(amendment=amendment, by=JOB, at=now)
    assert version is not None
    for at, number in ((planned - MICRO, 1), (planned, 2), (planned + MICRO, 2)):
        found = queries.in_force(kind="charter", at=at)
        assert found is not None
        assert found.number == number
    # Invariant 9: in force only with both publications and a message queued at the one instant.
    assert (version.published_platform_at, version.mailed_at, version.published_site_url) == (now, now, SITE)
    assert [one.number for one in queries.upcoming(kind="charter", at=now)] == [2]
    assert queries.published(kind="charter", number=2, at=now - MICRO) is None
    assert queries.published(kind="charter", number=2, at=now) == version
    told = Told.objects.filter(version=version)
    assert {one.person_id for one in told} == {cast.admin.person.pk, cast.deputy.person.pk}
    for one in told:
        assert one.delivery is not None
        assert one.delivery.created_at == now
    entry = Entry.objects.filter(tag="charter:document:publish").latest("pk")
    assert entry.detail["members"] == 1
    assert entry.detail["first"] == str(cast.staff["approver"].person.pk)
    text = Delivery.objects.filter(kind="N15").latest("created_at").body_text
    for words in ("團體會員規章修訂為第2版", SUMMARY.zh, SUMMARY.en, "/charter/versions/2"):
        assert words in text
    assert actions.finish_issue(amendment=amendment, by=JOB, at=cast.clock.tick()) == version
    assert Told.objects.filter(version=version).count() == 2, "a job that runs twice tells nobody twice"


def test_a_text_whose_day_has_come_before_it_is_published_is_in_force_from_its_publication(cast: Few) -> None:
    amendment = on_the_website(cast, approved(cast, days=1))
    actions.order_issue(amendment=amendment, by=cast.staff["publisher"].subject(), at=cast.clock.tick())
    late = cast.clock.tick(days=3)
    version = actions.finish_issue(amendment=amendment, by=JOB, at=late)
    assert version is not None
    assert version.effective_at == late


def test_who_writes_who_approves_and_that_they_are_three(cast: Few) -> None:
    for who in (cast.admin, cast.staff["approver"], cast.staff["reviewer"], cast.staff["operator"]):
        assert refused(lambda who=who: begun(cast, who)).rule == "G-edit_charter"
    amendment = proposed(cast)
    assert refused(lambda: begun(cast)).rule == "amendment-open"
    approve = lambda who: actions.approve_amendment(  # noqa: E731
        amendment=amendment, by=cast.staff[who].subject(), at=cast.clock.tick()
    )
    for who, rule in (("publisher", "S-author"), ("reviewer", "G-approve")):
        assert refused(lambda who=who: approve(who)).rule == rule
    approve("approver")
    assert again(amendment).state == "proposed"
    assert refused(lambda: approve("approver")).rule == "S-second"
    approve("approver2")
    assert again(amendment).state == "approved"
    for broken in ({"second_approver_id": cast.staff["approver"].person.pk}, {"approved_at": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Amendment.objects.filter(pk=amendment.pk).update(**broken)


def test_an_approver_who_wrote_a_word_does_not_approve(cast: Few) -> None:
    amendment = proposed(cast)
    Amendment.objects.filter(pk=amendment.pk).update(
        authors=[*amendment.authors, str(cast.staff["approver"].person.pk)]
    )
    act = lambda: actions.approve_amendment(  # noqa: E731
        amendment=amendment, by=cast.staff["approver"].subject(), at=cast.clock.tick()
    )
    assert refused(act).rule == "S-author"


def test_what_stands_against_each_step_is_named(cast: Few) -> None:
    publisher = cast.staff["publisher"]
    amendment = begun(cast)

    def propose(summary: Bilingual | None = SUMMARY, days: float | None = 30) -> None:
        at = cast.clock.tick()
        when = None if days is None else at + timedelta(days=days)
        actions.propose_amendment(
            amendment=amendment, summary=summary, effective_at=when, by=publisher.subject(), at=at
        )

    assert "the same" in refused(propose).reason.en
    amendment = written(cast, amendment)
    assert refused(lambda: propose(summary=None)).field == "summary_zh"
    assert refused(lambda: propose(summary=Bilingual(zh="改", en=" "))).field == "summary_en"
    assert refused(lambda: propose(days=None)).field == "effective_at"
    assert refused(lambda: propose(days=-0.001)).rule == "amendment-past"
    twice = [*amendment.clauses, dict(amendment.clauses[-1])]
    amendment = actions.save_amendment(
        amendment=amendment, titles=titles(amendment), clauses=twice, revision=amendment.revision, what="6.1",
        by=publisher.subject(), at=cast.clock.tick(),
    )  # fmt: skip
    assert "1 place" in refused(propose).reason.en
    amendment = actions.save_amendment(
        amendment=amendment, titles=titles(amendment), clauses=twice[:-1], revision=amendment.revision, what="6.1",
        by=publisher.subject(), at=cast.clock.tick(),
    )  # fmt: skip
    propose(days=1)
    assert refused(lambda: written(cast, again(amendment))).rule == "amendment-frozen"
    # The effective instant may not precede the approval, to the microsecond.
    effective = again(amendment).effective_at
    assert effective is not None
    approve = lambda who, at: actions.approve_amendment(  # noqa: E731
        amendment=amendment, by=cast.staff[who].subject(at), at=at
    )
    approve("approver", effective)
    assert "no version takes effect before" in refused(lambda: approve("approver2", effective + MICRO)).reason.en
    approve("approver2", effective)
    cast.clock.at = effective
    order = lambda: actions.order_issue(  # noqa: E731
        amendment=amendment, by=publisher.subject(), at=cast.clock.tick()
    )
    assert "website" in refused(order).reason.en, "a missing publication blocks, and is named"

    def website(url: str = SITE, minutes: float = 0) -> None:
        at = cast.clock.tick()
        actions.record_website(
            amendment=amendment, url=url, published_at=at + timedelta(minutes=minutes), by=publisher.subject(), at=at
        )

    for url in ("", "www.centre.example", "javascript:alert(1)", "https://", "https://例.example/", "https://[x"):
        assert refused(lambda url=url: website(url)).field == "url"
    for minutes in (1, -60 * 24 * 9):
        assert refused(lambda minutes=minutes: website(minutes=minutes)).field == "published_at"
    website()
    order()
    assert again(amendment).state == "issuing"


def test_an_older_revision_overwrites_nothing(cast: Few) -> None:
    amendment = begun(cast)
    written(cast, amendment)
    assert refused(lambda: written(cast, amendment, "2.3")).rule == "amendment-stale"
    assert [one["id"] for one in again(amendment).clauses if one["zh"].endswith("每年確認一次。")] == ["2.4"]


def test_sent_back_nothing_of_what_was_approved_or_recorded_stands(cast: Few) -> None:
    amendment = on_the_website(cast, approved(cast))
    actions.return_amendment(amendment=amendment, by=cast.staff["approver"].subject(), at=cast.clock.tick())
    found = again(amendment)
    assert (found.state, found.first_approver_id, found.second_approver_id, found.site_at) == (
        "draft",
        None,
        None,
        None,
    )
    actions.discard_amendment(amendment=found, by=cast.staff["publisher"].subject(), at=cast.clock.tick())
    assert queries.open_amendment("charter") is None
    assert begun(cast).base.number == 1, "a discarded draft leaves room for the next"


def test_every_member_in_force_is_told_and_none_that_left_whatever_its_addresses(cast: Few) -> None:
    bare = member_organization(cast.clock, place=7, name="庚無人協會")
    other = member_organization(cast.clock, place=8, name="辛示範公司")
    boss = enter(cast.clock, other, email="boss@m8.example", name="林辛", role=Role.MEMBER_ADMIN)
    enter(cast.clock, other, email="someone@m8.example", name="陳辛", role=Role.MEMBER)
    left = member_organization(cast.clock, place=9, name="壬離會公司")
    enter(cast.clock, left, email="boss@m9.example", name="林壬", role=Role.MEMBER_ADMIN)
    from lianfang.members.models import Membership

    Membership.objects.filter(organization=left).update(state="terminated", ended_at=cast.clock.at)
    for state, number in (("active", 8), ("revocation_review", 8), ("termination_requested", 8)):
        Membership.objects.filter(organization=other).update(state=state)
        found = {one.organization: {person.email for person in one.people} for one in providers.members(cast.clock.at)}
        assert found[other.pk] == {f"boss@m{number}.example"}
    version = issued(cast)
    assert set(Told.objects.filter(version=version).values_list("organization", "how")) == {
        (cast.organization.pk, "mail"), (bare.pk, "nobody"), (other.pk, "mail"),
    }  # fmt: skip
    report = queries.delivered(version)
    assert (report.members, report.sent, report.waiting, report.exceptions) == (3, 0, 2, 1)
    assert queries.exceptions(version) == [bare.pk]
    assert boss.person.pk in set(Told.objects.values_list("person", flat=True))


def settle(cast: Few, version: DocumentVersion, organization: Any, state: str) -> None:
    rows = Told.objects.filter(version=version, organization=organization, how="mail").values("delivery")
    Delivery.objects.filter(pk__in=rows).update(state=state)


def test_what_did_not_arrive_is_resent_told_to_somebody_else_or_posted(cast: Few) -> None:
    version = issued(cast)
    own, publisher = cast.organization, cast.staff["publisher"]
    settle(cast, version, own, "sent")
    assert queries.delivered(version).exceptions == 0
    settle(cast, version, own, "failed")
    assert queries.exceptions(version) == [own.pk]
    first = queries.told(version, own.pk)[0]
    actions.resend_to(told=first, by=publisher.subject(), at=cast.clock.tick())
    assert queries.exceptions(version) == []
    settle(cast, version, own, "failed")

    def another(person: Any) -> None:
        actions.tell_another(
            version=version, organization=own, person=person, by=publisher.subject(), at=cast.clock.tick()
        )

    assert refused(lambda: another(cast.admin.person)).rule == "told-another"
    another(cast.member.person)
    assert queries.delivered(version).waiting == 1
    settle(cast, version, own, "failed")

    def post(reference: str = "RR123456785TW", on: date | None = None, by: Actor = publisher) -> None:
        at: datetime = cast.clock.tick()
        actions.record_post(
            version=version, organization=own, reference=reference, posted_on=on or at.date(), by=by.subject(), at=at
        )

    assert refused(lambda: post(reference=" ")).field == "reference"
    assert refused(lambda: post(reference="R" * 61)).field == "reference"
    for days in (-40, 2):
        on = (cast.clock.at + timedelta(days=days)).date()
        assert refused(lambda on=on: post(on=on)).field == "posted_on"
    assert refused(lambda: post(by=cast.staff["reviewer"])).rule == "G-edit_charter"
    post()
    report = queries.delivered(version)
    assert (report.members, report.post, report.exceptions) == (1, 1, 0)
    stranger = member_organization(cast.clock, place=9, name="壬後來公司")
    act = lambda: actions.record_post(  # noqa: E731
        version=version, organization=stranger, reference="R1", posted_on=cast.clock.at.date(),
        by=publisher.subject(), at=cast.clock.tick(),
    )  # fmt: skip
    assert refused(act).rule == "told-member", "a member that joined later was not among those told"
    with pytest.raises(IntegrityError), transaction.atomic():
        Told.objects.create(version=version, organization=own, how="post", at=cast.clock.at)


def test_the_database_holds_no_amended_version_without_both_publications_and_the_mail(cast: Few) -> None:
    version = issued(cast)
    for broken in (
        {"published_site_at": None}, {"mailed_at": None}, {"mailed_at": cast.clock.tick()}, {"approved_by": None},
        {"effective_at": version.published_platform_at - MICRO},
    ):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            DocumentVersion.objects.filter(pk=version.pk).update(**broken)


def test_people_acknowledge_the_new_version_and_are_counted(cast: Few) -> None:
    version = issued(cast, days=1)
    at = version.effective_at
    before = queries.acknowledgements(version, at)
    assert before.done == 0
    assert before.people >= 3
    actions.acknowledge(affiliation=cast.member.affiliation, by=cast.member.subject(at), at=at)
    assert queries.acknowledgements(version, at).done == 1


def test_the_privacy_notice_is_amended_the_same_way(cast: Few) -> None:
    at = cast.clock.tick()
    amendment = actions.begin_amendment(kind="privacy", by=cast.staff["publisher"].subject(), at=at)
    assert amendment.document_id == "privacy"
    begun(cast)
    assert [kind for kind in queries.DOCUMENTS if queries.open_amendment(kind)] == ["charter", "privacy"]
    for kind in ("procedure", "x"):
        act = lambda kind=kind: actions.begin_amendment(  # noqa: E731
            kind=kind, by=cast.staff["publisher"].subject(), at=cast.clock.tick()
        )
        assert refused(act).rule == "amendment-nothing"


def brought(cast: Few, **more: Any) -> DocumentVersion:
    """The privacy notice as it was before the platform: the tests' own is taken away first."""
    model = actions.model_text("privacy")
    at = cast.clock.tick()
    given = {
        "kind": "privacy", "titles": Bilingual(zh=model["title_zh"], en=model["title_en"]), "clauses": model["clauses"],
        "approved_at": at - timedelta(days=400), "effective_at": at - timedelta(days=399), "site_url": SITE,
        "site_at": at - timedelta(days=398), "by": SYSTEM, "at": at, **more,
    }  # fmt: skip
    return actions.import_document(**given)


def test_what_was_in_force_before_the_platform_is_taken_over_with_its_proofs(cast: Few) -> None:
    assert refused(lambda: brought(cast)).rule == "charter-import", "there is one already"
    DocumentVersion.objects.filter(document="privacy").delete()
    assert refused(lambda: brought(cast, by=cast.staff["publisher"].subject())).rule == "charter-by-two"
    for broken in (
        {"approved_at": cast.clock.at}, {"effective_at": cast.clock.at + timedelta(days=1)},
        {"site_at": cast.clock.at + timedelta(days=1)}, {"site_at": cast.clock.at - timedelta(days=500)},
    ):  # fmt: skip
        assert refused(lambda broken=broken: brought(cast, **broken)).field == "effective_at"
    model = actions.model_text("privacy")["clauses"]
    assert "twice" in refused(lambda: brought(cast, clauses=[*model, model[-1]])).reason.en
    version = brought(cast)
    assert (version.number, version.origin, version.mailed_at) == (1, "imported", None)
    for at, there in ((version.effective_at - MICRO, False), (version.effective_at, True)):
        assert (queries.in_force(kind="privacy", at=at) is not None) is there
    assert actions.load_models(by=SYSTEM, at=cast.clock.tick()) == [], "the model text comes only where there is none"
