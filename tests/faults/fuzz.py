"""Bundles that nobody would send in good faith: what is written in STIX is bent as a tree, then as bytes.

Everything follows from a seed, so that `Mutator(seed).body(n)` is the n-th bundle again, on any machine.
"""

from __future__ import annotations

import gzip
import json
import random
import uuid
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import stix2validator

Json = Any
EXAMPLES = Path(stix2validator.__file__).parent
MOST_OBJECTS = 6
"""Objects of a seed that one mutated bundle holds: many small bundles find more than few large ones."""
MOST_BYTES = 10 * 2**20
"""What a body may have at most; a longer one is cut there. A tree as long as that is bent no further: copies of copies
would soon fill the memory of any machine."""
MOST_NAMED = 100_000
"""References that all objects of a bundle are given together at a time."""


@cache
def seeds() -> tuple[tuple[Json, ...], ...]:
    """The objects of each seed: the validator's examples of both versions, and one object of each kind of ours."""
    found = [
        tuple(json.loads(path.read_bytes()).get("objects", ()))
        for path in sorted(EXAMPLES.glob("schemas-2.*/examples/**/*.json"))
    ]
    return (*(objects for objects in found if objects), tuple(_ours()))


def _ours() -> list[Json]:
    """Every kind that the examples lack, with patterns and references as members write them."""
    when = {"created": "2026-11-01T00:00:00.000Z", "modified": "2026-11-01T00:00:00.000Z", "spec_version": "2.1"}
    one, other = f"indicator--{uuid.UUID(int=1, version=4)}", f"malware--{uuid.UUID(int=2, version=4)}"

    def made(kind: str, **more: Json) -> Json:
        number = uuid.UUID(int=zlib.crc32(kind.encode()), version=4)
        return {"type": kind, "id": f"{kind}--{number}"} | when | more

    def seen(kind: str, **more: Json) -> Json:
        number = uuid.uuid5(uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7"), json.dumps(more, sort_keys=True))
        return {"type": kind, "id": f"{kind}--{number}", "spec_version": "2.1"} | more

    return [
        made(
            "indicator",
            name="壞網域",
            pattern="[domain-name:value = 'h1.example']",
            pattern_type="stix",
            valid_from="2026-11-01T00:00:00Z",
            indicator_types=["malicious-activity"],
        )
        | {"id": one},
        made(
            "indicator",
            name="兩者",
            pattern="([ipv4-addr:value = '198.51.100.1' OR ipv6-addr:value LIKE '2001:db8::%']"
            " FOLLOWEDBY [file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']) WITHIN 5 SECONDS",
            pattern_type="stix",
            valid_from="2026-11-01T00:00:00Z",
        ),
        made(
            "malware",
            name="樣本",
            is_family=False,
            object_marking_refs=["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"],
        )
        | {"id": other},
        made("relationship", relationship_type="indicates", source_ref=one, target_ref=other),
        made("sighting", sighting_of_ref=one, count=3, first_seen="2026-10-01T00:00:00Z"),
        made("report", name="通報", published="2026-11-01T00:00:00Z", object_refs=[one, other]),
        made(
            "note",
            content="說明",
            object_refs=[one],
            granular_markings=[
                {"marking_ref": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "selectors": ["content"]}
            ],
        ),
        made("opinion", opinion="agree", object_refs=[other]),
        made("grouping", name="群", context="suspicious-activity", object_refs=[one]),
        made("language-content", object_ref=one, contents={"en": {"name": "bad"}, "zh-TW": {"name": "壞"}}),
        made(
            "extension-definition",
            name="x",
            schema="https://x.example/s",
            version="1.0",
            created_by_ref=f"identity--{uuid.UUID(int=3, version=4)}",
            extension_types=["property-extension"],
        ),
        made("marking-definition", definition_type="statement", definition={"statement": "限內部"}),
        made(
            "x-custom",
            name="自訂",
            extensions={f"extension-definition--{uuid.UUID(int=4, version=4)}": {"extension_type": "new-sdo"}},
        ),
        seen("domain-name", value="h1.example"),
        seen("ipv4-addr", value="198.51.100.1"),
        seen("ipv6-addr", value="::ffff:198.51.100.1"),
        seen("url", value="https://h1.example/a?b=c"),
        seen("email-addr", value="a@h1.example", display_name="甲"),
        seen("autonomous-system", number=64500),
        seen(
            "file",
            name="a.exe",
            hashes={"SHA-256": "0" * 64},
            size=3,
            extensions={"ntfs-ext": {"sid": "S-1", "alternate_data_streams": [{"name": "x", "size": 1}]}},
        ),
        seen(
            "network-traffic",
            protocols=["tcp"],
            src_port=1,
            dst_port=65535,
            src_ref=f"ipv4-addr--{uuid.UUID(int=5, version=4)}",
        ),
        seen("process", pid=1, command_line="cmd /c x", environment_variables={"A": "b"}),
        seen(
            "windows-registry-key",
            key="HKEY_LOCAL_MACHINE\\x",
            values=[{"name": "a", "data": "b", "data_type": "REG_SZ"}],
        ),
        seen("x509-certificate", serial_number="00:11", hashes={"MD5": "0" * 32}),
        seen("artifact", mime_type="text/plain", payload_bin="aGVsbG8="),
    ]


def _deep(opening: str, middle: str, closing: str) -> Callable[[random.Random], str]:
    return lambda dice: (
        (depth := dice.choice([62, 63, 64, 65, 66, 200, 1023, 1025, 3000]))
        and (opening * depth + middle + closing * depth)
    )


def _row(dice: random.Random, count: int) -> str:
    """Many small values: what is long by its length is seldom as costly as what is long by their number."""
    one = dice.choice(["1", "1.5", '"a"', "[1]", '{"a":1}', r'{"\"":"\""}', '{"é":1e-7}'])
    return "[" + ",".join([one] * count) + "]"


# Values that JSON's own writer would not write: put in as text.
_RAW: list[Callable[[random.Random], str]] = [
    _deep("[", "", "]"),
    _deep('{"a":', "1", "}"),
    _deep('[{"a":', "[]", "}]"),
    lambda dice: "[" * 100_000 + "]" * 100_000 if dice.random() < 0.02 else "[" * 70 + "]" * 70,
    lambda dice: "NaN",
    lambda dice: "-Infinity",
    lambda dice: "Infinity",
    lambda dice: "1e999",
    lambda dice: "-1e400",
    lambda dice: "1" + "0" * dice.choice([15, 16, 17, 18, 19, 20, 40, 308, 309, 5000]),
    lambda dice: "1e5000",
    lambda dice: "1E-5000",
    lambda dice: "-0",
    lambda dice: "-0.0",
    lambda dice: "1.0e0",
    lambda dice: "0." + "0" * 400 + "1",
    lambda dice: str(2 ** dice.choice([31, 53, 63, 64, 70, 1024])),
    lambda dice: "01",
    lambda dice: "9007199254740993",
    lambda dice: "0x10",
    lambda dice: "+1",
    lambda dice: "1_000",
    lambda dice: ".5",
    lambda dice: r'"\ud800"',
    lambda dice: r'"\udc00\ud800"',
    lambda dice: r'"\u0000"',
    lambda dice: r'"a\u0000b"',
    lambda dice: r'"\ud83d\ude00"',
    lambda dice: r'"\x41"',
    lambda dice: '"\t"',
    lambda dice: '"\\',
    lambda dice: "'a'",
    lambda dice: '{"a":1,"a":2}',
    lambda dice: r'{"a":1,"\u0061":2}',
    lambda dice: '{"":{}}',
    lambda dice: "{1:2}",
    lambda dice: "[1,]",
    lambda dice: "// x",
    lambda dice: "undefined",
    lambda dice: "",
    lambda dice: "true false",
    lambda dice: _row(dice, dice.choice([100, 3_000, 60_000]) if dice.random() < 0.1 else 10),
    lambda dice: '"' + "長" * dice.choice([1_000, 100_000, 400_000]) + '"' if dice.random() < 0.1 else '"長"',
]
_BIDI = "‮⁦‏​﻿‍⁠"
_STRINGS: list[Callable[[random.Random], str]] = [
    lambda dice: "",
    lambda dice: " ",
    lambda dice: "a" * dice.choice([249, 250, 251, 299, 300, 301, 5_000]),
    lambda dice: _BIDI + "exe.gpj",
    lambda dice: "раураl.example",
    lambda dice: "ｅｘａｍｐｌｅ",
    lambda dice: "é" * 50,
    lambda dice: "\x1b[31m\x7f\x80",
    lambda dice: "\ufffe\uffff",
    lambda dice: "\U0010ffff",
    lambda dice: "a\u0301" * 200,
    lambda dice: "﷽" * 100,
    lambda dice: "<script>alert(1)</script>",
    lambda dice: "{{7*7}}{% debug %}",
    lambda dice: "=cmd|'/c calc'!A1",
    lambda dice: "'; DROP TABLE intel_item;--",
    lambda dice: "../../etc/passwd",
    lambda dice: "%00%0d%0a",
    lambda dice: "\r\nX: y",
    # Expressions that a backtracking engine dies of (interop §3.2: the `type` expression of the schemas among them).
    lambda dice: "a" * dice.choice([24, 60, 249]) + "!",
    lambda dice: "a-" * 100 + "!",
    lambda dice: "a1" * 120 + "-!",
    lambda dice: "2026-02-30T00:00:00.000Z",
    lambda dice: "2026-12-31T23:59:60Z",
    lambda dice: "9999-12-31T23:59:59.999999999999Z",
    lambda dice: "0000-00-00T00:00:00Z",
    lambda dice: "2026-11-01T00:00:00.000+08:00",
    lambda dice: "1e3",
    lambda dice: f"indicator--{uuid.UUID(int=dice.getrandbits(128), version=dice.choice([1, 4, 5]))}",
    lambda dice: "indicator--00000000-0000-4000-8000-00000000000g",
    lambda dice: "--",
    lambda dice: "indicator--",
    lambda dice: f"INDICATOR--{uuid.UUID(int=9, version=4)}".upper(),
]
_PATTERNS: list[Callable[[random.Random], str]] = [
    lambda dice: "[" * dice.choice([5, 500]) + "abc:def=1" + "]" * 500,
    lambda dice: "(" * 33 + "[abc:def = 1]" + ")" * 33,
    lambda dice: "(" * 900 + "[abc:def = 1]" + ")" * 900,
    lambda dice: "[abc:def = 1" + " OR abc:def = 1" * dice.choice([10, 198, 199, 900]) + "]",
    lambda dice: "[abc:def MATCHES '(a+)+$']",
    lambda dice: "[abc:def MATCHES '" + "(a|a)*" * 50 + "']",
    lambda dice: "[abc:def = '" + "\\\\" * 3000 + "']",
    lambda dice: "[abc:def = '" + "x" * 9_990,
    lambda dice: "/*" * 4_000,
    lambda dice: "[abc:def = " + "9" * 4_000 + "]",
    lambda dice: "[abc:def = t'2026-02-30T00:00:00Z']",
    lambda dice: "[abc:def = h'zz']",
    lambda dice: "[abc:def = b'x']",
    lambda dice: "[abc:def IN (" + "1," * 3000 + "1)]",
    lambda dice: "[abc:def = 1] REPEATS 0 TIMES",
    lambda dice: "[abc:def = 1]" + " REPEATS 2 TIMES" * 300,
    lambda dice: "[abc:def[*].c.'d'.e_ref.f = 1]",
    lambda dice: "[abc:" + "bcd." * 3000 + "cde = 1]",
    lambda dice: "NOT " * 900 + "[abc:def = 1]",
    lambda dice: "[" + "NOT " * 900 + "abc:def = 1]",
    lambda dice: " " * 9_990,
    lambda dice: "\u2028[abc:def = 1]",
    lambda dice: "[abc:def = 1] START t'x' STOP t'y'",
    lambda dice: "[abc:def = 1] AND " * 150 + "[abc:def = 1]",
    lambda dice: "[abc:def = 1]/*" + "*" * 9_000,
    lambda dice: '"' * 5000,
    lambda dice: "\\" * 5000,
    lambda dice: "[domain-name:value = '\u202e']",
]
_PLAIN: list[Json] = [
    None,
    True,
    False,
    0,
    -1,
    1,
    1.5,
    2**31,
    [],
    {},
    [[]],
    [{}],
    [None],
    {"a": None},
    "",
    "x",
    ["x"] * 50,
]
_KEYS = [
    "", "a", "ab", "id", "type", "objects", "spec_version", "extensions", "x_custom", "X-UP", "a" * 250, "a" * 251, "‮x",
    "__proto__", "constructor", "長", "a.b", "$ref", "created_by_ref", "object_refs", "granular_markings", "revoked",
    "modified", "created", "pattern", "name", "value", "hashes", "definition", "extension-definition--x",
    f"extension-definition--{uuid.UUID(int=7, version=4)}", "toplevel_ref", "y_refs", "lang", "confidence", "defanged",
]  # fmt: skip
_BYTES = [
    b"\x00",
    b"\xff",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xae",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\\u0000",
    b"\\ud800",
    b"\\udc00",
    b"NaN",
    b"1e999",
    b"null",
    b"\n",
    b"\x1f",
    b"/**/",
    b'"id":"x",',
]
_REFERENCES = [
    "object_refs", "source_ref", "target_ref", "created_by_ref", "sighting_of_ref", "object_marking_refs", "x_refs",
]  # fmt: skip
_SELECTORS = ["name", "objects.[0]", "a.b.c", "[0]", "labels.[99999999999]", "", "x" * 300]


def _is_large(tree: Json) -> bool:
    """Return whether a tree takes about as many bytes as a body may have; looks no further than that."""
    bytes_, pending = 0, [tree]
    while pending and bytes_ < MOST_BYTES:
        node = pending.pop()
        bytes_ += 2
        if isinstance(node, str):
            bytes_ += len(node)
        elif isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, dict):
            pending.extend(node.values())
            bytes_ += sum(map(len, node)) + 3 * len(node)
    return bytes_ >= MOST_BYTES


