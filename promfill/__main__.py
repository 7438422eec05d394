"""``python -m promfill``."""

from promfill.cli import main

if __name__ == "__main__":
    main()
