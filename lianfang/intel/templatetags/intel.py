"""`{% load intel %}{% stop_bar %}`: says on every page of members and staff that disclosure is stopped."""

from __future__ import annotations

from typing import Any

from django import template
from django.db import Error

from lianfang.intel.queries import running_stop

register = template.Library()


@register.inclusion_tag("intel/_stop_bar.html", takes_context=True)
def stop_bar(context: template.Context) -> dict[str, Any]:
    """Show the bar while a stop or a drill runs; nothing to the public, and nothing while the database is away."""
    shell = context.get("shell")
    if shell is None or shell.plane == "public":
        return {"running": None}
    try:
        return {"running": running_stop()}
    except Error:
        # Pages that say what is wrong must come up when everything is.
        return {"running": None}
