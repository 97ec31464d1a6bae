"""Values that another standard gives a form: language tags, CPE names, domains, addresses, kinds of media.

Every expression here is linear in what it reads: members send the text.
"""

from __future__ import annotations

import ipaddress
import re

_LANGUAGE = re.compile(
    r"[a-z]{2,3}(?:-[a-z]{3}){0,3}"  # language, extended language
    r"(?:-[a-z]{4})?"  # script
    r"(?:-(?:[a-z]{2}|[0-9]{3}))?"  # region
    r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"  # variants
    r"(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*"  # extensions
    r"(?:-x(?:-[a-z0-9]{1,8})+)?"  # private use
    r"|x(?:-[a-z0-9]{1,8})+|i-[a-z]{2,8}",
    re.IGNORECASE | re.ASCII,
)
_CPE_PART = r"(?:[*-]|(?:\?+|\*)?(?:[A-Za-z0-9._-]|\\[\\*?!\"#$%&'()+,/:;<=>@\[\]^`{|}~-])+(?:\?+|\*)?)"
_CPE_LANGUAGE = r"(?:[a-zA-Z]{2,3}(?:-(?:[a-zA-Z]{2}|[0-9]{3}))?|[*-])"
_CPE = re.compile(rf"cpe:2\.3:[aho*-](?::{_CPE_PART}){{5}}:{_CPE_LANGUAGE}(?::{_CPE_PART}){{4}}")
_MIME = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}(?:\s*;.*)?")
# Dots, white space and what mail, addresses and paths are written with end a label; letters of every script are in it.
_LABEL = re.compile(r"[^\s.,:;/\\@\"'()<>\[\]{}|^`~!#$%&*+=?\x00-\x1f\x7f]{1,63}")
_MAILBOX = re.compile(r"(?:[^\s@\"<>(),:;\[\]\\]+|\"(?:[^\"\\]|\\.)*\")@(?:[^\s@\"<>(),:;\[\]\\]+|\[[^\s\[\]\\]+\])")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\x00-\x1f\x7f]+")
_SHORT_HIVE = re.compile(r"hk(?:lm|cc|cr|cu|u)(?:\\|$)", re.IGNORECASE)
_LONGEST_DOMAIN = 253
_LONGEST_TAG = 100


def is_language(tag: object) -> bool:
    """Return whether this is a well-formed language tag (RFC 5646); its subtags are not looked up."""
    return isinstance(tag, str) and len(tag) <= _LONGEST_TAG and _LANGUAGE.fullmatch(tag) is not None


def is_cpe(name: str) -> bool:
    """Return whether this is a CPE 2.3 formatted string (NISTIR 7695 §6.2)."""
    return _CPE.fullmatch(name) is not None


def is_media_type(name: str) -> bool:
    """Return whether this is written `type/subtype` (RFC 6838 §4.2), parameters allowed; no register is asked."""
    return _MIME.fullmatch(name) is not None


def is_domain(name: str) -> bool:
    """Return whether this can be a domain name: labels of 1 to 63 characters, no space, no URL.

    Underscores and letters of any script are in use (`_dmarc.example.com`, `例子.tw`), and so is a star in front.
    """
    labels = name.removesuffix(".").removeprefix("*.").split(".")
    return len(name) <= _LONGEST_DOMAIN and all(_LABEL.fullmatch(label) for label in labels)


def is_mailbox(text: str) -> bool:
    """Return whether this is an address alone (addr-spec of RFC 5322), without a display name."""
    return _MAILBOX.fullmatch(text) is not None


def is_url(text: str) -> bool:
    """Return whether this has a scheme and no space. What it holds is not judged: hostile URLs are the point."""
    return _URL.fullmatch(text) is not None


def is_ipv6(text: str) -> bool:
    """Return whether this is an IPv6 address or network; a zone may stand behind an address."""
    address = text if "/" in text else text.partition("%")[0]
    try:
        ipaddress.IPv6Interface(address)
    except ValueError:
        return False
    return True


def is_short_hive(key: str) -> bool:
    """Return whether a registry key begins with a hive's short name."""
    return _SHORT_HIVE.match(key) is not None
