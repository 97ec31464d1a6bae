"""The pages of an amendment, from the draft to the report: what each role sees, and what a mistake costs nobody."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from lianfang.charter import actions, queries, tasks
from lianfang.charter.models import Amendment, DocumentVersion, Told
from lianfang.kernel.clock import show, taipei, utcnow
from lianfang.outbox.models import Delivery
from tests import world

DRAFT = "/staff/charter/charter/draft"


@pytest.fixture(scope="module")
def alliance(django_db_setup: None, django_db_blocker: Any) -> Iterator[world.World]:
    """The whole cast, made once: each test takes back what it did."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield world.build()
        transaction.set_rollback(True)


@pytest.fixture
def made(alliance: world.World, db: None) -> world.World:
    return copy.deepcopy(alliance)


@pytest.fixture
def clients(made: world.World) -> dict[str, Client]:
    people = {
        "publisher": made.publisher, "approver": made.approver, "approver2": made.approver2, "reviewer": made.reviewer,
        "admin": made.jia.admin,
    }  # fmt: skip
    return {name: made.client(actor) for name, actor in people.items()}


def wording(amendment: Amendment, number: str, **more: str) -> dict[str, Any]:
    one = next(one for one in amendment.clauses if one["id"] == number)
    return {"number": number, "zh": one["zh"], "en": one["en"], "revision": amendment.revision, **more}


def found() -> Amendment:
    amendment = queries.open_amendment("charter")
    assert amendment is not None
    return amendment


def written(clients: dict[str, Client]) -> None:
    publisher = clients["publisher"]
    assert publisher.post("/staff/charter/charter/begin").status_code == 302
    clause = wording(found(), "2.4", zh="每年核對一次。", en="Checked once a year.")
    assert publisher.post(f"{DRAFT}/clauses/2.4", clause).status_code == 302


def proposal(days: float = 30) -> dict[str, str]:
    when = taipei(utcnow() + timedelta(days=days))
    return {"summary_zh": "每年核對。", "summary_en": "Once a year.", "effective_at": when.strftime("%Y-%m-%dT%H:%M")}


def signed(made: world.World, client: Client, actor: world.Actor) -> Any:
    return client.post(f"{DRAFT}/decide", {"act": "approve", "second_factor_code": actor.code()})


def approved(made: world.World, clients: dict[str, Client]) -> None:
    written(clients)
    assert clients["publisher"].post(f"{DRAFT}/propose", proposal()).status_code == 302
    for name, actor in (("approver", made.approver), ("approver2", made.approver2)):
        assert signed(made, clients[name], actor).status_code == 302
    assert found().state == "approved"


def issued(made: world.World, clients: dict[str, Client]) -> DocumentVersion:
    approved(made, clients)
    site = {"url": "https://www.centre.example/2", "published_at": taipei(utcnow()).strftime("%Y-%m-%dT%H:%M")}
    # Minutes are typed, and the approval was a moment ago: the page says so instead of keeping a wrong instant.
    Amendment.objects.update(approved_at=utcnow() - timedelta(minutes=5))
    assert clients["publisher"].post(f"{DRAFT}/website", site).status_code == 302
    assert clients["publisher"].post(f"{DRAFT}/issue").status_code == 302
    tasks.publish(timestamp=0)
    version = queries.latest(kind="charter")
    assert version is not None
    assert version.number == 2
    return version


def test_from_the_draft_to_the_report(made: world.World, clients: dict[str, Client]) -> None:
    version = issued(made, clients)
    assert queries.open_amendment("charter") is None
    report = clients["reviewer"].get("/staff/charter/charter/2/told")
    members = Told.objects.filter(version=version).values("organization").distinct().count()
    assert members >= 4
    assert f"{members}位會員中的{members}位" in report.content.decode()
    listing = clients["reviewer"].get("/staff/charter").content.decode()
    assert "尚未施行" in listing
    assert "開始修訂" not in listing, "who does not write sees no button"
    # Everybody reads it from the instant of its publication, beside the text before it.
    public = made.client(None)
    page = public.get("/charter/versions/2").content.decode()
    assert "尚未施行" in page
    assert "每年核對一次。" in page
    compared = public.get("/charter/versions/2/compare").content.decode()
    assert "<ins>每年核對一次。</ins>" in compared or "<ins>" in compared
    assert "第2版自" in public.get("/charter").content.decode()
    assert public.get("/charter/versions/3").status_code == 404
    assert public.get("/charter/versions/1/compare").status_code == 404
    assert public.get("/charter/versions/2/compare?against=9").status_code == 404


def test_a_member_is_asked_to_acknowledge_anew_and_loses_nothing_meanwhile(
    made: world.World, clients: dict[str, Client]
) -> None:
    version = issued(made, clients)
    DocumentVersion.objects.filter(pk=version.pk).update(effective_at=version.published_platform_at)
    overview = clients["admin"].get("/member").content.decode()
    assert "規章已修訂為第2版" in overview
    assert clients["admin"].get("/member/intel").status_code == 200
    page = clients["admin"].get("/member/confidentiality")
    assert page.status_code == 200
    assert clients["admin"].post("/member/confidentiality", {"agree": "on"}).status_code == 302
    assert "規章已修訂為第2版" not in clients["admin"].get("/member").content.decode()


