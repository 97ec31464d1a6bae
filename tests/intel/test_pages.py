"""Every page, in both languages, with hostile content; and what is hidden looks like what is not there."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from lianfang.intel import intake
from lianfang.intel.labelling import LabelForm
from lianfang.intel.models import Draft, Receipt, Submission, Version
from lianfang.intel.tasks import write_search_rows
from lianfang.kernel.clock import utcnow
from lianfang.policy.facts import Audience, Channel, NameSource, Tlp
from tests.intel.cast import bundle, indicator, malware, relationship
from tests.world import World, build

pytestmark = pytest.mark.django_db

CANARY = "<script>alert('canary')</script>\"'{{ 7|add:7 }}"
LANGUAGES = ("zh-hant", "en")


@pytest.fixture
def world() -> World:
    return build()


def share(actor: Any, *objects: dict[str, Any], **form: Any) -> Submission:
    plain: dict[str, Any] = {"tlp": Tlp.GREEN, "audience": Audience.alliance(), "name_source": NameSource.EVERYONE}
    at = utcnow()
    made = intake.submit(
        by=actor.subject(at), at=at, body=bundle(*objects), form=LabelForm(**plain | form), channel=Channel.PAGE
    )
    write_search_rows(Version.objects.all())
    return made


def get(client: Client, url: str, language: str = "zh-hant", status: int = 200) -> str:
    answer = client.get(url, HTTP_ACCEPT_LANGUAGE=language, follow=False)
    assert answer.status_code == status, (url, answer.status_code, answer.get("Location"))
    return answer.content.decode()


@pytest.mark.parametrize("language", LANGUAGES)
def test_reading_pages_show_hostile_content_as_text(world: World, language: str) -> None:
    one = indicator(name=CANARY, description=CANARY, labels=[CANARY])
    other = malware(name=CANARY)
    share(world.jia.admin, one, other, relationship(one["id"], other["id"]))
    reader = world.client(world.yi.admin)
    base = f"/member/intel/{one['id']}"
    for url in ("/member/intel", "/member/intel?q=canary", base, f"{base}/why", f"{base}/download"):
        page = get(reader, url, language)
        assert "<script>alert" not in page
        assert "{{ 7" in page or "canary" not in page
    assert "&lt;script&gt;" in get(reader, base, language)
