"""Passwords that are mostly words of this place are refused: whoever guesses tries those first."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

__all__ = ["WORDS", "WordsOfThePlace"]

WORDS: Final = (
    "lianfang", "alliance", "twcert", "cert", "taxii", "stix", "tlp", "charter", "member", "admin", "password",
    "welcome", "taiwan", "taipei", "聯防", "聯盟", "規章", "會員", "密碼",
)  # fmt: skip
"""As they stand in docs/security/design.md; the names of the host come on top."""
LEAST: Final = 8
_NO_LETTER = re.compile(r"[\W\d_]+")


class WordsOfThePlace:
    """A validator of Django: what is left without these words, digits and signs must be long enough to be a secret."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:  # noqa: ARG002 - Django's signature
        """Raise ValidationError for a password made of such words."""
        left = unicodedata.normalize("NFKC", password).casefold()
        host = [part for part in settings.BASE_URL.casefold().partition("://")[2].split(".") if len(part) > 3]
        found = [word for word in (*WORDS, *host) if word in left]
        for word in sorted(found, key=len, reverse=True):
            left = left.replace(word, "")
        if found and len(_NO_LETTER.sub("", left)) < LEAST:
            raise ValidationError(self.get_help_text(), code="password_of_words")

    def get_help_text(self) -> str:
        """Say what is asked for."""
        return _("The password is mostly words that anybody would try here. Choose a sentence of your own.")
