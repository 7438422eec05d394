"""Go's ``%g``, value by value, from Python's shortest digits."""

from __future__ import annotations

import math
from decimal import Decimal


def go_g(value: float) -> str:
    """What Go prints for a float64 by %g."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    sign, numbers, exponent = Decimal(repr(value)).as_tuple()
    assert isinstance(exponent, int)
    digits = "".join(map(str, numbers)).lstrip("0")
    power = len(digits) + exponent - 1 if digits else 0
    digits = digits.rstrip("0") or "0"
    minus = "-" if sign else ""
    if power < -4 or power >= 6:
        point = "." if digits[1:] else ""
        return f"{minus}{digits[0]}{point}{digits[1:]}e{'-' if power < 0 else '+'}{abs(power):02d}"
    if power < 0:
        return f"{minus}0.{'0' * (-power - 1)}{digits}"
    whole = digits[: power + 1].ljust(power + 1, "0")
    return f"{minus}{whole}.{digits[power + 1 :]}".rstrip(".")
