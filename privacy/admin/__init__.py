"""Staff's view of terms, ledger and sweeps."""

from privacy.admin import evidence, terms

__all__ = ["evidence", "terms"]
