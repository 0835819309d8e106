"""Radial orbitals in B-splines: the Galerkin matrices of one atom, and cumulative integrals for Poisson's equation.

Orbitals are P(r) = r R(r) on 0 < r < r_max with knots spaced like a logarithm near the nucleus and linearly
outside. Degree 8 and about 70 intervals hold every level to 1e-8 relative, point nucleus included, because the
basis resolves r = 1e-6/Z; nothing is tuned per element. Units: bohr, Ry.
"""

import dataclasses
import functools

import numpy as np
import scipy.linalg
from scipy.interpolate import BSpline

SPEED_OF_LIGHT = 274.071998168
DEGREE = 8
OUTER_RADIUS = 30.0
NODES_PER_INTERVAL = 10


@dataclasses.dataclass(frozen=True)
class RadialBasis:
    """B-splines that vanish at both ends, tabulated with their derivative on composite Gauss-Legendre nodes."""

    nuclear_charge: int
    knots: np.ndarray
    r: np.ndarray  # (node,)
    weight: np.ndarray  # (node,)
    values: np.ndarray  # (node, basis)
    slopes: np.ndarray  # (node, basis), d/dr (B/r) times r: what acts in the kinetic energy of P/r
    overlap: np.ndarray  # (basis, basis)

    @classmethod
    @functools.cache
    def for_nucleus(cls, nuclear_charge: int, intervals: int = 60, first: float = 1e-3, bend: float = 3.0) -> "RadialBasis":
        """The basis for a point nucleus: first knot at `first`/Z, logarithmic up to about `bend`, uniform outside."""
        inner = first / nuclear_charge
        mapped = np.linspace(
            np.log(inner) + inner / bend, np.log(OUTER_RADIUS) + OUTER_RADIUS / bend, intervals
        )
        breaks = np.concatenate([[0.0], radius_of(mapped, bend)])
        knots = np.concatenate([np.zeros(DEGREE), breaks, np.full(DEGREE, breaks[-1])])
        x, w = np.polynomial.legendre.leggauss(NODES_PER_INTERVAL)
        half = np.diff(breaks)[:, None] / 2
        r = (breaks[:-1, None] + half * (1 + x)).ravel()
        weight = (half * w).ravel()
        values = BSpline.design_matrix(r, knots, DEGREE).toarray()[:, 1:-1]
        size = len(knots) - DEGREE - 1
        derivative = BSpline(knots, np.eye(size), DEGREE).derivative()(r)[:, 1:-1]
        slopes = derivative - values / r[:, None]
        return cls(nuclear_charge, knots, r, weight, values, slopes, values.T @ (weight[:, None] * values))

    def matrix(self, potential: np.ndarray) -> np.ndarray:
        """Matrix elements of a function of r."""
        return self.values.T @ ((self.weight * potential)[:, None] * self.values)

    def kinetic(self, l: int, mass: np.ndarray | float = 1.0) -> np.ndarray:
        """-(1/r^2) d/dr (r^2/M d/dr) + l(l+1)/(M r^2) between the P/r."""
        inverse_mass = self.weight / mass
        radial = self.slopes.T @ (inverse_mass[:, None] * self.slopes)
        return radial + self.values.T @ ((inverse_mass * l * (l + 1) / self.r**2)[:, None] * self.values)

    def lowest(self, hamiltonian: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The `count` lowest levels and their normalised orbitals P as B-spline coefficients, (basis, count).

        Solved as S c = mu (H - s S) c with s below every level: the matrices are graded over 1e12, and only the
        inverse keeps the small levels to machine precision (plain `eigh` errs by 0.02 Ry already for He).
        """
        below = -1.5 * self.nuclear_charge**2
        size = len(hamiltonian)
        mu, vectors = scipy.linalg.eigh(
            self.overlap, hamiltonian - below * self.overlap, subset_by_index=[size - count, size - 1]
        )
        mu, vectors = mu[::-1], vectors[:, ::-1]
        return below + 1.0 / mu, vectors / np.sqrt(mu)

    def on_nodes(self, vectors: np.ndarray) -> np.ndarray:
        """Orbitals P on the quadrature nodes."""
        return self.values @ vectors

    def at(self, radii: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """Orbitals P at any radii, (radius, orbital)."""
        padded = np.zeros((len(self.knots) - DEGREE - 1, vectors.shape[1]))
        padded[1:-1] = vectors
        return BSpline(self.knots, padded, DEGREE)(radii)

    def inner_and_outer(self, f: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """∫_0^r f dr' and ∫_r^∞ g dr' at every node; f and g are (node, ...).

        Exact for the polynomial through each interval's nodes. The outer integral is summed from outside: as a
        difference from the whole it would drown in the nucleus, where g may be singular.
        """
        half = self.weight.reshape(-1, NODES_PER_INTERVAL).sum(axis=1) / 2
        to_left, to_right = antiderivatives()
        sums = []
        for values, matrix, step in ((f, to_left, 1), (g, to_right, -1)):
            panels = values.reshape(len(half), NODES_PER_INTERVAL, -1)
            panels = panels * half[:, None, None]
            whole = np.einsum("i,pix->px", np.polynomial.legendre.leggauss(NODES_PER_INTERVAL)[1], panels)
            beyond = (np.cumsum(whole[::step], axis=0) - whole[::step])[::step]
            sums.append((matrix @ panels + beyond[:, None]).reshape(values.shape))
        return sums[0], sums[1]

    def multipole(self, density: np.ndarray, k: int) -> np.ndarray:
        """∫ r_<^k / r_>^{k+1} density(r') dr' at every node; density is (node, ...), a product of two P."""
        r = self.r.reshape(-1, *([1] * (density.ndim - 1)))
        inner, outer = self.inner_and_outer(density * r**k, density / r ** (k + 1))
        return inner / r ** (k + 1) + outer * r**k


@functools.cache
def antiderivatives() -> tuple[np.ndarray, np.ndarray]:
    """Matrices from values on Gauss nodes of [-1, 1] to ∫_{-1}^{x_i} and ∫_{x_i}^1 of their polynomial."""
    legendre = np.polynomial.legendre
    x, w = legendre.leggauss(NODES_PER_INTERVAL)
    to_series = np.linalg.inv(legendre.legvander(x, NODES_PER_INTERVAL - 1))
    left = np.array([legendre.legval(x, legendre.legint(c, lbnd=-1)) for c in to_series.T]).T
    return left, w - left


def radius_of(mapped: np.ndarray, bend: float) -> np.ndarray:
    """Solve ln r + r/bend = mapped (Newton in ln r; the map is monotone and concave)."""
    log_r = np.where(mapped > 0, np.log1p(np.maximum(mapped, 0.0)), mapped)
    for _ in range(60):
        r = np.exp(log_r)
        log_r = log_r - (log_r + r / bend - mapped) / (1 + r / bend)
    return np.exp(log_r)
