"""From S_CC(q) to the direct correlation c_CC(R) and an "experimental" ordering potential, without a model of it.

Ruppersberg and Schirmacher's use of the mean-spherical approximation for Li4Pb (PHH Sec. V): Phi_CC(R) = -k_B T c_CC(R)
beyond the diameter. The unknown is x c_CC(x), x = R/sigma: a polynomial inside the diameter, piecewise linear outside,
with a jump at x = 1; it is fitted to S itself, with a penalty on the curvature that grows outwards. Its strength comes
from generalised cross-validation: the discrepancy principle, chi^2 = N, is at the mercy of the noise (chi^2 of the
truth is N +- sqrt(2N)) and oversmooths every second data set. Transforming 1 - 1/S directly gives a contact value a
third too weak (physics.md 6).
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Float, Scalar
from jaxalloy.alloy import Alloy
from jaxalloy.fitting.model import thermal_energy
from jaxalloy.numerics.checks import InputError
from jaxalloy.reference import hard_sphere
from jaxalloy.scattering.measured import MeasuredStructureFactor

INSIDE = 6
"""Powers x^1 ... x^6 of x c_CC(x) inside the diameter."""

SMALLEST_CC_WEIGHT = 0.3
"""Below this weight of S_CC a composite is mostly S_NN, and errors of the model of S_NN pass for order."""

_PENALTIES = np.logspace(-8, 6, 36)
"""For errors of 0.01; they scale with the weight of the data."""
_STEPS = 12


class Basis(NamedTuple):
    """x: nodes outside, shape (m,). transform: unknowns to n c(Q), shape (q, unknowns). penalty: (unknowns,
    unknowns)."""

    x: Float[Array, " m"]
    transform: Float[Array, "q n"]
    penalty: Float[Array, "n n"]


class OrderingInversion(NamedTuple):
    """What `invert_structure_factor` found.

    R: bohr, from sigma outwards, shape (m,). direct: c_CC(R); direct_sd: its error for a known sigma. potential: the
    ordering potential -k_B T c_CC(R), Ry. epsilon: k_B T c_CC(sigma+), Ry. epsilon_sd: its error for a known sigma.
    epsilon_sigma: epsilon with sigma 2 % smaller and larger, of which chi^2 tells nothing. kappa: inverse range of the
    Yukawa form through the potential, 1/bohr. chi2 (of unit errors, where there are none), points. penalty: strength
    chosen; effective: number of parameters it leaves. fitted: S_CC/(c_A c_B), shape (q,).
    """

    R: Float[Array, " m"]
    direct: Float[Array, " m"]
    direct_sd: Float[Array, " m"]
    potential: Float[Array, " m"]
    epsilon: Scalar
    epsilon_sd: Scalar
    epsilon_sigma: tuple[float, float]
    kappa: Scalar
    chi2: Scalar
    points: int
    penalty: float
    effective: float
    fitted: Float[Array, " q"]


def invert_structure_factor(
    data: MeasuredStructureFactor,
    alloy: Alloy,
    sigma: float,
    *,
    reach: float = 4.0,
    spacing: float = 0.06,
) -> OrderingInversion:
    """The direct correlation c_CC(R) and the ordering potential that S_CC(q) contains, without assuming a form.

    data: with the curve CC, or a composite dominated by S_CC (a zero alloy), of which the hard-sphere S_NN is taken
    off. sigma: hard-sphere diameter, bohr, from a fit: the data hardly determine it, and 2 % of it ruin the contact
    value (see `epsilon_sigma`). reach: R/sigma beyond which the potential is zero. spacing: of the nodes, in sigma.
    Raises `InputError` where the data hold no S_CC. Without errors of the data they are estimated from the residuals.
    Source: PHH Sec. V, Ref. 49; physics.md 6.
    """
    eta = float(np.pi * sigma**3 / (6 * alloy.volume))
    if not 0.05 < eta < 0.62:
        raise InputError(
            f"sigma = {sigma:g} bohr: packing fraction {eta:.3g} at this volume; it must be in (0.05, 0.62)"
        )
    q = data.q
    thermal = float(thermal_energy(alloy))

    def at(diameter: float):
        S, error = _ordering_part(data, alloy, diameter)
        packing = jnp.pi * diameter**3 / (6 * alloy.volume)
        basis = _basis(np.asarray(q) * diameter, float(packing), reach, spacing)
        return basis, *_choose_penalty(basis, S, error)

    basis, a, covariance, chi2, penalty, effective = at(sigma)
    outside = a[INSIDE:]
    scale = 1.0 if data.errors is not None else chi2 / (q.size - effective)
    sd = jnp.sqrt(scale * jnp.diagonal(covariance)[INSIDE:])
    nodes = basis.x
    c, spread = outside / nodes[:-1], sd / nodes[:-1]
    others = tuple(float(thermal * at(factor * sigma)[1][INSIDE]) for factor in (0.98, 1.02))
    return OrderingInversion(
        R=nodes[:-1] * sigma,
        direct=c,
        direct_sd=spread,
        potential=-thermal * c,
        epsilon=thermal * c[0],
        epsilon_sd=thermal * spread[0],
        epsilon_sigma=(others[0], others[1]),
        kappa=_yukawa_range(nodes[:-1], outside, sd) / sigma,
        chi2=chi2,
        points=int(q.size),
        penalty=penalty,
        effective=effective,
        fitted=1 / (1 - basis.transform @ a),
    )


def _ordering_part(data: MeasuredStructureFactor, alloy: Alloy, sigma: float):
    """S_CC/(c_A c_B) and its error, one where there is none."""
    nn, cc, nominal = data.weights(alloy)
    row = data.names.index("CC") if "CC" in data.names else 0
    smallest = float(jnp.min(jnp.abs(cc[row]) / (jnp.abs(cc[row]) + jnp.abs(nn[row]) + 1e-300)))
    if smallest < SMALLEST_CC_WEIGHT:
        raise InputError(
            f"{data.name}: the weight of S_CC is {smallest:.2g}; an inversion needs S_CC from partials or a zero alloy"
        )
    eta = jnp.pi * sigma**3 / (6 * alloy.volume)
    density = nn[row] * (hard_sphere.structure_factor(data.q * sigma, eta) - 1)
    S = 1 + (data.curves[row] - nominal[row] - density) / cc[row]
    error = jnp.ones_like(S) if data.errors is None else data.errors[row] / jnp.abs(cc[row])
    return S, error


def _basis(Q: np.ndarray, eta: float, reach: float, spacing: float) -> Basis:
    """n c(Q) = 24 eta int x c(x) sin(Qx)/Q dx for every unknown, and the penalty on curvature.

    The last node, where the potential ends, is zero and no unknown.
    """
    nodes = 1 + spacing * np.arange(round((reach - 1) / spacing) + 1)
    t, w = np.polynomial.legendre.leggauss(24)
    x, w = (t + 1) / 2, w / 2
    inner = np.stack([x**k * w for k in range(1, INSIDE + 1)])
    columns = [np.sin(Q[:, None] * x) @ inner.T / Q[:, None]]
    t, w = np.polynomial.legendre.leggauss(8)
    t, w = (t + 1) / 2, w / 2 * spacing
    outer = np.zeros((Q.size, nodes.size))
    for k in range(nodes.size - 1):
        wave = np.sin(Q[:, None] * (nodes[k] + spacing * t)) / Q[:, None]
        outer[:, k] += wave @ (w * (1 - t))
        outer[:, k + 1] += wave @ (w * t)
    columns.append(outer[:, :-1])
    transform = 24 * eta * np.concatenate(columns, axis=1)
    size = transform.shape[1]
    curvature = np.zeros((nodes.size - 2, size + 1))
    for k in range(nodes.size - 2):
        # a decaying potential bends less and less: what bends further out is noise
        curvature[k, INSIDE + k : INSIDE + k + 3] = np.array([1.0, -2.0, 1.0]) / spacing**2 * nodes[k + 1] ** 3
    curvature = curvature[:, :-1]
    # a whisper of a penalty inside, which the data do not fix on their own
    penalty = spacing * curvature.T @ curvature
    penalty[np.arange(INSIDE), np.arange(INSIDE)] += 1e-12 * np.trace(penalty) / size
    return Basis(jnp.asarray(nodes), jnp.asarray(transform), jnp.asarray(penalty))


@partial(jax.jit, static_argnames="steps")
def _fit_all(basis: Basis, S, error, penalties, steps=_STEPS):
    """Unknowns, inverse normal matrix, chi^2 and effective number of parameters for every strength of the penalty."""

    def one(strength):
        # start from the linear problem 1/S = 1 - T a, in which the error of 1/S is error/S^2
        weight = jnp.maximum(S, 0.05) ** 2 / error
        rows = basis.transform * weight[:, None]
        start = jnp.linalg.solve(
            rows.T @ rows + strength * basis.penalty, rows.T @ (weight * (1 - 1 / jnp.maximum(S, 0.05)))
        )

        def cost(a):
            model = 1 / (1 - basis.transform @ a)
            chi2 = jnp.sum(((model - S) / error) ** 2)
            return jnp.where(jnp.all(model > 0), chi2 + strength * a @ basis.penalty @ a, jnp.inf), chi2

        def step(a, _):
            model = 1 / (1 - basis.transform @ a)
            rows = basis.transform * (model**2 / error)[:, None]
            normal = rows.T @ rows + strength * basis.penalty
            gradient = rows.T @ ((model - S) / error) + strength * basis.penalty @ a
            change = -jnp.linalg.solve(normal, gradient)
            sizes = jnp.asarray([1.0, 0.5, 0.2, 0.05, 0.0])
            costs = jax.vmap(lambda t: cost(a + t * change)[0])(sizes)
            costs = jnp.where(jnp.isnan(costs), jnp.inf, costs)
            return a + sizes[jnp.argmin(costs)] * change, None

        a, _ = jax.lax.scan(step, start, None, length=steps)
        model = 1 / (1 - basis.transform @ a)
        rows = basis.transform * (model**2 / error)[:, None]
        inverse = jnp.linalg.inv(rows.T @ rows + strength * basis.penalty)
        return a, inverse, cost(a)[1], jnp.sum(inverse * (rows.T @ rows))

    return jax.lax.map(one, penalties)


def _choose_penalty(basis: Basis, S, error):
    """The strength with the smallest chi^2/(N - effective parameters)^2 (generalised cross-validation)."""
    a, inverse, chi2, effective = _fit_all(basis, S, error, jnp.asarray(_PENALTIES) * 1e-4 / jnp.median(error) ** 2)
    score = np.asarray(chi2) / (S.size - np.asarray(effective)) ** 2
    best = int(np.argmin(np.where(np.isfinite(score), score, np.inf)))
    return a[best], inverse[best], chi2[best], float(_PENALTIES[best]), float(effective[best])


def _yukawa_range(x: Float[Array, " m"], product: Float[Array, " m"], sd: Float[Array, " m"]) -> Scalar:
    """kappa sigma of the Yukawa form x c = K e^{-Z (x-1)}: the ratio of its value to its integral, int x c dx = K/Z.

    Over the part up to the first sign change; the integral is kinder to noise than a slope.
    """
    same = np.asarray(product) * float(product[0]) > 0
    end = int(np.argmin(same)) if not same.all() else len(same)
    return product[0] / jnp.trapezoid(product[: max(end, 2)], x[: max(end, 2)])
