"""Names of persons and organisations for the pages of the ledger, whose app lies below the one that knows them."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from lianfang.accounts.models import Organization, Person


def names(wanted: set[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
    """Return the names of those (kind, id) that are known; an erased person is called what erasure left."""
    people = Person.objects.select_related("vault_key").filter(pk__in=_ids(wanted, "person"))
    organizations = Organization.objects.filter(pk__in=_ids(wanted, "organization"))
    found = {("person", str(person.pk)): person.name for person in people}
    return found | {("organization", str(one.pk)): one.name_zh for one in organizations}


def _ids(wanted: set[tuple[str, str]], kind: str) -> list[UUID]:
    found = []
    for one, identity in wanted:
        if one == kind:
            try:
                found.append(UUID(identity))
            except ValueError:
                continue  # an entry of a test or of an outer system names somebody else
    return found
