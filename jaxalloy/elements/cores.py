"""Frozen cores: orbitals and levels of closed-shell ions in an electron gas, from the table in this package.

The table (`cores.npz`, written by `python -m experiments.cores`) holds B-spline coefficients; here they become
radial arrays for quadrature and a short series for the amplitudes B_nl(k) = ∫ j_l(kr) R_nl r^2 dr.

Radial quadrature: trapezoid rule in x = ln r + r, logarithmic at the nucleus and uniform outside; for functions
that vanish at both ends it converges exponentially.
"""

import contextlib
import functools
import importlib.resources
from collections.abc import Iterator, Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .._typing import Array, Bool, Float, Scalar
from ..numerics.checks import InputError
from ..numerics.programs import kept_table

KINDS = ("scalar-relativistic", "non-relativistic", "hartree-fock")
LARGEST_WAVENUMBER = 32.0
"""1/bohr: the amplitude series holds for 0 <= k <= this; the integrands of the theory have died long before."""

_SPLINE_DEGREE = 8
_INNER_RADIUS, _OUTER_RADIUS, _RADII = 1e-4, 22.0, 260
_WAVENUMBER_SCALE, _TERMS = 3.0, 40


class CoreState(eqx.Module):
    """A core at one density of the electron gas."""

    orbitals: Float[Array, "r orbital"]
    """P = r R, in a0^-1/2, on `FrozenCore.radius`."""
    ionic_levels: Float[Array, " orbital"]
    """<T - 2Z/r + V_Hartree of the core> in Ry."""
    amplitude_series: Float[Array, "term orbital"]
    """Chebyshev series of B_nl(k)/k^l in `chebyshev_variable(k^2)`."""
    density: Float[Array, " r"]
    """Core electrons per a0^3."""


class FrozenCore(eqx.Module):
    """Orbitals and levels of one ion as Chebyshev series in n0^(1/3), n0 the density of the electron gas."""

    angular_momenta: tuple[int, ...] = eqx.field(static=True)
    radius: Float[Array, " r"]
    weight: Float[Array, " r"]
    """∫ f dr = Σ weight f."""
    orbitals: Float[Array, "series r orbital"]
    ionic_levels: Float[Array, "series orbital"]
    amplitudes: Float[Array, "series term orbital"]
    density_range: Float[Array, "2"]
    """Densities of the gas (a0^-3) between which the core was solved; outside, the nearest core is used."""

    def holds(self, gas_density: Scalar) -> Bool[Array, ""]:
        """Whether the core was solved self-consistently at this density, rather than frozen at the nearest one."""
        return (gas_density >= self.density_range[0]) & (gas_density <= self.density_range[1])

    def at(self, gas_density: Scalar) -> CoreState:
        """The core in a gas of this density (a0^-3), shape ().

        Beyond `density_range` the orbitals stay those of its edge: the outermost d shell is no longer bound in its
        own neutral sphere there, while the level shifts of the theory still follow the density to first order.
        """
        cube_roots = jnp.cbrt(self.density_range)
        y = (2.0 * jnp.cbrt(gas_density) - cube_roots[0] - cube_roots[1]) / (cube_roots[1] - cube_roots[0])
        terms = _chebyshev(jnp.clip(y, -1.0, 1.0), self.ionic_levels.shape[0])
        orbitals = jnp.tensordot(terms, self.orbitals, axes=1)
        occupation = jnp.asarray([2.0 * (2 * l + 1) for l in self.angular_momenta], dtype=orbitals.dtype)
        return CoreState(
            orbitals=orbitals,
            ionic_levels=terms @ self.ionic_levels,
            amplitude_series=jnp.tensordot(terms, self.amplitudes, axes=1),
            density=(orbitals**2 @ occupation) / (4.0 * jnp.pi * self.radius**2),
        )


