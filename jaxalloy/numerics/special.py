"""Entire functions whose textbook forms lose digits near zero; here values and derivatives are accurate."""

import functools
from math import factorial

import jax
import jax.numpy as jnp

from jaxalloy._typing import Array, ArrayLike, Float, Real

_SERIES_BELOW = 2.0
_SERIES_TERMS = 13


def _horner(coefficients: list[float], x: Float[Array, "*n"]) -> Float[Array, "*n"]:
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
    z = jnp.asarray(z) * 1.0
    small = jnp.abs(z) < 1.0
    series = _horner([(-1.0) ** k / factorial(k + 1) for k in range(20)], jnp.where(small, z, 0.0))
    large = jnp.where(small, 1.0, z)
    return jnp.where(small, series, -jnp.expm1(-large) / large)


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
def _stumpff(highest: int, x: Float[Array, "*n"]) -> tuple[Float[Array, "*n"], ...]:
    """c_1 ... c_highest (an even number): a series and c_k = 1/k! - x^2 c_{k+2} near zero, the reverse elsewhere."""
    small = jnp.abs(x) < _SERIES_BELOW
    square = jnp.where(small, x, 0.0) ** 2
    near = {
        n: _horner([(-1.0) ** k / factorial(2 * k + n) for k in range(_SERIES_TERMS)], square)
        for n in (highest - 1, highest)
    }
    for n in range(highest - 2, 0, -1):
        near[n] = 1.0 / factorial(n) - square * near[n + 2]

    large = jnp.where(small, _SERIES_BELOW, x)
    sine, cosine = jnp.sin(0.5 * large), jnp.cos(0.5 * large)
    inverse = 1.0 / large**2
    far = {1: 2.0 * sine * cosine / large, 2: 2.0 * sine**2 * inverse}
    for n in range(3, highest + 1):
        far[n] = (1.0 / factorial(n - 2) - far[n - 2]) * inverse
    return tuple(jnp.where(small, near[n], far[n]) for n in range(1, highest + 1))


@_stumpff.defjvp
def _stumpff_jvp(highest, primals, tangents):
    (x,), (dx,) = primals, tangents
    c = _stumpff(highest + 2, x)  # c[k - 1] is c_k
    slopes = (x * (k * c[k + 1] - c[k]) for k in range(1, highest + 1))
    return c[:highest], tuple(slope * dx for slope in slopes)
