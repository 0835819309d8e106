"""Figures of kinetics and annealing; each takes a dataset of `dataset_relaxation`, or one read from its file."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#777777"
COLOURS = (BLUE, ORANGE, GREEN, "#cc79a7", "#56b4e9", "#e69f00", "black", GREY)
STATES_DRAWN = 12


def relaxation(dataset: xr.Dataset) -> Figure:
    """The order parameter, with the closed form where there is one, above the inversions."""
    figure = Figure(figsize=(7.0, 6.4), layout="constrained")
    order, inversion = figure.subplots(2, 1, sharex=True)
    order.plot(dataset.time, dataset.eta, color=BLUE, label="EM Eq. 9")
    if "eta_closed" in dataset:
        order.plot(
            dataset.time, dataset.eta_closed, "--", color="black", label="EM Eq. 12 (inversion decays by itself)"
        )
    order.axhline(1, color=GREY, lw=0.6)
    order.set(ylabel=r"$\eta = |b|/|b_\mathrm{end}|$", title=dataset.attrs.get("title", ""))
    order.set_ylim(bottom=0)
    order.legend(frameon=False, fontsize=9)
    values = dataset.inversion.values
    for state in range(min(values.shape[1], STATES_DRAWN)):
        inversion.plot(dataset.time, values[:, state], color=ORANGE, alpha=0.9 if values.shape[1] == 1 else 0.5)
    if values.shape[1] > STATES_DRAWN:
        inversion.set_title(f"first {STATES_DRAWN} of {values.shape[1]} states", fontsize=9)
    inversion.axhline(0, color=GREY, lw=0.6)
    inversion.set(xlabel="time (inverse unit of the rates)", ylabel=r"inversion $\sigma_k$")
    return figure


def figure1(dataset: xr.Dataset) -> Figure:
    """EM Fig. 1: the three regimes by the closed form, and Eq. 9 beside it for every seed."""
    figure = Figure(figsize=(12.0, 4.0), layout="constrained")
    for index, axes in enumerate(figure.subplots(1, dataset.sizes["curve"], sharey=True)):
        one = dataset.isel(curve=index)
        axes.plot(one.time, one.eta_closed, color="black", lw=2.2, label="closed form, Eq. 12")
        for seed, colour, style in zip(one.seed.values, COLOURS, ("--", "-."), strict=False):
            axes.plot(one.time, one.eta.sel(seed=seed), style, color=colour, label=f"Eq. 9, $d_0$ = {seed:g}")
        axes.set(
            xlabel=r"$\gamma t$", title=rf"{index + 1}: $x$ = {float(one.x):g}, $\Gamma$ = {float(one.dephasing):g}"
        )
        axes.axhline(1, color=GREY, lw=0.6)
    first = figure.axes[0]
    first.set_ylabel(r"$\eta(t)$")
    first.set_ylim(bottom=0)
    first.legend(frameon=False, fontsize=9)
    return figure


def stationary(dataset: xr.Dataset) -> Figure:
    """Quanta of the condensate against the pump, and the eigenvalues about the state asked for."""
    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    quanta, plane = figure.subplots(1, 2)
    quanta.plot(dataset.pump_ratio, dataset.quanta_of_pump, color=BLUE)
    quanta.plot(float(dataset.ratio), float(dataset.quanta), "o", color=ORANGE, label="this pump")
    if np.isfinite(dataset.boundary) and float(dataset.boundary) <= float(dataset.pump_ratio[-1]):
        quanta.axvline(float(dataset.boundary), color=GREY, ls="--", label="unstable beyond")
    quanta.set(xlabel="pump over threshold", ylabel="excitations N")
    quanta.legend(frameon=False, fontsize=9)
    plane.plot(dataset.eigenvalue_real, dataset.eigenvalue_imag, "o", color=ORANGE)
    plane.axvline(0, color=GREY, lw=0.8)
    plane.set(xlabel="Re eigenvalue", ylabel="Im eigenvalue", title="stable left of the line")
    return figure


def excitations(dataset: xr.Dataset) -> Figure:
    """Energies of the excitations of a cluster, unstable ones below zero as -|E|."""
    figure = Figure(figsize=(6.5, 4.0), layout="constrained")
    axes = figure.subplots()
    squared = dataset.squared_energy.values
    energy = 1e3 * np.sign(squared) * np.sqrt(np.abs(squared))
    number = np.arange(1, len(energy) + 1)
    axes.plot(number[squared >= 0], energy[squared >= 0], "o", color=BLUE, label="E")
    if (squared < 0).any():
        axes.plot(number[squared < 0], energy[squared < 0], "v", color=ORANGE, label="unstable, -|E|")
    axes.axhline(0, color=GREY, lw=0.6)
    axes.set(xlabel="mode", ylabel="energy (mRy)")
    axes.legend(frameon=False, fontsize=9)
    return figure


def annealing(datasets: list[xr.Dataset]) -> Figure:
    """Each anneal with the laws fitted to it; many points are averaged for the eye."""
    figure = Figure(figsize=(7.0, 1.0 + 3.4 * len(datasets)), layout="constrained")
    for axes, dataset in zip(figure.subplots(len(datasets), 1, squeeze=False)[:, 0], datasets, strict=True):
        _draw_anneal(axes, dataset)
    return figure


def _draw_anneal(axes, dataset: xr.Dataset) -> None:
    time, value = dataset.time.values, dataset.value.values
    block = max(1, len(time) // 60)
    if block > 1:
        axes.plot(time, value, ".", color="#cccccc", ms=2, zorder=0)
        kept = len(time) // block * block
        blocks = value[:kept].reshape(-1, block)
        spread = blocks.std(1, ddof=1) / np.sqrt(block)
        axes.errorbar(time[:kept].reshape(-1, block).mean(1), blocks.mean(1), spread, fmt=".", color="black")
        low, high = blocks.mean(1).min(), blocks.mean(1).max()
        axes.set_ylim(low - 0.6 * (high - low), high + 0.6 * (high - low))
    else:
        error = dataset.error.values if "error" in dataset else None
        axes.errorbar(time, value, error, fmt=".", color="black")
    ranked = dataset.aicc.values - np.min(dataset.aicc.values)
    for name, away, colour in zip(dataset.model.values, ranked, COLOURS, strict=False):
        width = 2.4 if away == 0 else 1.2
        axes.plot(
            dataset.fine_time,
            dataset.fit.sel(model=name),
            color=colour,
            lw=width,
            label=rf"{name} ($\Delta$AICc {away:.1f})",
        )
    if time[0] > 0 and time[-1] / time[0] > 100:
        axes.set_xscale("log")
    temperature = dataset.attrs.get("temperature_K")
    where = "" if temperature is None else f"{temperature:g} K: "
    axes.set(xlabel=f"time ({dataset.time.units})", ylabel=_labelled(dataset.value))
    axes.set_title(f"{where}{dataset.attrs['preferred']} preferred", fontsize=10)
    axes.legend(frameon=False, fontsize=8)


def _labelled(values: xr.DataArray) -> str:
    """What it is with its unit; a pure number has none."""
    unit = values.attrs["units"]
    return values.attrs["long_name"] + ("" if unit == "1" else f" ({unit})")
