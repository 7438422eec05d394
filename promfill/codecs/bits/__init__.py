"""Varints, bit fields and checksums: the building blocks of the formats."""
