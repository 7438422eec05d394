#!/usr/bin/env python3
"""The original tool's command line, on top of promfill.

    python3 scripts/backfill.py --metric-name vpn --labels 'instance=127.0.0.2:9273,job=vpn' \
        --start-epoch 1702800000 --end-epoch 1704614400

runs ``promfill push --mode script``. Braces and quotes in its labels are plain; what it does not know it passes on.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
OUTPUT_DIR = CHECKOUT / "utils"


def push_arguments(arguments: Sequence[str]) -> list[str]:
    """The words of ``promfill`` for the original's words."""
    parser = argparse.ArgumentParser(
        prog="backfill.py",
        allow_abbrev=False,
        description=__doc__.partition("\n")[0],
        epilog="All other options are those of promfill push: promfill push --help lists them.",
    )
    parser.add_argument("--labels", required=True, metavar="K=V,…")
    parser.add_argument("--output-dir", default=str(OUTPUT_DIR), metavar="DIR")
    known, others = parser.parse_known_args(arguments)
    words = ["push", "--mode", "script", "--output-dir", known.output_dir, *others]
    return [*words, *(word for label in known.labels.split(",") for word in ("--labels", plain_label(label)))]


def plain_label(label: str) -> str:
    """The label in promfill's grammar with its value in quotes, in which nothing fans out."""
    name, equals, value = label.partition("=")
    if not value:
        return label
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}{equals}"{escaped}"'


def main() -> None:
    """Run the push, with the checkout's own environment where this interpreter has none of what promfill needs."""
    words = push_arguments(sys.argv[1:])
    sys.path.insert(0, str(CHECKOUT))
    try:
        import numpy  # noqa: F401

        from promfill.cli import main as promfill
    except ModuleNotFoundError:
        python = CHECKOUT / ".venv" / "bin" / "python"
        if not python.exists():
            sys.exit("backfill.py: promfill is not installed: run make install")
        os.execv(python, [str(python), "-m", "promfill", *words])
    promfill(words)


if __name__ == "__main__":
    main()
