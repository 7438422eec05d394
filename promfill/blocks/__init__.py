"""All that touches a block directory: open, check, list, write."""
