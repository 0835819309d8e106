"""How a minimum is searched: many starts at once, and the methods that can be asked for.

`Marquardt` is the default: it keeps bounds as an active set, and is the only one that runs in large batches. Any least-
squares solver of optimistix takes its place, and `GeneralLoss` minimises something other than squares by optax. These
two know no bounds; they move in angles t, in which u = lower + (upper - lower)(1 + sin t)/2 cannot leave the box.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import optimistix as optx

from jaxalloy._typing import Array, Float, Scalar
from jaxalloy.fitting.least_squares import Box, Iterate, Marquardt, begin, from_residuals, solve
from jaxalloy.fitting.model import thermal_energy
from jaxalloy.fitting.problem import FitProblem, residuals_of
from jaxalloy.reference import yukawa

GRID = [(eta, y, Z) for eta in (0.30, 0.38, 0.45) for y in (-0.5, -1.5, -3.0) for Z in (4.0, 10.0)]
"""Starts to fall back on, where the fixed one (eta 0.42, y -1.5, Z 8) ends in a bad minimum or at a bound."""

_OPTIMISTIX_STEPS = 512


def huber(r: Scalar) -> Scalar:
    """Squares up to 1.345 standard deviations and a straight line beyond: 95 % as sharp as squares where there are no
    outliers. Source: Huber, Ann. Math. Stat. 35, 73 (1964)."""
    return optax.losses.huber_loss(r, delta=1.345)


class GeneralLoss(eqx.Module):
    """Minimise the sum of loss(r) over the standardised residuals r by gradient steps of optax.

    loss: of one residual, r^2/2 for least squares; smooth but for its second derivative. optimiser: of optax, L-BFGS by
    default; `optax.adam(0.03)` for rough losses, in units of the longest steps of the search. tolerance: of the largest
    slope of the mean loss in those units. max_steps: its limit.
    """

    loss: Callable[[Scalar], Scalar] = eqx.field(static=True, default=huber)
    optimiser: optax.GradientTransformation = eqx.field(static=True, default_factory=optax.lbfgs)
    tolerance: float = eqx.field(static=True, default=1e-7)
    max_steps: int = 500

    def pseudo_residuals(self, residuals: np.ndarray) -> np.ndarray:
        """psi(r)/<psi'>, psi = loss': their mean square is the variance of the estimate over that of least squares.

        They take the place of the residuals wherever those would be squared. residuals: standardised, shape (n,).
        Source: Huber, Robust Statistics (1981), Eq. 7.6.6, for independent residuals.
        """
        r = jnp.asarray(residuals)
        psi, slope = jax.vmap(jax.grad(self.loss))(r), jax.vmap(jax.grad(jax.grad(self.loss)))(r)
        return np.asarray(psi / jnp.mean(slope))


Method = Marquardt | optx.AbstractLeastSquaresSolver | GeneralLoss


@eqx.filter_jit
def solve_all(problem: FitProblem, starts: Float[Array, "s p"], method: Method) -> Iterate:
    """The end of the search from each of the starts. `chi2` of a `GeneralLoss` is twice the loss."""
    if isinstance(method, Marquardt):
        linearise = from_residuals(residuals_of)
        return jax.vmap(lambda start: solve(linearise, start, problem, problem.points, problem.box, method))(starts)
    one: Callable[[FitProblem, Array, Any], Iterate] = _by_optax if isinstance(method, GeneralLoss) else _by_optimistix
    return jax.vmap(lambda start: one(problem, start, method))(starts)


def search(problem: FitProblem, method: Method) -> tuple[Iterate, int]:
    """The lowest minimum from the fixed start and the grid of others, all at once; and how many there were."""
    starts = _starts(problem)
    many = solve_all(problem, starts, method)
    chi2 = np.where(np.isfinite(many.chi2), many.chi2, np.inf)
    # among equals one that has converged, and the fixed start first
    order = np.lexsort((np.arange(chi2.size), ~np.asarray(many.converged), chi2 > chi2.min() * (1 + 1e-7)))
    return jax.tree.map(lambda leaf: leaf[int(order[0])], many), starts.shape[0]


def _starts(problem: FitProblem) -> Float[Array, "s p"]:
    """The fixed start and those of `GRID` in the variables of this fit; the fixed one for a model without them."""
    names, alloy = problem.names, problem.measurements[0].alloy
    if not {"sigma", "eta", "y", "epsilon", "kappa"} & set(names):
        return problem.start[None]
    starts = [np.asarray(problem.start)]
    for eta, y, Z in GRID:
        sigma = float(jnp.cbrt(6 * eta * alloy.volume / jnp.pi))
        epsilon = float(thermal_energy(alloy) * yukawa.coupling_from_y(eta, y, Z))
        values = {"sigma": sigma, "eta": eta, "y": y, "epsilon": epsilon, "kappa": np.log(Z / sigma)}
        starts.append(np.array([values.get(name, float(u)) for name, u in zip(names, problem.start, strict=True)]))
    return jnp.asarray(np.stack(starts))


def _angles(box: Box, start: Float[Array, " p"]):
    """The map from unbounded unknowns v to the box; v = 0 is the start, and steps of one are the longest ones there."""
    middle, half = (box.upper + box.lower) / 2, (box.upper - box.lower) / 2
    # a start at the very bound could not leave it
    sine = jnp.clip((start - middle) / half, -0.999999, 0.999999)
    unit = box.longest / (half * jnp.sqrt(1 - sine**2))
    return lambda v: middle + half * jnp.sin(jnp.arcsin(sine) + unit * v)


def _by_optimistix(problem: FitProblem, start: Float[Array, " p"], solver: Any) -> Iterate:
    inside = _angles(problem.box, jnp.clip(start, problem.box.lower, problem.box.upper))
    found: Any = optx.least_squares(
        lambda v, problem: residuals_of(inside(v), problem),
        solver,
        jnp.zeros_like(start),
        problem,
        max_steps=_OPTIMISTIX_STEPS,
        throw=False,
    )
    return _ended(problem, inside(found.value), found.result == optx.RESULTS.successful, found.stats["num_steps"], None)


def _by_optax(problem: FitProblem, start: Float[Array, " p"], method: GeneralLoss) -> Iterate:
    inside = _angles(problem.box, jnp.clip(start, problem.box.lower, problem.box.upper))
    optimiser = optax.with_extra_args_support(method.optimiser)

    def mean_loss(v):
        value = jnp.mean(jax.vmap(method.loss)(residuals_of(inside(v), problem)))
        return jnp.where(jnp.isfinite(value), value, 1e10)  # beyond the spinodal

    def step(carry):
        v, state, _, count = carry
        value, slope = jax.value_and_grad(mean_loss)(v)
        change, state = optimiser.update(slope, state, v, value=value, grad=slope, value_fn=mean_loss)
        return optax.apply_updates(v, change), state, jnp.max(jnp.abs(slope)), count + 1

    def unfinished(carry):
        _, _, slope, count = carry
        return (slope > method.tolerance) & (count < method.max_steps)

    v = jnp.zeros_like(start)
    first = (v, optimiser.init(v), jnp.asarray(jnp.inf, v.dtype), jnp.asarray(0))
    v, _, slope, count = jax.lax.while_loop(unfinished, step, first)
    return _ended(problem, inside(v), slope <= method.tolerance, count, method.loss)


def _ended(problem: FitProblem, u, converged, steps, loss) -> Iterate:
    """The state at the end of a search in angles; a bound that is all but reached, and pressed against, is reached."""
    box = problem.box
    _, gradient, _ = from_residuals(residuals_of)(u, problem)
    near = 1e-6 * (box.upper - box.lower)
    u = jnp.where((u < box.lower + near) & (gradient > 0), box.lower, u)
    u = jnp.where((u > box.upper - near) & (gradient < 0), box.upper, u)
    chi2, gradient, normal = from_residuals(residuals_of)(u, problem)
    if loss is not None:
        chi2 = 2 * jnp.sum(jax.vmap(loss)(residuals_of(u, problem)))
    blank = begin(u, box)
    return blank._replace(chi2=chi2, gradient=gradient, normal=normal, converged=converged, steps=jnp.asarray(steps))
