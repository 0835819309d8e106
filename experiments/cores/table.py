"""The table of frozen cores that ships with the package: which elements, which densities, how it is stored.

For every element and kind of core the table holds ionic levels <T - 2Z/r + V_Hartree> and B-spline coefficients of
P = r R, as Chebyshev series in n0^(1/3) over the densities of the electron gas at which the core is bound. Series
terms below 1e-6 are dropped, so inner shells cost one term. Hartree-Fock cores belong to the free ion: one term.
Coefficients are rounded to whole units, sign in the last bit, and stored byte by byte: the high bytes of the higher
terms are zeros, which cost nothing once compressed.
"""

import dataclasses

import numpy as np

from experiments.cores.atoms import Core, Shells, hartree_fock, kohn_sham
from experiments.cores.radial import DEGREE

KINDS = ("non-relativistic", "scalar-relativistic", "hartree-fock")
LOWEST_DENSITY = 0.001
HIGHEST_DENSITIES = (0.040, 0.036, 0.032, 0.029, 0.026, 0.023, 0.020, 0.018, 0.016, 0.014)
LEAST_BINDING = 0.05
"""Ry: nearer than this to the top of its own neutral sphere, a d shell is about to become a band."""
DENSITY_NODES = 6
UNIT = 2.0**-26
"""To whole multiples of which the coefficients of P are rounded, a0^-1/2."""
SMALLEST_TERM = 1e-6
"""Norm of the smallest term of an orbital's series that is kept."""


def shells(s: int, p: int = 0, d: int = 0, f: int = 0) -> Shells:
    """Closed shells by number per angular momentum, ordered by l, then n."""
    return tuple((l, i) for l, count in enumerate((s, p, d, f)) for i in range(count))


@dataclasses.dataclass(frozen=True)
class Element:
    """All closed shells below the s and p valence electrons are core, the full d shell included."""

    nuclear_charge: int
    valence: int
    shells: Shells


KRYPTON, XENON, MERCURY = shells(4, 3, 1), shells(5, 4, 2), shells(5, 4, 3, 1)
ELEMENTS = {
    "Li": Element(3, 1, shells(1)),
    "Na": Element(11, 1, shells(2, 1)),
    "Mg": Element(12, 2, shells(2, 1)),
    "Al": Element(13, 3, shells(2, 1)),
    "K": Element(19, 1, shells(3, 2)),
    "Ca": Element(20, 2, shells(3, 2)),
    "Zn": Element(30, 2, shells(3, 2, 1)),
    "Ga": Element(31, 3, shells(3, 2, 1)),
    "Rb": Element(37, 1, KRYPTON),
    "Cd": Element(48, 2, shells(4, 3, 2)),
    "In": Element(49, 3, shells(4, 3, 2)),
    "Sn": Element(50, 4, shells(4, 3, 2)),
    "Sb": Element(51, 5, shells(4, 3, 2)),
    "Cs": Element(55, 1, XENON),
    "Hg": Element(80, 2, MERCURY),
    "Tl": Element(81, 3, MERCURY),
    "Pb": Element(82, 4, MERCURY),
    "Bi": Element(83, 5, MERCURY),
}


def density_nodes(highest: float) -> np.ndarray:
    """Chebyshev nodes in n0^(1/3) between the lowest and the highest density, descending."""
    low, high = np.cbrt(LOWEST_DENSITY), np.cbrt(highest)
    y = np.cos(np.pi * (np.arange(DENSITY_NODES) + 0.5) / DENSITY_NODES)
    return ((low + high) / 2 + (high - low) / 2 * y) ** 3


def highest_density(element: Element, relativistic: bool) -> float:
    """The highest tabulated density at which every core level still lies `LEAST_BINDING` below zero."""
    start: Core | None = None
    for density in reversed(HIGHEST_DENSITIES):
        core = kohn_sham(
            element.nuclear_charge,
            element.shells,
            relativistic,
            density,
            element.valence,
            tolerance=1e-6,
            start=start,
        )
        if core.levels.max() > -LEAST_BINDING:
            break
        start, highest = core, density
    return highest


