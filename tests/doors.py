"""The written list of doors: every address of the product, what it takes, and which of them the gate concerns.

An address, or a method of one, that is not written here fails tests/test_doors.py. GATED means that a turn may begin
there, OPEN that it stays open whatever is owed. What is not named for an address is refused there (405).
"""

GATED, OPEN = "gated", "open"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW")

READ = dict.fromkeys(("GET", "HEAD"), OPEN)
FORM = dict.fromkeys(("GET", "POST"), OPEN)
ACT = {"POST": OPEN}
TURN = {"POST": GATED}
# Views of classes (allauth's) take PUT for POST, and answer OPTIONS.
CLASS_READ = READ | {"OPTIONS": OPEN}
CLASS_ACT = READ | {"POST": OPEN, "OPTIONS": OPEN}
CLASS_FORM = CLASS_ACT | {"PUT": OPEN}
CLASS_ANY = CLASS_FORM | dict.fromkeys(("PATCH", "DELETE"), OPEN)
# Views that do not look at the method: whatever they are sent, no turn begins there.
ANY = dict.fromkeys(METHODS, OPEN)

# --- The chat -------------------------------------------------------------------

CHAT = {
    "": READ,
    "chat/": READ,
    "chat/<uuid:conversation>/": READ,
    "chat/<uuid:conversation>/why": READ,
    "chat/<uuid:conversation>/rename": ACT,
    "chat/<uuid:conversation>/delete": ACT,
    "chat/<uuid:conversation>/undelete": ACT,
    "chat/ask": TURN,
    "chat/message/<uuid:message>/edit": TURN,
    "chat/message/<uuid:message>/regenerate": TURN,
    "chat/message/<uuid:message>/retry": TURN,
    "chat/message/<uuid:message>/continue": TURN,
    "chat/message/<uuid:message>/stop": ACT,
    "chat/message/<uuid:message>/branch": ACT,
}
FRAMES = {
    **dict.fromkeys(("ask", "edit", "regenerate", "retry", "continue"), GATED),
    **dict.fromkeys(("stop", "follow", "unfollow"), OPEN),
}
SOCKETS = {"socket/", ""}  # the second says goodbye to whoever comes to any other address

# --- What never waits for a choice ------------------------------------------------

PRIVACY = {
    "privacy/": FORM,
    "privacy/choice/": FORM,
    "privacy/choice/not-now/": ACT,
    "privacy/choice/undo/": ACT,
    "privacy/receipts/<uuid:key>/": READ,
    "privacy/receipts/<uuid:key>.json": READ,
    "terms/": READ,
    "terms/<slug:slug>/": READ,
    "terms/<slug:slug>/changes/": READ,
    "terms/<slug:slug>.json": READ,
    ".well-known/parley/": READ,
    ".well-known/parley/head.json": READ,
    ".well-known/parley/checkpoint": READ,
    ".well-known/parley/heads.json": READ,
    ".well-known/parley/heads/<int:size>.json": READ,
    ".well-known/parley/consistency.json": READ,
    ".well-known/parley/keys.json": READ,
}
ACCOUNT = {
    "account/profile/": FORM,
    "account/workspace/": ACT,
    "account/login/": CLASS_FORM,
    "account/logout/": CLASS_ACT,
    "account/inactive/": CLASS_READ,
    "account/signup/": CLASS_FORM,
    "account/reauthenticate/": CLASS_FORM,
    "account/email/": CLASS_FORM,
    "account/confirm-email/": ANY,
    r"account/^confirm-email/(?P<key>[-:\w]+)/$": CLASS_ACT,
    "account/password/change/": CLASS_FORM,
    "account/password/set/": CLASS_FORM,
    "account/password/reset/": CLASS_FORM,
    "account/password/reset/done/": CLASS_READ,
    "account/password/reset/key/done/": CLASS_READ,
    r"account/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": CLASS_FORM,
    "account/login/code/confirm/": CLASS_FORM,
}
MODELS = {
    *("accounts/user", "accounts/workspace", "auth/group", "chat/conversation"),
    *("privacy/event", "privacy/leaf", "privacy/treehead", "privacy/ledgerkey", "privacy/standing"),
    *("privacy/sweeprun", "privacy/tombstone", "privacy/terms"),
}
VIEWS = {"": ANY, "add/": ANY, "<path:object_id>/": CLASS_ANY} | {
    f"<path:object_id>/{act}/": ANY for act in ("history", "delete", "change")
}
STAFF = {
    "admin/": ANY,
    "admin/login/": ANY,
    "admin/logout/": ANY,
    "admin/password_change/": ANY,
    "admin/password_change/done/": ANY,
    "admin/autocomplete/": ANY,
    "admin/jsi18n/": ANY,
    "admin/r/<path:content_type_id>/<path:object_id>/": ANY,
    "admin/^(?P<app_label>chat|privacy|auth|accounts)/$": ANY,
    "admin/(?P<url>.*)$": ANY,
    **{f"admin/{model}/{rest}": methods for model in MODELS for rest, methods in VIEWS.items()},
    **{
        f"admin/privacy/terms/<int:pk>/{act}/": ANY
        for act in ("publish", "take-back", "move-deadline", "copy", "figures")
    },
}
HEALTH = {"healthz": ANY, "readyz": ANY}

DOORS: dict[str, dict[str, str]] = CHAT | PRIVACY | ACCOUNT | STAFF | HEALTH
