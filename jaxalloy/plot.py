"""Figures of results; each takes a dataset (see `jaxalloy.dataset`), so that one can be drawn again from its file."""

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from matplotlib.figure import Figure

from jaxalloy.constants import BOHR_IN_ANGSTROM

if TYPE_CHECKING:
    import xarray as xr

BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#777777"


class Contents(Protocol):
    """A dataset, or the `jaxalloy.dataset.Contents` that it is made of."""

    @property
    def attrs(self) -> Any:
        """Texts and numbers by name."""

    def __getitem__(self, name: Any, /) -> Any:
        """An array by name."""


def prediction(dataset: Contents) -> Figure:
    """Potentials, structure factors and pair correlation functions of a variational state, one above the other.

    dataset: from `jaxalloy.to_dataset(state)`, or read back from its netCDF file; or `jaxalloy.dataset.contents`.
    """
    figure = Figure(figsize=(7.0, 9.6))  # a layout found by drawing twice would take longer than the rest
    figure.subplots_adjust(left=0.12, right=0.97, bottom=0.06, top=0.94, hspace=0.38)
    potentials, structure, correlations = figure.subplots(3, 1)
    figure.suptitle(_title(dataset), fontsize=10)
    _draw_potentials(potentials, dataset)
    _draw_structure_factors(structure, dataset)
    _draw_correlations(correlations, dataset)
    return figure


def interactions(dataset: "xr.Dataset") -> Figure:
    """Pair potentials by species, in number-concentration form, and the screening charges, one above the other.

    dataset: from `jaxalloy.interactions_dataset(...)`, or read back from its netCDF file.
    """
    figure = Figure(figsize=(7.0, 9.6), layout="constrained")
    species, combined, charges = figure.subplots(3, 1)
    A, B = dataset.attrs["element_A"], dataset.attrs["element_B"]
    c = float(dataset.concentration)
    figure.suptitle(
        f"{A}$_{{{1 - c:.3g}}}${B}$_{{{c:.3g}}}$, {float(dataset.volume):.1f} bohr$^3$/atom\n"
        f"{dataset.attrs['potential']}",
        fontsize=10,
    )
    R = dataset.R.values
    for name, pair, color in (("AA", A + A, BLUE), ("AB", A + B, GREEN), ("BB", B + B, ORANGE)):
        species.plot(R, 1e3 * dataset[f"phi_{name}"], color=color, label=f"$\\Phi_\\mathrm{{{pair}}}$")
    for name, color in (("NN", BLUE), ("NC", GREEN), ("CC", ORANGE)):
        combined.plot(R, 1e3 * dataset[f"phi_{name}"], color=color, label=rf"$\Phi_{{{name}}}$")
    spacing = float(dataset.volume) ** (1 / 3)
    for axes in (species, combined):
        # the scale is that of the wells: from just inside the nearest neighbours outwards
        sampled = np.concatenate([line.get_ydata()[R > 1.0 * spacing] for line in axes.get_lines()])
        margin = 0.4 * np.ptp(sampled)
        axes.axhline(0, color=GREY, lw=0.6)
        axes.set(xlim=(0.6 * spacing, 4 * spacing), ylim=(sampled.min() - margin, sampled.max() + margin))
        axes.set(xlabel="R (bohr)", ylabel="pair potential (mRy)")
        axes.legend(frameon=False, fontsize=9)
    for name, symbol, color in (("A", A, BLUE), ("B", B, ORANGE)):
        charge = 4 * np.pi * R**2 * dataset[f"density_{name}"]
        charges.plot(
            R, charge, color=color, label=f"{symbol}, $Z^*$ = {float(dataset[f'effective_valence_{name}']):.3f}"
        )
    charges.axhline(0, color=GREY, lw=0.6)
    charges.set(xlim=(0, 2.5 * spacing), xlabel="R (bohr)", ylabel=r"$4\pi R^2 \rho$ (electrons/bohr)")
    charges.legend(frameon=False, fontsize=9)
    return figure


def _title(dataset: Contents) -> str:
    A, B = dataset.attrs["element_A"], dataset.attrs["element_B"]
    c = float(dataset["concentration"])
    return (
        f"{A}$_{{{1 - c:.3g}}}${B}$_{{{c:.3g}}}$, {float(dataset['temperature']):g} K, "
        f"{float(dataset['volume']):.1f} bohr$^3$/atom\n{dataset.attrs['potential']}"
    )


def _draw_potentials(axes, dataset):
    R, sigma = np.asarray(dataset["R"]), float(dataset["sigma"])
    for name, color in (("NN", BLUE), ("NC", GREEN), ("CC", ORANGE)):
        axes.plot(R, 1e3 * np.asarray(dataset[f"phi_{name}"]), color=color, label=rf"$\Phi_{{{name}}}$")
    reference = 1e3 * np.asarray(dataset["phi_CC_reference"])
    axes.plot(R, reference, "--", color="black", label=r"$\Phi_{CC}$ of the reference liquid")
    axes.axvline(sigma, color=GREY, lw=0.8, ls=":")
    axes.annotate(r"$\sigma$", (sigma, 0.03), xycoords=("data", "axes fraction"), color=GREY)
    axes.axhline(0, color=GREY, lw=0.6)
    # the scale is that of the range the liquid samples: from contact outwards
    sampled = np.concatenate([line.get_ydata()[R >= sigma] for line in axes.get_lines()[:3]])
    margin = 0.25 * np.ptp(sampled)
    axes.set(xlim=(0.7 * sigma, 4 * sigma), ylim=(sampled.min() - margin, sampled.max() + margin))
    axes.set(xlabel="R (bohr)", ylabel="pair potential (mRy)")
    axes.legend(frameon=False, fontsize=9)


def _draw_structure_factors(axes, dataset):
    c = float(dataset["concentration"])
    q, S_NN, S_CC, S = (np.asarray(dataset[name]) for name in ("q", "S_NN", "S_CC", "S"))
    axes.plot(q, S_NN, color=BLUE, label=r"$S_{NN}$")
    axes.plot(q, S_CC / (c * (1 - c)), color=ORANGE, lw=2.5, label=r"$S_{CC}/c_A c_B$")
    axes.plot(q, S, "--", color="black", label=f"composite, {dataset.attrs['probe']}")
    axes.axhline(1, color=GREY, lw=0.6)
    axes.set(xlim=(0, q[-1]), xlabel="q (1/bohr)", ylabel="structure factor")
    axes.set_ylim(bottom=0)
    above = axes.secondary_xaxis("top", functions=(lambda q: q / BOHR_IN_ANGSTROM, lambda q: q * BOHR_IN_ANGSTROM))
    above.set_xlabel(r"q (1/$\mathrm{\AA}$)")
    axes.legend(frameon=False, fontsize=9)


def _draw_correlations(axes, dataset):
    R, sigma = np.asarray(dataset["R"]), float(dataset["sigma"])
    A, B = dataset.attrs["element_A"], dataset.attrs["element_B"]
    for name, pair, color in (("AA", A + A, BLUE), ("AB", A + B, GREEN), ("BB", B + B, ORANGE)):
        axes.plot(R, np.asarray(dataset[f"g_{name}"]), color=color, label=f"$g_\\mathrm{{{pair}}}$")
    axes.axhline(1, color=GREY, lw=0.6)
    axes.set(xlim=(0.7 * sigma, 4 * sigma), xlabel="R (bohr)", ylabel="pair correlation function")
    axes.legend(frameon=False, fontsize=9)
