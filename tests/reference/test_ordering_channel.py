"""The CC channel against an independent numerical Ornstein-Zernike solution and against mpmath."""

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest
from jax.test_util import check_grads

from jaxalloy.reference import yukawa


def state(eta, K, Z, q, x):
    y, stable = yukawa.solve_order_parameter(eta, K, Z)
    return {
        "stable": stable,
        "y": y,
        "coupling": yukawa.coupling_from_y(eta, y, Z),
        "S_over_cAcB": yukawa.structure_factor_cc(q, y, Z),
        "S_zero": yukawa.structure_factor_cc_zero(y, Z),
        "c_CC_inside": yukawa.direct_correlation_cc(x, eta, y, Z),
        "dH_over_eps": yukawa.ordering_energy_ratio(y, Z),
        "dS_over_kB": yukawa.ordering_entropy(eta, y, Z),
        "alpha_CC_sigma": yukawa.alpha_cc(y, Z),
        "h_CC_contact": yukawa.contact_value_cc(eta, y, Z),
    }


states = jax.jit(jax.vmap(state, in_axes=(0, 0, 0, None, None)))


@pytest.fixture(scope="module")
def oz(reference_numbers):
    return reference_numbers("hsy_numerical_oz")


def relative_errors(oz, dtype):
    points = oz["points"]
    column = lambda name: np.array([point[name] for point in points])  # noqa: E731
    inputs = [jnp.asarray(column(name), dtype) for name in ("eta", "K_beta_eps", "Z")]
    result = states(*inputs, jnp.asarray(oz["q_sigma"], dtype), jnp.asarray(oz["x"], dtype))
    assert all(value.dtype == dtype for name, value in result.items() if name != "stable")
    assert result["stable"].all()
    errors = {"S_zero": np.abs(np.asarray(result["S_zero"], float) / column("S_over_cAcB")[:, 0] - 1.0)}
    own = {"S_over_cAcB": "S", "c_CC_inside": "c_in", "dH_over_eps": "dH_over_eps", "dS_over_kB": "dS"}
    own |= {"alpha_CC_sigma": "alpha_sigma", "h_CC_contact": "h1", "y": "omega"}
    for name, abs_err in own.items():
        expected, found = column(name), np.asarray(result[name], float)
        uncertainty = np.array([point["abs_err"][abs_err] for point in points])
        uncertainty = uncertainty.reshape((-1,) + (1,) * (expected.ndim - 1))
        # The stored numbers carry their own resolution error; it counts where it is the larger one.
        excess = np.maximum(np.abs(found - expected) - uncertainty, 0.0)
        errors[name] = excess / np.abs(expected)
    return {name: error.max() for name, error in errors.items()}


@pytest.mark.parametrize(("dtype", "tolerance"), [(jnp.float64, 1e-10), (jnp.float32, 1e-5)])
def test_every_reference_point(oz, dtype, tolerance):
    errors = relative_errors(oz, dtype)
    assert max(errors.values()) < tolerance, errors


def exact_root(eta, K, Z):
    """The root by bisection in 50 digits, on the interval where the quartic is monotone."""
    with mp.workdps(50):
        eta, K, Z = mp.mpf(eta), mp.mpf(K), mp.mpf(Z)
        b = (1 - mp.exp(-Z)) / (2 * Z)
        low, high = (mp.mpf(-1000), mp.mpf(0)) if K < 0 else (mp.mpf(0), 1 + Z - mp.sqrt(1 + Z**2))
        for _ in range(170):
            y = (low + high) / 2
            low, high = (y, high) if y * (Z - y / 2) * (1 - b * y) ** 2 < 12 * eta * K else (low, y)
        return float(y)


def test_root_over_the_whole_domain():
    draw = np.random.default_rng(1985)
    eta, Z = draw.uniform(1e-3, 0.58, 60), 10.0 ** draw.uniform(-4, np.log10(200.0), 60)
    limit = jax.vmap(lambda e, z: yukawa.coupling_from_y(e, yukawa.spinodal_y(z), z))(eta, Z)
    close = 1.0 - 10.0 ** draw.uniform(-6, 0, 60)
    K = np.where(np.arange(60) % 3 == 0, np.asarray(limit) * close, -(10.0 ** draw.uniform(-6, 4, 60)))
    y, stable = jax.jit(jax.vmap(yukawa.solve_order_parameter))(eta, K, Z)
    expected = np.array([exact_root(*point) for point in zip(eta, K, Z, strict=True)])
    assert stable.all()
    # Near the spinodal at small Z the root is nearly double: rounding moves it by eps/(1 - K/K_s)^(1/2).
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    single = jax.vmap(yukawa.solve_order_parameter)(*(jnp.asarray(v[K < 0], jnp.float32) for v in (eta, K, Z)))
    np.testing.assert_allclose(single[0], expected[K < 0], rtol=2e-6)


def test_beyond_the_spinodal_there_is_no_solution():
    eta, Z = 0.4, 5.0
    limit = float(yukawa.coupling_from_y(eta, yukawa.spinodal_y(Z), Z))
    y, stable = yukawa.solve_order_parameter(eta, 0.999 * limit, Z)
    assert stable
    assert yukawa.structure_factor_cc_zero(y, Z) > 1e5
    y, stable = yukawa.solve_order_parameter(eta, 1.001 * limit, Z)
    assert not stable
    assert jnp.isnan(y)


