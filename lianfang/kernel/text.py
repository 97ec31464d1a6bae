"""Texts that exist in two languages; Chinese is the one that counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bilingual:
    """One text in Traditional Chinese (authoritative, required) and English (may be empty).

    Raises ValueError when `zh` is empty or blank.
    """

    zh: str
    en: str

    def __post_init__(self) -> None:
        if not self.zh.strip():
            raise ValueError("a bilingual text needs its Chinese half")

    def in_language(self, code: str) -> str:
        """Return the half for a language code such as `zh-hant`, `zh_Hant_TW` or `en`.

        Every code whose primary subtag is `zh` gets Chinese, all others English; an empty English half
        falls back to Chinese, never the other way round.
        """
        primary = code.replace("_", "-").split("-", 1)[0].lower()
        return self.zh if primary == "zh" or not self.en else self.en

    def format(self, **values: object) -> Bilingual:
        """Fill the named places of both halves by `str.format`.

        A value that is itself `Bilingual` goes into each half in that half's language.
        Raises KeyError when a place has no value.
        """
        return Bilingual(
            zh=self.zh.format(**{name: _half(value, "zh") for name, value in values.items()}),
            en=self.en.format(**{name: _half(value, "en") for name, value in values.items()}),
        )


def _half(value: object, code: str) -> object:
    return value.in_language(code) if isinstance(value, Bilingual) else value
