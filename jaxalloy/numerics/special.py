"""Entire functions whose textbook forms lose digits near zero; here values and derivatives are accurate."""

import functools
import math
from collections.abc import Sequence
from math import factorial

import jax
import jax.numpy as jnp

from jaxalloy._typing import Array, ArrayLike, Float, Real

_SERIES_BELOW = 2.0
_SERIES_TERMS = 10
_ROUNDING = 1e-8
"""c_1 and c_2 are their values at zero below this, to rounding."""

_QUARTER_TURN = (1.5707963267341256, 6.0771005065061922e-11, 2.0222662487959506e-21)
"""pi/2 in three parts, of which the first two have 33 bits."""

_SINE: tuple[float, ...] = (-1.66666666666666324348e-01, 8.33333333332248946124e-03, -1.98412698298579493134e-04)
_SINE += (2.75573137070700676789e-06, -2.50507602534068634195e-08, 1.58969099521155010221e-10)
_COSINE: tuple[float, ...] = (4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05)
_COSINE += (-2.75573143513906633035e-07, 2.08757232129817482790e-09, -1.13596475577881948265e-11)


def _horner(coefficients: Sequence[float], x: Float[Array, "*n"]) -> Float[Array, "*n"]:
    total = jnp.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + coefficient
    return total


