"""The peer: empty-core interactions, the free-energy bound and its contact-constrained minimum in NumPy and SciPy.

Written from the equations without a look at the library's forms, one alloy at a time, vectorised over wavenumbers: what
one writes without JAX. The quadrature over wavenumbers is the library's, so that the numbers are comparable. What does
not change is not computed again: the nodes of the quadrature, and sin and cos of q sigma at one packing fraction.
"""

import functools
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.special import i1

BOLTZMANN = 6.333623618e-6
"""Ry/K."""

VALENCE = {"Li": 1.0, "Pb": 4.0}
SOLID_RS = {"Li": 3.249, "Pb": 2.298}
"""Electron-density parameter of the solid, bohr."""

ETA = (0.20, 0.58)
KAPPA_SIGMA = (0.3, 30.0)
"""Where minima are looked for, as in the library."""


@functools.cache
def unit_nodes(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre quadrature on (0, 1)."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return (nodes + 1) / 2, weights / 2


def wavenumbers(k_fermi: float, q_max: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """A third of the nodes below 2 k_F, the others above, with a cubic map towards 2 k_F from both sides."""
    s, ws = unit_nodes(count // 3)
    t, wt = unit_nodes(count - count // 3)
    kink, rest = 2 * k_fermi, q_max - 2 * k_fermi
    q = np.concatenate([kink - kink * s**3, kink + rest * t**3])
    return q, np.concatenate([3 * kink * s**2 * ws, 3 * rest * t**2 * wt])


def perdew_zunger(rs):
    """Correlation energy for rs > 1, hartree per electron."""
    return -0.1423 / (1 + 1.0529 * np.sqrt(rs) + 0.3334 * rs)


def slope(function, x: float) -> float:
    """Derivative of an analytic function by a complex step."""
    return np.imag(function(x + 1e-30j)) / 1e-30


@functools.cache
def core_radius(symbol: str) -> float:
    """Empty-core radius from bulk stability, bohr."""
    rs, z = SOLID_RS[symbol], VALENCE[symbol]
    bracket = -2.2099 / rs**3 + 0.45817 / rs**2 + slope(perdew_zunger, rs) + 0.9 * z ** (2 / 3) / rs**2
    return np.sqrt(rs**4 / 4.5 * bracket)


def ichimaru_utsumi(Q: np.ndarray, rs: float) -> np.ndarray:
    """Local-field factor at Q = q/k_F."""

    def vosko(r):
        x = np.sqrt(r)
        top = 1 + 9.81379 * x
        return 0.0621814 * top / (top + 2.82224 * r + 0.736411 * x**3) / r**3

    alpha = (4 / (9 * np.pi)) ** (1 / 3)
    gamma0 = 0.25 - np.pi * alpha / 24 * rs**5 * slope(vosko, rs)
    z = 4 * np.sqrt(alpha * rs / np.pi)
    hole = 1 - (z / i1(z)) ** 2 / 8
    A = 0.029
    B = 9 / 16 * gamma0 - 3 / 64 * hole - 16 / 15 * A
    C = -3 / 4 * gamma0 + 9 / 16 * hole - 16 / 5 * A
    logarithm = (4 - Q**2) / (4 * Q) * np.log(np.abs((2 + Q) / (2 - Q)))
    full = A * Q**4 + B * Q**2 + C + (A * Q**4 + (B + 8 / 3 * A) * Q**2 - C) * logarithm
    return np.where(Q < 0.02, gamma0 * Q**2, full)


@dataclass(frozen=True)
class Interactions:
    """F_AA, F_AB, F_BB (Ry) at q (1/bohr), and what the bound is made of: measures times F_NN and F_CC."""

    c: float
    volume: float
    q: np.ndarray
    weights: np.ndarray
    F: np.ndarray
    charges: np.ndarray
    density: np.ndarray
    ordering: np.ndarray
    potential: np.ndarray


def interactions(symbols: tuple[str, str], c: float, volume: float, q_max: float = 40.0, count: int = 640):
    """Second-order interactions of empty-core ions, A(1-c)B(c), volume in bohr^3 per atom."""
    charges = np.array([VALENCE[symbol] for symbol in symbols])
    density = ((1 - c) * charges[0] + c * charges[1]) / volume
    k_fermi = (3 * np.pi**2 * density) ** (1 / 3)
    q, weights = wavenumbers(k_fermi, q_max, count)
    x = q / (2 * k_fermi)
    chi = -k_fermi / (2 * np.pi**2) * (0.5 + (1 - x**2) / (4 * x) * np.log(np.abs((1 + x) / (1 - x))))
    field = ichimaru_utsumi(q / k_fermi, (3 / (4 * np.pi * density)) ** (1 / 3))
    dielectric = 1 - 8 * np.pi / q**2 * (1 - field) * chi
    v = [-8 * np.pi * z / q**2 * np.cos(q * core_radius(s)) for s, z in zip(symbols, charges, strict=True)]
    F = chi / dielectric / (2 * volume) * np.array([v[0] * v[0], v[0] * v[1], v[1] * v[1]])
    nn = (1 - c) ** 2 * F[0] + c**2 * F[2] + 2 * c * (1 - c) * F[1]
    cc = c * (1 - c) * (F[0] + F[2] - 2 * F[1])
    measure = volume / (2 * np.pi**2) * weights * q**2
    return Interactions(
        c, volume, q, weights, F, charges, measure * nn, measure * cc, volume / np.pi**2 * weights * q * cc
    )


def hard_sphere_structure(Q: np.ndarray, sine: np.ndarray, cosine: np.ndarray, eta: float) -> np.ndarray:
    """Percus-Yevick S(Q) from the transform of the direct correlation -(a + b x + g x^3), x < 1."""
    a = (1 + 2 * eta) ** 2 / (1 - eta) ** 4
    b = -6 * eta * (1 + eta / 2) ** 2 / (1 - eta) ** 4
    g = eta * a / 2
    square = Q * Q
    transform = (
        a * Q**3 * (sine - Q * cosine)
        + b * square * (2 * Q * sine + (2 - square) * cosine - 2)
        + g * (4 * ((3 * square - 6) * cosine + Q * (square - 6) * sine + 6) - square * square * cosine)
    ) / Q**6
    near = Q < 1.5  # there the closed form cancels
    small, power, series = square[near], 1.0, 0.0
    for k in range(12):
        series = series + power * (a / (2 * k + 3) + b / (2 * k + 4) + g / (2 * k + 6))
        power = -power * small / ((2 * k + 2) * (2 * k + 3))
    transform[near] = series
    return 1 / (1 + 24 * eta * transform)


def order_parameter(eta: float, K: float, Z: float) -> float:
    """Root y of y (Z - y/2)(1 - b y)^2 = 12 eta K; NaN for segregation beyond the spinodal."""
    A, b = 12 * eta * K, -np.expm1(-Z) / (2 * Z)
    if A <= 0:
        low, high = 1.01 * min(A / Z, -1e-300), 0.0  # |y| < |A|/Z
    else:
        low, high = 0.0, 1 + Z - np.sqrt(1 + Z * Z)
        if high * (Z - high / 2) * (1 - b * high) ** 2 < A:
            return np.nan
    return brentq(lambda y: y * (Z - y / 2) * (1 - b * y) ** 2 - A, low, high, xtol=1e-14, rtol=1e-14)


class Packing:
    """The alloy at one packing fraction: everything that the ordering variables do not change."""

    def __init__(self, alloy: Interactions, thermal: float, eta: float):
        self.alloy, self.thermal, self.eta = alloy, thermal, eta
        self.sigma = (6 * eta * alloy.volume / np.pi) ** (1 / 3)
        self.Q = alloy.q * self.sigma
        self.sine, self.cosine = np.sin(self.Q), np.cos(self.Q)

    def density_energy(self) -> float:
        """E_NN, Ry per atom."""
        c, (z_a, z_b), eta = self.alloy.c, self.alloy.charges, self.eta
        alpha = -12 * eta * (1 - eta / 5 + eta**2 / 10) / (1 + 2 * eta) / self.sigma
        S = hard_sphere_structure(self.Q, self.sine, self.cosine, eta)
        return self.alloy.density @ S + ((1 - c) * z_a + c * z_b) ** 2 * alpha

    def hard_sphere_entropy(self) -> float:
        """Carnahan-Starling, k_B per atom."""
        return -(4 * self.eta - 3 * self.eta**2) / (1 - self.eta) ** 2

    def contact_epsilon(self) -> float:
        """Minus Phi_CC(sigma), Ry."""
        c, (z_a, z_b) = self.alloy.c, self.alloy.charges
        direct = 2 * c * (1 - c) * (z_a - z_b) ** 2
        return -(direct + self.alloy.potential @ self.sine) / self.sigma

    def order(self, epsilon: float, kappa: float) -> tuple[float, float]:
        """y and Z for a given ordering potential."""
        Z = kappa * self.sigma
        return order_parameter(self.eta, epsilon / self.thermal, Z), Z

    def ordering_energy(self, y: float, Z: float) -> float:
        """E_CC, Ry per atom."""
        c, (z_a, z_b), Q = self.alloy.c, self.alloy.charges, self.Q
        m = y * (Z - y / 2)
        S = (Q**2 + Z**2) / ((Q + m * (1 - self.cosine) / Q) ** 2 + (Z - y - m * self.sine / Q) ** 2)
        return self.alloy.ordering @ S + c * (1 - c) * (z_a - z_b) ** 2 * 2 * m / (Z - y - m) / self.sigma

    def ordering_entropy(self, y: float, Z: float) -> float:
        """k_B per atom."""
        return -(y**2) * (Z - y / 3) / (48 * self.eta)

    def ordering_free_energy(self, epsilon: float, kappa: float) -> float:
        """E_CC - T dS_ord, Ry per atom."""
        y, Z = self.order(epsilon, kappa)
        return self.ordering_energy(y, Z) - self.thermal * self.ordering_entropy(y, Z)

    def best_kappa(self, epsilon: float) -> float:
        """Minimum over kappa at this packing fraction and strength."""
        low, high = np.log(np.array(KAPPA_SIGMA) / self.sigma)
        found = minimize_scalar(
            lambda u: self.ordering_free_energy(epsilon, np.exp(u)), bounds=(low, high), method="bounded"
        )
        return np.exp(found.x)


def bound(alloy: Interactions, temperature: float, eta: float, epsilon: float, kappa: float) -> float:
    """What the minimum depends on, Ry per atom: E_BS + E_es - T (S_HS + dS_ord)."""
    packing = Packing(alloy, BOLTZMANN * temperature, eta)
    density = packing.density_energy() - packing.thermal * packing.hard_sphere_entropy()
    return density + packing.ordering_free_energy(epsilon, kappa)


def minimise(alloy: Interactions, temperature: float, scan: int = 0) -> tuple[float, float, float]:
    """eta, epsilon (Ry), kappa (1/bohr) under epsilon = -Phi_CC(sigma), reading "ordering".

    The force on eta, with kappa at its minimum, is brought to zero by Brent's method: between the ends of the range,
    which takes for granted that there is exactly one root in it, or after a scan of so many packing fractions, which
    does not. Raises ValueError without a root.
    """
    thermal = BOLTZMANN * temperature

    def driving(eta: float, epsilon: float, kappa: float) -> float:
        packing = Packing(alloy, thermal, eta)
        entropy = packing.hard_sphere_entropy() + packing.ordering_entropy(*packing.order(epsilon, kappa))
        return packing.density_energy() - thermal * entropy

    def state(eta: float) -> tuple[float, float]:
        packing = Packing(alloy, thermal, eta)
        epsilon = packing.contact_epsilon()
        return epsilon, packing.best_kappa(epsilon)

    def force(eta: float, step: float = 1e-5) -> float:
        epsilon, kappa = state(eta)
        return (driving(eta + step, epsilon, kappa) - driving(eta - step, epsilon, kappa)) / (2 * step)

    bracket = ETA
    if scan:
        nodes = np.linspace(*ETA, scan)
        forces = np.array([force(eta) for eta in nodes])
        (rising,) = np.nonzero((forces[:-1] < 0) & (forces[1:] >= 0))
        if not len(rising):
            raise ValueError("no minimum over the packing fraction")
        bracket = nodes[rising[0]], nodes[rising[0] + 1]
    eta = brentq(force, *bracket, xtol=1e-9)
    return eta, *state(eta)
