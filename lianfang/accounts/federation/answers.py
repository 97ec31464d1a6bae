"""What a provider's answer comes to: a statement about somebody, or a reason why it counts for nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lianfang.kernel.text import Bilingual


def _words(zh: str, en: str) -> Bilingual:
    return Bilingual(zh=zh, en=en)


REASONS: Final[dict[str, Bilingual]] = {
    "state": _words(
        "這次登入不是從這個瀏覽器開始，或已超過10分鐘。請重新開始。",
        "This sign-in did not begin in this browser, or more than 10 minutes ago. Begin again.",
    ),
    "denied": _words("貴組織的身分提供者沒有讓您登入。", "Your organisation's provider did not sign you in."),
    "unreachable": _words(
        "現在連不上貴組織的身分提供者，或它的回覆不完整。",
        "Your organisation's provider cannot be reached now, or its answer is not whole.",
    ),
    "address": _words(
        "身分提供者的網址不能使用：只接受公開網路上的https網址，也不跟隨轉址。",
        "The provider's address cannot be used: only https on the public network, without redirects.",
    ),
    "malformed": _words("身分提供者的回覆讀不懂。", "The provider's answer cannot be read."),
    "algorithm": _words("身分提供者的簽章方法不被接受。", "The provider signed by a method that is not accepted."),
    "key": _words("簽章用的金鑰不是身分提供者公布的。", "It is signed with a key that the provider does not publish."),
    "signature": _words("身分提供者的簽章不符。", "The provider's signature does not match."),
    "issuer": _words("回覆不是由設定的身分提供者發出。", "The answer is not by the provider that was set up."),
    "audience": _words("回覆是給別的系統的。", "The answer is meant for another system."),
    "nonce": _words("回覆不屬於這次登入。", "The answer does not belong to this sign-in."),
    "expired": _words("回覆已經過期。", "The answer has expired."),
    "early": _words(
        "回覆的時間在未來。請貴組織檢查身分提供者的時鐘。",
        "The answer is dated in the future. The provider's clock should be checked.",
    ),
    "replayed": _words("這個回覆已經用過。", "This answer was used already."),
    "subject": _words("回覆沒有說是誰。", "The answer does not say who it is about."),
    "unverified": _words(
        "身分提供者沒有確認您的電子郵件地址，所以第一次登入認不出您。",
        "The provider did not say that your e-mail address is verified, so we cannot tell who you are the first time.",
    ),
    "encrypted": _words(
        "回覆是加密的，本站只接受已簽章、未加密的SAML回覆。",
        "The answer is encrypted; only signed SAML answers without encryption are read here.",
    ),
    "metadata": _words(
        "中繼資料讀不懂，或沒有剛好一個身分提供者、HTTP-Redirect登入網址與夠強的簽章憑證。",
        "The metadata cannot be read, or do not hold exactly one identity provider with an address for HTTP-Redirect "
        "and a strong certificate for signing.",
    ),
    "nobody": _words(
        "這個身分不是這個組織的人員。請貴組織管理員邀請您。",
        "This identity is nobody of this organisation. Ask its administrator to invite you.",
    ),
    "other_subject": _words(
        "您的帳號已與身分提供者的另一個身分連結。請貴組織管理員先解除。",
        "Your account is linked to another identity of the provider. Your administrator can end that link.",
    ),
    "centre": _words(
        "協調中心人員不經由會員的身分提供者登入。",
        "The coordination centre's people do not sign in by a member's provider.",
    ),
    "inactive": _words("這個帳號目前不能使用。", "This account cannot be used now."),
    "closed": _words("這個身分提供者目前停用。", "This provider is switched off."),
}
"""Why an answer was refused, by the code that stands in the ledger."""


class Rejected(Exception):
    """An answer that counts for nothing; `code` is one of `REASONS`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def reason(self) -> Bilingual:
        """The same in words."""
        return REASONS[self.code]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asserted:
    """What a checked answer says. `email` is empty unless the provider vouches for it; `strength` names how it asked.

    `id` is what makes this answer one of its kind, so that it counts once.
    """

    issuer: str
    subject: str
    email: str
    strength: frozenset[str]
    id: str
