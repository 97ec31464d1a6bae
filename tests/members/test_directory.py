"""The directory: nothing unless chosen, seen by those who chose it too, gone at the instant it is taken back."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from lianfang.kernel.text import Bilingual
from lianfang.members import actions, directory_queries
from lianfang.members.models import DirectoryChoice
from tests import world
from tests.members import cases
from tests.members.change_cases import refused

MICRO = timedelta(microseconds=1)
PAGE = "/member/organisation/directory"


def choose(made: world.World, member: world.Member, *, listed: bool = True, **more: bool) -> datetime:
    at = made.clock.tick()
    actions.choose_directory(membership=member.membership, listed=listed, by=member.admin.subject(at), at=at, **more)
    return at


def seen(made: world.World, reader: world.Actor, at: datetime | None = None, words: str = "") -> list[str]:
    at = at or made.clock.at
    return [
        one.organization.name_zh
        for one in directory_queries.entries(subject=reader.subject(at), at=at, words=words)
    ]  # fmt: skip


def test_both_choose_or_nobody_sees_anything(made: world.World) -> None:
    jia, yi, bing = made.jia, made.yi, made.bing
    names = [one.organization.name_zh for one in (jia, yi)]
    assert seen(made, jia.admin) == []
    at = choose(made, jia, sector=True, security=True)
    assert seen(made, yi.admin) == [], "who stands in nothing sees nobody"
    assert seen(made, bing.member) == []
    turn = choose(made, yi)
    assert seen(made, yi.member, turn - MICRO) == []
    for instant in (turn, turn + MICRO):
        assert sorted(seen(made, yi.member, instant)) == sorted(names)
        assert sorted(seen(made, jia.admin, instant)) == sorted(names)
        assert seen(made, bing.admin, instant) == []
    assert at < turn
    # Of each only what it chose.
    found = {one.organization.pk: one for one in directory_queries.entries(subject=yi.admin.subject(turn), at=turn)}
    own, other = found[yi.organization.pk], found[jia.organization.pk]
    assert (own.sector, own.contact) == (None, None)
    assert other.sector == Bilingual(zh="製造", en="Manufacturing"), "as the form of applications names it"
    for words in ("製造", "manufact"):
        assert seen(made, yi.admin, turn, words) == [jia.organization.name_zh], "what is not shown is not searched"
    assert other.contact is not None
    assert other.contact.email == "contact@m1.example"
    # Neither a constituent, nor the centre, nor a former member, nor a machine.
    choose(made, made.ding)
    for nobody in (made.wu, made.analyst, made.former.admin):
        assert seen(made, nobody) == []
    gone = choose(made, yi, listed=False)
    assert sorted(seen(made, jia.admin, gone - MICRO)) == sorted([*names, made.ding.organization.name_zh])
    for instant in (gone, gone + MICRO):
        assert yi.organization.name_zh not in seen(made, jia.admin, instant)
        assert seen(made, yi.admin, instant) == []
    choose(made, jia, sector=False)
    assert DirectoryChoice.objects.filter(membership=jia.membership).count() == 2, "what was chosen before is kept"


def test_who_chooses_and_what_the_database_holds(made: world.World) -> None:
    jia = made.jia
    for actor in (jia.member, jia.contact, made.yi.admin, made.reviewer):
        act = lambda actor=actor: actions.choose_directory(  # noqa: E731
            membership=jia.membership, listed=True, by=actor.subject(), at=made.clock.tick()
        )
        assert refused(act).rule == "G-manage_people"
    with cases.Ledger() as ledger:
        at = choose(made, jia, sector=True)
    assert ledger.tags() == ["members:directory:set"]
    with pytest.raises(IntegrityError), transaction.atomic():
        DirectoryChoice.objects.create(membership=jia.membership, chosen_by=jia.admin.person, started_at=at)


def test_whose_membership_ends_is_out_at_once_and_chooses_anew_when_it_comes_back(made: world.World) -> None:
    choose(made, made.jia)
    choose(made, made.yi)
    cases.revoked(made, made.jia)
    assert seen(made, made.yi.admin) == [made.yi.organization.name_zh]
    assert not DirectoryChoice.objects.filter(membership=made.jia.membership, ended_at=None).exists()


_TOKEN = re.compile(r'(?<=csrfmiddlewaretoken" value=")\w+')


def bodies(made: world.World, words: str, *, by: world.Actor) -> tuple[str, int]:
    client = made.client(by)
    client.get(PAGE)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        page = client.get(PAGE, {"q": words})
    assert page.status_code == 200
    assert "no-store" in page.headers["Cache-Control"]
    # What was asked for stands in the box, and in the link to the other language.
    body = _TOKEN.sub("TOKEN", page.content.decode())
    for written in (words, quote(words), quote(words, safe="")) if words else ():
        body = body.replace(written, "?")
    return body, len(asked)


def test_a_member_that_is_not_in_it_is_like_one_that_does_not_exist(made: world.World) -> None:
    """Neither the page, nor a search, nor the number of statements tells one from the other."""
    choose(made, made.jia, sector=True, security=True)
    hidden, nothing = made.bing.organization.name_zh, "壬不存在股份有限公司"
    assert bodies(made, hidden, by=made.jia.admin) == bodies(made, nothing, by=made.jia.admin)
    before = bodies(made, "", by=made.jia.admin), bodies(made, hidden, by=made.yi.admin)
    # Others choose, which nobody but those who chose may see.
    choose(made, made.bing, sector=True, security=True)
    assert bodies(made, hidden, by=made.yi.admin) == before[1], "who stands in nothing learns nothing of it"
    choose(made, made.bing, listed=False)
    assert bodies(made, "", by=made.jia.admin) == before[0]


def test_by_the_pages(made: world.World) -> None:
    jia, yi = made.jia, made.yi
    admin, member = made.client(jia.admin), made.client(yi.member)
    assert "沒有列入" in member.get(PAGE).content.decode()
    form = f"{PAGE}/choose"
    assert made.client(jia.member).get(form).status_code in (403, 404)
    assert made.client(made.wu).get(PAGE).status_code in (403, 404)
    assert "contact@m1.example" in admin.get(form).content.decode()
    assert admin.post(form, {"sector": "on"}).status_code == 422, "what is shown without a name"
    assert admin.post(form, {"listed": "on", "security": "on"}).status_code == 302
    assert made.client(yi.admin).post(form, {"listed": "on"}).status_code == 302
    shown: Any = member.get(PAGE).content.decode()
    assert jia.organization.name_zh in shown
    assert "contact@m1.example" in shown
    assert made.bing.organization.name_zh not in shown
    assert admin.post(form, {}).status_code == 302
    assert jia.organization.name_zh not in member.get(PAGE).content.decode()
