"""Durable files, claims, checkpoints."""