def test_an_unstable_lane_does_not_poison_the_gradients_of_the_others():
    def total(K):
        y, stable = jax.vmap(yukawa.solve_order_parameter, in_axes=(None, 0, None))(0.4, K, 5.0)
        return jnp.sum(jnp.where(stable, y, 0.0))

    slope = jax.grad(total)(jnp.array([-2.0, 0.0, 0.1, 50.0]))
    assert jnp.isfinite(slope).all()
    # y -> 12 eta K/Z at small K.
    assert float(slope[1]) == pytest.approx(12 * 0.4 / 5.0, rel=1e-14)


ROOT = jax.jit(lambda *p: yukawa.solve_order_parameter(*p)[0])
GRADIENT = jax.jit(jax.grad(lambda p: ROOT(*p)))
HESSIAN = jax.jit(jax.hessian(lambda p: ROOT(*p)))


@jax.jit
def IDENTITY_DERIVATIVES(variables):
    def identity(v):
        return yukawa.solve_order_parameter(v[0], yukawa.coupling_from_y(*v), v[2])[0]

    return jax.grad(identity)(variables), jax.hessian(identity)(variables)


POINTS = [(0.42, -4.77, 8.87), (0.4, -50.0, 0.1), (0.3, -1e-3, 0.7), (0.45, 0.3, 3.0), (0.4, 0.0, 4.0)]


@pytest.mark.parametrize("point", POINTS)
def test_derivatives(point):
    # Finite differences in double precision: 1e-6 relative for both orders, the second from gradients.
    check_grads(ROOT, tuple(map(jnp.asarray, point)), order=1, modes=("fwd", "rev"), eps=1e-6, rtol=1e-6)
    point = jnp.asarray(point)
    hessian, size = HESSIAN(point), jnp.maximum(jnp.abs(point), 1e-2)
    for column, step in enumerate(1e-5 * np.diag(size)):
        difference = (GRADIENT(point + step) - GRADIENT(point - step)) / (2e-5 * size[column])
        np.testing.assert_allclose(hessian[:, column], difference, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("point", POINTS[:4])
def test_hessian_is_that_of_the_inverse_function(point):
    """K(y) is explicit; differentiating y(eta, K(eta, y, Z), Z) = y twice gives the Hessian of the root."""

    y, _ = yukawa.solve_order_parameter(*point)
    gradient, hessian = IDENTITY_DERIVATIVES(jnp.array([point[0], y, point[2]]))
    # Zero in exact arithmetic; what is left is rounding of second derivatives up to 1e3 that cancel.
    np.testing.assert_allclose(gradient, [0.0, 1.0, 0.0], atol=1e-11)
    np.testing.assert_allclose(hessian, np.zeros((3, 3)), atol=1e-9)


def test_limits():
    solve = lambda *p: float(yukawa.solve_order_parameter(*p)[0])  # noqa: E731
    eta = 0.4
    # Weak or very short-ranged: y -> 12 eta K/Z, with a relative correction of the order of y.
    assert solve(eta, -1e-6, 3.0) == pytest.approx(12 * eta * -1e-6 / 3.0, rel=1e-5)
    assert solve(eta, -1.0, 1e5) == pytest.approx(12 * eta * -1.0 / 1e5, rel=1e-4)
    # Restricted primitive model, kappa -> 0; the correction is of the order of Z.
    assert solve(eta, -30.0, 1e-7) == pytest.approx(1 - np.sqrt(1 + 2 * np.sqrt(24 * eta * 30.0)), rel=1e-6)
    y, Z = solve(eta, -30.0, 1e-7), 1e-7
    # Perfect screening: S_CC(0) vanishes as kappa^2.
    assert float(yukawa.structure_factor_cc_zero(y, Z)) < 1e-12


def test_direct_correlation_jumps_at_contact_and_gives_the_structure_factor():
    eta, K, Z = 0.42, -4.77, 8.87
    y, _ = yukawa.solve_order_parameter(eta, K, Z)
    # h - c is continuous, so that c jumps by the contact value of h.
    below, at = yukawa.direct_correlation_cc(jnp.array([1 - 1e-12, 1.0]), eta, y, Z)
    assert float(at - below) == pytest.approx(float(yukawa.contact_value_cc(eta, y, Z)), rel=1e-9)
    nodes, weights = np.polynomial.legendre.leggauss(60)
    pieces = [(0.0, 1.0), (1.0, 2.0), (2.0, 5.0)]
    x = np.concatenate([a + (b - a) * (nodes + 1) / 2 for a, b in pieces])
    w = np.concatenate([weights * (b - a) / 2 for a, b in pieces])
    Q = np.array([0.5, 3.0, 4.5, 12.0])
    c = np.asarray(yukawa.direct_correlation_cc(x, eta, y, Z))
    transform = 24 * eta / Q * np.sum(w * x * c * np.sin(Q[:, None] * x), axis=1)
    np.testing.assert_allclose(yukawa.structure_factor_cc(Q, y, Z), 1 / (1 - transform), rtol=1e-11)
