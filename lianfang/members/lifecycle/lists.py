"""How an edition of an official list, and a case that it opened, may move (charter 1.1, 1.3)."""

from __future__ import annotations

from lianfang.kernel.machine import Machine, Move, Stateful
from lianfang.kernel.text import Bilingual
from lianfang.members.lifecycle.guards import no_conflict
from lianfang.policy.facts import Right


def _whole(_: Stateful, *, faults: int) -> Bilingual | None:
    if not faults:
        return None
    return Bilingual(
        zh="有{n}列有錯，不匯入任何一列。請更正檔案後重新上傳。",
        en="{n} rows are wrong, so none is imported. Correct the file and upload it again.",
    ).format(n=faults)


def _as_shown(_: Stateful, *, compared: object, newest: object) -> Bilingual | None:
    if compared == newest:
        return None
    return Bilingual(
        zh="比對之後已有另一版匯入。請重新上傳，看新的差異。",
        en="Another edition was imported meanwhile. Upload again to see the difference to it.",
    )


def _explained(_: Stateful, *, note: str) -> Bilingual | None:
    if note.strip():
        return None
    return Bilingual(zh="請寫下判斷的理由（規章1.3）。", en="Write the reasons of your judgement (Charter 1.3).")


def _not_by_number(_: Stateful, *, by_number: bool) -> Bilingual | None:
    if not by_number:
        return None
    return Bilingual(
        zh="統一編號相符，不能判斷為他人。請先更正名冊或等新版名單。",
        en="The business number matches, so this is nobody else. Correct the roster first, or await a new edition.",
    )


def _no_longer_so(_: Stateful, *, still_so: bool) -> Bilingual | None:
    if not still_so:
        return None
    return Bilingual(zh="最新版名單與名冊仍是如此。", en="By the newest edition and the roster this is still so.")


LIST_EDITION = Machine(
    "list_edition",
    {
        "read": Bilingual(zh="待匯入", en="To be imported"),
        "imported": Bilingual(zh="已匯入", en="Imported"),
        "discarded": Bilingual(zh="已放棄", en="Discarded"),
    },
    "read",
    [
        Move(
            "import",
            ["read"],
            "imported",
            right=Right.IMPORT_LIST,
            guards=(_whole, _as_shown),
            clause="1.3",
            words=Bilingual(zh="匯入這一版", en="Import this edition"),
        ),
        Move(
            "discard",
            ["read"],
            "discarded",
            right=Right.IMPORT_LIST,
            clause="1.3",
            words=Bilingual(zh="放棄", en="Discard"),
        ),
    ],
    final=["imported", "discarded"],
)

LIST_CASE = Machine(
    "list_case",
    {
        "open": Bilingual(zh="待判斷", en="To be judged"),
        "other": Bilingual(zh="判斷為他人", en="Somebody else"),
        "confirmed": Bilingual(zh="確認屬實", en="Confirmed"),
        "settled": Bilingual(zh="已不成立", en="No longer so"),
    },
    "open",
    [
        Move(
            "judge_other",
            ["open"],
            "other",
            right=Right.REVIEW,
            guards=(no_conflict, _not_by_number, _explained),
            clause="1.3",
            words=Bilingual(zh="判斷為他人", en="It is somebody else"),
        ),
        Move(
            "confirm",
            ["open"],
            "confirmed",
            right=Right.REVIEW,
            guards=(no_conflict, _explained),
            clause="1.3",
            words=Bilingual(zh="確認屬實", en="Confirm it"),
        ),
        Move(
            "settle",
            ["open"],
            "settled",
            right=Right.REVIEW,
            guards=(no_conflict, _no_longer_so, _explained),
            clause="1.3",
            words=Bilingual(zh="已不成立，結案", en="No longer so, close"),
        ),
    ],
    final=["other", "confirmed", "settled"],
)
