from django.urls import URLPattern, URLResolver, path

from lianfang.mailroom import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("staff/mail", views.listing, name="mailroom"),
    path("staff/mail/<uuid:letter_id>", views.mail, name="mail"),
    path("staff/mail/<uuid:letter_id>/original", views.file, name="mail_original"),
    path("staff/mail/<uuid:letter_id>/files/<uuid:file_id>", views.file, name="mail_file"),
    path("staff/mail/cases/<str:number>/read", views.read, name="mail_read"),
    path("demo/mailbox/write", views.write, name="demo_write"),
]
