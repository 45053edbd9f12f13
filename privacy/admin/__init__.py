"""Staff's view of terms, ledger and sweeps."""

from privacy.admin import evidence, sweeping, terms

__all__ = ["evidence", "sweeping", "terms"]
