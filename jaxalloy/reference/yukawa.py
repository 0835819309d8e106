"""The concentration channel of the hard-sphere-Yukawa mixture: closed forms in the spherical approximation.

Reduced variables: x = R/sigma, Q = q sigma, Z = kappa sigma, K = beta epsilon, eta = pi n sigma^3/6; the
ordering potential is beta Phi_CC = -K exp(-Z(x-1))/x outside contact (K < 0 ordering, K > 0 segregation).
Everything follows from y, the root of the quartic of PHH Eq. 10, there written in omega = y/(1 - b y):

    y (Z - y/2) (1 - b y)^2 = 12 eta K,      b = (1 - e^{-Z})/(2Z),      m = y (Z - y/2)

Misprints of PHH put right here: in Eq. 11 the conditions x < 1 and x > 1 are swapped; in Eq. 12 the prefactor
multiplies the whole sum and exp(-kappa Z) is exp(-Z); in Eq. 13 A3 = omega^2/(2 kappa Z e^Z); in Eq. 18
B3 = 3 e^{-Z}(1 - e^{-Z})/(2Z); in Eq. A2 a factor R is missing; in Eq. A7 the omega term has a minus;
in Eq. A10 the bracket is +(omega/2Z)[e^{-Z} + e^{-2Z}/(2Z) - 1/(2Z)];
in Eq. A11 the last term is -(2/omega)(1 + 1/Z).
The forms in y used below hold in single precision, where the printed ones lose every digit at small Z and
overflow at Z > 89.
"""

import jax
import jax.numpy as jnp

from jaxalloy._typing import Array, ArrayLike, Bool, Float, Real, Scalar, ScalarLike
from jaxalloy.numerics.special import phi1, stumpff
from jaxalloy.reference.shells import DEFAULT_REACH, delay_solution

_FROZEN_STEPS = 6
"""Enough for rounding accuracy of y (eta < 0.6, |K| < 1e4, 1e-4 < Z < 200) before the differentiated ones."""

_SHELL_ORDER = 96
"""Chebyshev terms for each unit interval; resolves the contact layer e^{-(Z-y)(x-1)} up to Z - y = 350."""


def _half_decay(Z: Scalar) -> Scalar:
    """Return b = (1 - e^{-Z})/(2Z), PHH's B4."""
    return 0.5 * phi1(Z)


@jax.jit
def _quartic(y: Scalar, Z: Scalar, b: Scalar) -> tuple[Scalar, Scalar, Scalar]:
    """Left side of the quartic with its first and second derivative in y."""
    m, slope = y * (Z - 0.5 * y), Z - y
    open_part = 1.0 - b * y
    value = m * open_part**2
    first = open_part * (slope * open_part - 2.0 * b * m)
    second = -(open_part**2) - 4.0 * b * slope * open_part + 2.0 * b**2 * m
    return value, first, second


def spinodal_y(Z: ScalarLike) -> Scalar:
    """Value of y at which S_CC(0) diverges: the end of the homogeneous segregating liquid.

    1 + Z - sqrt(1 + Z^2), written without the cancellation.

    Z: kappa sigma, shape (). Source: zero of Z - y - m.
    """
    Z = jnp.asarray(Z)
    return 2.0 * Z / (1.0 + Z + jnp.sqrt(1.0 + Z**2))


def coupling_from_y(eta: ScalarLike, y: ScalarLike, Z: ScalarLike) -> Scalar:
    """Coupling K = beta epsilon that belongs to a given y.

    K = y (Z - y/2) (1 - b y)^2/(12 eta); monotone for y < `spinodal_y(Z)`.

    eta: packing fraction; y: root of the quartic; Z: kappa sigma; all shape (). Source: PHH Eq. 10.
    """
    eta, y, Z = jnp.asarray(eta), jnp.asarray(y), jnp.asarray(Z)
    return _quartic(y, Z, _half_decay(Z))[0] / (12.0 * eta)


