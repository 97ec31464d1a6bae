"""Unified Business Number (統一編號) of the Ministry of Finance: shape and check digit.

The check is weak (22 % of random strings of eight digits pass): it catches slips of the pen, it identifies nobody.
"""

from __future__ import annotations

from lianfang.kernel.refusal import Refusal
from lianfang.kernel.text import Bilingual

_LENGTH = 8
_DIGITS = frozenset("0123456789")
_WEIGHTS = (1, 2, 1, 2, 1, 2, 4, 1)
# Since 1 April 2023 the sum is divided by 5; numbers issued before, by 10, pass this too.
_MODULUS = 5

_SHAPE = Bilingual(
    zh="統一編號須為8位半形數字。",
    en="A Unified Business Number has exactly 8 digits (0-9).",
)
_ZERO = Bilingual(
    zh="統一編號不可為00000000。",
    en="00000000 is not a Unified Business Number.",
)
_CHECK_DIGIT = Bilingual(
    zh="統一編號檢查碼不符,請核對是否輸入錯誤。",
    en="The check digit of this Unified Business Number is wrong; please look for a typing error.",
)


def check(ubn: str, *, field: str = "ubn") -> None:
    """Raise Refusal, naming `field`, unless `ubn` is 8 ASCII digits, not all zero, with a right check digit.

    Rule of the Fiscal Information Agency in force since 2023-04-01: multiply digit by digit with 1,2,1,2,1,2,4,1, add
    the digits of the products, divide by 5. A seventh digit 7 gives 28 -> 10, which may count as 1 or as 0.
    """
    if len(ubn) != _LENGTH or not _DIGITS.issuperset(ubn):
        raise Refusal(_SHAPE, rule="ubn-shape", field=field)
    if ubn == "0" * _LENGTH:
        raise Refusal(_ZERO, rule="ubn-zero", field=field)
    total = sum(_cross_sum(int(digit) * weight) for digit, weight in zip(ubn, _WEIGHTS, strict=True))
    if total % _MODULUS and not (ubn[6] == "7" and (total + 1) % _MODULUS == 0):
        raise Refusal(_CHECK_DIGIT, rule="ubn-check-digit", field=field)


def is_valid(ubn: str) -> bool:
    """Return whether `check` lets the number pass."""
    try:
        check(ubn)
    except Refusal:
        return False
    return True


def _cross_sum(product: int) -> int:
    return product // 10 + product % 10
