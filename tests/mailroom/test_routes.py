"""Where a mail goes by its address: the key of a case, a word of a procedure, or people who sort it."""

from __future__ import annotations

import pytest

from lianfang.kernel.text import Bilingual
from lianfang.mailroom import actions, routes
from lianfang.mailroom.routes import ROUTES, Destination, destination
from lianfang.outbox import reply
from lianfang.outbox.models import Delivery
from tests import world
from tests.mailroom import mails

pytestmark = pytest.mark.django_db


def test_every_route_that_is_registered_takes_a_mail(made: world.World) -> None:
    """A procedure that adds a route says here what an address of it is; without that this test fails."""
    number = made.revocation.number
    ways = {
        "case": (reply.case_address(number), number),
        "changes": ("centre+changes@lianfang.example", None),
        "applications": ("Centre+Applications@Lianfang.example", None),
        "appeals": ("centre+appeals@lianfang.example", None),
    }
    assert set(ways) == set(ROUTES), "each route is exercised here"
    for name, (address, case) in ways.items():
        taken = actions.take(raw=mails.mail(to=address, message_id=f"<{name}@x.example>"), at=made.clock.tick())
        assert taken.route == name
        assert [one.case for one in taken.placements.all()] == ([case] if case else [])
        assert taken.state == ("placed" if case else "triage")


def test_an_address_is_read_as_mail_servers_write_it_and_a_wrong_key_opens_nothing(made: world.World) -> None:
    number = made.revocation.number
    address = reply.case_address(number)
    assert address == address.lower()
    assert len(address.split("@")[0]) <= 64
    assert destination(address.upper()) == Destination("case", number)
    key = address.split(".")[1].split("@")[0]
    other = reply.case_address("R-2026-0002").split(".")[1].split("@")[0]
    assert len(key) == 24
    for wrong in (key[:-1], key + "a", other, "a" * 24, "", "＊" * 24):
        assert destination(f"centre+{number.lower()}.{wrong}@lianfang.example") == Destination("")
    # Of a case that does not exist even the right key opens nothing.
    assert destination(reply.case_address("R-2031-0001")) == Destination("")
    assert destination("centre@lianfang.example") == Destination("")
    assert destination("centre+nothing@lianfang.example") == Destination("")
    for stranger in ("centre@evil.example", "centrex@lianfang.example", "a+changes@lianfang.example", "", "@", "x"):
        assert destination(stranger) is None


def test_without_a_mailbox_no_mail_asks_for_answers(settings: object) -> None:
    settings.INBOUND_ADDRESS = ""  # type: ignore[attr-defined]
    assert reply.case_address("A-2026-0001") == ""
    assert reply.service_address("") == ""
    assert reply.detail_of("@") is None
    assert destination("centre@lianfang.example") is None


def test_mails_about_a_case_are_answered_to_its_address_and_others_are_not(made: world.World) -> None:
    by_kind = {one.kind: one.reply_to for one in Delivery.objects.all()}
    number = made.applicant.number or ""
    told = Delivery.objects.filter(kind="N1", reply_to=reply.case_address(number)).count()
    assert told == 1
    assert by_kind["N9"] == reply.case_address(made.revocation.number)
    assert by_kind["invitation"] == ""


def test_two_routes_of_one_name_or_word_are_a_mistake() -> None:
    for clash in (
        routes.Route("case", Bilingual(zh="x", en="x")),
        routes.Route("new", Bilingual(zh="x", en="x"), "changes"),
    ):
        with pytest.raises(ValueError, match="clashes"):
            routes.register(clash)
