"""The charter, the privacy notice, the duty of confidentiality, and how the documents are amended."""

from django.urls import URLPattern, URLResolver, path

from lianfang.charter import views

_DRAFT = "staff/charter/<slug:kind>/draft"

urlpatterns: list[URLPattern | URLResolver] = [
    path("charter", views.charter, name="charter"),
    path("charter/<int:article>", views.charter_article, name="charter_article"),
    path("charter/versions/<int:number>", views.document_version, {"kind": "charter"}, name="charter_version"),
    path("charter/versions/<int:number>/compare", views.document_compare, {"kind": "charter"}, name="charter_compare"),
    path("privacy", views.privacy_notice, name="privacy_notice"),
    path("privacy/versions/<int:number>", views.document_version, {"kind": "privacy"}, name="privacy_version"),
    path("privacy/versions/<int:number>/compare", views.document_compare, {"kind": "privacy"}, name="privacy_compare"),
    path("member/confidentiality", views.confidentiality, name="confidentiality"),
    path("staff/charter", views.listing, name="staff_charter"),
    path("staff/charter/<slug:kind>/begin", views.begin, name="amendment_begin"),
    path(_DRAFT, views.draft, name="amendment"),
    path(f"{_DRAFT}/compare", views.compare, name="amendment_compare"),
    path(f"{_DRAFT}/title", views.title, name="amendment_title"),
    path(f"{_DRAFT}/clauses", views.clause, name="amendment_clause_new"),
    path(f"{_DRAFT}/clauses/<str:number>", views.clause, name="amendment_clause"),
    path(f"{_DRAFT}/import", views.import_text, name="amendment_import"),
    path(f"{_DRAFT}/propose", views.propose, name="amendment_propose"),
    path(f"{_DRAFT}/decide", views.decide, name="amendment_decide"),
    path(f"{_DRAFT}/website", views.website, name="amendment_website"),
    path(f"{_DRAFT}/issue", views.issue, name="amendment_issue"),
    path(f"{_DRAFT}/discard", views.discard, name="amendment_discard"),
    path("staff/charter/<slug:kind>/<int:number>/told", views.telling, name="version_told"),
    path(
        "staff/charter/<slug:kind>/<int:number>/told/<uuid:organization_id>",
        views.member_told, name="version_told_member",
    ),
    path("staff/charter/<slug:kind>/<int:number>/told/<uuid:organization_id>/tell", views.tell, name="version_tell"),
    path("staff/charter/<slug:kind>/<int:number>/told/<uuid:organization_id>/post", views.post, name="version_post"),
    path("staff/charter/told/<uuid:told_id>/resend", views.resend, name="version_resend"),
]  # fmt: skip
