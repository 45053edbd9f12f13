"""Settings. The environment is read here and nowhere else; docs/configuration.md lists every variable."""

from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config import beat, environment
from config.environment import BASE_DIR

DATA_DIR = environment.data_dir()
env = environment.load(DATA_DIR)

# --- Safety -----------------------------------------------------------------

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "") or environment.generated_secret(DATA_DIR, "secret_key")
LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", LOOPBACK_HOSTS)
PUBLIC_ORIGIN = env.str("PUBLIC_ORIGIN", "")  # e.g. https://chat.example.org, behind TLS
LINK_ORIGIN = PUBLIC_ORIGIN.rstrip("/") or env.str("LOCAL_ORIGIN", "http://127.0.0.1:8000")  # in mails
CSRF_TRUSTED_ORIGINS = [PUBLIC_ORIGIN] if PUBLIC_ORIGIN else []

BEHIND_TLS = PUBLIC_ORIGIN.startswith("https://")
SECURE_SSL_REDIRECT = BEHIND_TLS
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = BEHIND_TLS
SECURE_HSTS_PRELOAD = BEHIND_TLS
if env.bool("TRUST_PROXY_HEADERS", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = 3_000_000  # more than anything that people send here
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"

# Nothing is allowed but what comes from this server; no inline script or style, admin included.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# Who may read /metrics says this; unset: this machine alone, unless PUBLIC_ORIGIN is set (config/metrics.py).
METRICS_TOKEN = env.str("METRICS_TOKEN", "")

# --- The clock --------------------------------------------------------------
# Tests move the clock of running processes through this file (accounts/clock.py).

CLOCK_FILE = env.str("CLOCK_FILE", "")
if CLOCK_FILE and set(ALLOWED_HOSTS) - {*LOOPBACK_HOSTS, "testserver"}:
    raise ImproperlyConfigured(
        "CLOCK_FILE moves the clock by which consent and deletion are judged. It is for tests and is refused "
        "wherever ALLOWED_HOSTS names anything but loopback: unset one of the two."
    )

# --- Applications -----------------------------------------------------------

INSTALLED_APPS = [
    "config",
    "chat",
    "privacy",
    "accounts",
    "allauth",
    "allauth.account",
    "channels",
    "csp",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "config.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.PersonalLocaleMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.PrivatePagesMiddleware",
    "accounts.middleware.WorkspaceMiddleware",
    "privacy.middleware.GateMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.workspaces",
                "chat.context.model_in_use",
            ],
        },
    },
]

# --- Data -------------------------------------------------------------------

DATABASE_URL = env.str("DATABASE_URL", "postgresql://localhost/parley")
# The role that owns the tables, for migrations; the application's role owns none.
DATABASE_OWNER_URL = env.str("DATABASE_OWNER_URL", DATABASE_URL)
DATABASES: dict[str, dict[str, Any]] = {
    "default": dict(dj_database_url.parse(DATABASE_OWNER_URL if environment.migrating() else DATABASE_URL))
}
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# Statements are planned once for each connection. A pooler that shares connections between transactions cannot do that.
if env.bool("DATABASE_PREPARES", True):
    DATABASES["default"].setdefault("OPTIONS", {}).update(server_side_binding=True, prepare_threshold=3)
# A pool where many threads come and go (web, generation); prefork workers keep one connection each, and nothing else
# keeps one: under ASGI a kept connection belongs to a thread that may never serve again.
if pool_size := env.int("DATABASE_POOL_SIZE", 0):
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {"min_size": 1, "max_size": pool_size, "timeout": 5}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", 0)

# Threads of a web process in which sockets ask the database; 0: the one that Channels shares.
SOCKET_THREADS = env.int("SOCKET_THREADS", 4)

REDIS_URL = env.str("REDIS_URL", "redis://127.0.0.1:6379/0")

# Rate limits of the account pages.
CACHES = {
    "default": {
        "BACKEND": "config.cache.OwnKeysCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "parley",
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 2},
    }
}

# --- People -----------------------------------------------------------------

