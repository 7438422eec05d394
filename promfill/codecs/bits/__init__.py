"""Varints, bit fields and checksums: what the formats are made of."""