class Mutator:
    """A row of bodies that follows from one number."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def body(self, number: int) -> bytes:
        """Return the body of this number."""
        return _Body(random.Random(f"{self.seed}/{number}")).made()


class _Body:
    """One body on its way to be spoilt."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.raw: list[str] = []
        """Texts to stand in for their placeholders."""

    def made(self) -> bytes:
        dice = self.dice
        objects = list(dice.choice(seeds()))
        start = dice.randrange(len(objects))
        chosen = [json.loads(json.dumps(one)) for one in (objects[start:] + objects)[: dice.randint(1, MOST_OBJECTS)]]
        if dice.random() < 0.7:
            # Another identity each time, or most of what comes would be said to be a duplicate.
            for one in chosen:
                if isinstance(one.get("id"), str):
                    one["id"] = f"{one['id'].split('--')[0]}--{uuid.UUID(int=dice.getrandbits(128), version=4)}"
        whole: Json = {
            "type": "bundle",
            "id": f"bundle--{uuid.UUID(int=dice.getrandbits(128), version=4)}",
            "objects": chosen,
        }
        for done in range(dice.choice([0, 1, 1, 1, 2, 3, 8])):
            if done and _is_large(whole):
                break
            self._bend(whole)
        if dice.random() < 0.004 and chosen:  # all of them may have been taken out
            times = min(dice.choice([300, 3_000, 10_001]), 4_000_000 // len(json.dumps(chosen[0])))
            whole["objects"] = chosen[:1] * times if dice.random() < 0.3 else [{}] * 9_999
        text = json.dumps(
            whole, ensure_ascii=dice.random() < 0.5, separators=dice.choice([None, (",", ":"), (" ,\n", " :\t")])
        )
        for place, raw in enumerate(self.raw):
            # Where an object stands thousands of times it is spoilt a few times: past its limit no body is read at all.
            text = text.replace(f'"@@{place}@@"', raw, 3)
        body = text.encode("utf-8", "surrogatepass")
        for _ in range(dice.choice([0, 0, 0, 0, 0, 1, 1, 2, 5])):
            body = self._spoil(body)
        if dice.random() < 0.01:
            body = dice.choice(
                [
                    gzip.compress,
                    zlib.compress,
                    lambda b: b.decode("utf-8", "replace").encode("utf-16"),
                    lambda b: b[:1],
                    lambda b: b"",
                ]
            )(body)
        # Nothing longer comes to the decoder: the door refuses it unread.
        return body[:MOST_BYTES]

    # -- as a tree ---------------------------------------------------------------------------------------------------

    def _bend(self, whole: Json) -> None:
        """Change one thing somewhere in the tree."""
        dice = self.dice
        node, key = self._somewhere(whole)
        deed = dice.randrange(14)
        if deed <= 3:
            node[key] = self._value()
        elif deed == 4 and isinstance(node, dict):
            node[dice.choice(_KEYS)] = node.pop(key)
        elif deed == 5:
            del node[key]
        elif deed == 6 and isinstance(node, dict):
            node[dice.choice(_KEYS)] = self._value()
        elif deed == 7:
            other, there = self._somewhere(whole)
            node[key], other[there] = json.loads(json.dumps(other[there])), json.loads(json.dumps(node[key]))
        elif deed == 8 and isinstance(node, list) and len(json.dumps(node[:3])) < 20_000:
            node.extend(json.loads(json.dumps(node[:3])) * dice.choice([1, 3, 40]))
        elif deed == 9:
            self._pattern(whole)
        elif deed == 10:
            self._circle(whole)
        elif deed == 11:
            self._again(whole)
        elif deed == 12:
            self._extend(whole)
        else:
            self._mark(whole)

    def _somewhere(self, whole: Json) -> tuple[Json, Json]:
        """A container and a key of it, anywhere below the top."""
        dice = self.dice
        node: Json = whole
        while True:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            key = (
                "objects"
                if node is whole and "objects" in node and dice.random() < 0.95
                else dice.choice(keys)
                if keys
                else None
            )
            if key is None:
                node["a"] = 1  # an empty list does not get here: see below
                return node, "a"
            child = node[key]
            if isinstance(child, dict | list) and child and dice.random() < 0.8:
                node = child
                continue
            return node, key

    def _value(self) -> Json:
        dice = self.dice
        kind = dice.randrange(5)
        if kind == 0:
            return json.loads(json.dumps(dice.choice(_PLAIN)))  # one of its own: it may be bent further
        if kind <= 2:
            return dice.choice(_STRINGS)(dice)
        raw = dice.choice(_RAW)(dice)
        # All of them together stay below what a body may be at most: a longer one is refused unread.
        self.raw.append(raw if len(raw) + sum(map(len, self.raw)) < 1_000_000 else "1")
        return f"@@{len(self.raw) - 1}@@"

    def _objects(self, whole: Json) -> list[Json]:
        found = whole.get("objects")
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    def _pattern(self, whole: Json) -> None:
        for one in self._objects(whole)[:2]:
            one.update(type="indicator", id=f"indicator--{uuid.UUID(int=self.dice.getrandbits(128), version=4)}",
                       spec_version="2.1", pattern_type="stix", valid_from="2026-11-01T00:00:00Z",
                       created="2026-11-01T00:00:00.000Z", modified="2026-11-01T00:00:00.000Z")  # fmt: skip
            one["pattern"] = self.dice.choice(_PATTERNS)(self.dice)

    def _circle(self, whole: Json) -> None:
        """Let objects name each other, themselves, and what is not there."""
        objects = self._objects(whole)
        ids = [one["id"] for one in objects if isinstance(one.get("id"), str)]
        for one in objects:
            if ids:
                name = self.dice.choice(_REFERENCES)
                one[name] = self.dice.choice([list(ids), ids[0], ids[-1], (ids * 200)[: MOST_NAMED // len(objects)]])

    def _again(self, whole: Json) -> None:
        """Send one object twice, alike or with another content under the same version."""
        objects = whole.get("objects")
        if isinstance(objects, list) and objects:
            copy = json.loads(json.dumps(objects[0]))
            if isinstance(copy, dict) and self.dice.random() < 0.5:
                copy["name"] = "另一個"
            objects.insert(self.dice.randrange(len(objects) + 1), copy)

    def _extend(self, whole: Json) -> None:
        for one in self._objects(whole)[:1]:
            kinds = ["new-sdo", "new-sco", "new-sro", "property-extension", "toplevel-property-extension", "x", None]
            one["extensions"] = {
                self.dice.choice(
                    [*_KEYS[-8:], f"extension-definition--{uuid.UUID(int=self.dice.getrandbits(128), version=4)}"]
                ): (self.dice.choice([{"extension_type": self.dice.choice(kinds)}, self._value()]))
                for _ in range(self.dice.choice([1, 2, 300]))
            }

    def _mark(self, whole: Json) -> None:
        for one in self._objects(whole)[:1]:
            selector = self.dice.choice(_SELECTORS)
            marking = self.dice.choice([str(one.get("id")), "marking-definition--" + "0" * 36, "x"])
            one["granular_markings"] = [
                {"selectors": [selector], "marking_ref": marking} for _ in range(self.dice.choice([1, 500]))
            ]

    # -- as bytes ----------------------------------------------------------------------------------------------------

    def _spoil(self, body: bytes) -> bytes:
        dice = self.dice
        if not body:
            return dice.choice(_BYTES)
        at = dice.randrange(len(body))
        deed = dice.randrange(8)
        if deed == 0:
            return body[:at] + bytes([dice.randrange(256)]) + body[at + 1 :]
        if deed == 1:
            return body[:at] + dice.choice(_BYTES) + body[at:]
        if deed == 2:
            return body[:at] + body[at + dice.randint(1, 40) :]
        if deed == 3:
            return body[:at]
        if deed == 4:
            return body[:at] + body[max(0, at - dice.randint(1, 200)) :]
        if deed == 5:
            return body.replace(b'"type":', b'"type":"x","type":', 1).replace(b'"id"', b'"\\u0069d"', dice.randrange(2))
        if deed == 6:
            return body + dice.choice([b" ", b"\x00", b"{}", b"]", b"\n\n", b"x"])
        return body[:at] + bytes(dice.randrange(256) for _ in range(dice.randint(1, 16))) + body[at:]
