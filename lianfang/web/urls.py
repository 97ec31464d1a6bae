"""Pages that belong to no single part of the product."""

from django.urls import URLPattern, URLResolver, path

from lianfang.web import overview, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("about", views.about, name="about"),
    path("policy", views.policy, name="policy"),
    path("accessibility", views.accessibility, name="accessibility"),
    path("sitemap", views.sitemap, name="sitemap"),
    path("help", views.help_page, name="help"),
    path("member", overview.overview, name="overview"),
    path("home", views.own_plane, name="own_plane"),
    path("me", views.my_account, name="my_account"),
    path("styleguide", views.styleguide, name="styleguide"),
    path(".well-known/security.txt", views.security_txt, name="security_txt"),
]
