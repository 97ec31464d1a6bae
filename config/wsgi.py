"""The WSGI callable that gunicorn and granian serve."""

import gc
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
_django = get_wsgi_application()

# Only now do the apps stand.
from lianfang.exchange.wsgi import MachineDoor  # noqa: E402
from lianfang.web.middleware import HeadersMiddleware  # noqa: E402
from lianfang.web.proxies import TrustedProxies  # noqa: E402

# What was imported stays for good: the collector need not walk through it for every few thousand objects taken in.
gc.collect()
gc.freeze()

_machines_first = MachineDoor(_django, protected=HeadersMiddleware)
application = TrustedProxies(_machines_first, networks=settings.PROXIES)
