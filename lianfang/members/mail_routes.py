"""The ways of mails that lead to members' affairs, and what can be made of one (told to the app below at the start)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.urls import reverse

from lianfang.kernel.text import Bilingual
from lianfang.mailroom.routes import Hint, Route, offer, register
from lianfang.members import case_kinds, changes, queries


def hints(mail_id: UUID, person_id: UUID | None, at: datetime) -> Sequence[Hint]:
    """Return what can be made of a mail: a change entered for the member of this address, or for another."""
    found = []
    for membership in queries.memberships_of_person(person_id, at) if person_id else ():
        name = membership.organization.name_zh
        standing = changes.open_change(membership.pk)
        if standing is not None:
            words = Bilingual(
                zh=f"{name}有異動{standing.number}在處理中", en=f"{name} has the open change {standing.number}"
            )
            found.append(Hint(words, reverse("change_case", args=[standing.number])))
        else:
            words = Bilingual(zh=f"代{name}填寫異動", en=f"Enter it as a change of {name}")
            found.append(Hint(words, f"{reverse('change_entry', args=[membership.pk])}?mail={mail_id}"))
    words = Bilingual(zh="代會員填寫異動：選擇會員", en="Enter it as a change: choose the member")
    return [*found, Hint(words, reverse("mail_change", args=[mail_id]))]


def use() -> None:
    """Register the routes; called once, when the apps are ready."""
    register(Route("case", Bilingual(zh="案件", en="A case"), exists=case_kinds.exists, url=case_kinds.staff_page))
    register(Route("changes", Bilingual(zh="異動", en="Changes of data"), word="changes"))
    register(Route("applications", Bilingual(zh="入會申請", en="Applications"), word="applications"))
    register(Route("appeals", Bilingual(zh="申訴", en="Appeals"), word="appeals"))
    offer(hints)
