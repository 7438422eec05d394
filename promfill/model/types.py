"""Names for array types, by dtype; the docstring of each user says the shape and the unit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
F64Array = NDArray[np.float64]
I64Array = NDArray[np.int64]
U8Array = NDArray[np.uint8]
U32Array = NDArray[np.uint32]
U64Array = NDArray[np.uint64]
