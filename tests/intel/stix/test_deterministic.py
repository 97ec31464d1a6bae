"""Ids that follow from content: as the reference library of OASIS makes them, and as the standard limits them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.intel import intake, stix
from lianfang.intel.stix.deterministic import CONTRIBUTING, contributes, deterministic_id
from tests.intel.cast import bundle
from tests.intel.stix.samples import SMALLEST, ref, said, seen

# Made once with the library stix2 3.0.2: what it wrote, ids included, for every type that has one.
KNOWN: list[dict[str, Any]] = json.loads((Path(__file__).parent / "known_ids.json").read_text())["objects"]


@pytest.mark.parametrize("place", range(len(KNOWN)))
def test_ids_are_those_of_the_reference_library(place: int) -> None:
    value = KNOWN[place]
    assert deterministic_id(value) == value["id"]
    assert said(value) is None


def test_every_type_is_among_them_but_the_process() -> None:
    assert {value["type"] for value in KNOWN} == stix.OBSERVABLES - {"process"}
    assert CONTRIBUTING.keys() == stix.OBSERVABLES
    assert deterministic_id(SMALLEST["process"]) is None


def test_the_example_worked_out_by_hand() -> None:
    assert deterministic_id({"type": "ipv4-addr", "value": "198.51.100.1"}) == (
        "ipv4-addr--2b3e2c17-3144-5591-9c88-a605220f8c0c"
    )


def test_one_hash_alone_and_the_first_of_the_preferred() -> None:
    md5, sha_256 = "a" * 32, "b" * 64
    both = deterministic_id({"type": "file", "hashes": {"SHA-256": sha_256, "MD5": md5}})
    assert both == deterministic_id({"type": "file", "hashes": {"MD5": md5}})
    assert both != deterministic_id({"type": "file", "hashes": {"SHA-256": sha_256}})


@given(order=st.permutations(["name", "cpe", "swid", "vendor", "version", "languages"]), more=st.text(max_size=5))
def test_only_what_contributes_counts_and_order_does_not(order: list[str], more: str) -> None:
    value = {"type": "software"} | {name: [name] if name == "languages" else name for name in order}
    assert deterministic_id(value) == deterministic_id(value | {"languages": [more], "x_note": more})
    assert deterministic_id(value) != deterministic_id(value | {"vendor": more + "!"})


def test_case_is_kept() -> None:
    assert deterministic_id({"type": "domain-name", "value": "Example.COM"}) != deterministic_id(
        {"type": "domain-name", "value": "example.com"}
    )


def test_what_comes_with_another_id_keeps_it() -> None:
    """Version 4 is legal, and a version 5 that does not match is no reason to write another one."""
    random, false = seen("url", value="https://x.example/"), seen("url", value="https://x.example/")
    false["id"] = "url--28bb3599-77cd-5a82-a950-b5bc3caf07c4"
    candidates, refused = intake.examine(bundle(random, false))
    assert refused == []
    assert [each.id for each in candidates] == [random["id"], false["id"]]
    assert [json.loads(each.raw)["id"] for each in candidates] == [random["id"], false["id"]]


@pytest.mark.parametrize("kind", sorted(stix.OBSERVABLES))
def test_an_id_from_content_needs_content(kind: str) -> None:
    """Where nothing contributes, all objects of the type would share one id: there it must be random (§2.9)."""
    value = SMALLEST[kind]
    made = value | {"id": f"{kind}--28bb3599-77cd-5a82-a950-b5bc3caf07c4"}
    assert said(made) == (None if contributes(value) else ("stix-made-id", "id"))
    assert said(value | {"id": ref(kind)}) is None
