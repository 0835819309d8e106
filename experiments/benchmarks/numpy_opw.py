"""The peer: all F_ij(q) of an alloy of optimised OPW ions in NumPy and SciPy, from the tabulated cores on.

The library's equations and its quadrature, default choices only (scalar-relativistic cores, exact hole, "average" core
shift, Ichimaru-Utsumi field), one alloy at a time: matrix products wherever there are any, one k after the other so
that the angular grid stays in the cache.
"""

import functools
from dataclasses import dataclass

import numpy as np
from scipy.special import spherical_jn

from experiments.benchmarks.numpy_bound import ichimaru_utsumi, wavenumbers
from experiments.cores.exchange_correlation import perdew_zunger

K_NODES, MU_NODES, SPHERE_NODES = 10, 9, 16
LOGARITHMIC_BELOW, SUBTRACTED_BELOW = 1.15, 2.0
SCALE, LARGEST = 9.0, 1024.0
"""Squares (1/bohr^2) of the scale and the end of the variable of the amplitude series."""

legendre = functools.cache(np.polynomial.legendre.leggauss)


@dataclass(frozen=True)
class Core:
    """A frozen core as the library tabulates it: series in n0^(1/3)."""

    momenta: np.ndarray
    radius: np.ndarray
    weight: np.ndarray
    orbitals: np.ndarray
    levels: np.ndarray
    amplitudes: np.ndarray
    densities: np.ndarray

    @classmethod
    def of(cls, core) -> "Core":
        """The library's core in arrays of NumPy."""
        arrays = (core.radius, core.weight, core.orbitals, core.ionic_levels, core.amplitudes, core.density_range)
        return cls(np.array(core.angular_momenta), *(np.asarray(x) for x in arrays))


@dataclass(frozen=True)
class Ion:
    """A core at the density of the gas, with its hole and its levels."""

    momenta: np.ndarray
    series: np.ndarray
    level: np.ndarray
    share: np.ndarray
    """4 pi c (2l+1)/Omega."""
    exchange: np.ndarray
    density: np.ndarray
    hole: np.ndarray
    valence: float


@dataclass(frozen=True)
class Ions:
    """Both ions of an alloy."""

    ions: list[Ion]
    volume: float
    fermi: float
    mean_potential: float
    radius: np.ndarray
    weight: np.ndarray


def polynomials(y: np.ndarray, count: int) -> np.ndarray:
    """T_0(y) ... T_{count-1}(y)."""
    terms = np.empty((count, *y.shape))
    terms[0], terms[1] = 1.0, y
    for m in range(2, count):
        np.multiply(2 * y, terms[m - 1], out=terms[m, ...])
        terms[m] -= terms[m - 2]
    return terms


def variable(squared: np.ndarray) -> np.ndarray:
    """Of the amplitude series, from k^2."""
    return 2 * (1 + SCALE / LARGEST) * squared / (squared + SCALE) - 1


def ions_in_gas(cores: list[Core], concentrations: np.ndarray, volume: float, valences: np.ndarray) -> Ions:
    """Cores at the density of the gas, their orthogonalisation holes, their levels in the mean cell."""
    mean = float(concentrations @ valences)
    gas = mean / volume
    fermi = np.cbrt(3 * np.pi**2 * gas)
    x, w = legendre(SPHERE_NODES)
    k, sphere = fermi * (1 + x) / 2, (fermi * (1 + x) / 2) ** 2 * fermi * w / 2 / np.pi**2
    at_k = polynomials(variable(k**2), cores[0].amplitudes.shape[1])
    radius, weight = cores[0].radius, cores[0].weight
    cell = np.cbrt(3 * mean / (4 * np.pi * gas))
    potential = np.where(radius < cell, mean * (3 - (radius / cell) ** 2) / cell, 2 * mean / radius)
    shell = 4 * np.pi * radius**2 * weight
    waves = [spherical_jn(l, np.outer(k, radius)) for l in range(max(core.momenta.max() for core in cores) + 1)]
    found, mean_potential = [], 0.0
    for core, c, valence in zip(cores, concentrations, valences, strict=True):
        low, high = np.cbrt(core.densities)
        terms = polynomials(np.clip((2 * np.cbrt(gas) - low - high) / (high - low), -1, 1), len(core.levels))
        orbitals, series = np.tensordot(terms, core.orbitals, 1), np.tensordot(terms, core.amplitudes, 1)
        density = orbitals**2 @ (2.0 * (2 * core.momenta + 1)) / (4 * np.pi * radius**2)
        exchange = perdew_zunger(density + gas) - perdew_zunger(np.asarray(gas))
        amplitude = (series.T @ at_k) * k ** core.momenta[:, None]
        hole = np.zeros_like(radius)
        for l in set(core.momenta):
            overlap = amplitude[core.momenta == l].T @ orbitals[:, core.momenta == l].T
            hole += 4 * np.pi * (2 * l + 1) * (sphere @ (overlap**2 - 2 * radius * waves[l] * overlap))
        level = terms @ core.levels + (weight * (exchange + potential)) @ orbitals**2 + 0.6 * mean / cell
        mean_potential += c / volume * (shell @ exchange - 4 / 3 * np.pi * (shell @ (radius**2 * density)))
        share = 4 * np.pi * c / volume * (2 * core.momenta + 1)
        found.append(Ion(core.momenta, series, level, share, exchange, density, hole, valence))
    return Ions(found, volume, fermi, mean_potential, radius, weight)


