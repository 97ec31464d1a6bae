"""The ledger's pages: for auditors alone; the signed head for everybody."""

from __future__ import annotations

import json

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from lianfang.audit import signing, tasks
from lianfang.audit.actions import text_matches
from lianfang.audit.checkpoints import read_checkpoint, signed_by
from lianfang.audit.models import Entry, Leaf, Verification
from lianfang.audit.sequencer import Horizon, checkpoint, number
from lianfang.audit.signing import parse_vkey
from lianfang.audit.words import KINDS
from lianfang.kernel.canonical import canonical
from lianfang.kernel.clock import utcnow
from lianfang.kernel.merkle import leaf_hash, verify_consistency, verify_inclusion
from tests.audit.deeds import deed, ledger
from tests.world import World, build


@pytest.fixture
def world(db: None) -> World:
    """Everybody."""
    return build()


@pytest.fixture
def auditor(world: World) -> Client:
    """An auditor's browser, with a ledger that is numbered and signed."""
    number(wait=True, horizon=Horizon())
    checkpoint(at=utcnow())
    return world.client(world.auditor)


def test_only_auditors_enter(world: World) -> None:
    assert world.client(world.auditor).get("/staff/audit").status_code == 200
    assert world.client(world.reviewer).get("/staff/audit").status_code == 403
    assert world.client(world.jia.admin).get("/staff/audit").status_code == 404
    assert Client().get("/staff/audit").status_code == 302


def test_entries_stand_in_words_with_names(world: World, auditor: Client) -> None:
    page = auditor.get("/staff/audit").text
    newest = Entry.objects.order_by("-pk").first()
    assert newest is not None
    assert f"/staff/audit/entry/{newest.pk}" in page
    rows = auditor.get("/staff/audit").context["page"].rows
    assert world.approver.person.name in {row.actor.zh for row in rows}
    assert world.centre.name_zh in {row.acting_for.zh for row in rows if row.acting_for}
    english = world.client(world.auditor, language="en").get("/staff/audit").text
    assert "Every deed is one entry of the ledger." in english


def test_every_entry_of_the_cast_can_be_opened(auditor: Client) -> None:
    for tag in Entry.objects.values_list("tag", flat=True).distinct():
        entry = Entry.objects.filter(tag=tag).first()
        assert entry is not None
        page = auditor.get(f"/staff/audit/entry/{entry.pk}")
        assert page.status_code == 200, tag
        assert "證明成立" in page.text, tag


def test_every_kind_of_thing_the_cast_wrote_about_has_words(auditor: Client) -> None:
    assert set(Entry.objects.values_list("about_type", flat=True)) <= KINDS.keys()
    assert list(KINDS) == sorted(KINDS)


def test_pages_by_key_cover_everything_once(auditor: Client) -> None:
    for index in range(120):
        deed(index)
    seen: list[int] = []
    address = "/staff/audit"
    while address:
        context = auditor.get(address).context
        seen += [row.entry.pk for row in context["page"].rows]
        address = context["older"] and "/staff/audit" + context["older"]
    assert seen == list(Entry.objects.order_by("-pk").values_list("pk", flat=True))
    last = auditor.get("/staff/audit" + f"?before={seen[100]}").context
    back = auditor.get("/staff/audit" + last["newer"]).context
    assert [row.entry.pk for row in back["page"].rows] == seen[51:101]


def test_filters(auditor: Client) -> None:
    made = deed(7)

    def shown(**query: str) -> list[int]:
        return [row.entry.pk for row in auditor.get("/staff/audit", query).context["page"].rows]

    assert made.pk in shown(tag="vault:key:shred")
    assert shown(actor="system:test") == [made.pk]
    assert shown(about="test.thing/7") == [made.pk]
    assert shown(about="7") == [made.pk]
    assert shown(about="test.thing/8") == []
    assert shown(since="2199-01-01") == []
    assert made.pk in shown(since="2020-01-01", until="2199-01-01")
    assert "沒有符合篩選的紀錄。" in auditor.get("/staff/audit?about=nothing").text


