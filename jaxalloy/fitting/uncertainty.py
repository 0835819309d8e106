"""What the data say about the parameters: covariance, derived quantities, the effective number of points, profiles.

Assumptions of the covariance, in the order in which they fail: the model is right, the errors are those given (or one
error for all points, estimated from the residuals), and independent, and the model is linear within them. Where the
residuals are correlated or larger than the errors, the covariance is multiplied by `inflation`.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Float, Scalar
from jaxalloy.fitting.least_squares import Box, Iterate, Marquardt, from_residuals, solve
from jaxalloy.fitting.model import thermal_energy
from jaxalloy.fitting.problem import FitProblem, residuals_of
from jaxalloy.reference import hard_sphere, yukawa

FIRST_SHELL = 1.6
"""The first shell of neighbours ends at this R/sigma."""

DERIVED = {
    "sigma": ("bohr", "hard-sphere diameter"),
    "eta": ("1", "packing fraction"),
    "epsilon": ("Ry", "ordering potential at contact is -epsilon"),
    "kappa": ("1/bohr", "inverse range of the ordering potential"),
    "y": ("1", "order parameter of the closed forms"),
    "Z": ("1", "kappa sigma"),
    "h_cc_contact": ("1", "h_CC at contact"),
    "s_cc_zero": ("1", "S_CC(0)/(c_A c_B)"),
    "g_AA_contact": ("1", "pair correlation of the first element at contact"),
    "g_AB_contact": ("1", "pair correlation of unlike atoms at contact"),
    "g_BB_contact": ("1", "pair correlation of the second element at contact"),
    "ordering_enthalpy": ("Ry/atom", "enthalpy of ordering"),
    "ordering_entropy": ("k_B/atom", "entropy of ordering"),
    "coordination": ("1", f"neighbours within {FIRST_SHELL} sigma"),
    "warren_cowley": ("1", f"short-range order parameter of the neighbours within {FIRST_SHELL} sigma"),
}

_GAUSS_LEGENDRE = np.polynomial.legendre.leggauss(20)
_TAYLOR_TERMS = 48
"""The roots of the hard-sphere equation are below 8 in size, and the shell is 0.6 wide: exact to rounding."""


def derived(problem: FitProblem, u: Float[Array, " p"]) -> dict[str, Scalar]:
    """The liquid's quantities of `DERIVED` in the state of the first data set."""
    alloy = problem.measurements[0].alloy
    sigma, eta, y, Z = problem.liquid(u)
    c = alloy.concentration
    epsilon = thermal_energy(alloy) * yukawa.coupling_from_y(eta, y, Z)
    contact, density = yukawa.contact_value_cc(eta, y, Z), hard_sphere.contact_value(eta)
    neighbours, order = first_shell(eta, y, Z)
    return {
        "sigma": sigma,
        "eta": eta,
        "epsilon": epsilon,
        "kappa": Z / sigma,
        "y": y,
        "Z": Z,
        "h_cc_contact": contact,
        "s_cc_zero": yukawa.structure_factor_cc_zero(y, Z),
        "g_AA_contact": density + c / (1 - c) * contact,
        "g_AB_contact": density - contact,
        "g_BB_contact": density + (1 - c) / c * contact,
        "ordering_enthalpy": epsilon * yukawa.ordering_energy_ratio(y, Z),
        "ordering_entropy": yukawa.ordering_entropy(eta, y, Z),
        "coordination": neighbours,
        "warren_cowley": order / neighbours,
    }


