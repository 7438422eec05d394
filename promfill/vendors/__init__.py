"""CDO, and the original tool's backfill.sh."""
