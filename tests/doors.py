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
# Views of allauth and the admin, which take what methods they like. No turn begins there, whatever they are sent.
ANY = dict.fromkeys(METHODS, OPEN)

# --- The chat -------------------------------------------------------------------

CHAT = {
    "": READ,
    "chat/": READ | ACT,
    "chat/temporary/": READ | ACT,
    "chat/<uuid:conversation>/": READ,
    "chat/<uuid:conversation>/why": READ,
    "chat/<uuid:conversation>/rename": ACT,
    "chat/<uuid:conversation>/delete": ACT,
    "chat/<uuid:conversation>/undelete": ACT,
    "chat/<uuid:conversation>/keep": ACT,
    "chat/<uuid:conversation>/let-go": ACT,
    "chat/ask": TURN,
    "chat/message/<uuid:message>/edit": TURN,
    "chat/message/<uuid:message>/regenerate": TURN,
    "chat/message/<uuid:message>/retry": TURN,
    "chat/message/<uuid:message>/continue": TURN,
    "chat/message/<uuid:message>/stop": ACT,
    "chat/message/<uuid:message>/branch": ACT,
    "chat/message/<uuid:message>/feedback": READ | ACT,
    "chat/message/<uuid:message>/feedback/answer": ACT,
    "chat/message/<uuid:message>/feedback/withdraw": ACT,
    "chat/message/<uuid:message>/feedback/take-back": ACT,
    "chat/feedback/": READ,
}
FRAMES = {
    **dict.fromkeys(("ask", "edit", "regenerate", "retry", "continue"), GATED),
    **dict.fromkeys(("stop", "follow", "unfollow"), OPEN),
}
SOCKETS = {"socket/", ""}  # the second says goodbye to whoever comes to any other address

# --- What never waits for a choice ------------------------------------------------

PRIVACY = {
    "privacy/": FORM,
    "privacy/chats/": READ,
    "privacy/chats/act/": ACT,
    "privacy/chats/undelete/": ACT,
    "privacy/ends/mails/": ACT,
    "privacy/ends/put-away/": ACT,
    "privacy/ends/off/<str:token>/": FORM,
    "privacy/work/<uuid:workspace>/": FORM,
    "privacy/reviews/<uuid:review>/": FORM,
    "privacy/history/": READ,
    "privacy/deletions/": READ,
    "privacy/leaving/": FORM,
    "deleted/<uuid:key>/": READ,
    "deleted/<uuid:key>.json": READ,
    "privacy/choice/": FORM,
    "privacy/choice/not-now/": ACT,
    "privacy/choice/undo/": ACT,
    "privacy/receipts/<uuid:key>/": READ,
    "privacy/receipts/<uuid:key>.json": READ,
    "privacy/export/": FORM,
    "privacy/export/progress.json": READ,
    "privacy/export/document/": ACT,
    "privacy/export/<uuid:key>.zip": READ,
    "privacy/delete-account/": FORM,
    "privacy/account-deleted/": READ,
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
}
ALLAUTH = dict.fromkeys(
    (
        "account/login/",
        "account/logout/",
        "account/inactive/",
        "account/signup/",
        "account/reauthenticate/",
        "account/reauthenticate/code/",
        "account/reauthenticate/code/confirm/",
        "account/email/",
        "account/confirm-email/",
        r"account/^confirm-email/(?P<key>[-:\w]+)/$",
        "account/password/change/",
        "account/password/set/",
        "account/password/reset/",
        "account/password/reset/done/",
        "account/password/reset/key/done/",
        r"account/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        "account/login/code/confirm/",
    ),
    ANY,
)
MODELS = {
    *("accounts/user", "accounts/workspace", "auth/group", "chat/conversation"),
    *("chat/trainingset", "chat/trainingrun"),
    *("privacy/event", "privacy/leaf", "privacy/treehead", "privacy/ledgerkey", "privacy/standing"),
    *(
        "privacy/erasure",
        "privacy/sweeprun",
        "privacy/outbox",
        "privacy/hold",
        "privacy/flag",
        "privacy/reading",
        "privacy/sweepstop",
        "privacy/tagcheck",
        "privacy/retagging",
        "privacy/tombstone",
        "privacy/terms",
    ),
}
VIEWS = ("", "add/", "<path:object_id>/", *(f"<path:object_id>/{act}/" for act in ("history", "delete", "change")))
ADMIN = dict.fromkeys(
    (
        "admin/",
        "admin/login/",
        "admin/logout/",
        "admin/password_change/",
        "admin/password_change/done/",
        "admin/autocomplete/",
        "admin/jsi18n/",
        "admin/r/<path:content_type_id>/<path:object_id>/",
        "admin/^(?P<app_label>chat|privacy|auth|accounts)/$",
        "admin/(?P<url>.*)$",
        *(f"admin/{model}/{rest}" for model in MODELS for rest in VIEWS),
        "admin/privacy/sweeprun/figures/",
        "admin/privacy/sweepstop/<int:pk>/answer/",
        "admin/privacy/retagging/everybody/",
        *(f"admin/chat/trainingset/{act}/" for act in ("build", "<int:pk>/seal", "<int:pk>/release")),
        "admin/privacy/hold/place/",
        "admin/privacy/hold/<int:pk>/release/",
        *(f"admin/privacy/flag/{act}/" for act in ("place", "<int:pk>/end", "<int:pk>/answer")),
        *(
            f"admin/privacy/{of}/<int:pk>/{act}/"
            for of in ("hold", "flag")
            for act in ("readers", "read", "read/<uuid:key>")
        ),
        *(
            f"admin/privacy/terms/<int:pk>/{act}/"
            for act in ("publish", "take-back", "move-deadline", "copy", "figures")
        ),
    ),
    ANY,
)
HEALTH = dict.fromkeys(("healthz", "readyz"), ANY) | {"metrics": READ, "training/check": ACT}

DOORS: dict[str, dict[str, str]] = CHAT | PRIVACY | ACCOUNT | ALLAUTH | ADMIN | HEALTH
OURS = CHAT | PRIVACY | ACCOUNT  # they refuse every other method