def chebyshev_variable(wavenumber_squared: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """y in [-1, 1] of the amplitude series: (k^2 - a^2)/(k^2 + a^2), a = 3, stretched to `LARGEST_WAVENUMBER`.

    Bound orbitals have amplitudes close to rational functions of k^2, hence polynomials of low degree in y.
    """
    scale = _WAVENUMBER_SCALE**2
    largest = LARGEST_WAVENUMBER**2
    return 2.0 * (1.0 + scale / largest) * wavenumber_squared / (wavenumber_squared + scale) - 1.0


@functools.cache
def frozen_core(symbol: str, kind: str = "scalar-relativistic") -> FrozenCore:
    """The core of an element in the electron gas; kind is one of `KINDS`.

    Raises InputError for an unknown kind and for an element that has no core in the table, naming those that have.
    Source: physics of the table in `experiments/cores`; PHH Sec. II A.
    """
    if kind not in KINDS:
        raise InputError(f"cores = {kind!r}: use one of {', '.join(map(repr, KINDS))}")
    if f"{symbol}/{kind}" not in _entries():
        raise InputError(
            f"no {kind} core for {symbol!r}: there are cores for {', '.join(elements_with_cores())}; "
            "use the empty core, EmptyCore() or --potential empty-core, for other elements"
        )
    return _tabulated(symbol, kind)


@kept_table
def _tabulated(symbol: str, kind: str) -> FrozenCore:
    with _archive() as table:
        return core_from_entry(unpacked(table, f"{symbol}/{kind}"))


def unpacked(table: Mapping[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    """One entry of the table, as `experiments.cores.table.packed` took it in; the name is "SYMBOL/KIND"."""
    place = list(table["entries"]).index(name)
    knots = table["knots"][place]
    terms, orbitals = table["terms"], table["orbitals"]
    shape = (terms[place], orbitals[place])
    before = slice(0, place)
    shell, level = orbitals[before].sum(), (terms * orbitals)[before].sum()
    count = len(knots) + _SPLINE_DEGREE - 3
    numbers = slice(level * count, (level + shape[0] * shape[1]) * count)
    zigzag = np.ascontiguousarray(table["splines"][:, numbers].T).view("<u4")[:, 0].astype(np.int64)
    splines = table["unit"] * ((zigzag >> 1) ^ -(zigzag & 1))
    return {
        "shells": table["shells"][shell : shell + shape[1]],
        "knots": knots,
        "densities": table["densities"][place],
        "ionic_levels": table["ionic_levels"][level : level + shape[0] * shape[1]].reshape(shape),
        "splines": np.moveaxis(splines.reshape(*shape, count), 1, 2),
    }


def core_from_entry(entry: dict[str, np.ndarray]) -> FrozenCore:
    """A core from one entry of the table, or a fresh one of `experiments.cores`: shells, knots, series in n0^(1/3)."""
    momenta = tuple(int(l) for l in entry["shells"][:, 0])
    radius, weight = _radial_nodes(_RADII)
    basis = _spline_basis(entry["knots"], radius)
    with jax.ensure_compile_time_eval():
        return FrozenCore(
            angular_momenta=momenta,
            radius=jax.device_put(radius),
            weight=jax.device_put(weight),
            orbitals=jax.device_put(basis @ entry["splines"].astype(np.float64)),
            ionic_levels=jax.device_put(entry["ionic_levels"]),
            amplitudes=jax.device_put(_amplitude_series(entry, momenta)),
            density_range=jax.device_put(entry["densities"]),
        )


def elements_with_cores() -> tuple[str, ...]:
    """Symbols of the elements in the table, in its order."""
    return tuple(dict.fromkeys(name.split("/")[0] for name in _entries()))


@functools.cache
def _entries() -> tuple[str, ...]:
    with _archive() as table:
        return tuple(table["entries"].tolist())


@contextlib.contextmanager
def _archive() -> Iterator[Mapping[str, np.ndarray]]:
    with importlib.resources.files(__package__).joinpath("cores.npz").open("rb") as file, np.load(file) as table:
        yield table


def _radial_nodes(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Radii equidistant in x = ln r + r, and the weights dr of the trapezoid rule in x."""
    first, last = (np.log(r) + r for r in (_INNER_RADIUS, _OUTER_RADIUS))
    x, step = np.linspace(first, last, count, retstep=True)
    log_r = np.where(x > 1.0, np.log(np.maximum(x, 1.0)), x - 1.0)
    for _ in range(60):
        r = np.exp(log_r)
        log_r = log_r - (log_r + r - x) / (1.0 + r)
    r = np.exp(log_r)
    return r, step * r / (1.0 + r)


def _spline_basis(breaks: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """The B-splines that vanish at both ends, at the given radii."""
    from scipy.interpolate import BSpline  # slow to import

    ends = np.zeros(_SPLINE_DEGREE), np.full(_SPLINE_DEGREE, breaks[-1])
    knots = np.concatenate([ends[0], breaks, ends[1]])
    return BSpline.design_matrix(radius, knots, _SPLINE_DEGREE).toarray()[:, 1:-1]


def _amplitude_series(entry: dict[str, np.ndarray], momenta: tuple[int, ...]) -> np.ndarray:
    """Chebyshev coefficients of B_nl(k)/k^l, (series, term, orbital), from radial quadrature at Chebyshev nodes."""
    from scipy.special import spherical_jn

    radius, weight = _radial_nodes(4 * _RADII)
    orbitals = _spline_basis(entry["knots"], radius) @ entry["splines"].astype(np.float64)
    y = np.cos(np.pi * (np.arange(_TERMS) + 0.5) / _TERMS)
    to_series = np.linalg.inv(np.polynomial.chebyshev.chebvander(y, _TERMS - 1))
    fraction = (y + 1.0) / (2.0 * (1.0 + (_WAVENUMBER_SCALE / LARGEST_WAVENUMBER) ** 2))
    k = _WAVENUMBER_SCALE * np.sqrt(fraction / (1.0 - fraction))
    series = np.empty((len(orbitals), _TERMS, len(momenta)))
    for l in set(momenta):
        of_l = [a for a, momentum in enumerate(momenta) if momentum == l]
        kernel = (to_series / k**l) @ (spherical_jn(l, k[:, None] * radius) * radius * weight)
        series[:, :, of_l] = kernel @ orbitals[:, :, of_l]
    return series


def _chebyshev(y: Scalar, count: int) -> Float[Array, " term"]:
    """T_0(y) ... T_{count-1}(y)."""
    terms = [jnp.ones_like(y), y]
    while len(terms) < count:
        terms.append(2.0 * y * terms[-1] - terms[-2])
    return jnp.stack(terms[:count])
