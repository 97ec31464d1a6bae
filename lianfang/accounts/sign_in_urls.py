"""allauth's pages that the product uses, each behind a door; sign-up and changing the address are not among them."""

from allauth.account import views as account
from allauth.account.decorators import reauthentication_required
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.usersessions import views as sessions
from django.urls import URLPattern, URLResolver, path, re_path

from lianfang.accounts import views
from lianfang.accounts.doors import door

urlpatterns: list[URLPattern | URLResolver] = [
    path("login/", door.public(account.login), name="account_login"),
    path("logout/", door.public(account.logout), name="account_logout"),
    path("inactive/", door.public(account.account_inactive), name="account_inactive"),
    path("reauthenticate/", door.signed_in(account.reauthenticate), name="account_reauthenticate"),
    path("password/change/", door.signed_in(account.password_change), name="account_change_password"),
    # A provider's word alone does not make a password, by which one would get in without it.
    path(
        "password/set/",
        door.signed_in(reauthentication_required(account.password_set, app="account")),
        name="account_set_password",
    ),
    path("password/reset/", door.public(account.password_reset), name="account_reset_password"),
    path("password/reset/done/", door.public(account.password_reset_done), name="account_reset_password_done"),
    path(
        "password/reset/key/done/",
        door.public(account.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        door.public(account.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path("2fa/", door.signed_in(mfa.index), name="mfa_index"),
    path("2fa/authenticate/", door.public(mfa.authenticate), name="mfa_authenticate"),
    path("2fa/reauthenticate/", door.signed_in(mfa.reauthenticate), name="mfa_reauthenticate"),
    path("2fa/totp/activate/", door.signed_in(totp.activate_totp), name="mfa_activate_totp"),
    path("2fa/totp/deactivate/", door.signed_in(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("2fa/recovery-codes/", door.signed_in(codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path(
        "2fa/recovery-codes/generate/",
        door.signed_in(codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path("2fa/webauthn/", door.signed_in(webauthn.list_webauthn), name="mfa_list_webauthn"),
    path("2fa/webauthn/add/", door.signed_in(webauthn.add_webauthn), name="mfa_add_webauthn"),
    path("2fa/webauthn/login/", door.public(webauthn.login_webauthn), name="mfa_login_webauthn"),
    path(
        "2fa/webauthn/reauthenticate/",
        door.signed_in(webauthn.reauthenticate_webauthn),
        name="mfa_reauthenticate_webauthn",
    ),
    path("2fa/webauthn/keys/<int:pk>/remove/", door.signed_in(webauthn.remove_webauthn), name="mfa_remove_webauthn"),
    path("2fa/webauthn/keys/<int:pk>/edit/", door.signed_in(webauthn.edit_webauthn), name="mfa_edit_webauthn"),
    # Looking is free; ending the others asks again who one is, as whoever found an open screen would do it first.
    path(
        "sessions/",
        door.signed_in(reauthentication_required(sessions.list_usersessions, allow_get=True, app="usersessions")),
        name="usersessions_list",
    ),
    path("second-factor", views.factor_setup, name="accounts_factor_setup"),
    path("organisation", views.my_organisation, name="sign_in_organisation"),
    path("sign-options", views.sign_options, name="accounts_sign_options"),
    path("lost-factor", views.lost_factor, name="accounts_lost_factor"),
    path("lost-factor/<str:proof>", views.lost_factor_proof, name="accounts_lost_factor_proof"),
    path("helping", views.helping, name="accounts_helping"),
    path("helping/<uuid:reset_id>", views.help_one, name="accounts_help_one"),
]
