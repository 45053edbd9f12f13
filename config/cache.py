"""The cache: rate limits of the account pages, in the database that the broker and the journals use too."""

from django.core.cache.backends.redis import RedisCache


class OwnKeysCache(RedisCache):
    """Django's cache in Redis, except that `clear()` takes its own keys and not the whole database with it."""

    def clear(self) -> None:
        client = self._cache.get_client(None, write=True)  # type: ignore[attr-defined]
        for key in client.scan_iter(match=f"{self.key_prefix}:*", count=1000):
            client.unlink(key)