@jax.jit
def solve_order_parameter(eta: ScalarLike, K: ScalarLike, Z: ScalarLike) -> tuple[Scalar, Bool[Array, ""]]:
    """Solve the quartic of the mean-spherical approximation for y, which measures the chemical order.

    y (Z - y/2)(1 - b y)^2 = 12 eta K: y < 0 ordering, 0 random, y > 0 segregation. A fixed number of frozen
    steps followed by two differentiated Newton steps: first and second derivatives are those of the root
    itself.

    eta: packing fraction; K: beta epsilon; Z: kappa sigma; all shape ().
    Returns y and whether the homogeneous liquid is stable; beyond the spinodal (K > 0 only) y is NaN.
    There the quartic still has a root with a plausible S(q), which is no solution.
    Source: PHH Eq. 10.
    """
    eta, K, Z = jnp.asarray(eta), jnp.asarray(K), jnp.asarray(Z)
    b = _half_decay(Z)
    strength = 12.0 * eta * K
    # The left side rises with y up to the spinodal, so that the comparison needs no root.
    stable = jnp.asarray(strength < _quartic(spinodal_y(Z), Z, b)[0])
    strength = jnp.where(stable, strength, 0.0)

    y = _frozen_root(*jax.lax.stop_gradient((strength, Z, b)))
    for _ in range(2):
        value, first, _ = _quartic(y, Z, b)
        y = y - (value - strength) / first
    return jnp.where(stable, y, jnp.nan), stable


def _frozen_root(strength: Scalar, Z: Scalar, b: Scalar) -> Scalar:
    """Root of the quartic without derivatives, by a fixed number of steps.

    Ordering: Newton from a lower bound of y (each factor of the quartic alone gives one), monotone because
    the left side is concave. Segregation: from y = 0, solving the local parabola, since at small Z the root
    nearly doubles at the spinodal and Newton's method would only halve the error.
    """
    ordering = strength < 0.0
    size = jnp.where(ordering, -strength, 0.0)
    bound = jnp.minimum(jnp.minimum(size / Z, jnp.sqrt(2.0 * size)), jnp.sqrt(jnp.sqrt(2.0 * size) / b))

    def step(_, y):
        value, first, second = _quartic(y, Z, b)
        residual = value - strength
        curvature = jnp.where(ordering, 0.0, second)
        root = jnp.sqrt(jnp.maximum(first**2 - 2.0 * residual * curvature, 0.0))
        return y - 2.0 * residual / (first + root)

    return jax.lax.fori_loop(0, _FROZEN_STEPS, step, jnp.where(ordering, -bound, 0.0))


@jax.jit
def structure_factor_cc(Q: Real[ArrayLike, "*q"], y: ScalarLike, Z: ScalarLike) -> Float[Array, "*q"]:
    """Concentration structure factor S_CC/(c_A c_B), equal to 1 for a random mixture and at large Q.

    (Q^2 + Z^2)/{[Q (1 + m c_2(Q))]^2 + [Z - y - m sin(Q)/Q]^2}, c_2 = (1 - cos Q)/Q^2.

    Q: q sigma, any shape; y: root of the quartic, shape (); Z: kappa sigma, shape ().
    Source: PHH Eqs. 11-13 and 8, corrected.
    """
    Q = jnp.asarray(Q)
    return structure_factor_cc_of_waves(Q, stumpff(Q), jnp.asarray(y), jnp.asarray(Z))


def structure_factor_cc_of_waves(
    Q: Float[Array, "*q"], waves: tuple[Float[Array, "*q"], ...], y: Scalar, Z: Scalar
) -> Float[Array, "*q"]:
    """`structure_factor_cc` where the Stumpff functions c_1 ... c_4 of Q are known: for many y, Z at one Q."""
    c1, c2, _, _ = waves
    m = y * (Z - 0.5 * y)
    return (Q**2 + Z**2) / ((Q * (1.0 + m * c2)) ** 2 + (Z - y - m * c1) ** 2)


def structure_factor_cc_zero(y: ScalarLike, Z: ScalarLike) -> Scalar:
    """Concentration structure factor S_CC/(c_A c_B) at q = 0.

    [Z/(Z - y - m)]^2, divergent at the spinodal.

    y: root of the quartic; Z: kappa sigma; both shape (). Source: PHH Eqs. 8, 11.
    """
    y, Z = jnp.asarray(y), jnp.asarray(Z)
    return (Z / (Z - y - y * (Z - 0.5 * y))) ** 2


def ordering_energy_ratio(y: ScalarLike, Z: ScalarLike) -> Scalar:
    """Enthalpy of ordering over epsilon, dH_ord/epsilon, per atom.

    -omega/2 with omega = y/(1 - b y).

    y: root of the quartic; Z: kappa sigma; both shape (). Source: PHH Eq. 15.
    """
    y, Z = jnp.asarray(y), jnp.asarray(Z)
    return -0.5 * y / (1.0 - _half_decay(Z) * y)


