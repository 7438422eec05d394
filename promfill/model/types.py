"""Arrays by the type of what they hold; their shapes and units stand in the docstring of whoever has one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]
F64Array = NDArray[np.float64]
I64Array = NDArray[np.int64]
U8Array = NDArray[np.uint8]
U32Array = NDArray[np.uint32]
U64Array = NDArray[np.uint64]
