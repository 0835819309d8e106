"""From the order parameter eta(t) to what is measured: S(q, t), the relaxation parameter R, arrival times."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxalloy._typing import Array, ArrayLike, Bool, Float, Real, ScalarLike
from jaxalloy.constants import BOHR_IN_ANGSTROM
from jaxalloy.kinetics.equations import as_real
from jaxalloy.kinetics.trajectory import Relaxation
from jaxalloy.numerics.checks import InputError, is_traced, require

SECOND_PEAK = (5.0 * BOHR_IN_ANGSTROM, 6.15 * BOHR_IN_ANGSTROM)
"""Wave vectors bounding the second peak, 5 and 6.15 1/Angstrom, in 1/bohr."""


def relaxed_observable(
    eta: Real[ArrayLike, "*t"],
    initial: Real[ArrayLike, "*q"] | ScalarLike,
    relaxed: Real[ArrayLike, "*q"] | ScalarLike,
) -> Float[Array, "..."]:
    """A property that follows the order: X(t) = X_initial + eta(t)^2 (X_relaxed - X_initial).

    For S(q, t) with random phases of the concentration waves, and for enthalpy or resistivity where they go
    with the number of quanta. eta: (t,) or (). initial, relaxed: () or (q,). Returns (t, q) with absent axes
    left out.
    """
    eta, initial, relaxed = jnp.asarray(eta), jnp.asarray(initial), jnp.asarray(relaxed)
    share = eta.reshape(eta.shape + (1,) * initial.ndim) ** 2
    front = (1,) * eta.ndim
    return initial.reshape(front + initial.shape) + share * (relaxed - initial).reshape(front + initial.shape)


def relaxation_parameter(
    q: Real[ArrayLike, "q"],
    delta_i: Real[ArrayLike, "*t q"],
    lower: ScalarLike = SECOND_PEAK[0],
    upper: ScalarLike = SECOND_PEAK[1],
) -> Float[Array, "*t"]:
    """R(T_a, t_a) = 1/(q2 - q1) int_{q1}^{q2} |Delta i(q)| q dq (EM Sec. 2, sign corrected), in 1/bohr.

    q: wave vectors, 1/bohr, increasing, (q,). delta_i: i(q) after minus before the anneal, (..., q), taken as
    linear between the points; the integral is then exact, sign changes included. lower, upper: q1, q2,
    1/bohr. Raises `InputError` unless q1 < q2 lie inside the range of q.
    """
    q, delta_i, lower, upper = (as_real(x) for x in (q, delta_i, lower, upper))
    if delta_i.ndim == 0 or delta_i.shape[-1] != q.shape[0]:
        raise InputError(f"delta_i has shape {delta_i.shape}: its last axis must match q, {q.shape}")
    if not is_traced((q, lower, upper)):
        require("q", np.diff(q, prepend=q[0] - 1.0), lambda x: x > 0, "q must increase")
        if not (q[0] <= lower < upper <= q[-1]):
            window, known = f"[{lower:.4g}, {upper:.4g}]", f"[{q[0]:.4g}, {q[-1]:.4g}]"
            raise InputError(f"the window {window} 1/bohr is not inside q = {known}: give lower= and upper=")
    q = q.reshape((1,) * (delta_i.ndim - 1) + q.shape)
    left, right = jnp.clip(q[..., :-1], lower, upper), jnp.clip(q[..., 1:], lower, upper)
    slope = jnp.diff(delta_i, axis=-1) / jnp.diff(q)
    at_left = delta_i[..., :-1] + slope * (left - q[..., :-1])
    at_right = delta_i[..., :-1] + slope * (right - q[..., :-1])
    changes = at_left * at_right < 0
    zero = left - at_left / jnp.where(changes, slope, 1.0)
    middle = jnp.where(changes, zero, jnp.broadcast_to(right, changes.shape))
    at_middle = jnp.where(changes, 0.0, at_right)
    pieces = _first_moment(left, middle, at_left, at_middle) + _first_moment(middle, right, at_middle, at_right)
    return jnp.sum(pieces, -1) / (upper - lower)


def _first_moment(left: Array, right: Array, at_left: Array, at_right: Array) -> Array:
    """int |f| q dq over [left, right] for a linear f of one sign."""
    f, g = jnp.abs(at_left), jnp.abs(at_right)
    return (right - left) * (f * (2.0 * left + right) + g * (left + 2.0 * right)) / 6.0


class ArrivalTimes(eqx.Module):
    """First times at which eta reaches given fractions of its end value.

    times: (*lanes, f). found: false where eta does not cross, (*lanes, f). settled: whether eta has come to
    rest at the end without overshooting it; where not, eta has no limit on these times and none of them means
    much.
    """

    times: Float[Array, "*lanes f"]
    found: Bool[Array, "*lanes f"]
    settled: Bool[Array, "*lanes"]


def arrival_times(
    relaxation: Relaxation,
    fractions: tuple[float, ...] = (0.1, 0.5, 0.9),
    *,
    overshoot: float = 1e-3,
    at_rest: float = 1e-3,
) -> ArrivalTimes:
    """t10, t50, t90 of a relaxation: first crossings of eta = |b|/|b_end|, by cubic interpolation.

    overshoot: eta may exceed 1 by this and count as settled. at_rest: and may change by this over the last
    tenth of the time. A lane that did not reach the last time is not settled.
    """
    t, eta, rate = relaxation.times, relaxation.eta, relaxation.rate
    level = jnp.asarray(fractions, eta.dtype)
    above = eta[..., None, :] >= level.reshape((1,) * (eta.ndim - 1) + (-1, 1))
    found = jnp.any(above, -1)
    after = jnp.maximum(jnp.argmax(above, -1), 1)
    t0, t1 = t[after - 1], t[after]
    y0, y1, v0, v1 = (jnp.take_along_axis(x, i, -1) for x in (eta, rate) for i in (after - 1, after))
    times = _hermite_crossing(t0, t1, y0, y1, v0, v1, level.reshape((1,) * (eta.ndim - 1) + (-1,)))
    at_once = above[..., 0]
    times = jnp.where(found, jnp.where(at_once, t[0], times), t[-1])
    tail = t >= t[-1] - 0.1 * (t[-1] - t[0])
    change = jnp.max(jnp.where(tail.reshape((1,) * (eta.ndim - 1) + (-1,)), jnp.abs(eta - eta[..., -1:]), 0.0), -1)
    settled = (jnp.max(eta, -1) <= eta[..., -1] + overshoot) & (change <= at_rest) & relaxation.converged
    return ArrivalTimes(times, found, settled)


def _hermite_crossing(
    t0: Array, t1: Array, y0: Array, y1: Array, v0: Array, v1: Array, level: Array
) -> Float[Array, "*lanes f"]:
    """Where the cubic through both ends with both slopes takes the value `level`: bisection, then one step of Newton's.

    The last step carries the derivatives; the bisection has none.
    """
    ends = y0, y1, (t1 - t0) * v0, (t1 - t0) * v1

    def cubic(s: Array, ends: tuple[Array, ...]) -> Array:
        rest, (y0, y1, v0, v1) = 1.0 - s, ends
        return y0 * rest**2 * (1.0 + 2.0 * s) + y1 * s**2 * (1.0 + 2.0 * rest) + s * rest * (v0 * rest - v1 * s)

    held, height = lax.stop_gradient((ends, level))

    def halve(_: Any, bracket: tuple[Array, Array]) -> tuple[Array, Array]:
        lower, upper = bracket
        middle = 0.5 * (lower + upper)
        high = cubic(middle, held) >= height
        return jnp.where(high, lower, middle), jnp.where(high, middle, upper)

    # a loop, because unrolled the compiler computes every step anew in each one after it
    lower, upper = lax.fori_loop(0, 50, halve, (jnp.zeros_like(held[0]), jnp.ones_like(held[0])))
    s = 0.5 * (lower + upper)
    slope = jax.jvp(lambda s: cubic(s, held), (s,), (jnp.ones_like(s),))[1]
    crosses = slope > 0
    newton = jnp.where(crosses, (cubic(s, ends) - level) / jnp.where(crosses, slope, 1.0), 0.0)
    return t0 + (s - newton) * (t1 - t0)
