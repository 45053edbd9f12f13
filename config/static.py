"""Static files under names that carry their hash, imports between JavaScript modules included."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise carries no types here
    support_js_module_import_aggregation = True
