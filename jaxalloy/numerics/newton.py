"""Newton's method for a few unknowns, batched, with derivatives of every order through the root.

A library's root finder traces the conditions four times or more; the conditions of the free-energy bound are integrals,
and that compiles three times as long as this, where one trace of value and Jacobian serves the iterations, the
certificate of the minimum and the final step.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxalloy._typing import Array, Bool, Float, Int


class Root(NamedTuple):
    """A root, with the Jacobian and the residual at the last iterate before it, which carry no derivatives."""

    value: Float[Array, " n"]
    jacobian: Float[Array, "n n"]
    residual: Float[Array, " n"]
    converged: Bool[Array, ""]
    steps: Int[Array, ""]


def newton_root(
    conditions: Callable[[Float[Array, " n"], Any], Float[Array, " n"]],
    start: Float[Array, " n"],
    parameters: Any,
    tolerance: float,
    max_steps: int,
    wanted: Bool[Array, ""] | bool = True,
    near: Callable[[Float[Array, " n"], Any], Any] | None = None,
) -> Root:
    """Solve conditions(u, parameters) = 0 from `start`.

    Iterates until the step is below `tolerance` (relative, for unknowns beyond 1), not at all unless `wanted`; then
    takes one more. `parameters` is a PyTree: all that the root depends on, and is differentiated with respect to, must
    come in through it. near(u, parameters): what stands for the parameters in the iterations, with the same value and
    slopes of the conditions at u; for conditions that are derivatives of something costly.
    Implicit derivatives: du = -J^-1 (d conditions/d parameters) d parameters, of any order.
    """

    def value_and_jacobian(u, parameters):
        def paired(v):
            value = conditions(v, parameters)
            return value, value

        jacobian, value = jax.jacfwd(paired, has_aux=True)(u)
        return value, jacobian

    def iterate(carry):
        u, _, _, _, steps = carry
        value, jacobian = value_and_jacobian(u, frozen if near is None else near(u, frozen))
        step = -inverse_small(jacobian) @ value
        done = jnp.all(jnp.abs(step) <= tolerance * jnp.maximum(jnp.abs(u), 1.0))
        return u + step, value, jacobian, done, steps + 1

    def unfinished(carry):
        u, _, _, done, steps = carry
        return ~done & (steps < max_steps) & jnp.all(jnp.isfinite(u))

    frozen = jax.lax.stop_gradient(parameters)
    size = start.shape[0]
    blank = jnp.zeros((size, size), start.dtype)
    carry = (jax.lax.stop_gradient(start), jnp.zeros_like(start), blank, ~jnp.asarray(wanted), jnp.asarray(0))
    u, residual, jacobian, done, steps = jax.lax.while_loop(unfinished, iterate, carry)
    converged = done & jnp.asarray(wanted) & jnp.all(jnp.isfinite(u))

    @jax.custom_jvp
    def root(u, parameters):
        return u

    @root.defjvp
    def root_jvp(primals, tangents):
        value = root(*primals)
        parameters, moved = primals[1], tangents[1]
        _, slope = value_and_jacobian(value, parameters)
        _, force = jax.jvp(lambda p: conditions(value, p), (parameters,), (moved,))
        return value, -inverse_small(slope) @ force

    return Root(root(u, parameters), jacobian, residual, converged, steps)


def inverse_small(matrix: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """Inverse for n <= 3 by Cramer's rule: elementwise, where LAPACK would be called lane by lane."""
    unit = jnp.eye(matrix.shape[0], dtype=matrix.dtype)
    replaced = jnp.where(unit[:, None, None, :] == 1, unit.T[None, :, :, None], matrix[None, None])
    return jnp.linalg.det(replaced) / jnp.linalg.det(matrix)