SESSION_ENGINE = "accounts.sessions"
AUTH_USER_MODEL = "accounts.User"
# It is Django's ModelBackend and more; both beside each other would hash a wrong password twice.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "chat:home"
MINIMUM_AGE = env.int("MINIMUM_AGE", 18)
MINIMUM_NOTICE_DAYS = env.int("MINIMUM_NOTICE_DAYS", 14)  # from a publication to its deadline
# A file with the terms that a new database begins with (privacy/first_terms.py); empty: Parley's own, published then.
FIRST_TERMS = env.str("FIRST_TERMS", "")

EMAIL_URL = env.str("EMAIL_URL", "")
if EMAIL_URL:
    vars().update({name: value for name, value in env.dj_email_url("EMAIL_URL").items() if name.startswith("EMAIL_")})
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = DATA_DIR / "mail"
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("MAIL_FROM", "Parley <parley@localhost>")

ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {"signup": "accounts.forms.SignUpForm", "add_email": "accounts.forms.ChangeAddressForm"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
# Without mail nothing can prove an address; with it, sign-up never tells whether an address has an account.
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if EMAIL_URL else "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Parley: "
ACCOUNT_RATE_LIMITS = {"export": "6/h/user"}  # besides allauth's own
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # the password or a mailed code, before the address changes
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if BEHIND_TLS else "http"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
# Behind a proxy, rate limits count the address that the proxy saw, not the proxy's own.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if env.bool("TRUST_PROXY_HEADERS", False) else 0

# --- The ledger -------------------------------------------------------------
# Keys that vouch for it, in no database (docs/configuration.md).

LEDGER_MAC_KEY = env.str("LEDGER_MAC_KEY", "") or environment.generated_secret(DATA_DIR, "ledger_mac_key")
LEDGER_OLD_MAC_KEYS: list[str] = env.list("LEDGER_OLD_MAC_KEYS", [])
LEDGER_SIGNING_KEY = env.str("LEDGER_SIGNING_KEY", "") or environment.generated_secret(DATA_DIR, "ledger_signing_key")
LEDGER_OLD_SIGNING_KEY = env.str("LEDGER_OLD_SIGNING_KEY", "")
# The name under which heads are signed; the heads' file, best on another disk.
LEDGER_ORIGIN = env.str("LEDGER_ORIGIN", "") or f"{urlsplit(PUBLIC_ORIGIN).netloc or 'localhost'}/parley"
if set(LEDGER_ORIGIN) & set(" +\n"):
    raise ImproperlyConfigured("LEDGER_ORIGIN is a name in signed notes: no spaces, no plus sign.")
LEDGER_HEADS_FILE = env.str("LEDGER_HEADS_FILE", "") or str(DATA_DIR / "heads.jsonl")
LEDGER_SALT_DAYS = env.int("LEDGER_SALT_DAYS", 30)

# Who answers for people's data, as receipts name them.
CONTROLLER = {
    "name": env.str("CONTROLLER_NAME", "") or urlsplit(LINK_ORIGIN).netloc,
    "contact": env.str("CONTROLLER_CONTACT", ""),
    "address": env.str("CONTROLLER_ADDRESS", ""),
    "country": env.str("CONTROLLER_COUNTRY", ""),
}

# --- Tags -------------------------------------------------------------------

RETAG_AT_ONCE = env.int("RETAG_AT_ONCE", 10_000)  # conversations re-tagged in a request; more are, after it, in pieces

# --- What is gone stays gone -------------------------------------------------

# What a restored backup must not bring back (docs/restoring.md): on a disk that backups of the database do not replace.
GUARD_LOG = env.str("GUARD_LOG", "") or str(DATA_DIR / "guard" / "log.jsonl")
ACCOUNT_GRACE_DAYS = env.int("ACCOUNT_GRACE_DAYS", 7)  # in which whoever leaves may come back

# --- The sweep -------------------------------------------------------------
# It purges no more than this of what has come to its end without asking staff (docs/retention.md).

SWEEP_LIMIT_PERCENT = env.float("SWEEP_LIMIT_PERCENT", 5.0)
SWEEP_LIMIT_COUNT = env.int("SWEEP_LIMIT_COUNT", 1000)
SWEEP_LARGEST_GAP_DAYS = env.int("SWEEP_LARGEST_GAP_DAYS", 45)

# --- Files of one's data ----------------------------------------------------
# docs/export.md

EXPORTS_DIR = env.str("EXPORTS_DIR", "") or str(DATA_DIR / "exports")
EXPORT_DAYS = env.int("EXPORT_DAYS", 7)  # for which a file can be fetched
EXPORT_LANES = env.int("EXPORT_LANES", 1)  # files that background workers have in hand at once

# --- Training sets ---------------------------------------------------------
# docs/training.md

TRAINING_DIR = env.str("TRAINING_DIR", "") or str(DATA_DIR / "training")
TRAINING_KEY = env.str("TRAINING_KEY", "")  # who asks for drop lists over HTTP says it; unset: nobody does
TRAINING_NAMES_MODEL = env.str("TRAINING_NAMES_MODEL", "")  # an installed spaCy model; unset: no names are found
TRAINING_LANES = env.int("TRAINING_LANES", 1)  # chunks of one set that background workers have in hand at once

# --- Models that answer -----------------------------------------------------

MODEL_HOST = urlsplit(env.str("MODEL_URL", "")).hostname or "localhost"
MODEL: dict[str, Any] = {
    "provider": env.str("MODEL_PROVIDER", "openai"),  # openai | anthropic | scripted
    "url": env.str("MODEL_URL", ""),
    "key": env.str("MODEL_KEY", ""),
    "name": env.str("MODEL_NAME", "smollm2"),
    "label": env.str("MODEL_LABEL", "") or env.str("MODEL_NAME", "SmolLM2"),
    "operator": env.str("MODEL_OPERATOR", "")
    or ("this machine" if MODEL_HOST in {"localhost", "127.0.0.1", "::1"} else MODEL_HOST),
    "operator_retention": env.str("MODEL_OPERATOR_RETENTION", ""),  # what they keep of people's words, in a sentence
    "continues": env.bool("MODEL_CONTINUES", False),  # whether it goes on from an answer's beginning
    "max_tokens": env.int("MODEL_MAX_TOKENS", 0) or None,  # of one answer; unset: as the server does
    "context_tokens": env.int("MODEL_CONTEXT_TOKENS", 4096),
}
PROVIDERS = {
    "openai": "chat.providers.openai.OpenAIProvider",
    "anthropic": "chat.providers.anthropic.AnthropicProvider",
    "scripted": "chat.providers.scripted.ScriptedProvider",
}
if MODEL["provider"] not in PROVIDERS:
    raise ImproperlyConfigured(f"MODEL_PROVIDER is “{MODEL['provider']}”: give one of {', '.join(PROVIDERS)}.")

# --- Background work --------------------------------------------------------

# Text never enters a task: arguments are ids, results are not kept (docs/architecture.md).
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "background"
# What waits for a model waits in a thread: it must not keep the few processes of `background` from sweeping.
CELERY_TASK_ROUTES = {
    "chat.tasks.generate": {"queue": "generation"},
    "chat.tasks.title_conversation": {"queue": "generation"},
}
# Tasks stay in the queue, where every worker gets them and the revival sees them, rather than in one worker's hands.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "retry_on_timeout": True,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "run" / "beat")
CELERY_BEAT_SCHEDULE = beat.TASKS

# --- Language, time, files --------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]  # those with translations
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static.HashedStaticFilesStorage"},
}
MEDIA_ROOT = DATA_DIR / "files"

# --- Logs: never what people wrote ------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {"without ids": {"()": "config.logs.WithoutIds"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line"},
        "django": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["without ids"]},
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "django": {"handlers": ["django"], "propagate": False, "level": env.str("LOG_LEVEL", "INFO")},
        # It has something to say of every text that it looks at.
        "presidio-analyzer": {"level": "CRITICAL"},
    },
}
