"""A "no" that says why."""

from __future__ import annotations

from lianfang.kernel.text import Bilingual


class Refusal(Exception):
    """Something asked for is not done, with the reason in both languages.

    `rule` is the id of the rule that speaks, `clause` the clause of the charter or standard behind it, `field` the
    name of the input at fault (empty when no single field is). Raises TypeError for a reason in one language only.
    """

    def __init__(self, reason: Bilingual, *, rule: str = "", clause: str = "", field: str = "") -> None:
        if not isinstance(reason, Bilingual):
            raise TypeError(f"a refusal needs a Bilingual reason, not {reason!r}")
        super().__init__(reason, rule, clause, field)
        self.reason = reason
        self.rule = rule
        self.clause = clause
        self.field = field

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        return where + self.reason.in_language("en")

    def __reduce__(self) -> tuple[object, ...]:
        # The default would hand all four to `reason, *args`; the named ones are keyword-only.
        return _rebuild, (self.reason, self.rule, self.clause, self.field)


def _rebuild(reason: Bilingual, rule: str, clause: str, field: str) -> Refusal:
    return Refusal(reason, rule=rule, clause=clause, field=field)
