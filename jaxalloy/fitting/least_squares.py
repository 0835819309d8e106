"""Levenberg-Marquardt for a few unknowns in a box, made to run in batches.

Normal equations scaled to unit diagonal (Marquardt), a cap on every step, and an active set at the bounds; convergence
is measured by what the next Gauss-Newton step would still gain in chi^2, which is the only scale that matters to an
error bar.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Bool, Float, Int, Scalar

Linearise = Callable[[Float[Array, " p"], Any], tuple[Scalar, Float[Array, " p"], Float[Array, "p p"]]]
"""u, data -> chi^2, gradient J^T r and normal matrix J^T J."""


class Marquardt(eqx.Module):
    """How `solve` searches: numerics only.

    tolerance: expected gain in chi^2 at which a fit has converged, in units of chi^2/dof. max_steps: its limit.
    """

    tolerance: float = eqx.field(static=True, default=1e-8)
    max_steps: int = eqx.field(static=True, default=150)


class Box(NamedTuple):
    """Bounds of the unknowns, and the longest step allowed in each, shape (p,) each."""

    lower: Float[Array, "*b p"]
    upper: Float[Array, "*b p"]
    longest: Float[Array, "*b p"]


class Iterate(NamedTuple):
    """One lane of the search."""

    u: Float[Array, "*b p"]
    chi2: Float[Array, "*b"]
    gradient: Float[Array, "*b p"]
    normal: Float[Array, "*b p p"]
    size: Float[Array, "*b p"]
    damping: Float[Array, "*b"]
    gain: Float[Array, "*b"]
    converged: Bool[Array, "*b"]
    stuck: Bool[Array, "*b"]
    steps: Int[Array, "*b"]


def from_residuals(residuals: Callable[[Float[Array, " p"], Any], Float[Array, " n"]]) -> Linearise:
    """The linearisation of standardised residuals r(u, data), by forward differentiation."""

    def linearise(u, data):
        def paired(v):
            r = residuals(v, data)
            return r, r

        jacobian, r = jax.jacfwd(paired, has_aux=True)(u)
        return r @ r, jacobian.T @ r, jacobian.T @ jacobian

    return linearise


def solve(
    linearise: Linearise,
    start: Float[Array, " p"],
    data: Any,
    points: Int[Array, ""] | int,
    box: Box,
    method: Marquardt,
) -> Iterate:
    """Minimise chi^2 from one start inside the box. points: number of residuals. Pure: compose it with `jax.vmap`."""

    def unfinished(state):
        return ~(state.converged | state.stuck) & (state.steps < method.max_steps)

    first = begin(start, box)
    return jax.lax.while_loop(unfinished, lambda state: advance(linearise, state, data, points, box, method), first)


def begin(start: Float[Array, " p"], box: Box) -> Iterate:
    """The state at the start, moved into the box; its chi^2 is found in the first step, which stays where it is."""
    u = jnp.clip(start, box.lower, box.upper)
    p, no = u.shape[0], jnp.zeros((), bool)
    infinite, none = jnp.asarray(jnp.inf, u.dtype), jnp.zeros_like(u)
    damping = jnp.asarray(1e-3, u.dtype)
    normal = jnp.zeros((p, p), u.dtype)
    return Iterate(u, infinite, none, normal, none, damping, infinite, no, no, jnp.asarray(0))


def advance(
    linearise: Linearise, state: Iterate, data: Any, points: Int[Array, ""] | int, box: Box, method: Marquardt
) -> Iterate:
    """One step of the search: try a damped step, keep what is better, and see what there is left to gain."""
    damped, _ = _newton_step(state.u, state.gradient, state.normal, state.size, state.damping, box)
    # the cap holds the direction: a clipped component would turn the step away from descent
    step = damped / jnp.maximum(jnp.max(jnp.abs(damped) / box.longest), 1.0)
    trial = jnp.clip(state.u + step, box.lower, box.upper)
    chi2, gradient, normal = linearise(trial, data)
    better = jnp.isfinite(chi2) & jnp.all(jnp.isfinite(normal)) & (chi2 < state.chi2)
    pick = lambda new, old: jnp.where(better, new, old)  # noqa: E731
    u, chi2, gradient, normal = (
        pick(new, old)
        for new, old in ((trial, state.u), (chi2, state.chi2), (gradient, state.gradient), (normal, state.normal))
    )
    size = jnp.maximum(state.size, jnp.diagonal(normal))
    _, gain = _newton_step(u, gradient, normal, size, 0.0, box)
    # below this chi^2 is rounding: data without noise have no other scale
    rounding = points * (jnp.finfo(u.dtype).eps * 100) ** 2
    converged = jnp.isfinite(chi2) & (gain <= method.tolerance * chi2 / (points - u.shape[0]) + rounding)
    damping = jnp.where(better, jnp.maximum(state.damping / 8, 1e-12), state.damping * 5)
    return Iterate(
        u, chi2, gradient, normal, size, damping, gain, converged, state.stuck | (damping > 1e10), state.steps + 1
    )


def _newton_step(u, gradient, normal, size, damping, box):
    """The damped Gauss-Newton step of the unknowns that are free to move, and what it gains without damping."""
    scale = jnp.sqrt(jnp.where(size > 0, size, 1.0))
    held = held_by_bounds(u, gradient, box)
    force = jnp.where(held, 0.0, -gradient / scale)
    both = held[:, None] | held[None, :]
    matrix = jnp.where(both, 0.0, normal / (scale[:, None] * scale[None, :]))
    # the ridge is far below what the data can tell; without it a parameter without any effect stops the search
    ridge = jnp.finfo(u.dtype).eps * 100
    diagonal = (ridge + damping) * jnp.eye(u.shape[0], dtype=u.dtype) + jnp.diag(1.0 * held)
    scaled = solve_positive(matrix + diagonal, force)
    return scaled / scale, force @ scaled


def held_by_bounds(u: Float[Array, " p"], gradient: Float[Array, " p"], box: Box) -> Bool[Array, " p"]:
    """Unknowns that sit at a bound and would leave the box."""
    return ((u <= box.lower) & (gradient > 0)) | ((u >= box.upper) & (gradient < 0))


def solve_positive(matrix: Float[Array, "p p"], right: Float[Array, " p"]) -> Float[Array, " p"]:
    """Solve a small positive definite system; unrolled, since a library call for each lane of a batch costs more."""
    p = right.shape[0]
    rows: list[list[Scalar]] = [[jnp.zeros((), right.dtype)] * p for _ in range(p)]
    inverse: list[Scalar] = []
    forward: list[Scalar] = []
    for i in range(p):
        for j in range(i):
            rows[i][j] = (matrix[i, j] - sum(rows[i][k] * rows[j][k] for k in range(j))) * inverse[j]
        pivot = matrix[i, i] - sum(rows[i][k] ** 2 for k in range(i))
        inverse.append(jax.lax.rsqrt(jnp.maximum(pivot, 1e-14)))
        forward.append((right[i] - sum(rows[i][k] * forward[k] for k in range(i))) * inverse[i])
    solution: list[Scalar] = [jnp.zeros((), right.dtype)] * p
    for i in reversed(range(p)):
        solution[i] = (forward[i] - sum(rows[k][i] * solution[k] for k in range(i + 1, p))) * inverse[i]
    return jnp.stack(solution)


LANES = 64
"""Fits that share a loop on a CPU: their rows of the Jacobian stay in its cache, and none waits for more than these."""


def solve_batch(
    linearise: Linearise,
    starts: Float[Array, "b p"],
    data: Any,
    axes: Any,
    points: int,
    box: Box,
    method: Marquardt,
) -> Iterate:
    """Many fits at once. On a CPU in groups of `LANES`, spread over its cores, as a compiled loop runs on one of them.

    data: PyTree of the batch; axes: as `in_axes` of `jax.vmap` for it, hashable. box: shared by all lanes. Returns the
    final states, in the order of the starts.
    """
    total = starts.shape[0]
    if total <= LANES or jax.default_backend() != "cpu":
        return _solve_lanes(linearise, starts, data, axes, points, box, method)
    # every group is as wide, so that one program serves all: the last one repeats its lanes
    on_host, data = np.asarray(starts), jax.tree.map(np.asarray, data)  # of which a group is cut in no time
    groups = [np.resize(np.arange(first, min(first + LANES, total)), LANES) for first in range(0, total, LANES)]

    def run(lanes):
        part = _solve_lanes(linearise, on_host[lanes], _take(data, axes, lanes), axes, points, box, method)
        return jax.tree.map(np.asarray, part)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = list(pool.map(run, groups))
    return Iterate(*(jnp.asarray(np.concatenate(leaves)[:total]) for leaves in zip(*parts, strict=True)))


@partial(jax.jit, static_argnames=("linearise", "axes", "points", "method"))
def _solve_lanes(linearise, starts, data, axes, points, box, method):
    def one(start, data):
        return solve(linearise, start, data, points, box, method)

    return jax.vmap(one, in_axes=(0, axes))(starts, data)


def _take(data, axes, index):
    """The lanes `index` of the mapped leaves."""
    leaves, structure = jax.tree.flatten(data)
    flat = jax.tree.leaves(axes, is_leaf=lambda x: x is None)
    picked = [leaf if axis is None else leaf[index] for leaf, axis in zip(leaves, flat, strict=True)]
    return jax.tree.unflatten(structure, picked)
