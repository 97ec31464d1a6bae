from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.apps import AppConfig


class MembersConfig(AppConfig):
    name = "lianfang.members"
    label = "members"

    def ready(self) -> None:
        """Tell the apps below, which cannot ask: constituents, contacts, and what else ends when somebody leaves."""
        from lianfang.accounts.models import Organization
        from lianfang.accounts.providers import use_constituents, use_departed, use_named
        from lianfang.charter.providers import use_members
        from lianfang.members import contact_queries, mail_routes, participation, queries
        from lianfang.members.actions.naming_contacts import end_for_leaver
        from lianfang.members.subjects import SCREENED

        def constituents(group: UUID, at: datetime) -> list[Organization]:  # noqa: ARG001 - the roster as it is now
            return [row.organization for row in queries.roster_of(group).filter(screening__in=SCREENED)]

        use_constituents(constituents)
        use_departed(end_for_leaver)
        use_members(queries.recipients)
        mail_routes.use()
        participation.use("contact", contact_queries.participation)
        use_named(contact_queries.named_people)
