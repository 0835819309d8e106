"""The figure of a fit, from its dataset: data with errors, fit, and residuals."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from jaxalloy.constants import BOHR_IN_ANGSTROM
from jaxalloy.plot import BLUE, GREEN, GREY, ORANGE

_COLORS = (BLUE, ORANGE, GREEN, "#cc79a7", "#56b4e9", "#e69f00")


def fit(dataset: xr.Dataset) -> Figure:
    """Measured and fitted structure factors, residuals underneath, one column for each data set.

    dataset: from `fit_to_dataset`, or read back from its netCDF file.
    """
    sets = sorted(int(name[2:]) for name in map(str, dataset.dims) if name.startswith("q_"))
    figure = Figure(figsize=(6.4 * len(sets), 6.0), layout="constrained")
    grid = figure.subplots(2, len(sets), sharex="col", squeeze=False, gridspec_kw={"height_ratios": (3, 1)})
    figure.suptitle(_title(dataset), fontsize=10)
    for column, i in enumerate(sets):
        _draw(grid[0, column], grid[1, column], dataset, i)
    return figure


def _title(dataset: xr.Dataset) -> str:
    a = dataset.attrs
    c = float(a["concentration"])
    shown = []
    for name, symbol, factor, unit in (
        ("sigma", r"\sigma", 1.0, "bohr"),
        ("epsilon", r"\epsilon", 1e3, "mRy"),
        ("kappa", r"\kappa", 1.0, "1/bohr"),
    ):
        if dataset[name].attrs["determined"]:
            value, sd = factor * float(dataset[name]), factor * float(dataset[f"{name}_sd"])
            shown.append(rf"${symbol}$ = {value:.4g} ± {sd:.2g} {unit}")
        else:
            shown.append(rf"${symbol}$ not determined")
    alloy = f"{a['element_A']}$_{{{1 - c:.3g}}}${a['element_B']}$_{{{c:.3g}}}$, {a['temperature_K']:g} K"
    return f"{alloy}\n{', '.join(shown)}"


def _draw(axes, residuals, dataset, i):
    q = dataset[f"q_{i}"].values / BOHR_IN_ANGSTROM
    curves = [str(name).split("_", 2)[2] for name in dataset.data_vars if str(name).startswith(f"measured_{i}_")]
    for curve, color in zip(curves, _COLORS, strict=False):
        measured, fitted = dataset[f"measured_{i}_{curve}"].values, dataset[f"fit_{i}_{curve}"].values
        error = dataset.get(f"error_{i}_{curve}")
        bars = None if error is None else error.values
        axes.errorbar(q, measured, bars, fmt=".", ms=3, lw=0.6, color=color, alpha=0.6, label=f"measured {curve}")
        axes.plot(q, fitted, color="black", lw=1.2, ls="-" if curve == curves[0] else "--", label=f"fit {curve}")
        residuals.plot(q, measured - fitted, ".", ms=3, color=color)
        if bars is not None and curve == curves[0]:
            residuals.fill_between(q, -bars, bars, color=GREY, alpha=0.3, lw=0)
    axes.set(ylabel="structure factor", title=dataset[f"q_{i}"].attrs["long_name"].partition(", ")[2])
    axes.legend(frameon=False, fontsize=8)
    residuals.axhline(0, color=GREY, lw=0.6)
    widest = np.max(np.abs(np.concatenate([line.get_ydata() for line in residuals.lines[:-1]]))) or 1.0
    residuals.set(ylim=(-1.1 * widest, 1.1 * widest), xlabel=r"q (1/$\mathrm{\AA}$)", ylabel="measured - fit")
