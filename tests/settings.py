"""The settings of the product on the server of this test process, with three changes: none may change a decision."""

import os
import secrets

from tests.database import CLUSTER, PLACE

for name in ("DATABASE_OWNER_URL", "EMAIL_URL", "LIANFANG_BASE_URL", "LIANFANG_HOSTS"):
    os.environ.pop(name, None)
_DATA = PLACE / "data"
_DATA.mkdir(mode=0o700)
_KEY_FILE = _DATA / "master.key"
_KEY_FILE.write_text(secrets.token_hex(32) + "\n")
_KEY_FILE.chmod(0o600)
os.environ.update(
    {
        "DATABASE_URL": CLUSTER.url("lf_app"),
        "LIANFANG_SECRET_KEY": "a key for tests alone, of no use anywhere else",
        "LIANFANG_DEMO": "yes",
        "LIANFANG_DATA": str(_DATA),
        "LIANFANG_KEY_FILE": str(_KEY_FILE),
        # pytest-playwright keeps an event loop running, which Django would take for an async context.
        "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
    }
)

from config.settings import *  # noqa: E402, F403

# Hundreds of people are made in a run; Argon2 would take a second for each.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Files are served from the apps' folders, without a collecting step before each run.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = True
