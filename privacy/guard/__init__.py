"""The restore guard: a log outside the database that knows what a backup must not bring back (docs/restoring.md)."""