def test_what_is_typed_is_kept_when_a_colleague_was_faster(made: world.World, clients: dict[str, Client]) -> None:
    written(clients)
    stale = wording(found(), "2.3", zh="我寫的這一句。") | {"revision": found().revision - 1}
    page = clients["publisher"].post(f"{DRAFT}/clauses/2.3", stale)
    assert page.status_code == 422
    body = page.content.decode()
    assert "我寫的這一句。" in body
    assert "另一位同事剛改過" in body
    revision = re.search(r'name="revision" value="(\d+)"', body)
    assert revision is not None
    assert int(revision[1]) == found().revision, "saved again after a look, it counts"
    assert clients["publisher"].post(f"{DRAFT}/clauses/2.3", stale | {"revision": revision[1]}).status_code == 302


def test_a_draft_with_a_fault_is_kept_told_and_not_sent(made: world.World, clients: dict[str, Client]) -> None:
    written(clients)
    publisher = clients["publisher"]
    twice = wording(found(), "2.3")
    assert publisher.post(f"{DRAFT}/clauses", twice).status_code == 302
    assert "條號2.3出現兩次。" in publisher.get(DRAFT).content.decode()
    page = publisher.post(f"{DRAFT}/propose", proposal())
    assert page.status_code == 422
    assert "還有1處要修改" in page.content.decode()
    assert publisher.get(f"{DRAFT}/compare").status_code == 200
    remove = {"act": "remove", "revision": found().revision}
    assert publisher.post(f"{DRAFT}/clauses/2.3", remove).status_code == 302
    assert [one["id"] for one in found().clauses].count("2.3") == 0
    bad = proposal() | {"effective_at": "2020-01-01T00:00"}
    assert "不能早於現在" in publisher.post(f"{DRAFT}/propose", bad).content.decode()
    for name, value in (("summary_zh", ""), ("effective_at", "soon")):
        assert publisher.post(f"{DRAFT}/propose", proposal() | {name: value}).status_code == 422


def test_a_text_is_looked_at_before_it_is_kept(made: world.World, clients: dict[str, Client]) -> None:
    written(clients)
    publisher, before = clients["publisher"], found()
    file = SimpleUploadedFile("規章.md", "規章\n# 第一條 總則\n1.1 <script>甲</script>\n1.1 乙".encode())
    given = {"revision": before.revision, "language": "zh", "act": "look"}
    page = publisher.post(f"{DRAFT}/import", {**given, "file": file})
    body = page.content.decode()
    assert page.status_code == 200
    for words in ("讀到3項", "條號1.1出現兩次。", "第一個條號之前", "&lt;script&gt;甲", "2.4"):
        assert words in body, words
    assert "<script>甲" not in body
    assert found().revision == before.revision, "nothing is kept by looking"
    pasted = "# 第一條 總則\n1.1 甲"
    keep = publisher.post(f"{DRAFT}/import", {**given, "act": "keep", "pasted": pasted})
    assert keep.status_code == 302
    assert [(one["id"], one["zh"]) for one in found().clauses] == [("1", "第一條 總則"), ("1.1", "甲")]
    for broken in (
        {}, {"file": SimpleUploadedFile("x.docx", b"PK\x03\x04\x80")}, {"pasted": "沒有條號"},
        {"pasted": "1 x", "language": "fr"}, {"pasted": "1 x", "revision": "999"},
    ):  # fmt: skip
        refused = publisher.post(f"{DRAFT}/import", {**given, "revision": found().revision, "act": "keep", **broken})
        assert refused.status_code == 422, broken


def test_the_title_is_changed_and_a_text_without_one_waits(made: world.World, clients: dict[str, Client]) -> None:
    written(clients)
    titles = {"title_zh": "新規章", "title_en": "New charter", "revision": found().revision}
    assert clients["publisher"].post(f"{DRAFT}/title", titles).status_code == 302
    assert found().title_zh == "新規章"
    assert clients["publisher"].post(f"{DRAFT}/title", titles | {"title_zh": ""}).status_code == 422


