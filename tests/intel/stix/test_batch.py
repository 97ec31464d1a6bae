"""Several versions of one thing: in one file, and beside what its source holds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.intel import checker, markings
from lianfang.intel.models import Version
from lianfang.intel.stix.marks import WELL_KNOWN
from lianfang.policy.facts import Tlp
from tests.intel.cast import bundle, indicator, malware, member, outcomes, submit, taxii
from tests.intel.stix.samples import CREATED, ref, seen


def day(number: int) -> str:
    return f"2026-11-{number:02d}T00:00:00.000Z"


def rules(*objects: dict[str, Any]) -> list[str]:
    """What the checker says of each object of one file: the rule that refuses, else the outcome."""
    return [each.refusal.rule if each.refusal else each.outcome for each in checker.check(bundle(*objects)).objects]


ONE = malware(modified=day(5))


@pytest.mark.parametrize(("others", "said"), [
    ([ONE], ["good", "duplicate"]),
    ([ONE | {"name": "x"}], ["good", "stix-twice"]),
    ([ONE | {"modified": "2026-11-05T00:00:00.00Z"}], ["good", "stix-schema"]),
    ([ONE | {"modified": "2026-11-05T00:00:00.0000Z"}], ["good", "stix-twice"]),
    ([ONE | {"modified": day(6)}, ONE | {"modified": day(4)}], ["good", "good", "good"]),
    ([ONE | {"modified": day(6), "created": day(2)}], ["good", "stix-created-changed"]),
    ([ONE | {"modified": day(6), "created_by_ref": ref("identity")}], ["good", "stix-creator-changed"]),
    ([ONE | {"modified": day(6), "revoked": True}, ONE | {"modified": day(7)}],
     ["good", "good", "stix-after-revoked"]),
    ([ONE | {"modified": day(6), "revoked": True}, ONE | {"modified": day(4)}], ["good", "good", "good"]),
    ([ONE | {"modified": day(6), "revoked": True}, ONE | {"modified": day(7), "revoked": True}],
     ["good", "good", "stix-after-revoked"]),
    ([ONE | {"modified": day(4), "revoked": True}], ["good", "stix-revoked-older"]),
    ([ONE | {"revoked": True}], ["good", "stix-twice"]),
])  # fmt: skip
def test_versions_in_one_file(others: list[dict[str, Any]], said: list[str]) -> None:
    assert rules(ONE, *others) == said


def test_an_observable_has_no_versions() -> None:
    one = seen("domain-name", value="x.example")
    assert rules(one, one, one | {"resolves_to_refs": [ref("ipv4-addr")]}) == [
        "good", "duplicate", "stix-different-content",
    ]  # fmt: skip


@pytest.mark.django_db
def test_the_same_rules_hold_beside_what_its_source_sent_before() -> None:
    """In another order, over several submissions, and for this source alone."""
    by, other = member("甲電子"), member("乙銀行")
    assert outcomes(submit(by, ONE)) == ["accepted"]
    assert outcomes(submit(by, ONE, ONE | {"modified": day(6)})) == ["duplicate", "new_version"]
    made = submit(by, ONE | {"modified": day(4), "revoked": True}, ONE | {"name": "x"})
    assert [result["rule"] for result in made.results] == ["stix-revoked-older", "stix-different-content"]
    assert [result["clause"] for result in made.results] == ["STIX 2.1 §3.6"] * 2
    gone = submit(by, ONE | {"modified": day(7), "revoked": True}, ONE | {"modified": day(8)})
    assert [result.get("rule", result["outcome"]) for result in gone.results] == ["new_version", "stix-after-revoked"]
    assert outcomes(submit(by, ONE | {"modified": day(3)})) == ["new_version"], "history may come late"
    late = submit(by, ONE | {"modified": day(9)})
    assert [result["rule"] for result in late.results] == ["stix-after-revoked"]
    # Another source's copy is another thing: nothing that is said to it tells of the first.
    mine = submit(other, ONE | {"modified": day(9), "created": day(2), "name": "x"})
    assert outcomes(mine) == ["accepted"]


@pytest.mark.django_db
def test_what_a_false_tlp_definition_marks_is_kept_back_though_the_definition_is_refused() -> None:
    """Nobody knows which of the two its sender meant: the id, or what it says."""
    by, reader = member("甲電子"), member("乙銀行")
    white = next(iter(markings.TLP_1))
    false = WELL_KNOWN[white] | {"definition": {"tlp": "red"}}
    marked = indicator(object_marking_refs=[white])
    made = submit(by, false, marked)
    assert [result.get("rule") for result in made.results] == ["stix-tlp", None]
    assert (made.results[1]["state"], made.results[1]["tlp"]) == ("quarantined", Tlp.RED.label)
    assert not taxii(reader).items
    # Beside the true definition it means what it says.
    fine = submit(by, WELL_KNOWN[white], indicator(object_marking_refs=[white]))
    assert [result.get("state") for result in fine.results] == ["published", "published"]


@given(places=st.permutations(range(4)))
def test_of_a_file_in_any_order_no_version_stands_after_the_one_that_revokes(places: list[int]) -> None:
    made = [ONE | {"modified": day(5 + place), "revoked": place == 2} for place in range(4)]
    report = checker.check(bundle(*[made[place] for place in places]))
    taken = [made[places[each.place]] for each in report.objects if each.outcome == checker.GOOD]
    ended = [one["modified"] for one in taken if one["revoked"]]
    assert not ended or max(one["modified"] for one in taken) == ended[0]
    assert made[0] in taken
    assert made[1] in taken


@pytest.mark.django_db
def test_revoked_versions_custom_types_and_extensions_are_kept_to_the_byte() -> None:
    by = member("甲電子")
    extension = {ref("extension-definition"): {"extension_type": "property-extension", "rank_of_it": 1.50}}
    odd = [
        ONE,
        ONE | {"modified": day(6), "revoked": True},
        {"type": "x-acme-thing", "spec_version": "2.1", "id": ref("x-acme-thing"), "created": CREATED,
         "modified": CREATED, "x_b": {"c": [1, 2.0, "é☃"]}, "extensions": extension},
        seen("x-acme-seen", value="\u2028\U0001f600", extensions={ref("extension-definition"): {
            "extension_type": "new-sco"}}),
    ]  # fmt: skip
    body = bundle(*odd).replace(b'"value": ', b'"value"\t:\n').replace(b"1.5", b"1.500")
    from lianfang.intel import intake
    from lianfang.policy.facts import Channel
    from tests.intel.cast import AT, EVERYONE

    made = intake.submit(by=by, at=AT, body=body, form=EVERYONE, channel=Channel.TAXII)
    assert [result["outcome"] for result in made.results] == ["accepted", "new_version", "accepted", "accepted"]
    kept = [bytes(original) for original in Version.objects.order_by("pk").values_list("original", flat=True)]
    assert len(kept) == 4
    assert all(raw in body for raw in kept)
    assert b"1.500" in kept[2]