def first_shell(eta: Scalar, y: Scalar, Z: Scalar) -> tuple[Scalar, Scalar]:
    """4 pi n int g_NN R^2 dR and 4 pi n int h_CC R^2 dR over sigma < R < FIRST_SHELL sigma.

    In the first unit interval x g and x h solve linear equations without delay (see `reference.hard_sphere` and
    `reference.yukawa`): the one is summed as a Taylor series, the other is known in closed form.
    """
    width = FIRST_SHELL - 1
    free = (1 - eta) ** 2
    s2, s1, s0 = 6 * eta * (1 - eta) / free, 18 * eta**2 / free, -12 * eta * (1 + 2 * eta) / free
    value = hard_sphere.contact_value(eta)
    slope = (1 + 2 * eta) / free - s2 * value

    def term(carry, k):
        a, b, c = carry  # Taylor coefficients k, k+1, k+2 of x g, times width^k
        following = -(s2 * (k + 2) * (k + 1) * c * width + s1 * (k + 1) * b * width**2 + s0 * a * width**3)
        moment = width * (a / (k + 1) + a * width / (k + 2))  # int x (x g) dx
        return (b, c, following / ((k + 1) * (k + 2) * (k + 3))), moment

    start = (value, slope * width, (-s2 * slope - s1 * value) / 2 * width**2)
    density = jnp.sum(jax.lax.scan(term, start, jnp.arange(_TAYLOR_TERMS, dtype=eta.dtype))[1])

    nodes, weights = (jnp.asarray(x, eta.dtype) for x in _GAUSS_LEGENDRE)
    u, weights = width * (nodes + 1) / 2, weights * width / 2
    half, square = (Z - y) / 2, ((Z - y) / 2) ** 2 + y * (Z - y / 2)
    real = jnp.sqrt(jnp.where(square > 0, square, 1.0))
    imaginary = jnp.sqrt(jnp.where(square < 0, -square, 1.0))
    growing, falling = jnp.exp((real - half) * u), jnp.exp(-(real + half) * u)
    damped = (growing + falling) / 2 - half * (growing - falling) / (2 * real)
    waving = jnp.exp(-half * u) * (jnp.cos(imaginary * u) - half * jnp.sin(imaginary * u) / imaginary)
    order = weights @ ((1 + u) * jnp.where(square > 0, damped, waving)) * yukawa.contact_value_cc(eta, y, Z)
    return 24 * eta * density, 24 * eta * order


class Evaluation(NamedTuple):
    """A problem at one point, from one compiled program: curves of every data set, residuals (n,), their Jacobian (n,
    p), derived quantities with their gradients."""

    curves: tuple[Float[Array, "curves q"], ...]
    residuals: Float[Array, " n"]
    jacobian: Float[Array, "n p"]
    values: dict[str, Scalar]
    slopes: dict[str, Float[Array, " p"]]


@eqx.filter_jit
def evaluate(problem: FitProblem, u: Float[Array, " p"]) -> Evaluation:
    """Everything that errors and diagnostics need of the point u."""

    def paired(v):
        curves, values = problem.curves(v), derived(problem, v)
        residuals = problem.compare(curves)
        return (residuals, values), (curves, residuals, values)

    (jacobian, slopes), (curves, residuals, values) = jax.jacfwd(paired, has_aux=True)(u)
    return Evaluation(curves, residuals, jacobian, values, slopes)


def propagate(at: Evaluation, covariance: np.ndarray) -> dict[str, tuple[float, float]]:
    """Value and standard deviation of every derived quantity, to first order in the errors."""
    # jit sorts a dictionary by its keys
    return {name: (float(at.values[name]), spread(np.asarray(at.slopes[name]), covariance)) for name in DERIVED}


def spread(slope: np.ndarray, covariance: np.ndarray) -> float:
    """Standard deviation of a quantity with this gradient; infinite where it leans on what is not determined."""
    used = slope != 0
    if not np.isfinite(covariance[np.ix_(used, used)]).all():
        return float("inf")
    return float(np.sqrt(max(slope[used] @ covariance[np.ix_(used, used)] @ slope[used], 0.0)))


def covariance(slopes: np.ndarray, held: np.ndarray) -> np.ndarray:
    """(J^T J)^-1 of the variables that are not held at a bound; zero for those, infinite where J has no rank.

    slopes: J, shape (n, p). held: shape (p,).
    """
    p = slopes.shape[1]
    size = np.linalg.norm(slopes, axis=0)
    found = np.zeros((p, p))
    free = np.flatnonzero(~held & (size > 0))
    found[np.ix_(~held & (size == 0), ~held & (size == 0))] = np.inf
    if not free.size:
        return found
    _, singular, vectors = np.linalg.svd(slopes[:, free] / size[free], full_matrices=False)
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = (vectors.T / singular**2) @ vectors
    lost = singular < 1e-7 * singular[0]
    blurred = np.abs(vectors[lost]).max(axis=0, initial=0.0) > 1e-3
    inverse[blurred, :], inverse[:, blurred] = np.inf, np.inf
    found[np.ix_(free, free)] = inverse / np.outer(size[free], size[free])
    return found


