"""One signed file of many: the same bytes for the same content, and no byte of it can be changed unseen."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lianfang.audit import bundle, signing
from lianfang.kernel.canonical import canonical
from lianfang.kernel.merkle import Tree, inclusion_proof, leaf_hash

KEY = signing.SigningKey("centre.example/audit", Ed25519PrivateKey.from_private_bytes(b"k" * 32))
OTHER = signing.SigningKey("centre.example/audit", Ed25519PrivateKey.from_private_bytes(b"o" * 32))
ABOUT = {"case": "C-2026-0001", "at": "2026-11-02T01:00:00.000000+00:00"}
FILES: dict[str, bytes] = {
    "index.html": "<!doctype html>案件".encode(), "case.json": b"{}", "letters/D-2026-0001.zh.txt": "函".encode(),
    "files/001.pdf": bytes(range(256)) * 3, "files/empty": b"",
}  # fmt: skip


def packed(files: Mapping[str, bytes] = FILES, key: signing.SigningKey = KEY) -> bytes:
    target = io.BytesIO()
    bundle.write(target, about=ABOUT, files=files.items(), key=key)
    return target.getvalue()


def seen(data: bytes, key: signing.PublicKey | None = KEY.public) -> bundle.Seen:
    return bundle.verify(io.BytesIO(data), key=key)


WHOLE = packed()


def test_it_is_the_same_bytes_each_time_and_any_program_opens_it() -> None:
    assert packed() == WHOLE
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [*FILES, "manifest.json", "manifest.sig"]
        assert archive.read("files/001.pdf") == FILES["files/001.pdf"]
    found = seen(WHOLE)
    assert (found.fault, found.files, found.about["case"]) == (None, 5, "C-2026-0001")
    assert seen(WHOLE, None).key == KEY.public.vkey
    late = io.BytesIO()
    bundle.write(late, about=ABOUT, files=[(path, lambda path=path: FILES[path]) for path in FILES], key=KEY)
    assert late.getvalue() == WHOLE


def test_every_single_changed_byte_is_found() -> None:
    """Not a sample: each byte of the archive, one bit and all bits of it."""
    for place in range(len(WHOLE)):
        for mask in (0x01, 0xFF):
            bad = bytearray(WHOLE)
            bad[place] ^= mask
            assert seen(bytes(bad)).fault is not None, place


@given(st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_changed_file_is_named(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([path for path, content in FILES.items() if content]))
    begin = WHOLE.index(path.encode()) + len(path.encode())
    place = begin + data.draw(st.integers(0, len(FILES[path]) - 1))
    bad = bytearray(WHOLE)
    bad[place] ^= data.draw(st.integers(1, 255))
    fault = seen(bytes(bad)).fault
    assert fault is not None
    assert fault.file == path


@given(st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_was_cut_added_or_put_elsewhere_is_found_and_nothing_raises(data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(WHOLE)))
    end = data.draw(st.integers(begin, len(WHOLE)))
    put = data.draw(st.binary(max_size=40))
    bad = WHOLE[:begin] + put + WHOLE[end:]
    assert (seen(bad).fault is None) == (bad == WHOLE)


def test_another_key_another_order_one_more_and_one_less_are_found() -> None:
    forged = packed(key=OTHER)
    assert seen(forged).fault is not None
    assert seen(forged, None).fault is None, "without a pinned key the one inside is believed"
    assert seen(forged, None).key != KEY.public.vkey
    rest = {path: content for path, content in FILES.items() if path != "case.json"}
    parts = {path: packed({path: content}) for path, content in FILES.items()}
    assert all(seen(one).fault is None for one in parts.values())
    turned = packed(dict(reversed(FILES.items())))
    assert seen(turned).fault is None, "the order is the signer's"
    assert turned != WHOLE
    # A file taken out, with everything else as it was signed.
    spliced = io.BytesIO()
    writer = bundle._Writer(spliced)  # type: ignore[attr-defined]
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as archive:
        for path in [*rest, "manifest.json", "manifest.sig"]:
            writer.add(path, archive.read(path))
        writer.close()
        missing = seen(spliced.getvalue()).fault
        more = io.BytesIO()
        writer = bundle._Writer(more)  # type: ignore[attr-defined]
        for path in archive.namelist():
            writer.add(path, archive.read(path))
        writer.add("files/more.pdf", b"slipped in")
        writer.close()
    assert missing is not None
    assert missing.file == "case.json"
    extra = seen(more.getvalue()).fault
    assert extra is not None
    assert extra.file == "files/more.pdf"


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x03\x04", b"no archive", b"PK\x05\x06" + b"\0" * 18, WHOLE[:100]])
def test_what_is_no_case_file_is_said_to_be_none(data: bytes) -> None:
    assert seen(data).fault is not None


def test_a_name_that_leads_elsewhere_or_is_there_already_is_not_written() -> None:
    for names in (["/etc/passwd"], ["../x"], ["a/../b"], ["a", "a"], ["manifest.json"]):
        with pytest.raises(ValueError, match="not a name"):
            bundle.write(io.BytesIO(), about=ABOUT, files=[(name, b"") for name in names], key=KEY)


def test_entries_that_are_no_leaves_of_the_signed_tree_are_found() -> None:
    contents = [{"id": str(number), "tag": "x:y:z", "detail": {"n": number}} for number in range(5)]
    tree, nodes = Tree(), {}
    for one in contents:
        for node in tree.append(leaf_hash(canonical(one))):
            nodes[node.level, node.index] = node.hash
    root = tree.root()
    import base64

    body = f"{KEY.name}\n5\n{base64.b64encode(root).decode()}\n"
    line = base64.b64encode(bytes.fromhex(KEY.public.id) + KEY.private.sign(body.encode())).decode()
    note = f"{body}\n\N{EM DASH} {KEY.name} {line}\n".encode()

    def with_entries(change: dict[str, object]) -> bytes:
        listed = [
            {
                "entry": one,
                "seq": number,
                "path": [part.hex() for part in inclusion_proof(number, 5, lambda a, b: nodes[a, b])],
            }
            for number, one in enumerate(contents)
        ]
        listed.append({"entry": {"id": "9"}, "seq": None, "path": []})
        listed[2] = {**listed[2], **change}
        return packed({bundle.ENTRIES: canonical({"entries": listed}), bundle.CHECKPOINT: note})

    good = seen(with_entries({}))
    assert (good.fault, good.entries) == (None, 5)
    for change in ({"entry": {**contents[2], "tag": "x:y:other"}}, {"seq": 3}, {"path": []}):
        fault = seen(with_entries(change)).fault
        assert fault is not None
        assert fault.file == bundle.ENTRIES