def test_a_wrong_filter_is_said_and_nothing_shown(auditor: Client) -> None:
    wrong = ["tag=x", "since=115-11-23", "before=x", "before=-1", "after=99999999999999999999", "actor=" + "x" * 200]
    for query in wrong:
        page = auditor.get(f"/staff/audit?{query}")
        assert page.status_code == 422, query
        assert page.context["page"].rows == [], query


def test_an_entry_that_is_not_there(auditor: Client) -> None:
    for path in ("999999999", "9" * 30, "0/proof"):
        assert auditor.get(f"/staff/audit/entry/{path}").status_code == 404, path


def test_an_entry_waits_for_its_proof(auditor: Client) -> None:
    made = deed(1, text="主文")
    page = auditor.get(f"/staff/audit/entry/{made.pk}").text
    assert "等待下一個檢查點" in page
    assert bytes(made.text_digest or b"").hex() in page
    assert auditor.get(f"/staff/audit/entry/{made.pk}/proof").status_code == 404
    assert "<script>" not in page


def test_verification_in_order_is_shown_and_recorded(auditor: Client) -> None:
    answer = auditor.post("/staff/audit/verification")
    assert (answer.status_code, answer["Location"]) == (302, "/staff/audit#result")
    assert "全部與簽章相符" in auditor.get("/staff/audit").text
    assert Entry.objects.filter(tag="audit:ledger:verify").count() == 1


def test_a_file_that_is_no_checkpoint_is_refused_at_its_field(auditor: Client) -> None:
    for content in (b"x", b"\xff\xfe", b"{}", b"x" * 5000):
        answer = auditor.post("/staff/audit/verification", {"checkpoint": SimpleUploadedFile("c.json", content)})
        assert answer.status_code == 422, content
        assert "檢查點" in str(answer.context["verify_form"].errors["checkpoint"]), content


def test_a_kept_checkpoint_is_used(auditor: Client) -> None:
    kept = Client().get("/audit/checkpoint").content
    assert auditor.post("/staff/audit/verification", {"checkpoint": SimpleUploadedFile("c", kept)}).status_code == 302
    forged = json.loads(kept)
    forged["note"] = forged["note"].replace("\nat 2", "\nat 3")
    answer = auditor.post(
        "/staff/audit/verification", {"checkpoint": SimpleUploadedFile("c", json.dumps(forged).encode())}
    )
    assert answer.status_code == 422
    assert "不是由本系統簽章" in answer.text


def test_everybody_can_check_an_entry_with_what_is_published(auditor: Client) -> None:
    public = Client()
    vkey = parse_vkey(public.get("/audit/key").json()["vkey"])
    leaf = Leaf.objects.order_by("?").first()
    assert leaf is not None
    proof = auditor.get(f"/staff/audit/entry/{leaf.entry_id}/proof").json()
    head = read_checkpoint(proof["checkpoint"]["note"])
    assert signed_by(head, vkey)
    assert leaf_hash(canonical(proof["leaf_data"])).hex() == proof["leaf_hash"]
    path = [bytes.fromhex(node) for node in proof["path"]]
    hashed = bytes.fromhex(proof["leaf_hash"])
    assert verify_inclusion(leaf=hashed, index=proof["index"], size=head.size, proof=path, root=head.root)


def test_whoever_kept_a_checkpoint_can_see_that_the_tree_went_on(auditor: Client) -> None:
    public = Client()
    old = read_checkpoint(public.get("/audit/checkpoint").json()["note"])
    deed(1)
    checkpoint(at=utcnow())
    proof = public.get(f"/audit/consistency?old={old.size}").json()
    new = read_checkpoint(proof["checkpoint"]["note"])
    path = [bytes.fromhex(node) for node in proof["path"]]
    assert new.size > old.size
    assert verify_consistency(old_size=old.size, new_size=new.size, old_root=old.root, new_root=new.root, proof=path)