class Correlation(NamedTuple):
    """How the residuals hang together along q. lag_one: of neighbours. time: integrated, in points; the number of
    points divided by it is the effective one. significant: whether it is more than chance."""

    lag_one: float
    time: float
    significant: bool


def residual_correlation(rows: list[np.ndarray]) -> Correlation:
    """Autocorrelation of residuals, each row one curve in order of q.

    time = 1 + 2 sum_k r_k, summed up to the first lag M with M >= 5 time(M) or r_M < 0.
    """
    n = sum(row.size for row in rows)
    longest = min(row.size for row in rows) // 2
    total = sum(row @ row for row in rows)
    if total == 0 or longest < 2:
        return Correlation(0.0, 1.0, False)
    lags = [sum(row[k:] @ row[: row.size - k] for row in rows) / total for k in range(1, longest)]
    time = 1.0
    for k, r in enumerate(lags, 1):
        if r < 0 or k >= 5 * time:
            break
        time += 2 * r
    # residuals of a fit with p parameters are anticorrelated by about p/n: far below this
    return Correlation(float(lags[0]), float(time), bool(lags[0] > 4 / np.sqrt(n)))


class Profile(NamedTuple):
    """chi^2 along one parameter, all others minimised. values, chi2: the curve. low, high: the 68 % interval, infinite
    or zero where the curve does not rise by enough within the range; low_95, high_95 likewise."""

    name: str
    values: np.ndarray
    chi2: np.ndarray
    low: float
    high: float
    low_95: float
    high_95: float


@eqx.filter_jit
def _minimise_others(problem, grid, starts, index, method):
    """chi^2 with the variable `index` held at each value of the grid."""

    def at(value, start):
        box = problem.box
        pinned = Box(box.lower.at[index].set(value), box.upper.at[index].set(value), box.longest)
        return solve(from_residuals(residuals_of), start.at[index].set(value), problem, problem.points, pinned, method)

    return jax.vmap(at)(grid, starts)


def profile_variable(
    problem: FitProblem, u, name: str, half_width: float, chi2: float, unit_chi2: float, points: int = 25
) -> Profile:
    """Profile likelihood of one variable of the fit, over `half_width` on both sides of the minimum.

    name: of a free parameter. chi2: at the minimum. unit_chi2: the rise of chi^2 that counts as one (chi^2/dof x
    correlation time where the errors are not believed). The interval is where chi^2 has risen by 1 (68 %), 3.84 (95 %).
    """
    index = problem.names.index(name)
    scale = problem.scales[index]
    u = np.asarray(u)
    lower, upper = float(problem.box.lower[index]), float(problem.box.upper[index])
    grid = np.unique(np.clip(u[index] + half_width * np.linspace(-1, 1, points), lower, upper))
    # each half is started from the minimum; the others follow within a few steps
    starts = np.broadcast_to(u, (grid.size, u.size))
    found: Iterate = _minimise_others(problem, jnp.asarray(grid), jnp.asarray(starts), index, Marquardt())
    curve = np.asarray(found.chi2)
    lowest = min(float(curve.min()), chi2)
    rise = (curve - lowest) / unit_chi2
    convert = {"log": np.exp, "square": np.sqrt}.get(scale, lambda x: x)
    limits = [_crossings(grid, rise, level, lower, upper) for level in (1.0, 3.841)]
    bounds = [float(convert(x)) for pair in limits for x in pair]
    return Profile(name, np.asarray(convert(grid)), curve, *bounds)


def _crossings(grid: np.ndarray, rise: np.ndarray, level: float, lower: float, upper: float) -> tuple[float, float]:
    """Where the profile crosses `level` on both sides of its minimum; the end of the range where it does not."""
    lowest = int(np.argmin(rise))

    def edge(order: np.ndarray, end: float) -> float:
        beyond = np.flatnonzero(rise[order] > level)
        if not beyond.size:
            return end
        i, j = order[max(beyond[0] - 1, 0)], order[beyond[0]]
        # the root of rise is nearly linear in the distance from the minimum
        a, b = np.sqrt(max(rise[i], 0.0)), np.sqrt(rise[j])
        return float(grid[i] + (np.sqrt(level) - a) / (b - a) * (grid[j] - grid[i])) if b > a else float(grid[j])

    return edge(np.arange(lowest, -1, -1), lower), edge(np.arange(lowest, grid.size), upper)
