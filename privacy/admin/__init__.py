"""Staff's view of terms, ledger and sweeps."""

from privacy.admin import evidence, holds, sweeping, terms

__all__ = ["evidence", "holds", "sweeping", "terms"]
