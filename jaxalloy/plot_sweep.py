"""Figures of sweeps, drawn from the dataset that `xarray.open_zarr` makes of their store."""

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from jaxalloy.numerics.checks import InputError
from jaxalloy.plot import GREY, ORANGE

CUTS = 5


def sweep(dataset: xr.Dataset, quantity: str, at: Mapping[str, float] | None = None, cuts: str | None = None) -> Figure:
    """One variable of a sweep: a curve over one axis, a heat map with cuts through it over two, points of a sample.

    dataset: of a sweep's store. quantity: the variable. at: values of axes to hold (the nearest that was computed is
    taken). cuts: the axis that the cuts run along, the last by default. States that did not converge are hatched, or
    crosses. Raises `InputError` for a variable or an axis that there is not, and for more than two axes left.
    """
    chosen, held = _select(dataset, quantity, at or {})
    values = chosen[quantity]
    dimensions = list(values.dims)
    figure = Figure(figsize=(11.0, 4.6) if len(dimensions) == 2 else (7.0, 4.6), layout="constrained")
    figure.suptitle(", ".join([f"{dataset.attrs['quantity']}: {values.attrs['long_name']}", *held]), fontsize=10)
    if len(dimensions) == 2:
        along = str(dimensions[-1] if cuts is None else cuts)
        if along not in dimensions:
            raise InputError(f"--cuts {along}: the axes drawn are {' and '.join(map(str, dimensions))}")
        across = next(str(name) for name in dimensions if name != along)
        heat, lines = figure.subplots(1, 2)
        _draw_map(heat, chosen, values.transpose(across, along))
        _draw_cuts(lines, values.transpose(across, along))
    elif len(dimensions) == 1 and dimensions[0] in chosen.indexes:
        _draw_curve(figure.subplots(), chosen, values)
    elif len(dimensions) == 1:
        _draw_sample(figure.subplots(), chosen, values)
    else:
        raise InputError(
            f"{quantity} has the axes {', '.join(map(str, dimensions)) or 'none'}: hold all but one or two of them "
            "with --at, as in --at temperature=1000"
        )
    return figure


def _select(dataset: xr.Dataset, quantity: str, at: Mapping[str, float]) -> tuple[xr.Dataset, list[str]]:
    drawable = [str(name) for name in dataset.data_vars if name not in ("checksum", "status")]
    if quantity not in drawable:
        raise InputError(f"--quantity {quantity}: the store holds {', '.join(drawable)}")
    kept = dataset[[quantity, "status"]]
    held = []
    for name, value in at.items():
        if name not in kept.indexes:
            axes = [str(axis) for axis in dataset[quantity].dims]
            raise InputError(f"--at {name}: the axes of {quantity} are {', '.join(axes)}")
        kept = kept.sel({name: value}, method="nearest")
        held.append(f"{name} = {float(kept[name]):.4g} {_unit(kept[name])}".rstrip())
    return kept.load(), held


def _unit(variable: xr.DataArray) -> str:
    unit = variable.attrs.get("units", "1")
    return "" if unit == "1" else unit


def _label(variable: xr.DataArray) -> str:
    unit = _unit(variable)
    return f"{variable.name} ({unit})" if unit else str(variable.name)


def _scale(values: np.ndarray) -> str:
    """Logarithmic where the values are spaced by ratios rather than by steps."""
    if values.size < 3 or np.min(values) <= 0:
        return "linear"
    steps, ratios = np.diff(values), np.diff(np.log(values))
    return (
        "log" if np.ptp(ratios) < 0.1 * abs(np.mean(ratios)) < 0.1 * np.ptp(steps) / abs(np.mean(steps)) else "linear"
    )


