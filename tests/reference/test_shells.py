"""Real space against the explicit shell sum, pole expansions and the structure factor."""

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

from jaxalloy.numerics.checks import InputError
from jaxalloy.reference import hard_sphere, yukawa

X = np.array([1.0, 1.003, 1.1, 1.5, 2.0, 2.01, 3.3, 5.25, 9.75, 24.9])
LIQUIDS = [
    (0.42, -4.77, 8.87),
    (0.58, -1e4, 200.0),
    (0.58, -1e4, 1e-4),
    (0.3, -1e-3, 1e-4),
    (0.45, 0.3, 3.0),
    (0.3, 54.948, 200.0),
]


def shell_sum(x, eta, y, Z):
    """h_CC by the explicit shells, in enough digits to survive their cancellation."""
    eta, y, Z, x = (mp.mpf(float(value)) for value in (eta, y, Z, x))
    m, p = y * (Z - y / 2), Z - y
    d2 = p * p / 4 + m

    def f(k, u):
        if k < 0:
            return 2 * mp.re(mp.cosh(mp.sqrt(d2) * u)) / u
        return (u / 2) ** k / mp.fac2(2 * k + 1) * mp.hyp0f1(k + mp.mpf(3) / 2, d2 * u * u / 4)

    total = mp.mpf(0)
    for k in range(int(mp.floor(x - 1)) + 1):
        u = x - 1 - k
        if u == 0:
            shell = mp.mpf(k == 0)
        elif k == 0:
            shell = mp.exp(-p * u / 2) * u * (f(-1, u) / 2 - p / 2 * f(0, u))
        else:
            shell = u ** (k + 1) * mp.exp(-p * u / 2) / mp.fac(k) * (f(k - 1, u) / 2 - p / 2 * f(k, u))
        total += (-m) ** k * shell
    return float(total * m / (12 * eta) / x)


@pytest.mark.parametrize("liquid", LIQUIDS)
def test_concentration_channel_is_the_shell_sum(liquid):
    eta, K, Z = liquid
    y, stable = yukawa.solve_order_parameter(eta, K, Z)
    assert stable
    with mp.workdps(150):
        expected = np.array([shell_sum(x, eta, y, Z) for x in X])
    size = np.abs(expected).max()
    np.testing.assert_allclose(yukawa.total_correlation_cc(X, eta, y, Z), expected, atol=1e-11 * size, rtol=0)
    x = X.astype(np.float32)
    with mp.workdps(150):
        expected = np.array([shell_sum(v, np.float32(eta), np.float32(y), np.float32(Z)) for v in x])
    single = yukawa.total_correlation_cc(x, np.float32(eta), np.float32(y), np.float32(Z))
    assert single.dtype == jnp.float32
    np.testing.assert_allclose(single, expected, atol=1e-6 * size, rtol=0)


def far_field(denominator, numerator, x, guesses):
    """Sum of the slowest poles of a Laplace transform: x h(x) for large x."""
    total = mp.mpf(0)
    for guess in guesses:
        pole = mp.findroot(denominator, guess)
        total += 2 * mp.re(numerator(pole) / mp.diff(denominator, pole) * mp.exp(pole * x))
    return float(total) / x


@pytest.mark.parametrize("eta", [0.3, 0.45, 0.58])
def test_hard_spheres_far_away_follow_their_poles(eta):
    def S(t):
        return (1 - eta) ** 2 * t**3 + 6 * eta * (1 - eta) * t**2 + 18 * eta**2 * t - 12 * eta * (1 + 2 * eta)

    def L(t):
        return 12 * eta * ((1 + eta / 2) * t + 1 + 2 * eta)

    guesses = [mp.mpc(-1 + eta, 6.8), mp.mpc(-3 + 2 * eta, 12.8)]
    with mp.workdps(30):
        for x in (15.3, 20.0, 24.9):
            pole_sum = far_field(lambda t: S(t) * mp.exp(t) + L(t), lambda t: t * L(t) / (12 * eta), x, guesses)
            found = float(hard_sphere.pair_correlation(x, eta)) - 1
            # h itself is 1e-10 to 1e-3 here; what counts in an integral over it is the absolute error.
            assert found == pytest.approx(pole_sum, abs=1e-11)


def laplace(function, t, reach=32):
    nodes, weights = np.polynomial.legendre.leggauss(30)
    x = (np.arange(1, reach)[:, None] + (nodes + 1) / 2).ravel()
    w = np.tile(weights / 2, reach - 1)
    return np.sum(w * x * np.asarray(function(x)) * np.exp(-t[:, None] * x), axis=1)


