"""Staff's view of terms, ledger, tags, holds, reviews and sweeps."""

from privacy.admin import evidence, flags, holds, sweeping, tags, terms

__all__ = ["evidence", "flags", "holds", "sweeping", "tags", "terms"]
