"""Pair functions in real space, shell by shell, by the method of steps.

x g(x) and x h(x) of a hard-core fluid in the mean-spherical approximation solve linear delay equations with
constant coefficients: what happens in one unit interval is driven by the interval before. On each interval
the solution is entire, so that a Chebyshev series is exact to rounding, with the discontinuities at its ends.
Rounding grows only as x^2/S(0), where the explicit shell sum cancels exponentially near a spinodal. A dense
liquid has S(0) of about 0.01: hence double precision inside, whatever that of the input and of the result.
"""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, ArrayLike, Float, Real
from jaxalloy.numerics.checks import require

DEFAULT_REACH = 32
"""Largest R/sigma unless asked otherwise."""


@cache
def _integration_matrix(order: int) -> np.ndarray:
    """Matrix that takes Chebyshev coefficients of f(u), u in [0, 1], to those of int_0^u f."""
    matrix = np.zeros((order, order))
    for n in range(order):
        # int T_n dt = T_{n+1}/(2(n+1)) - T_{n-1}/(2(n-1)), halved because u = (1+t)/2; the last is truncated.
        above = (0.5 if n == 0 else 0.25 / (n + 1)) if n + 1 < order else 0.0
        below = -0.25 / (n - 1) if n >= 2 else 0.0
        if above:
            matrix[n + 1, n] += above
        if below:
            matrix[n - 1, n] += below
        # The integral vanishes at the lower end, where T_n = (-1)^n.
        matrix[0, n] += (above + below) * (-1.0) ** n
    return matrix


def delay_solution(
    x: Real[ArrayLike, "*x"],
    here: Float[Array, "n n"],
    delayed: Float[Array, "n n"],
    start: Float[Array, " n"],
    jump: Float[Array, " n"],
    reach: int,
    order: int,
) -> Float[Array, "*x"]:
    """First component of v, where v'(x) = here v(x) + delayed v(x-1), v = 0 for x < 1.

    x: positions, any shape; here, delayed: matrices, shape (n, n); start: v(1+), shape (n,);
    jump: v(2+) - v(2-), shape (n,); reach: largest x, an integer > 2; order: Chebyshev terms an interval.
    Returns values of the shape of x, in double precision: zero below 1, NaN beyond `reach` where x is traced.
    Raises InputError where x is known and beyond `reach`.
    """
    require("largest x = R/sigma", x, lambda values: ~(values > reach), f"pass reach > {reach} to go further out")
    inputs = [jnp.asarray(value, dtype=jnp.float64) for value in (here, delayed, start, jump)]
    return _evaluate(jnp.asarray(x, dtype=jnp.float64), _series(*inputs, reach, order))


@jax.jit
def _evaluate(x: Float[Array, "*x"], coefficients: Float[Array, "intervals order"]) -> Float[Array, "*x"]:
    reach = coefficients.shape[0] + 1
    covered = (x >= 1.0) & (x <= reach)
    position = jnp.where(covered, x, 1.0)
    interval = jnp.clip(jnp.floor(position).astype(int) - 1, 0, reach - 2)
    t = 2.0 * (position - 1.0 - interval) - 1.0
    value = _clenshaw(jnp.moveaxis(coefficients[interval], -1, 0), t)
    return jnp.where(covered, value, jnp.where(x < 1.0, 0.0, jnp.nan))


@partial(jax.jit, static_argnames=("reach", "order"))
def _series(
    here: Float[Array, "n n"],
    delayed: Float[Array, "n n"],
    start: Float[Array, " n"],
    jump: Float[Array, " n"],
    reach: int,
    order: int,
) -> Float[Array, "intervals order"]:
    """Chebyshev coefficients of the first component on [1, 2], [2, 3], ... [reach-1, reach].

    Each interval solves v(u) = v(0) + int_0^u (here v + delayed v_before); one factorisation serves them all. Its
    rounding, which some processors' LAPACK lets grow a hundredfold, is refined away: 30 intervals carry it along.
    """
    size = start.shape[0]
    integrate = jnp.asarray(_integration_matrix(order), dtype=here.dtype)
    system = jnp.eye(size * order, dtype=here.dtype) - jnp.kron(here, integrate)
    factors = jax.scipy.linalg.lu_factor(system)

    def step(carry, added):
        before, end = carry
        source = (delayed @ before @ integrate.T).at[:, 0].add(end + added).ravel()
        rough = jax.scipy.linalg.lu_solve(factors, source)
        series = (rough + jax.scipy.linalg.lu_solve(factors, source - system @ rough)).reshape(size, order)
        return (series, series.sum(axis=1)), series[0]

    added = jnp.zeros((reach - 1, size), dtype=here.dtype).at[0].set(start).at[1].set(jump)
    first = (jnp.zeros((size, order), dtype=here.dtype), jnp.zeros_like(start))
    return jax.lax.scan(step, first, added)[1]


def _clenshaw(coefficients: Float[Array, "order *x"], t: Float[Array, "*x"]) -> Float[Array, "*x"]:
    """Sum of a Chebyshev series with its own coefficients at every point."""

    def step(carry, coefficient):
        last, before = carry
        return (coefficient + 2.0 * t * last - before, last), None

    zero = jnp.zeros_like(coefficients[0])
    (last, before), _ = jax.lax.scan(step, (zero, zero), coefficients[1:], reverse=True)
    return coefficients[0] + t * last - before