@pytest.mark.django_db
def test_a_size_that_never_was_has_no_proof() -> None:
    ledger(3)
    checkpoint(at=utcnow())
    for old in ("0", "-1", "x", "", "4", "9" * 30):
        assert Client().get(f"/audit/consistency?old={old}").status_code == 404, old
    assert Client().get("/audit/consistency?old=3").json()["path"] == []


@pytest.mark.django_db
def test_before_the_first_signature_there_is_nothing() -> None:
    for path in ("/audit/checkpoint", "/audit/key", "/audit/consistency?old=1"):
        assert Client().get(path).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_fault_stays_on_every_page_of_staff_until_an_auditor_takes_note(superuser: psycopg.Connection) -> None:
    world = build()
    number(wait=True, horizon=Horizon())
    checkpoint(at=utcnow())
    auditor, reviewer, admin = (world.client(who) for who in (world.auditor, world.reviewer, world.jia.admin))
    tasks.verify(0)
    assert 'class="alarm"' not in reviewer.get("/staff/inbox").text
    bad = Leaf.objects.get(seq=5).entry_id
    superuser.execute("UPDATE audit_entry SET actor = 'person:x' WHERE id = %s", [bad])
    # Two runs that tell the same: the job, and somebody who presses the button.
    tasks.verify(0)
    auditor.post("/staff/audit/verification")
    found = Verification.objects.filter(ok=False).order_by("-pk")
    assert len(found) == 2
    address = f"/staff/audit/verification/{found[0].pk}/noted"
    for path in ("/staff/inbox", "/staff/members", "/me"):
        page = reviewer.get(path, follow=True).text
        assert 'class="alarm"' in page, path
        assert f'<a href="/staff/audit/entry/{bad}">第5號（紀錄{bad}）：內容被改過。</a>' in page, path
        assert address not in page, "only an auditor can take note"
    assert address in auditor.get("/staff/audit").text
    assert "Number 5" in world.client(world.auditor, language="en").get("/staff/audit").text
    for client in (admin, Client()):
        assert "內容被改過" not in client.get("/home", follow=True).text
    assert reviewer.get(address).status_code == 403
    assert reviewer.post(address, {"reason": "x"}).status_code == 403

    assert "內容被改過" in auditor.get(address).text
    assert auditor.post(address, {"reason": "  "}).status_code == 422
    assert 'class="alarm"' in auditor.get("/staff/audit").text
    reason = "已自備份還原，事件2026-11。"
    assert auditor.post(address, {"reason": reason}).status_code == 302
    page = auditor.get("/staff/audit").text
    assert 'class="alarm"' not in page
    assert all(words in page for words in ("第5號", reason, world.auditor.person.name))
    entry = Entry.objects.get(tag="audit:ledger:acknowledge")
    assert text_matches(entry, reason)
    assert auditor.get(address).status_code == 404
    assert auditor.post(address, {"reason": reason}).status_code == 403

    # The same finding stays taken note of, though its consequences grow with each checkpoint; another one does not.
    number(wait=True, horizon=Horizon())
    checkpoint(at=utcnow())
    tasks.verify(0)
    assert not Verification.objects.latest("pk").ok
    assert 'class="alarm"' not in reviewer.get("/staff/inbox").text
    other = Leaf.objects.get(seq=7).entry_id
    superuser.execute("DELETE FROM audit_leaf WHERE entry_id = %s", [other])
    tasks.verify(0)
    assert 'class="alarm"' in reviewer.get("/staff/inbox").text


@pytest.mark.django_db(transaction=True)
def test_a_ledger_that_cannot_be_verified_is_not_in_order() -> None:
    world = build()
    number(wait=True, horizon=Horizon())
    checkpoint(at=utcnow())
    signing.path().chmod(0o644)
    tasks.verify(0)
    page = world.client(world.reviewer).get("/staff/inbox").text
    assert 'class="alarm"' in page
    assert "簽章金鑰無法使用" in page