def test_laplace_transforms():
    t = np.array([1.5, 3.0, 2.0 + 4.0j, 1.5 + 7.0j, 2.0 + 13.0j])
    for eta in (0.05, 0.3, 0.45, 0.58):
        S = (1 - eta) ** 2 * t**3 + 6 * eta * (1 - eta) * t**2 + 18 * eta**2 * t - 12 * eta * (1 + 2 * eta)
        L = 12 * eta * ((1 + eta / 2) * t + 1 + 2 * eta)
        exact = t * L / (12 * eta * (L + S * np.exp(t)))
        found = laplace(lambda x, eta=eta: hard_sphere.pair_correlation(x, eta), t)
        np.testing.assert_allclose(found, exact, rtol=1e-11)
    for eta, K, Z in ((0.42, -4.77, 8.87), (0.4, -50.0, 0.1), (0.45, 0.3, 3.0)):
        y, _ = yukawa.solve_order_parameter(eta, K, Z)
        m = y * (Z - y / 2)
        exact = m / (12 * eta) * t * np.exp(-t) / (t**2 + (Z - y) * t - m * (1 - np.exp(-t)))
        found = laplace(lambda x, s=(eta, y, Z): yukawa.total_correlation_cc(x, *s), t)
        np.testing.assert_allclose(found, exact, rtol=1e-11)


def test_real_space_transforms_to_the_structure_factors():
    """S = 1 + (24 eta/Q) int x h sin(Qx) dx, interval by interval, so that no node crosses the jump."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    reach = 40
    x = (np.arange(1, reach)[:, None] + (nodes + 1) / 2).ravel()
    w = np.tile(weights / 2, reach - 1)
    Q = np.array([0.05, 1.0, 4.5, 7.0, 12.0, 25.0])
    for eta, K, Z in ((0.36, -3.2, 6.66), (0.3, -10.0, 0.5), (0.35, 0.2, 3.0)):
        y, _ = yukawa.solve_order_parameter(eta, K, Z)
        sine = np.sin(Q[:, None] * x)
        cc = np.asarray(yukawa.total_correlation_cc(x, eta, y, Z, reach))
        found = 1 + 24 * eta / Q * np.sum(w * x * cc * sine, axis=1)
        # The tails beyond x = 40 are below 1e-12 here; at small Q, S is a difference of terms of order 1.
        np.testing.assert_allclose(yukawa.structure_factor_cc(Q, y, Z), found, rtol=1e-9, atol=1e-10)
        energy = -12 * eta * np.sum(w * x * cc * np.exp(-Z * (x - 1)))
        assert float(yukawa.ordering_energy_ratio(y, Z)) == pytest.approx(energy, rel=1e-11)
        assert float(yukawa.alpha_cc(y, Z)) == pytest.approx(24 * eta * np.sum(w * x * cc), rel=1e-9)
        nn = np.asarray(hard_sphere.pair_correlation(x, eta, reach)) - 1
        core = (np.sin(Q) - Q * np.cos(Q)) / Q**2
        found = 1 + 24 * eta / Q * (np.sum(w * x * nn * sine, axis=1) - core)
        # Rounding of h, 1e-15 x/S(0), is weighted with x^2 at small Q.
        np.testing.assert_allclose(hard_sphere.structure_factor(Q, eta), found, atol=1e-7, rtol=0)
        np.testing.assert_allclose(hard_sphere.structure_factor(Q[1:], eta), found[1:], rtol=1e-8)


def test_gradients_pass_through_real_space():
    @jax.jit
    def both(point):
        y, _ = yukawa.solve_order_parameter(*point)
        cc = yukawa.total_correlation_cc(1.7, point[0], y, point[2])
        return jnp.stack([cc, hard_sphere.pair_correlation(2.4, point[0])])

    point = jnp.array([0.42, -4.77, 8.87])
    reverse = jax.jit(jax.jacrev(both))(point)
    np.testing.assert_allclose(reverse, jax.jit(jax.jacfwd(both))(point), rtol=1e-10, atol=1e-13)
    for column, step in enumerate(1e-5 * np.eye(3)):
        # Central differences: 1e-10 from the third derivative, 1e-10 from rounding.
        difference = (both(point + step) - both(point - step)) / 2e-5
        np.testing.assert_allclose(reverse[:, column], difference, rtol=1e-6, atol=1e-9)


def test_beyond_reach():
    with pytest.raises(InputError, match="reach > 32"):
        hard_sphere.pair_correlation(np.array([2.0, 33.0]), 0.4)
    assert jnp.isnan(jax.jit(lambda x: hard_sphere.pair_correlation(x, 0.4))(33.0))
    assert jnp.isfinite(hard_sphere.pair_correlation(33.0, 0.4, 40))
