"""What users would run instead of promfill: each a script for a Python of its own (`install.sh`), or a program."""
