"""Everything that is configured, in one readable file. Values come from the environment through `config.env`."""

from pathlib import Path

from django.utils.translation import gettext_lazy as _

from config import env

ROOT = Path(__file__).resolve().parent.parent
DEMO = env.flag("LIANFANG_DEMO")
DEBUG = False
DATA_DIR = Path(env.text("LIANFANG_DATA", str(ROOT / "var"))).resolve()
SECRET_KEY = env.text("LIANFANG_SECRET_KEY")
KEY_FILE = Path(env.text("LIANFANG_KEY_FILE", str(DATA_DIR / "master.key")))
_SITE = env.site("LIANFANG_BASE_URL", "http://localhost:8000")
BASE_URL = f"{_SITE.scheme}://{_SITE.netloc}"
SECURE = _SITE.scheme == "https"
_NAME = _SITE.hostname or ""
_HOST = f"[{_NAME}]" if ":" in _NAME else _NAME
ALLOWED_HOSTS = env.listing("LIANFANG_HOSTS", f"{_HOST},localhost,127.0.0.1")
CSRF_TRUSTED_ORIGINS = [BASE_URL]
# Whose word about a client's address is believed; without any, the address that the server saw counts.
PROXIES = env.networks("LIANFANG_PROXIES")

# Identity providers on this very machine, over plain http: for the demonstration and tests alone.
LOOPBACK_PROVIDERS = env.loopback_providers("LIANFANG_LOOPBACK_PROVIDERS", demo=DEMO)

INSTALLED_APPS = [
    "lianfang.audit",
    "lianfang.policy",
    "lianfang.vault",
    "lianfang.outbox",
    "lianfang.accounts",
    "lianfang.notices",
    "lianfang.mailroom",
    "lianfang.charter",
    "lianfang.members",
    "lianfang.intel",
    "lianfang.exchange",
    "lianfang.web",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "procrastinate.contrib.django",
    "django_htmx",
    "django_cotton",
]

MIDDLEWARE = [
    "lianfang.web.middleware.HeadersMiddleware",
    "lianfang.web.middleware.CrossSiteMiddleware",
    "lianfang.health.HealthMiddleware",
    "lianfang.exchange.middleware.MachineMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "lianfang.web.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "lianfang.accounts.sessions.SessionLimits",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "lianfang.accounts.middleware.ActivityMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "lianfang.members.middleware.SubjectMiddleware",
    "lianfang.web.middleware.RefusalMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "lianfang.web.context.shell",
            ],
        },
    }
]
FORM_RENDERER = "lianfang.web.forms.Renderer"
COTTON_DIR = "cotton"

DATABASES = {"default": env.database("DATABASE_URL")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Counts of wrong passwords and used codes lie here. Above its limit Django throws away a third of the entries, whatever
# they are; its own limit is 300, so that anybody could have unlocked an address by filling it.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "web_cache",
        "OPTIONS": {"MAX_ENTRIES": 1_000_000},
    }
}

AUTH_USER_MODEL = "accounts.Account"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "lianfang.accounts.password_words.WordsOfThePlace"},
]
LOGIN_URL = "/account/login/"
LOGIN_REDIRECT_URL = "/home"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "lianfang.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "change_password": "lianfang.accounts.password_forms.ChangeForm",
    "reset_password_from_key": "lianfang.accounts.password_forms.ResetForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
# An account only comes from a link in the person's own mailbox: there is nothing left to verify.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
# Five wrong passwords lock an address for 15 minutes (protection baseline for government systems, annex 10).
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "20/m/ip,5/15m/key",
    "lost_factor": "10/m/ip,3/h/key",
    "provider": "60/m/ip",
    "provider_address": "10/m/ip,3/h/key",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
MFA_ADAPTER = "lianfang.accounts.adapter.MfaAdapter"
MFA_RECOVERY_CODES_SHOW_ONCE = True
# One step of 30 seconds either way for phones whose clock is off.
MFA_TOTP_TOLERANCE = 1
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {
    "authenticate": "lianfang.accounts.factors.Authenticate",
    "reauthenticate": "lianfang.accounts.factors.Reauthenticate",
    "add_webauthn": "lianfang.accounts.factors.AddPasskey",
    "authenticate_webauthn": "lianfang.accounts.factors.AuthenticatePasskey",
    "login_webauthn": "lianfang.accounts.factors.LoginPasskey",
    "reauthenticate_webauthn": "lianfang.accounts.factors.ReauthenticatePasskey",
}
MFA_TOTP_ISSUER = "Lianfang"
# WebAuthn accepts http://localhost only; the demo runs there.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEMO

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrftoken" if SECURE else "csrftoken"
# Forms carry the token; no script of ours reads the cookie.
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# After it was last written; an hour without use ends it long before (accounts.sessions).
SESSION_COOKIE_AGE = 8 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_FAILURE_VIEW = "lianfang.web.errors.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

LANGUAGE_CODE = "zh-hant"
LANGUAGES = [("zh-hant", _("Traditional Chinese")), ("en", _("English"))]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Taipei"

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
# No page of another site has a use for them.
WHITENOISE_ALLOW_ALL_ORIGINS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": DATA_DIR / "files"}},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

MAIL_HOST, MAIL_PORT, MAIL_USER, MAIL_PASSWORD, MAIL_STARTTLS = env.mail("EMAIL_URL", "smtp://localhost:25")
MAIL_FROM = env.text("LIANFANG_MAIL_FROM", f"notice@{_HOST if '.' in _HOST else 'lianfang.example'}")
# Where mails to the centre come in. Without an address no mail asks for answers; without a server nothing is fetched.
INBOUND_ADDRESS = env.mailbox("LIANFANG_INBOUND_ADDRESS", "centre@lianfang.example" if DEMO else "")
IMAP = env.imap("IMAP_URL")
SERVICE_MAILBOX = env.text("LIANFANG_SERVICE_MAILBOX", "service@lianfang.example")

# TAXII: one number is the hint to the proxy, Django's limit and `max_content_length` alike.
MAX_BODY = env.integer("LIANFANG_MAX_BODY", 10 * 1024 * 1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
FILE_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY

SILENCED_SYSTEM_CHECKS: list[str] = []
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s", "datefmt": "%Y-%m-%dT%H:%M:%S%z"}
    },
    # Django's own messages about answers from 400 on hold the address that was asked for.
    "filters": {"discreet": {"()": "lianfang.web.discreet.Discreet"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["discreet"]}},
    "root": {"handlers": ["console"], "level": env.text("LIANFANG_LOG_LEVEL", "WARNING")},
}
