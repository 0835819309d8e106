"""Thousands of fits of the reference model in one call, with the Jacobian written out.

One composite or partial curve for each lane, on common wave numbers, in the variables sigma, y, ln kappa, scale, level
(eta follows from the volume). Where the general fit folds a resolution or damps a soft core, this one does not.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Bool, Float, Int, Scalar
from jaxalloy.alloy import Alloy
from jaxalloy.fitting.least_squares import Box, Iterate, Marquardt, solve_batch
from jaxalloy.fitting.model import thermal_energy
from jaxalloy.fitting.search import GRID
from jaxalloy.numerics.checks import require_positive
from jaxalloy.numerics.special import sin_cos
from jaxalloy.reference import yukawa

VARIABLES = ("sigma", "y", "ln_kappa", "scale", "level")

THINNING = 4
"""The search begins on every fourth point, where there are at least `_ENOUGH`: its minimum is within a few standard
deviations of that of all points, and costs a quarter."""

_ENOUGH = 160


class BatchData(NamedTuple):
    """What `linearise` needs of a lane. q: 1/bohr; measured, inverse_error, weights: shape (q,); volume: bohr^3."""

    q: Float[Array, " q"]
    measured: Float[Array, "*b q"]
    inverse_error: Float[Array, "*b q"]
    weight_nn: Float[Array, " q"]
    weight_cc: Float[Array, " q"]
    volume: Scalar


class BatchFit(NamedTuple):
    """Lanes of fits. u: `VARIABLES`, shape (b, 5); covariance: of u, for the errors given, shape (b, 5, 5), NaN for a
    lane at a bound or without rank; eta, epsilon (Ry), kappa (1/bohr) and their standard deviations; chi2; converged;
    steps."""

    u: Float[Array, "b 5"]
    covariance: Float[Array, "b 5 5"]
    eta: Float[Array, " b"]
    epsilon: Float[Array, " b"]
    epsilon_sd: Float[Array, " b"]
    kappa: Float[Array, " b"]
    kappa_sd: Float[Array, " b"]
    chi2: Float[Array, " b"]
    converged: Bool[Array, " b"]
    steps: Int[Array, " b"]


def curve_and_slopes(
    u: Float[Array, " 5"],
    q: Float[Array, " q"],
    weight_nn: Float[Array, " q"],
    weight_cc: Float[Array, " q"],
    volume: Scalar,
) -> tuple[Float[Array, " q"], Float[Array, "5 q"]]:
    """The curve level + scale [w_NN (S_NN - 1) + w_CC (S_CC/c_A c_B - 1)] and its derivatives in `VARIABLES`.

    With c_n the Stumpff functions of Q = q sigma, Q c_n' = c_(n-1) - n c_n.
    Source: `reference.hard_sphere.structure_factor`, `reference.yukawa.structure_factor_cc`.
    """
    sigma, y, log_kappa, scale, level = u
    Q = q * sigma
    Z = jnp.exp(log_kappa) * sigma
    eta = jnp.pi * sigma**3 / (6 * volume)
    inverse = 1 / Q
    sine, cosine = sin_cos(Q)
    c1 = sine * inverse
    c2 = (1 - cosine) * inverse**2
    c3 = (1 - c1) * inverse**2
    c4 = (0.5 - c2) * inverse**2
    d1, d2, d3, d4 = cosine - c1, c1 - 2 * c2, c2 - 3 * c3, c3 - 4 * c4

    nn, nn_slope = _density_channel(Q, eta, (c2, c3, c4), (d2, d3, d4))

    m, m_y = y * (Z - y / 2), Z - y
    U, W = Q * (1 + m * c2), m_y - m * c1
    below = 1 / (U**2 + W**2)
    cc = (Q**2 + Z**2) * below
    beyond = jnp.where(y < yukawa.spinodal_y(Z), 0.0, jnp.nan)
    cc_y = -2 * cc * below * (U * Q * m_y * c2 - W * (1 + m_y * c1))
    cc_Z = below * (2 * Z**2 - 2 * cc * Z * (U * Q * y * c2 + W * (1 - y * c1)))
    cc_Q = below * (2 * Q**2 - 2 * cc * (U * (U + Q * m * d2) - W * m * d1))

    shape = weight_nn * (nn - 1) + weight_cc * (cc - 1)
    slopes = jnp.stack(
        [
            scale / sigma * (weight_nn * nn_slope + weight_cc * (cc_Q + cc_Z)),
            scale * weight_cc * cc_y,
            scale * weight_cc * cc_Z,
            shape,
            jnp.ones_like(Q),
        ]
    )
    return level + scale * shape + beyond, slopes


def _density_channel(Q, eta, c, d):
    """S_NN and sigma dS_NN/dsigma at fixed volume, where sigma d eta/d sigma = 3 eta."""
    c2, c3, c4 = c
    d2, d3, d4 = d
    open_part = 1 / (1 - eta)
    first = 12 * eta * (1 + eta / 2) * open_part**2
    second = 12 * eta * (1 + 2 * eta) * open_part**2
    # eta d/d eta of the two
    first_slope = 12 * eta * (1 + eta) * open_part**2 + 2 * eta * open_part * first
    second_slope = 12 * eta * (1 + 4 * eta) * open_part**2 + 2 * eta * open_part * second
    X, Y = 1 + first * c2 - second * c3, Q * (first * c3 - second * c4)
    S = 1 / (X**2 + Y**2)
    X_slope = first * d2 - second * d3 + 3 * (first_slope * c2 - second_slope * c3)
    Y_slope = Y + Q * (first * d3 - second * d4) + 3 * Q * (first_slope * c3 - second_slope * c4)
    return S, -2 * S**2 * (X * X_slope + Y * Y_slope)


def linearise(u: Float[Array, " 5"], data: BatchData) -> tuple[Scalar, Float[Array, " 5"], Float[Array, "5 5"]]:
    """chi^2, gradient and normal matrix of one lane."""
    curve, slopes = curve_and_slopes(u, data.q, data.weight_nn, data.weight_cc, data.volume)
    r = (curve - data.measured) * data.inverse_error
    J = slopes * data.inverse_error[None]
    # one product of the stacked rows gives all three
    rows = jnp.concatenate([J, r[None]])
    product = rows @ rows.T
    return product[-1, -1], product[:-1, -1], product[:-1, :-1]


def fit_batch(
    q: Float[Array, " q"],
    measured: Float[Array, "b q"],
    errors: Float[Array, " q"] | Float[Array, "b q"],
    weight_nn: Float[Array, " q"],
    weight_cc: Float[Array, " q"],
    alloy: Alloy,
    *,
    starts: Float[Array, "b 5"] | None = None,
    bounds: Box | None = None,
    fallback: bool = True,
    method: Marquardt | None = None,
) -> BatchFit:
    """Fit b curves at once.

    q: 1/bohr. errors: standard deviations, for all lanes or for each. weights: as `MeasuredStructureFactor.weights`
    gives them. alloy: gives volume and temperature. starts: in `VARIABLES`; by default eta 0.42, y -1.5, Z 8, scale 1,
    the level that of the top fifth of q. bounds: of `VARIABLES`, the same for all lanes, within the range that the
    model covers; equal ones fix a variable. fallback: whether lanes that end with chi^2 > N + 5 sqrt(2N), at a bound or
    unconverged are fitted again from a coarse grid of starts. Convergence is data on the result.
    """
    require_positive("q (1/bohr)", q)
    require_positive("errors", errors)
    method = Marquardt(max_steps=100) if method is None else method
    lanes, n = measured.shape
    inverse = jnp.broadcast_to(1 / errors, measured.shape)
    data = BatchData(q, measured, inverse, weight_nn, weight_cc, alloy.volume)
    box = _box(alloy)
    if bounds is not None:
        box = Box(
            jnp.maximum(box.lower, bounds.lower),
            jnp.minimum(box.upper, bounds.upper),
            jnp.minimum(box.longest, bounds.longest),
        )
    level = jnp.mean(measured[:, -max(n // 5, 1) :], axis=1)
    first = jnp.tile(_start(alloy, 0.42, -1.5, 8.0)[None], (lanes, 1)).at[:, 4].set(level) if starts is None else starts
    found = _solve(first, data, box, method)
    if fallback:
        found = _again_from_grid(found, data, box, method, alloy, level)
    return _with_errors(found, alloy, box)


_AXES: Any = BatchData(*(None, 0, 0, None, None, None))  # type: ignore[arg-type]


def _solve(starts: Float[Array, "b 5"], data: BatchData, box: Box, method: Marquardt) -> Iterate:
    """Few points first, then all of them from where that ended."""
    n = data.q.size
    if n >= _ENOUGH:
        thin = jax.tree.map(lambda leaf: leaf[..., ::THINNING] if leaf.ndim else leaf, data)
        rough = Marquardt(tolerance=1e-2, max_steps=method.max_steps // 2)
        near = solve_batch(linearise, starts, thin, _AXES, thin.q.size, box, rough)
        starts = jnp.where(jnp.isfinite(near.chi2)[:, None], near.u, starts)
    return solve_batch(linearise, starts, data, _AXES, n, box, method)


def _start(alloy: Alloy, eta: float, y: float, Z: float) -> Float[Array, " 5"]:
    sigma = jnp.cbrt(6 * eta * alloy.volume / jnp.pi)
    return jnp.stack([sigma, jnp.full_like(sigma, y), jnp.log(Z / sigma), jnp.ones_like(sigma), jnp.ones_like(sigma)])


def _box(alloy: Alloy) -> Box:
    """The range of `ReferenceModel`."""
    diameter = float(jnp.cbrt(6 * alloy.volume / jnp.pi))
    lower = [diameter * 0.05 ** (1 / 3), -100.0, np.log(0.003), 1e-3, -1e3]
    upper = [diameter * 0.62 ** (1 / 3), 1.0, np.log(40.0), 1e3, 1e3]
    return Box(*(jnp.asarray(row) for row in (lower, upper, [0.05 * diameter, 2.0, 1.0, 0.5, 0.5])))


def _again_from_grid(found: Iterate, data, box, method, alloy, level) -> Iterate:
    """Lanes with a bad end, from every start of the grid; the lowest chi^2 is kept."""
    chi2, u, n = np.asarray(found.chi2), np.asarray(found.u), data.q.size
    lower, upper = np.asarray(box.lower), np.asarray(box.upper)
    at_bound = (((u <= lower) | (u >= upper)) & (lower < upper)).any(axis=1)
    bad = np.flatnonzero(~np.asarray(found.converged) | ~(chi2 <= n + 5 * np.sqrt(2 * n)) | at_bound)
    if not bad.size:
        return found
    lanes = np.repeat(bad, len(GRID))
    grid = np.asarray(jnp.stack([_start(alloy, *point) for point in GRID]))
    tiled = np.tile(grid, (bad.size, 1))
    # as many lanes as before, or a multiple: the same programs serve
    padding = -lanes.size % chi2.size
    lanes, tiled = np.resize(lanes, lanes.size + padding), np.resize(tiled, (lanes.size + padding, tiled.shape[1]))
    starts = jnp.asarray(tiled).at[:, 4].set(level[lanes])
    again = data._replace(measured=data.measured[lanes], inverse_error=data.inverse_error[lanes])
    parts = [
        _solve(
            starts[first : first + chi2.size],
            again._replace(
                measured=again.measured[first : first + chi2.size],
                inverse_error=again.inverse_error[first : first + chi2.size],
            ),
            box,
            method,
        )
        for first in range(0, lanes.size, chi2.size)
    ]
    tried = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *parts)
    value = np.where(np.isfinite(tried.chi2), tried.chi2, np.inf)[: bad.size * len(GRID)].reshape(bad.size, -1)
    best = np.arange(bad.size) * len(GRID) + value.argmin(axis=1)
    better = value.min(axis=1) < np.where(np.isfinite(chi2[bad]), chi2[bad], np.inf) * (1 - 1e-12)
    to, origin = jnp.asarray(bad[better]), jnp.asarray(best[better])
    return jax.tree.map(lambda old, new: old.at[to].set(new[origin]), found, tried)


@jax.jit
def _with_errors(found: Iterate, alloy: Alloy, box: Box) -> BatchFit:
    thermal = thermal_energy(alloy)

    def one(u, normal):
        def physical(u):
            sigma, y, log_kappa = u[:3]
            eta = jnp.pi * sigma**3 / (6 * alloy.volume)
            Z = jnp.exp(log_kappa) * sigma
            return jnp.stack([thermal * yukawa.coupling_from_y(eta, y, Z), jnp.exp(log_kappa), eta])

        size = jnp.sqrt(jnp.diagonal(normal))
        inside = jnp.all((u > box.lower) & (u < box.upper))
        inverse = jnp.linalg.inv(normal / (size[:, None] * size[None, :])) / (size[:, None] * size[None, :])
        inverse = jnp.where(inside, inverse, jnp.nan)
        slopes = jax.jacfwd(physical)(u)
        return inverse, physical(u), jnp.sqrt(jnp.einsum("ij,jk,ik->i", slopes, inverse, slopes))

    covariance, values, sd = jax.vmap(one)(found.u, found.normal)
    return BatchFit(
        u=found.u,
        covariance=covariance,
        eta=values[:, 2],
        epsilon=values[:, 0],
        epsilon_sd=sd[:, 0],
        kappa=values[:, 1],
        kappa_sd=sd[:, 1],
        chi2=found.chi2,
        converged=found.converged,
        steps=found.steps,
    )
