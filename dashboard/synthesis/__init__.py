"""Drawn blood cells: a renderer whose colours, sizes and textures are measured on real smears, and that copies none.

`segmentation` and `measuring` turn real images into `statistics.json`; `appearance` reads it; `shapes`, `textures`,
`red_cells` and `white_cells` draw with it; `optics` photographs the drawing; `samples` fills `sample_images/`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).with_name("golden.png")


@cache
def _golden() -> np.ndarray:
    from dashboard.images import read

    return read(GOLDEN).pixels


def golden_image() -> np.ndarray:
    """A drawn segmented neutrophil that never changes: every model's expected output is recorded on it.

    Returns
    -------
    numpy.ndarray
        uint8, shape (360, 360, 3), RGB. Kept as a file, so that a better renderer does not alter it.
    """
    return _golden().copy()
