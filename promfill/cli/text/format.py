"""Numbers for people."""

from __future__ import annotations


def size_text(count: float) -> str:
    """Bytes for people."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


def rate_text(samples: int, seconds: float) -> str:
    """Samples per second for people; "" if there is no rate to speak of."""
    if not samples or seconds <= 0:
        return ""
    rate = samples / seconds
    return f"{rate / 1e6:.1f} M samples/s" if rate >= 1e6 else f"{rate:,.0f} samples/s"
