"""Levenberg-Marquardt for a few unknowns in a box, made to run in batches.

Normal equations scaled to unit diagonal (Marquardt), a cap on every step, and an active set at the bounds; convergence
is measured by what the next Gauss-Newton step would still gain in chi^2, which is the only scale that matters to an
error bar.
"""

from collections.abc import Callable
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
    """One step of the search."""
    u, gradient = state.u, state.gradient
    size = jnp.maximum(state.size, jnp.diagonal(state.normal))
    scale = jnp.sqrt(jnp.where(size > 0, size, 1.0))
    held = held_by_bounds(u, gradient, box)
    force = jnp.where(held, 0.0, -gradient / scale)
    both = held[:, None] | held[None, :]
    eye = jnp.eye(u.shape[0], dtype=u.dtype)
    matrix = jnp.where(both, 0.0, state.normal / (scale[:, None] * scale[None, :]))
    # the ridge is far below what the data can tell; without it a parameter without any effect stops the search
    ridge = jnp.finfo(u.dtype).eps * 100
    free = solve_positive(matrix + ridge * eye + jnp.diag(1.0 * held), force)
    gain = force @ free
    degrees = points - u.shape[0]
    # below this chi^2 is rounding: data without noise have no other scale
    rounding = points * (jnp.finfo(u.dtype).eps * 100) ** 2
    converged = jnp.isfinite(state.chi2) & (gain <= method.tolerance * state.chi2 / degrees + rounding)

    # the cap holds the direction: a clipped component would turn the step away from descent
    damped = solve_positive(matrix + (ridge + state.damping) * eye + jnp.diag(1.0 * held), force) / scale
    step = damped / jnp.maximum(jnp.max(jnp.abs(damped) / box.longest), 1.0)
    trial = jnp.clip(u + step, box.lower, box.upper)
    chi2, new_gradient, new_normal = linearise(trial, data)
    finite = jnp.isfinite(chi2) & jnp.all(jnp.isfinite(new_normal))
    better = finite & (chi2 < state.chi2)
    damping = jnp.where(better, jnp.maximum(state.damping / 8, 1e-12), state.damping * 5)
    take = better & ~converged
    pick = lambda new, old: jnp.where(take, new, old)  # noqa: E731
    return Iterate(
        pick(trial, u),
        pick(chi2, state.chi2),
        pick(new_gradient, gradient),
        pick(new_normal, state.normal),
        pick(size, state.size),
        damping,
        gain,
        state.converged | converged,
        state.stuck | (damping > 1e10),
        state.steps + 1,
    )


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


def solve_batch(
    linearise: Linearise,
    starts: Float[Array, "b p"],
    data: Any,
    axes: Any,
    points: int,
    box: Box,
    method: Marquardt,
    stride: int = 4,
) -> Iterate:
    """Many fits at once: all lanes take `stride` steps, those that are done leave the batch, and so on.

    A batch that waits for its slowest lane takes three times as long. data: PyTree of the batch; axes: as `in_axes` of
    `jax.vmap` for it. box: shared by all lanes. Returns the final states, in the order of the starts.
    """
    begin_all, advance_all = _programs(linearise, axes, points, method, stride)
    state = begin_all(starts, box)
    total = starts.shape[0]
    result = [np.array(leaf) for leaf in state]
    lanes = np.arange(total)
    for _ in range(-(-method.max_steps // stride)):
        state = advance_all(state, data, box)
        done = np.asarray(state.converged | state.stuck)
        if done.any() or state.steps[0] >= method.max_steps:
            active = ~done[: lanes.size]
            width = max(int(active.sum()), 1)
            # sizes go down by factors of four, so that few programs are compiled; the padding repeats lanes
            padded = total
            while padded // 4 >= max(width, 8):
                padded //= 4
            if padded < done.size or not active.any():
                for leaf, values in zip(result, state, strict=True):
                    leaf[lanes] = np.asarray(values)[: lanes.size]
                if not active.any():
                    break
                keep = np.flatnonzero(active)
                index = jnp.asarray(np.resize(keep, padded))
                state = jax.tree.map(lambda leaf, index=index: leaf[index], state)
                data = _take(data, axes, index)
                lanes = lanes[keep]
    else:
        for leaf, values in zip(result, state, strict=True):
            leaf[lanes] = np.asarray(values)[: lanes.size]
    return Iterate(*(jnp.asarray(leaf) for leaf in result))


_PROGRAMS: dict[Any, Any] = {}


def _programs(linearise, axes, points, method, stride):
    """Compiled once for each problem and kept, as a second batch would otherwise compile again."""
    key = (linearise, jax.tree.structure(axes), tuple(jax.tree.leaves(axes)), points, method, stride)
    if key not in _PROGRAMS:

        def several(state, data, box):
            def body(_, state):
                new = advance(linearise, state, data, points, box, method)
                over = state.converged | state.stuck
                return jax.tree.map(lambda a, b: jnp.where(over, a, b), state, new)

            return jax.lax.fori_loop(0, stride, body, state)

        shared: Any = Box(*(None, None, None))  # type: ignore[arg-type]
        _PROGRAMS[key] = (
            jax.jit(jax.vmap(begin, in_axes=(0, shared))),
            jax.jit(jax.vmap(several, in_axes=(0, axes, shared))),
        )
    return _PROGRAMS[key]


def _take(data, axes, index):
    """The lanes `index` of the mapped leaves."""
    leaves, structure = jax.tree.flatten(data)
    flat = jax.tree.leaves(axes, is_leaf=lambda x: x is None)
    picked = [leaf if axis is None else leaf[index] for leaf, axis in zip(leaves, flat, strict=True)]
    return jax.tree.unflatten(structure, picked)
