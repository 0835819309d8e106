"""Hard spheres of one size: Percus-Yevick structure, Carnahan-Starling entropy.

The number-density channel of the mixture. Reduced variables: x = R/sigma, Q = q sigma, eta = pi n sigma^3/6.
"""

import jax
import jax.numpy as jnp

from jaxalloy._typing import Array, ArrayLike, Float, Real, Scalar, ScalarLike
from jaxalloy.numerics.special import stumpff
from jaxalloy.reference.shells import DEFAULT_REACH, delay_solution

_SHELL_ORDER = 32
"""Chebyshev terms for each unit interval; the roots of S(D) stay below 8 in size for eta <= 0.6."""


@jax.jit
def structure_factor(Q: Real[ArrayLike, "*q"], eta: ScalarLike) -> Float[Array, "*q"]:
    """Percus-Yevick structure factor S_NN(Q).

    1/S = |1 + 12 eta [(a+b) phi_2(iQ) - a phi_3(iQ)]|^2, a = (1 + 2 eta)/(1-eta)^2, b = -(3/2) eta/(1-eta)^2,
    where phi_2 = c_2 + i Q c_3 and phi_3 = c_3 + i Q c_4 (Stumpff functions): a sum of squares, accurate down
    to Q = 0.

    Q: q sigma, any shape; eta: packing fraction, shape ().
    Source: PHH Ref. 32 (Percus-Yevick), in Baxter's factorised form.
    """
    Q = jnp.asarray(Q)
    return structure_factor_of_waves(Q, stumpff(Q), jnp.asarray(eta))


def structure_factor_of_waves(
    Q: Float[Array, "*q"], waves: tuple[Float[Array, "*q"], ...], eta: Scalar
) -> Float[Array, "*q"]:
    """`structure_factor` where the Stumpff functions c_1 ... c_4 of Q are known."""
    _, c2, c3, c4 = waves
    alpha, beta = baxter_coefficients(eta)
    real = 1.0 + alpha * c2 - beta * c3
    imaginary = Q * (alpha * c3 - beta * c4)
    return 1.0 / (real**2 + imaginary**2)


def baxter_coefficients(eta: Scalar) -> tuple[Scalar, Scalar]:
    """12 eta (a + b) and 12 eta a of the factorised form, see `structure_factor`."""
    scale = 12.0 * eta / (1.0 - eta) ** 2
    return scale * (1.0 + 0.5 * eta), scale * (1.0 + 2.0 * eta)


def excess_entropy(eta: ScalarLike) -> Scalar:
    """Entropy of hard spheres over that of the ideal gas, in k_B per atom.

    -(4 eta - 3 eta^2)/(1 - eta)^2.

    eta: packing fraction, shape (). Source: Carnahan-Starling, PHH Ref. 33.
    """
    eta = jnp.asarray(eta)
    return -eta * (4.0 - 3.0 * eta) / (1.0 - eta) ** 2


def alpha_nn(eta: ScalarLike) -> Scalar:
    """Electrostatic sum of the density channel, sigma alpha_NN.

    sigma (2/pi) int [S_NN - 1] dq = -12 eta (1 - eta/5 + eta^2/10)/(1 + 2 eta).

    eta: packing fraction, shape (). Source: PHH Eq. 24, corrected (two signs and the factor are misprinted).
    """
    eta = jnp.asarray(eta)
    return -12.0 * eta * (1.0 - eta / 5.0 + eta**2 / 10.0) / (1.0 + 2.0 * eta)


def contact_value(eta: ScalarLike) -> Scalar:
    """Pair correlation at contact, g_NN(x = 1+).

    (1 + eta/2)/(1 - eta)^2.

    eta: packing fraction, shape (). Source: Percus-Yevick (PHH Ref. 32).
    """
    eta = jnp.asarray(eta)
    return (1.0 + 0.5 * eta) / (1.0 - eta) ** 2


def pair_correlation(x: Real[ArrayLike, "*x"], eta: ScalarLike, reach: int = DEFAULT_REACH) -> Float[Array, "*x"]:
    """Percus-Yevick pair correlation g_NN(x), exact: zero for x < 1, the outer value at contact.

    v = x g solves S(D) v = -L(D) v(x-1), with v, v', v'' given at x = 1+ and a jump of v'' at x = 2;
    S(D) = (1-eta)^2 D^3 + 6 eta (1-eta) D^2 + 18 eta^2 D - 12 eta (1+2 eta),
    L(D) = 12 eta [(1 + eta/2) D + 1 + 2 eta].

    x: R/sigma, any shape; eta: packing fraction, shape (); reach: largest x, an integer; NaN beyond it.
    Source: Wertheim's Laplace transform of x g (PHH Ref. 32).
    """
    dtype = jnp.result_type(float, x, eta)
    x, eta = jnp.asarray(x, dtype=jnp.float64), jnp.asarray(eta, dtype=jnp.float64)
    free = (1.0 - eta) ** 2
    s2, s1, s0 = (
        6.0 * eta * (1.0 - eta) / free,
        18.0 * eta**2 / free,
        -12.0 * eta * (1.0 + 2.0 * eta) / free,
    )
    value = contact_value(eta)
    slope = (1.0 + 2.0 * eta) / free - s2 * value
    start = jnp.stack([value, slope, -s2 * slope - s1 * value])
    zero, one = jnp.zeros_like(value), jnp.ones_like(value)
    here = jnp.stack([jnp.stack([zero, one, zero]), jnp.stack([zero, zero, one]), jnp.stack([-s0, -s1, -s2])])
    empty = jnp.stack([zero, zero, zero])
    delayed = jnp.stack([empty, empty, jnp.stack([s0, -12.0 * eta * value, zero])])
    jump = jnp.stack([zero, zero, -12.0 * eta * value * value])
    product = delay_solution(x, here, delayed, start, jump, reach, _SHELL_ORDER)
    return (product / jnp.where(x < 1.0, 1.0, x)).astype(dtype)
