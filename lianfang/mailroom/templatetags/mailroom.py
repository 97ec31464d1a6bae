"""The mails of a case on its page, those that nobody has read, and addresses to which one came back."""

from __future__ import annotations

from typing import Any

from django import template

from lianfang.accounts.doors import may
from lianfang.mailroom import queries, routes, shown, words
from lianfang.outbox.reply import case_address
from lianfang.policy.facts import Right

register = template.Library()


@register.inclusion_tag("mailroom/_of_case.html", takes_context=True)
def mails_of_case(context: template.Context, number: str) -> dict[str, Any]:
    """Show what was laid to a case, the newest first, and where mails about it may be sent."""
    request: Any = context["request"]
    placements = queries.of_case(number)
    return {
        "request": request,
        "csrf_token": context.get("csrf_token"),
        "number": number,
        "address": case_address(number),
        "rows": [(one, shown.line(one.mail)) for one in placements],
        "unread": any(one.read_at is None for one in placements),
        "unverified": words.UNVERIFIED,
        "may_sort": may(subject=request.subject, right=Right.REVIEW, at=request.at),
    }


@register.inclusion_tag("mailroom/_bounced.html", takes_context=True)
def bounced_addresses(context: template.Context) -> dict[str, Any]:
    """Show the addresses to which a mail came back, until somebody settles the report."""
    request: Any = context["request"]
    return {"rows": queries.bounced(), "may_sort": may(subject=request.subject, right=Right.REVIEW, at=request.at)}


@register.inclusion_tag("mailroom/_unread.html")
def unread_mails() -> dict[str, Any]:
    """Show the mails on cases that nobody has read, oldest first."""
    return {"rows": [(one, routes.case_url(one.case)) for one in queries.unread()]}