def chebyshev_series(samples: np.ndarray) -> np.ndarray:
    """Coefficients of the interpolating series from samples at descending Chebyshev nodes, axis 0."""
    count = len(samples)
    y = np.cos(np.pi * (np.arange(count) + 0.5) / count)
    return np.tensordot(np.linalg.inv(np.polynomial.chebyshev.chebvander(y, count - 1)), samples, axes=(1, 0))


def frozen_core(symbol: str, kind: str) -> dict[str, np.ndarray]:
    """One entry of the table."""
    element = ELEMENTS[symbol]
    if kind == "hartree-fock":
        core = hartree_fock(element.nuclear_charge, element.shells)
        return entry([core], HIGHEST_DENSITIES[0])
    relativistic = kind == "scalar-relativistic"
    highest, cores = highest_density(element, relativistic), []
    for density in density_nodes(highest):
        cores.append(core_in_gas(symbol, kind, density, cores[-1] if cores else None))
    return entry(cores, highest)


def core_in_gas(symbol: str, kind: str, density: float, start: Core | None = None) -> Core:
    """The self-consistent Kohn-Sham core of an element in its own neutral sphere of a gas of this density."""
    element = ELEMENTS[symbol]
    relativistic = kind == "scalar-relativistic"
    return kohn_sham(element.nuclear_charge, element.shells, relativistic, float(density), element.valence, start=start)


def entry(cores: list[Core], highest: float) -> dict[str, np.ndarray]:
    """The entry of cores solved at `density_nodes(highest)`, or of a single one for all densities."""
    first = cores[0]
    samples = []
    for core in cores:  # one sign for all densities, the outermost lobe of the first positive
        alike = np.sign(np.einsum("ia,ij,ja->a", core.vectors, first.basis.overlap, first.vectors))
        samples.append(core.vectors * alike)
    splines = chebyshev_series(np.array(samples)) * outer_sign(first)
    size = np.sqrt(np.einsum("kia,ij,kja->ka", splines, first.basis.overlap, splines))
    splines = np.where(size[:, None, :] > SMALLEST_TERM, splines, 0.0)
    return {
        "shells": np.array(first.shells, dtype=np.int8),
        "knots": first.basis.knots[DEGREE:-DEGREE],
        "densities": np.array([LOWEST_DENSITY, highest]),
        "ionic_levels": chebyshev_series(np.array([core.ionic_levels for core in cores])),
        "splines": splines,
    }


def outer_sign(core: Core) -> np.ndarray:
    """+1 where the outermost sizeable lobe of P is positive, else -1."""
    orbitals = core.basis.on_nodes(core.vectors)
    sizeable = np.abs(orbitals) > 0.1 * np.abs(orbitals).max(axis=0)
    last = len(orbitals) - 1 - np.argmax(sizeable[::-1], axis=0)
    return np.sign(orbitals[last, np.arange(orbitals.shape[1])])


def packed(entries: dict[str, dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The arrays of the file from entries by "SYMBOL/KIND"; `jaxalloy.elements.cores.unpacked` takes one out."""
    every = list(entries.values())
    splines = np.concatenate([np.moveaxis(one["splines"], 1, 2).ravel() for one in every])
    whole = np.rint(splines / UNIT).astype(np.int64)
    zigzag = ((whole << 1) ^ (whole >> 63)).astype("<u4")
    return {
        "entries": np.array(list(entries)),
        "unit": np.array(UNIT),
        "terms": np.array([len(one["splines"]) for one in every]),
        "orbitals": np.array([len(one["shells"]) for one in every]),
        "shells": np.concatenate([one["shells"] for one in every]),
        "knots": np.stack([one["knots"] for one in every]),
        "densities": np.stack([one["densities"] for one in every]),
        "ionic_levels": np.concatenate([one["ionic_levels"].ravel() for one in every]),
        "splines": np.ascontiguousarray(zigzag.view(np.uint8).reshape(-1, 4).T),
    }
