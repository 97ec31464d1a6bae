from django.apps import AppConfig


class MailroomConfig(AppConfig):
    name = "lianfang.mailroom"
    label = "mailroom"
