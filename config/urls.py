"""All routes. Each app brings its own; nothing is routed that the app does not name."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("account/", include("lianfang.accounts.sign_in_urls")),
    path("", include("lianfang.health")),
    path("", include("lianfang.accounts.urls")),
    path("", include("lianfang.audit.urls")),
    path("", include("lianfang.charter.urls")),
    path("", include("lianfang.exchange.urls")),
    path("", include("lianfang.intel.urls")),
    path("", include("lianfang.members.urls")),
    path("", include("lianfang.mailroom.urls")),
    path("", include("lianfang.outbox.urls")),
    path("", include("lianfang.web.urls")),
]

handler400 = "lianfang.web.errors.bad_request"
handler403 = "lianfang.web.errors.forbidden"
handler404 = "lianfang.web.errors.not_found"
handler500 = "lianfang.web.errors.server_error"
