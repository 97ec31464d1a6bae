from django.urls import URLPattern, URLResolver, path

from lianfang.accounts.doors import door
from lianfang.outbox import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("demo/mailbox", door.public(views.mails), name="demo_mailbox"),
    path("demo/mailbox.json", door.public(views.mails_json), name="demo_mailbox_json"),
    path("demo/mailbox/<str:mail_id>", door.public(views.mail), name="demo_mail"),
]
