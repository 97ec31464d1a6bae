"""A backup of a filled installation, restored: its ledger, the policy written a second time, what must stay hidden."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as ours
from django.db import connections

from lianfang import backup, drill, roles
from lianfang.accounts.models import Affiliation, Person
from lianfang.audit import sequencer
from lianfang.audit.checkpoints import Head, read_checkpoint
from lianfang.health import Check
from lianfang.intel import intake
from lianfang.intel.labelling import LabelForm
from lianfang.intel.positions import INDEX
from lianfang.kernel.clock import utcnow
from lianfang.members.subjects import subject_for
from lianfang.policy import sql, store
from lianfang.policy.facts import Audience, Channel, NameSource, Request, Right, Tlp
from lianfang.vault.models import StoredFile
from tests.database import CLUSTER
from tests.intel.cast import bundle, indicator
from tests.policy.oracle import evaluate
from tests.world import World, build

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
TAXII = "application/taxii+json;version=2.1"


@dataclass
class Copy:
    """The restored copy, to which Django is connected, and what is known of the original."""

    world: World
    kept: Head
    shared: str
    hidden: str


@pytest.fixture
def copy(tmp_path: Path, settings: Any) -> Iterator[Copy]:
    world = build()
    world.clock.at = datetime.now(UTC)
    by, at = world.jia.admin.subject(utcnow()), utcnow()
    shared, hidden = indicator(), indicator()
    for item, tlp, audience in (
        (shared, Tlp.GREEN, Audience.alliance()),
        (hidden, Tlp.RED, Audience.persons()),
        (indicator(), Tlp.AMBER_STRICT, Audience.groups(world.yi.organization.pk)),
        (indicator(), Tlp.AMBER, Audience.coordinator_only()),
    ):
        form = LabelForm(tlp=tlp, audience=audience, name_source=NameSource.EVERYONE)
        intake.submit(by=by, at=at, body=bundle(item), form=form, channel=Channel.PAGE)
    note = sequencer.checkpoint(at=at)
    assert note is not None
    source = backup.write(
        target=tmp_path / "b.tar",
        # The tests' own baseline lies in the same database, out of the owner's reach.
        database=CLUSTER.url("postgres"),
        data=ours.DATA_DIR, key_file=ours.KEY_FILE, demo=False, at=at,
    )  # fmt: skip
    connections.close_all()
    with CLUSTER.connect() as server:
        server.execute("DROP DATABASE IF EXISTS copy WITH (FORCE)")
        server.execute(roles.create_database("copy"))
    with CLUSTER.connect(database="copy") as server:
        roles.grant(server)
    backup.restore_database(source=source, database=CLUSTER.url(roles.OWNER, "copy"))
    place = tmp_path / "copy"
    backup.restore_files(source=source, data=place, key_file=place / "master.key")
    settings.DATA_DIR, settings.KEY_FILE = place, place / "master.key"
    connections["default"].settings_dict["NAME"] = "copy"
    _forget()
    try:
        yield Copy(world, read_checkpoint(note.note), shared["id"], hidden["id"])
    finally:
        connections.close_all()
        connections["default"].settings_dict["NAME"] = "lianfang"
        with CLUSTER.connect() as server:
            server.execute("DROP DATABASE IF EXISTS copy WITH (FORCE)")
        _forget()


def _forget() -> None:
    INDEX.clear()
    sql.forget()
    sequencer._horizon.tx = 0


def found(copy: Copy) -> dict[str, Check]:
    return {check.name: check for check in drill.findings(at=utcnow(), kept=copy.kept)}


def test_a_restored_copy_holds_what_the_original_held(copy: Copy) -> None:
    told = found(copy)
    assert [check for check in told.values() if not check.ok] == []
    assert told["former members"].said.startswith("4 people")
    _the_second_evaluation_agrees()
    _hidden_is_as_absent(copy)
    _each_loss_is_named(copy)


def _the_second_evaluation_agrees() -> None:
    """On every label of the copy, for everybody, by page and machine."""
    labels, at = store.all_labels(), utcnow()
    tried = 0
    for one in Affiliation.objects.filter(started_at__lte=at):
        subject = subject_for(person=one.person_id, affiliation=one, at=at, mfa=True)
        for right in (Right.READ, Right.READ_SOURCE, Right.EXPORT):
            request = Request(channel=Channel.PAGE)
            allowed = {n for n, label in labels.items() if evaluate(subject, right, label, at, request).allowed}
            assert sql.visible(subject=subject, right=right, at=at, request=request).ids == allowed
            tried += len(labels)
    assert tried > 300


def _hidden_is_as_absent(copy: Copy) -> None:
    """Two readers' doors: what one may not see is byte for byte what is not there; who left finds nothing."""
    world = copy.world
    nothing = f"indicator--{uuid4()}"
    bing, former = world.client(world.bing.admin), world.client(world.former.admin)
    assert bing.get(f"/member/intel/{copy.shared}").status_code == 200
    for tail in ("", "/why", "/download", "/recall"):
        answers = [bing.get(f"/member/intel/{one}{tail}") for one in (copy.hidden, nothing)]
        assert answers[0].status_code == answers[1].status_code == 404
        assert answers[0].content == answers[1].content
        assert former.get(f"/member/intel/{copy.shared}{tail}").headers.get("Location") == "/exit"
    machine = {"Accept": TAXII, "Authorization": f"Bearer {world.tokens['bing'][1]}"}
    objects = "/taxii2/alliance/collections/all/objects/"
    page = bing.get(objects, headers=machine)
    assert copy.shared in page.text
    assert copy.hidden not in page.text
    answers = [bing.get(f"{objects}{one}/", headers=machine) for one in (copy.hidden, nothing)]
    told = [re.sub(rb'"error_id":"[^"]+"|indicator--[0-9a-f-]{36}', b"", answer.content) for answer in answers]
    assert told[0] == told[1]
    left = bing.get(objects, headers=machine | {"Authorization": f"Bearer {world.tokens['former'][1]}"})
    assert left.status_code in (401, 404)
    assert "indicator--" not in left.text


def _each_loss_is_named(copy: Copy) -> None:
    """A copy that lacks something is told from a whole one."""
    file = Path(StoredFile.objects.order_by("-stored_at")[0].path)
    file.rename(file.with_suffix(".gone"))
    assert not found(copy)["files"].ok
    shutil.move(file.with_suffix(".gone"), file)

    key = Path(ours.KEY_FILE)
    right = key.read_text()
    key.write_text("ab" * 32 + "\n")
    assert not found(copy)["personal data"].ok
    key.write_text(right)

    connections.close_all()
    with CLUSTER.connect(database="copy") as server:
        server.execute("SET session_replication_role = replica")
        server.execute("UPDATE audit_entry SET actor = 'somebody' WHERE id = (SELECT min(id) FROM audit_entry)")
        server.execute("DROP TRIGGER lf_audited ON accounts_person")
    _forget()
    told = found(copy)
    assert not told["ledger"].ok
    assert not told["audit guard"].ok
    assert Person.objects.exists()