def phi1(z: Real[ArrayLike, "*n"]) -> Float[Array, "*n"]:
    """Mean of exp(-z t) over 0 < t < 1.

    (1 - e^{-z})/z, equal to 1 at z = 0; a series below |z| = 1, where the derivatives of the
    quotient lose digits.

    z: any shape, dimensionless; overflows only for z << 0.
    """
    return _moment(0, jnp.asarray(z) * 1.0)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _moment(n: int, z: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """int_0^1 t^n e^{-zt} dt = M_n, with dM_n/dz = -M_{n+1}; upwards M_n = (n M_{n-1} - e^{-z})/z from M_0."""
    small = jnp.abs(z) < 1.0
    series = _horner([(-1.0) ** k / (factorial(k) * (k + n + 1)) for k in range(20)], jnp.where(small, z, 0.0))
    large = jnp.where(small, 1.0, z)
    moment = -jnp.expm1(-large) / large
    for k in range(1, n + 1):
        moment = (k * moment - jnp.exp(-large)) / large
    return jnp.where(small, series, moment)


@_moment.defjvp
def _moment_jvp(n, primals, tangents):
    return _moment(n, *primals), -_moment(n + 1, *primals) * tangents[0]


@jax.custom_jvp
def sin_cos(x: Float[Array, "*n"]) -> tuple[Float[Array, "*n"], Float[Array, "*n"]]:
    """Sine and cosine together, to a rounding for |x| < 1e6, where the reduction to the first octant is exact.

    In double precision XLA calls the C library for one number at a time on a CPU; this vectorises and is ten times as
    fast. The integrals over wavenumbers are made of little else.

    x: any shape, radian. Source: the polynomials of FDLIBM (Sun Microsystems, 1993).
    """
    if x.dtype != jnp.float64:
        return jnp.sin(x), jnp.cos(x)
    turns = jnp.round(x * (2.0 / math.pi))
    rest = x
    for part in _QUARTER_TURN:
        rest = rest - turns * part
    rest = jnp.clip(rest, -0.8, 0.8)  # beyond 1e15 the angle is lost; sine and cosine stay what they can be
    square = rest * rest
    sine = rest + rest * square * _horner(_SINE, square)
    cosine = 1.0 - 0.5 * square + square * square * _horner(_COSINE, square)
    quadrant = turns - 4.0 * jnp.floor(0.25 * turns)
    odd = (quadrant == 1.0) | (quadrant == 3.0)
    sine, cosine = jnp.where(odd, cosine, sine), jnp.where(odd, sine, cosine)
    return jnp.where(quadrant >= 2.0, -sine, sine), jnp.where((quadrant == 1.0) | (quadrant == 2.0), -cosine, cosine)


@sin_cos.defjvp
def _sin_cos_jvp(primals, tangents):
    sine, cosine = sin_cos(*primals)
    return (sine, cosine), (cosine * tangents[0], -sine * tangents[0])


def stumpff(
    x: Real[ArrayLike, "*n"],
) -> tuple[Float[Array, "*n"], Float[Array, "*n"], Float[Array, "*n"], Float[Array, "*n"]]:
    """Stumpff functions c_1 ... c_4 of x^2, the moments of (1-t)^{n-1} against cos and sin on 0 < t < 1.

    c_1 = sin x/x, c_2 = (1 - cos x)/x^2, c_3 = (x - sin x)/x^3, c_4 = (x^2/2 - 1 + cos x)/x^4, so that
    int_0^1 (1-t) e^{ixt} dt = c_2 + i x c_3 and int_0^1 (1-t)^2/2 e^{ixt} dt = c_3 + i x c_4.

    Derivatives come from dc_k/dx = x (k c_{k+2} - c_{k+1}), which cancels nowhere and compiles fast.

    x: any shape, dimensionless. Returns the four arrays.
    """
    c1, c2, c3, c4 = _stumpff(4, jnp.asarray(x) * 1.0)
    return c1, c2, c3, c4


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _stumpff(count: int, x: Float[Array, "*n"]) -> tuple[Float[Array, "*n"], ...]:
    """c_1 ... c_count."""
    return _series_and_recurrence(count + count % 2, x)[:count]


@_stumpff.defjvp
def _stumpff_jvp(count, primals, tangents):
    """Whoever wants one derivative may want the second, which needs c_1 ... c_{count+4}: those are computed once."""
    (x,), (dx,) = primals, tangents
    return _differentiated(count, x, dx, _series_and_recurrence(count + 4, jax.lax.stop_gradient(x)))


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _stumpff_known(count: int, x: Float[Array, "*n"], known: tuple[Float[Array, "*n"], ...]):
    """c_1 ... c_count at x where they are known."""
    return known[:count]


@_stumpff_known.defjvp
def _stumpff_known_jvp(count, primals, tangents):
    x, known = primals
    if count + 2 > len(known):
        known = _series_and_recurrence(count + 4, jax.lax.stop_gradient(x))
    return _differentiated(count, x, tangents[0], known)


def _differentiated(count: int, x: Float[Array, "*n"], dx: Float[Array, "*n"], known: tuple[Float[Array, "*n"], ...]):
    """c_1 ... c_count and their tangents."""
    c = _stumpff_known(count + 2, x, known)  # c[k - 1] is c_k
    slopes = (x * (k * c[k + 1] - c[k]) for k in range(1, count + 1))
    return c[:count], tuple(slope * dx for slope in slopes)


@functools.partial(jax.jit, static_argnums=0)  # one trace for all that differentiates it
def _series_and_recurrence(highest: int, x: Float[Array, "*n"]) -> tuple[Float[Array, "*n"], ...]:
    """c_1 ... c_highest (an even number): c_1 and c_2 by half the angle; then c_k = 1/k! - x^2 c_{k+2}, solved for
    c_{k+2}, and near zero the other way round, from a series for the highest two."""
    sine, cosine = sin_cos(0.5 * x)
    nonzero = jnp.abs(x) > _ROUNDING
    divisor = jnp.where(nonzero, x, 1.0)
    c = {
        1: jnp.where(nonzero, 2.0 * sine * cosine / divisor, 1.0),
        2: jnp.where(nonzero, 2.0 * sine * sine / (divisor * divisor), 0.5),
    }
    small = jnp.abs(x) < _SERIES_BELOW
    square = jnp.where(small, x, 0.0) ** 2
    near = {
        n: _horner([(-1.0) ** k / factorial(2 * k + n) for k in range(_SERIES_TERMS)], square)
        for n in (highest - 1, highest)
    }
    for n in range(highest - 2, 2, -1):
        near[n] = 1.0 / factorial(n) - square * near[n + 2]

    inverse = 1.0 / jnp.where(small, _SERIES_BELOW, x) ** 2
    for n in range(3, highest + 1):
        c[n] = jnp.where(small, near[n], (1.0 / factorial(n - 2) - c[n - 2]) * inverse)
    # kept apart from what they are used in, or XLA computes them again for every direction of a derivative
    return jax.lax.optimization_barrier(tuple(c[n] for n in range(1, highest + 1)))