def test_who_may_do_what(made: world.World, clients: dict[str, Client]) -> None:
    written(clients)
    for name in ("reviewer", "approver"):
        for path in ("clauses", "clauses/2.4", "title", "import", "propose", "website", "issue"):
            assert clients[name].get(f"{DRAFT}/{path}").status_code == 403, path
        assert clients[name].get(DRAFT).status_code == 200
    assert clients["publisher"].get(f"{DRAFT}/decide").status_code == 403
    for client in (clients["admin"], made.client(None)):
        assert client.get(DRAFT).status_code in (302, 403, 404)
    assert clients["publisher"].post(f"{DRAFT}/propose", proposal()).status_code == 302
    page = clients["approver"].get(f"{DRAFT}/decide").content.decode()
    assert "作第一位核准" in page
    assert (
        clients["approver"].post(f"{DRAFT}/decide", {"act": "approve", "second_factor_code": "000000"}).status_code
        == 422
    )
    assert found().first_approver is None, "unsigned, nothing is approved"
    assert clients["approver"].post(f"{DRAFT}/decide", {"act": "decline"}).status_code == 302
    assert found().state == "draft"
    assert clients["publisher"].post(f"{DRAFT}/discard").status_code == 302
    for path in ("", "/clauses", "/propose", "/compare", "/title", "/import", "/website"):
        assert clients["publisher"].get(f"{DRAFT}{path}").status_code in (302, 404)
    assert clients["publisher"].get("/staff/charter/nothing/draft").status_code in (302, 404)
    assert clients["publisher"].post("/staff/charter/nothing/begin").status_code == 302


def test_a_missing_publication_blocks_and_is_named(made: world.World, clients: dict[str, Client]) -> None:
    approved(made, clients)
    page = clients["publisher"].get(f"{DRAFT}/issue").content.decode()
    assert "還沒有登錄官網的公告" in page
    assert clients["publisher"].post(f"{DRAFT}/issue").status_code == 422
    assert clients["publisher"].post(f"{DRAFT}/website", {"url": "x", "published_at": "x"}).status_code == 422
    late = {"url": "https://www.centre.example/2", "published_at": "2020-01-01T00:00"}
    assert "不能早於核准" in clients["publisher"].post(f"{DRAFT}/website", late).content.decode()
    tasks.publish(timestamp=0)
    assert DocumentVersion.objects.filter(document="charter").count() == 1, "nobody ordered it"


def test_a_member_that_was_not_reached_is_seen_to(made: world.World, clients: dict[str, Client]) -> None:
    version = issued(made, clients)
    own = made.jia.organization
    mails = Told.objects.filter(version=version, organization=own)
    Delivery.objects.filter(pk__in=mails.values("delivery")).update(state="failed")
    report = clients["reviewer"].get("/staff/charter/charter/2/told").content.decode()
    assert own.name_zh in report
    assert "例外1位" in report
    page = f"/staff/charter/charter/2/told/{own.pk}"
    assert "重寄" in clients["publisher"].get(page).content.decode()
    assert "重寄" not in clients["reviewer"].get(page).content.decode()
    first = mails.first()
    assert first is not None
    assert clients["publisher"].post(f"/staff/charter/told/{first.pk}/resend").status_code == 302
    assert clients["publisher"].post(f"/staff/charter/told/{first.pk}/resend").status_code == 302, "told, no error page"
    Delivery.objects.filter(pk=first.delivery_id).update(state="failed")
    other = made.jia.member.person
    assert clients["publisher"].post(f"{page}/tell", {"person": made.yi.admin.person.pk}).status_code == 422
    assert clients["publisher"].post(f"{page}/tell", {"person": other.pk}).status_code == 302
    assert Told.objects.filter(version=version, person=other).count() == 1
    posted = {"reference": "RR123456785TW", "posted_on": show(utcnow())[:10]}
    assert clients["publisher"].post(f"{page}/post", posted | {"posted_on": "2020-01-01"}).status_code == 422
    assert clients["publisher"].post(f"{page}/post", posted).status_code == 302
    assert "RR123456785TW" in clients["reviewer"].get(page).content.decode()
    for path in ("tell", "post"):
        assert clients["reviewer"].post(f"{page}/{path}", posted).status_code == 403
    stranger = made.applicant.pk
    assert clients["publisher"].get(f"/staff/charter/charter/2/told/{stranger}").status_code == 404
    assert clients["publisher"].get("/staff/charter/charter/1/told").status_code == 404


def test_the_report_asks_no_more_however_many_were_not_reached(made: world.World, clients: dict[str, Client]) -> None:
    version, asked = issued(made, clients), []
    page = "/staff/charter/charter/2/told"
    clients["reviewer"].get(page)
    mails = Told.objects.filter(version=version, how="mail")
    for some in (mails.filter(organization=made.jia.organization), mails):
        Delivery.objects.filter(pk__in=some.values("delivery")).update(state="failed")
        with CaptureQueriesContext(connection) as statements:
            body = clients["reviewer"].get(page).content.decode()
        asked.append(len(statements))
    assert body.count("信沒有寄達。") == mails.values("organization").distinct().count() >= 4
    assert asked[0] == asked[1] <= 20


def test_the_list_counts_who_acknowledged(made: world.World, clients: dict[str, Client]) -> None:
    report = queries.acknowledgements(queries.latest(kind="charter"), utcnow())  # type: ignore[arg-type]
    page = clients["reviewer"].get("/staff/charter").content.decode()
    assert f"{report.people}人中有{report.done}人" in page
    assert actions.faults_of(Amendment(title_zh="", title_en="", clauses=[])), "an empty text is no sound one"
