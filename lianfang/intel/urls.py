"""Pages of intelligence. An id is looked up as it is written: whatever it is, nobody learns more than 404."""

from django.urls import URLPattern, URLResolver, path

from lianfang.intel.views import check, items, staff, submit


def _pages(prefix: str, name: str) -> list[URLPattern | URLResolver]:
    return [
        path(prefix, items.index, name=name),
        path(f"{prefix}/<str:stix_id>", items.item, name=f"{name}_item"),
        path(f"{prefix}/<str:stix_id>/why", items.why_page, name=f"{name}_why"),
        path(f"{prefix}/<str:stix_id>/download", items.download, name=f"{name}_download"),
        path(f"{prefix}/<str:stix_id>/recall", items.recall, name=f"{name}_recall"),
        path(f"{prefix}/<str:stix_id>/release", items.release, name=f"{name}_release"),
        path(f"{prefix}/<str:stix_id>/label", items.tighten, name=f"{name}_label"),
    ]


urlpatterns: list[URLPattern | URLResolver] = [
    *_pages("member/intel", "intel"),
    path("member/intel/<str:stix_id>/relay", items.relay, name="intel_relay"),
    path("member/submit", submit.choose_file, name="submit"),
    path("member/submit/preview", submit.preview, name="submit_preview"),
    path("member/submit/<uuid:draft>", submit.choose_who, name="submit_who"),
    path("member/check", check.member, name="check"),
    path("member/submissions/<uuid:submission>", submit.submission, name="submission"),
    *_pages("staff/intel", "staff_intel"),
    path("staff/check", check.staff, name="staff_check"),
    path("staff/quarantine", staff.quarantine, name="quarantine"),
    path("staff/stop", staff.stop, name="stop"),
]
