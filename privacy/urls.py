from django.urls import include, path

from privacy.views import (
    certificates,
    chats,
    choice,
    ends,
    erasure,
    export,
    receipts,
    reviews,
    settings,
    terms,
    wellknown,
    work,
)

ledger = [
    path("", wellknown.index, name="ledger"),
    path("head.json", wellknown.head, name="ledger_head"),
    path("checkpoint", wellknown.checkpoint, name="ledger_checkpoint"),
    path("heads.json", wellknown.all_heads, name="ledger_heads"),
    path("heads/<int:size>.json", wellknown.head_of, name="ledger_head_of"),
    path("consistency.json", wellknown.consistency, name="ledger_consistency"),
    path("keys.json", wellknown.public_keys, name="ledger_keys"),
]

app_name = "privacy"
urlpatterns = [
    path(".well-known/parley/", include(ledger)),
    path("privacy/", settings.settings, name="settings"),
    path("privacy/chats/", chats.chats, name="chats"),
    path("privacy/chats/act/", chats.act, name="chats_act"),
    path("privacy/chats/undelete/", chats.undelete, name="chats_undelete"),
    path("privacy/ends/mails/", ends.mails, name="ends_mails"),
    path("privacy/ends/put-away/", ends.put_away, name="ends_put_away"),
    path("privacy/ends/off/<str:token>/", ends.off, name="ends_off"),
    path("privacy/work/<uuid:workspace>/", work.agreement, name="work"),
    path("privacy/reviews/<uuid:review>/", reviews.review, name="review"),
    path("privacy/history/", settings.history, name="history"),
    path("privacy/choice/", choice.choice, name="choice"),
    path("privacy/choice/not-now/", choice.defer, name="defer"),
    path("privacy/choice/undo/", choice.undo, name="undo"),
    path("privacy/receipts/<uuid:key>/", receipts.receipt, name="receipt"),
    path("privacy/receipts/<uuid:key>.json", receipts.document, name="receipt_document"),
    path("privacy/deletions/", certificates.deletions, name="deletions"),
    path("deleted/<uuid:key>/", certificates.certificate, name="certificate"),
    path("deleted/<uuid:key>.json", certificates.document, name="certificate_document"),
    path("privacy/export/", export.export, name="export"),
    path("privacy/delete-account/", erasure.delete_account, name="delete_account"),
    path("privacy/leaving/", erasure.pending, name="leaving"),
    path("privacy/account-deleted/", erasure.account_deleted, name="account_deleted"),
    path("terms/", terms.terms_list, name="terms_list"),
    path("terms/<slug:slug>/", terms.terms, name="terms"),
    path("terms/<slug:slug>/changes/", terms.changes, name="terms_changes"),
    path("terms/<slug:slug>.json", terms.document, name="terms_document"),
]
