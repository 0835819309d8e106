"""What a map shows of states that did not converge."""

import numpy as np
import xarray as xr
from matplotlib.collections import PolyCollection

from jaxalloy import plot_sweep


def test_failures_alone_are_hatched():
    status = np.zeros((4, 6), int)
    status[0, 2:5], status[3, 5] = 1, 2
    values = np.where(status == 1, np.nan, np.arange(24.0).reshape(4, 6))
    named = {"kappa": np.linspace(0.5, 2.0, 4), "epsilon": np.geomspace(1e-3, 1e-1, 6)}
    dataset = xr.Dataset({"status": (tuple(named), status), "S": (tuple(named), values)}, named)
    dataset.S.attrs["long_name"] = "height"
    dataset.attrs["quantity"] = "structure-factor"
    heat = plot_sweep.sweep(dataset, "S").axes[0]
    (hatched,) = (found for found in heat.collections if isinstance(found, PolyCollection))
    boxes = [path.get_extents() for path in hatched.get_paths()]
    where = [
        (box.x0 < x < box.x1) & (box.y0 < y < box.y1) for y in named["kappa"] for x in named["epsilon"] for box in boxes
    ]
    assert np.array_equal(np.reshape(where, (4, 6, len(boxes))).sum(-1), status != 0)
