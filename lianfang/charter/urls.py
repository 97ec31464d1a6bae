"""The charter, the privacy notice, and the duty of confidentiality."""

from django.urls import URLPattern, URLResolver, path

from lianfang.charter import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("charter", views.charter, name="charter"),
    path("charter/<int:article>", views.charter_article, name="charter_article"),
    path("charter/versions/<int:number>", views.charter_version, name="charter_version"),
    path("privacy", views.privacy_notice, name="privacy_notice"),
    path("member/confidentiality", views.confidentiality, name="confidentiality"),
]
