"""The WSGI callable that gunicorn and granian serve."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
_django = get_wsgi_application()

# Only now do the apps stand.
from lianfang.exchange.wsgi import MachineDoor  # noqa: E402
from lianfang.web.middleware import HeadersMiddleware  # noqa: E402

application = MachineDoor(_django, protected=HeadersMiddleware)
