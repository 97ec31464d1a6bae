"""The write profiles, and the doors of machines: below /taxii2/ all answers are in the standard's own form."""

from django.urls import URLPattern, URLResolver, path, re_path

from lianfang.exchange import views as pages
from lianfang.exchange.taxii import views

_ROOT = "taxii2/alliance/"
_ONE = _ROOT + "collections/<str:collection>/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("member/connections/profile", pages.write_profiles, name="write_profiles"),
    path("member/connections/profile/<slug:alias>", pages.write_profile, name="write_profile"),
    path("taxii2/", views.discovery, name="taxii_discovery"),
    path(_ROOT, views.api_root, name="taxii_api_root"),
    path(_ROOT + "status/<str:status_id>/", views.status, name="taxii_status"),
    path(_ROOT + "collections/", views.collection_list, name="taxii_collections"),
    path(_ONE, views.collection, name="taxii_collection"),
    path(_ONE + "manifest/", views.manifest, name="taxii_manifest"),
    path(_ONE + "objects/", views.objects, name="taxii_objects"),
    path(_ONE + "objects/<str:object_id>/", views.object_, name="taxii_object"),
    path(_ONE + "objects/<str:object_id>/versions/", views.versions, name="taxii_versions"),
    re_path(r"^taxii2(?P<rest>/.*)?$", views.elsewhere, name="taxii_elsewhere"),
]