def _draw_map(axes: Axes, chosen: xr.Dataset, values: xr.DataArray) -> None:
    across, along = (chosen[name] for name in values.dims)
    low, high, beyond = _range(values.values)
    shown = np.ma.masked_invalid(values)
    image = axes.pcolormesh(along, across, shown, shading="nearest", rasterized=True, vmin=low, vmax=high)
    axes.figure.colorbar(image, ax=axes, label=_label(values), extend=beyond)
    failed = chosen.status.broadcast_like(values).transpose(*values.dims) != 0
    if bool(failed.any()):
        corners, (row, column) = np.asarray(image.get_coordinates()), np.nonzero(failed.values)
        around = np.stack([corners[row + i, column + j] for i, j in ((0, 0), (0, 1), (1, 1), (1, 0))], axis=1)
        cells = PolyCollection([*around], facecolor="none", edgecolor=GREY, hatch="////", linewidth=0)
        axes.add_collection(cells, autolim=False)
        axes.set_title(f"hatched: {int(failed.sum())} states not converged", fontsize=9)
    axes.set(xlabel=_label(along), ylabel=_label(across))
    axes.set(xscale=_scale(along.values), yscale=_scale(across.values))


def _draw_cuts(axes: Axes, values: xr.DataArray) -> None:
    across, along = (values[name] for name in values.dims)
    chosen = np.unique(np.linspace(0, across.size - 1, min(CUTS, across.size)).round().astype(int))
    for shade, index in zip(np.linspace(0.0, 0.85, len(chosen)), chosen, strict=True):
        label = f"{across.name} = {float(across[index]):.4g} {_unit(across)}".rstrip()
        axes.plot(along, values[index], ".-", ms=3, color=_shade(shade), label=label)
    low, high, beyond = _range(values.values)
    if beyond != "neither":
        margin = 0.05 * (high - low)
        axes.set_ylim(low - margin, high + margin)
    axes.set(xlabel=_label(along), ylabel=_label(values), xscale=_scale(along.values))
    axes.legend(frameon=False, fontsize=8)


def _range(values: np.ndarray) -> tuple[float, float, str]:
    """Ends of the scale, and at which of them values lie beyond it: a few that diverge do not hide the others."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        raise InputError("none of the states drawn has a result: see the status in the store")
    (low, high), (least, most) = np.percentile(finite, (2, 98)), (np.min(finite), np.max(finite))
    under, over = low - least > 2 * (high - low), most - high > 2 * (high - low)
    names = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}
    return float(low if under else least), float(high if over else most), names[bool(under), bool(over)]


def _shade(share: float) -> tuple[float, float, float, float]:
    from matplotlib import colormaps

    return colormaps["viridis"](share)


def _draw_curve(axes: Axes, chosen: xr.Dataset, values: xr.DataArray) -> None:
    along = chosen[values.dims[0]]
    axes.plot(along, values, ".-", ms=4)
    failed = np.broadcast_to(chosen.status.values != 0, along.shape)
    for place in along.values[failed]:
        axes.axvline(place, color=GREY, alpha=0.3, ls=":")
    axes.set(xlabel=_label(along), ylabel=_label(values), xscale=_scale(along.values))


def _draw_sample(axes: Axes, chosen: xr.Dataset, values: xr.DataArray) -> None:
    """States of a Sobol sequence or of axes run together: over the first two coordinates, or the only one."""
    along = [chosen[name] for name in chosen.coords if chosen[name].dims == values.dims]
    failed = chosen.status.values != 0
    if len(along) == 1:
        axes.plot(along[0], values, ".")
        axes.set(xlabel=_label(along[0]), ylabel=_label(values))
        return
    x, y = along[:2]
    points = axes.scatter(x[~failed], y[~failed], c=values[~failed], s=14)
    axes.figure.colorbar(points, ax=axes, label=_label(values))
    axes.plot(x[failed], y[failed], "x", color=ORANGE, ms=4, label="not converged")
    axes.set(xlabel=_label(x), ylabel=_label(y))
    if failed.any():
        axes.legend(frameon=False, fontsize=8)