def ordering_entropy(eta: ScalarLike, y: ScalarLike, Z: ScalarLike) -> Scalar:
    """Entropy of the chemical order, in k_B per atom; zero for a random mixture and negative otherwise.

    -(y^2/48 eta)(Z - y/3).

    eta: packing fraction; y: root of the quartic; Z: kappa sigma; all shape ().
    Source: PHH Eqs. 16-18, with B3 corrected.
    """
    eta, y, Z = jnp.asarray(eta), jnp.asarray(y), jnp.asarray(Z)
    return -(y**2) * (Z - y / 3.0) / (48.0 * eta)


def alpha_cc(y: ScalarLike, Z: ScalarLike) -> Scalar:
    """Electrostatic sum of the concentration channel, sigma alpha_CC.

    sigma (2/pi) int [S_CC/(c_A c_B) - 1] dq = 2m/(Z - y - m).

    y: root of the quartic; Z: kappa sigma; both shape (). Source: PHH Eqs. 25, A10, corrected.
    """
    y, Z = jnp.asarray(y), jnp.asarray(Z)
    m = y * (Z - 0.5 * y)
    return 2.0 * m / (Z - y - m)


def contact_value_cc(eta: ScalarLike, y: ScalarLike, Z: ScalarLike) -> Scalar:
    """Total correlation at contact, h_CC(x = 1+).

    K/(1 - b y)^2 = m/(12 eta); the slope of x h_CC there is -(Z - y) h_CC(1+).

    eta: packing fraction; y: root of the quartic; Z: kappa sigma; all shape (). Source: PHH Eqs. 8, 10.
    """
    eta, y, Z = jnp.asarray(eta), jnp.asarray(y), jnp.asarray(Z)
    return y * (Z - 0.5 * y) / (12.0 * eta)


@jax.jit
def direct_correlation_cc(
    x: Real[ArrayLike, "*x"], eta: ScalarLike, y: ScalarLike, Z: ScalarLike
) -> Float[Array, "*x"]:
    """Direct correlation function c_CC(x); it jumps by h_CC(1+) at contact, h - c is continuous.

    x < 1: -K omega p [1 + (omega x/4) e^{-Z(1-x)} p], p = (1 - e^{-Zx})/(Zx);   x >= 1: K e^{-Z(x-1)}/x.

    x: R/sigma, any shape; eta: packing fraction; y: root of the quartic; Z: kappa sigma; all shape ().
    Source: PHH Eq. 11 with the two ranges put right.
    """
    x, eta, y, Z = jnp.asarray(x), jnp.asarray(eta), jnp.asarray(y), jnp.asarray(Z)
    K = coupling_from_y(eta, y, Z)
    omega = -2.0 * ordering_energy_ratio(y, Z)
    p = phi1(Z * x)
    inner = -K * omega * p * (1.0 + 0.25 * omega * x * jnp.exp(-Z * jnp.where(x < 1.0, 1.0 - x, 0.0)) * p)
    outer = jnp.where(x < 1.0, 1.0, x)
    return jnp.where(x < 1.0, inner, K * jnp.exp(-Z * (outer - 1.0)) / outer)


def total_correlation_cc(
    x: Real[ArrayLike, "*x"], eta: ScalarLike, y: ScalarLike, Z: ScalarLike, reach: int = DEFAULT_REACH
) -> Float[Array, "*x"]:
    """Total correlation function h_CC(x), exact: zero for x < 1, the outer value at contact.

    x h_CC = v solves v'' + (Z - y) v' - m v + m v(x-1) = 0 with v = m/(12 eta), v' = -(Z - y) v at x = 1+; on
    the k-th unit interval this is the k-th partial sum of the shell expansion.

    x: R/sigma, any shape; eta: packing fraction; y: root of the quartic; Z: kappa sigma; all shape ();
    reach: largest x, an integer; NaN beyond it.
    Source: inverse Laplace transform of PHH Eq. A7, corrected.
    """
    dtype = jnp.result_type(float, x, eta, y, Z)
    x, eta, y, Z = (jnp.asarray(value, dtype=jnp.float64) for value in (x, eta, y, Z))
    m, p = y * (Z - 0.5 * y), Z - y
    zero, one = jnp.zeros_like(m), jnp.ones_like(m)
    here = jnp.stack([jnp.stack([zero, one]), jnp.stack([m, -p])])
    delayed = jnp.stack([jnp.stack([zero, zero]), jnp.stack([-m, zero])])
    contact = m / (12.0 * eta)
    start = jnp.stack([contact, -p * contact])
    product = delay_solution(x, here, delayed, start, jnp.zeros_like(start), reach, _SHELL_ORDER)
    return (product / jnp.where(x < 1.0, 1.0, x)).astype(dtype)