def quadrature(q: np.ndarray, fermi: float) -> tuple[np.ndarray, ...]:
    """Nodes k, |k+q|^2, k + q mu, and the kernel over (k, mu, q)."""
    t, dt = (x[K_NODES:] for x in legendre(2 * K_NODES))
    k, weight = fermi * t, -((fermi * t) ** 2) * fermi * dt / np.pi**2
    k3, y = k[:, None, None], q / (2 * fermi)
    slope, pole = 2 * k3 * q, -q / (2 * k3)
    rules = [[x[None, :, None] for x in legendre(count)] for count in (MU_NODES, MU_NODES - 1)]
    distance = [np.min(np.abs(mu - pole), axis=1, keepdims=True) for mu, _ in rules]
    rules[1] = [np.pad(x, ((0, 0), (0, 1), (0, 0))) for x in rules[1]]
    mu, dmu = (np.where(distance[0] > distance[1], *pair) for pair in zip(*rules, strict=True))
    regular = weight[:, None, None] * dmu / (q**2 + slope * mu)
    second = np.empty((2 * K_NODES + 1, len(q)))
    near = np.minimum(y, LOGARITHMIC_BELOW)
    second[0] = 0.5 * np.log((1 + near) / np.abs(1 - near))
    second[1] = near * second[0] - 1
    for n in range(1, 2 * K_NODES):
        second[n + 1] = ((2 * n + 1) * near * second[n] - n * second[n - 1]) / (n + 1)
    odd = np.polynomial.legendre.legvander(t, 2 * K_NODES - 1)[:, 1::2] * (dt * t)[:, None]
    exact = fermi**2 / (np.pi**2 * q) * (odd @ (second[2::2] - second[:-2:2]))
    k2 = k[:, None]
    smooth = weight[:, None] / (2 * k2 * q) * np.log((q + 2 * k2) / np.abs(q - 2 * k2))
    logarithm = np.where(y < LOGARITHMIC_BELOW, exact, smooth)
    subtracted = y < SUBTRACTED_BELOW
    at_pole = np.where(subtracted, logarithm[:, None] - regular.sum(axis=1, keepdims=True), 0.0)
    mu = np.concatenate([mu, np.where(subtracted, pole, -1.0)], axis=1)
    return k, k3**2 + q**2 + slope * mu, k3 + q * mu, np.concatenate([regular, at_pole], axis=1)


def second_order(alloy: Ions, q: np.ndarray) -> np.ndarray:
    """F_AA, F_AB, F_BB (Ry) at q from ions with their holes and levels."""
    k, squared, along, kernel = quadrature(q, alloy.fermi)
    count = alloy.ions[0].series.shape[0]
    at_k = polynomials(variable(k**2), count)
    amplitudes = [(ion.series.T @ at_k) * k ** ion.momenta[:, None] for ion in alloy.ions]
    top, lost = alloy.mean_potential, 0.0
    for ion, b in zip(alloy.ions, amplitudes, strict=True):
        norm = ion.share[:, None] * b**2
        lost, top = lost + norm.sum(0), top + (norm * (k**2 - ion.level[:, None])).sum(0)
    energy = k**2 + top / (1 - lost)
    coefficients, channels = [], []
    for i, (ion, b) in enumerate(zip(alloy.ions, amplitudes, strict=True)):
        strength = 4 * np.pi * (2 * ion.momenta + 1)[:, None] * (energy - ion.level[:, None]) * b
        for l in sorted(set(ion.momenta)):
            channels.append((i, l))
            coefficients.append(ion.series[:, ion.momenta == l] @ strength[ion.momenta == l])
    coefficients = np.array(coefficients)
    first, product = np.zeros((2, len(q))), np.zeros((3, len(q)))
    for j in range(K_NODES):
        p2, p, weights = squared[j], along[j], kernel[j]
        solids = [1.0, p, 1.5 * p**2 - 0.5 * p2, p * (2.5 * p**2 - 1.5 * p2)]
        terms = polynomials(variable(p2), count).reshape(count, -1)
        radial = (coefficients[:, :, j] @ terms).reshape(-1, *p2.shape)
        s = [np.zeros_like(p2), np.zeros_like(p2)]
        for (i, l), part in zip(channels, radial, strict=True):
            s[i] += solids[l] * part
        weighted = [weights * x for x in s]
        first += [x.sum(0) for x in weighted]
        product += [np.einsum("mq,mq->q", weighted[a], s[b]) for a, b in ((0, 0), (0, 1), (1, 1))]
    sinc = np.sinc(q[:, None] * alloy.radius / np.pi)
    shell = 4 * np.pi * alloy.radius**2 * alloy.weight
    local = [
        sinc @ (shell * ion.exchange)
        - 8 * np.pi / q**2 * ((1 - sinc) @ (shell * ion.density) + ion.valence - sinc @ (alloy.weight * ion.hole))
        for ion in alloy.ions
    ]
    y = q / (2 * alloy.fermi)
    chi = -alloy.fermi / (2 * np.pi**2) * (0.5 + (1 - y**2) / (4 * y) * np.log(np.abs((1 + y) / (1 - y))))
    field = ichimaru_utsumi(q / alloy.fermi, np.cbrt(9 * np.pi / 4) / alloy.fermi)
    coulomb = 8 * np.pi / q**2 * (1 - field)
    pairs = [
        (local[i] * local[j] * chi + local[i] * first[j] + local[j] * first[i] + coulomb * first[i] * first[j])
        / (1 - coulomb * chi)
        for i, j in ((0, 0), (0, 1), (1, 1))
    ]
    return (np.array(pairs) + product) / (2 * alloy.volume)


def characteristics(cores: list[Core], concentrations: np.ndarray, volume: float, valences: np.ndarray, nodes: int):
    """F_AA, F_AB, F_BB (Ry) and their wavenumbers (1/bohr) of one alloy, from the tabulated cores."""
    alloy = ions_in_gas(cores, concentrations, volume, valences)
    q, _ = wavenumbers(alloy.fermi, 20.0, nodes)
    return second_order(alloy, q), q
