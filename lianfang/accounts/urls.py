"""Pages of this app beside sign-in, which stands in `sign_in_urls`."""

from django.urls import URLPattern, URLResolver, path

from lianfang.accounts import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("invite/<str:secret>", views.invitation, name="accounts_invitation"),
    path("sign-in/org/<str:address>", views.sign_in_org, name="sign_in_org"),
    path("sign-in/org/<str:address>/back", views.sign_in_back, name="sign_in_back"),
    path("sign-in/org/<str:address>/answer", views.sign_in_answer, name="sign_in_answer"),
    path("sign-in/org/<str:address>/metadata", views.sign_in_metadata, name="sign_in_metadata"),
    path("sign-in/org/<str:address>/confirm", views.sign_in_confirm, name="sign_in_confirm"),
    path("member/organisation/sign-on", views.sign_on_page, name="sign_on"),
    path("member/organisation/sign-on/set-up", views.set_up, name="sign_on_set_up"),
    path("member/organisation/sign-on/try", views.try_provider, name="sign_on_try"),
    path("member/organisation/sign-on/switch", views.switch_provider, name="sign_on_switch"),
    path("member/organisation/sign-on/emergency", views.emergency, name="sign_on_emergency"),
    path("member/organisation/sign-on/links/<uuid:link_id>/end", views.unlink, name="sign_on_unlink"),
    path("member/organisation/people", views.people, name="people"),
    path("member/organisation/people/invite", views.invite, name="invite"),
    path("member/organisation/people/invitations/<uuid:invitation_id>/resend", views.resend, name="invite_again"),
    path("member/organisation/people/<uuid:affiliation_id>/role", views.change_role, name="change_role"),
    path("member/organisation/people/<uuid:affiliation_id>/sign-out", views.sign_out, name="sign_out_person"),
    path("member/organisation/people/<uuid:affiliation_id>/leave", views.leave, name="person_leaves"),
    path("member/connections", views.connections, name="connections"),
    path("member/connections/new", views.new_connection, name="new_connection"),
    path("member/connections/<uuid:token_id>", views.connection, name="connection"),
    path("member/connections/<uuid:token_id>/rotate", views.rotate_connection, name="rotate_connection"),
    path("member/connections/<uuid:token_id>/revoke", views.revoke_connection, name="revoke_connection"),
    path("staff/duties", views.duties, name="duties"),
    path("staff/duties/colleague", views.add_colleague, name="add_colleague"),
    path("staff/duties/invitations/<uuid:invitation_id>/resend", views.resend_colleague, name="invite_colleague_again"),
    path("staff/duties/people/<uuid:affiliation_id>/leave", views.colleague_leaves, name="colleague_leaves"),
    path("staff/duties/<uuid:grant_id>", views.decide_duty, name="decide_duty"),
    path("staff/duties/<uuid:grant_id>/end", views.leave_duty, name="leave_duty"),
    path("staff/security-holds", views.holds, name="security_holds"),
    path("staff/security-holds/new", views.place_hold, name="security_hold_new"),
    path("staff/security-holds/<uuid:hold_id>/lift", views.lift_hold, name="security_hold_lift"),
    path("staff/sign-on", views.staff_providers, name="staff_sign_on"),
    path("staff/settings", views.settings_page, name="settings"),
    path("staff/settings/proposals/<uuid:proposal_id>", views.decide_setting, name="decide_setting"),
    path("staff/settings/<str:name>", views.setting, name="setting"),
]
