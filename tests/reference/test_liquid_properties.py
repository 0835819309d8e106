"""Laws that hold for every liquid of the family: positivity, thermodynamic consistency, single precision."""

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxalloy.reference import hard_sphere, yukawa

Q = np.concatenate([[0.0], np.geomspace(1e-6, 80.0, 255)])
packing = st.floats(1e-3, 0.58)
inverse_range = st.floats(np.log(1e-4), np.log(200.0)).map(np.exp)
attraction = st.floats(np.log(1e-6), np.log(1e4)).map(lambda s: -np.exp(s))
of_spinodal = st.floats(1e-6, 0.999)
quick = settings(max_examples=60, deadline=None, derandomize=True)


@jax.jit
def channel(eta, K, Z, q):
    y, stable = yukawa.solve_order_parameter(eta, K, Z)
    energy = lambda k: yukawa.ordering_energy_ratio(yukawa.solve_order_parameter(eta, k, Z)[0], Z)  # noqa: E731
    entropy = lambda k: yukawa.ordering_entropy(eta, yukawa.solve_order_parameter(eta, k, Z)[0], Z)  # noqa: E731
    return {
        "y": y,
        "stable": stable,
        "S": yukawa.structure_factor_cc(q, y, Z),
        "S_zero": yukawa.structure_factor_cc_zero(y, Z),
        "coupling": yukawa.coupling_from_y(eta, y, Z),
        "energy": energy(K),
        "entropy": entropy(K),
        "contact": yukawa.contact_value_cc(eta, y, Z),
        "energy_slope": jax.grad(energy)(K),
        "entropy_slope": jax.grad(entropy)(K),
    }


def check_channel(eta, K, Z):
    found = channel(eta, K, Z, Q)
    assert found["stable"]
    assert (found["S"] > 0).all()
    np.testing.assert_allclose(found["S"][0], found["S_zero"], rtol=1e-12)
    assert np.sign(found["y"]) == np.sign(K)
    assert found["contact"] * K > 0
    assert found["entropy"] < 0
    assert found["energy"] * K < 0  # order and clustering both lower the energy: dH = epsilon * ratio < 0
    # The coupling is recovered; the root carries one rounding of each of five factors.
    np.testing.assert_allclose(found["coupling"], K, rtol=1e-12)
    # dF = dH - T dS integrates the energy over the coupling: d(K r - s)/dK = r, that is K r' = s'.
    np.testing.assert_allclose(K * found["energy_slope"], found["entropy_slope"], rtol=1e-8)


@quick
@given(packing, attraction, inverse_range)
def test_ordering(eta, K, Z):
    check_channel(eta, K, Z)


@quick
@given(packing, of_spinodal, inverse_range)
def test_segregation(eta, fraction, Z):
    limit = float(yukawa.coupling_from_y(eta, yukawa.spinodal_y(Z), Z))
    check_channel(eta, fraction * limit, Z)
    assert not channel(eta, 1.0001 * limit, Z, Q)["stable"]


@quick
@given(packing, attraction, inverse_range)
def test_single_precision(eta, K, Z):
    eta, K, Z = np.float32(eta), np.float32(K), np.float32(Z)
    single, double = channel(eta, K, Z, Q.astype(np.float32)), channel(float(eta), float(K), float(Z), Q)
    for name in ("y", "S_zero", "energy", "entropy", "contact"):
        np.testing.assert_allclose(single[name], double[name], rtol=1e-5, err_msg=name)
    # A high first peak, S = 1/(small sum of squares), magnifies rounding of terms as large as m by sqrt(S).
    y = np.float32(double["y"])
    exact = yukawa.structure_factor_cc(Q.astype(np.float32).astype(float), float(y), float(Z))
    found = yukawa.structure_factor_cc(Q.astype(np.float32), y, Z)
    np.testing.assert_allclose(found, exact, rtol=2e-5 * (1.0 + float(jnp.sqrt(jnp.max(exact))) * (1 - float(y))))


@quick
@given(packing)
def test_hard_spheres(eta):
    S = hard_sphere.structure_factor(Q, eta)
    assert (S > 0).all()
    # The compressibility route of Percus-Yevick: S(0) = (1 - eta)^4/(1 + 2 eta)^2.
    np.testing.assert_allclose(S[0], (1 - eta) ** 4 / (1 + 2 * eta) ** 2, rtol=1e-13)
    single = hard_sphere.structure_factor(Q.astype(np.float32), np.float32(eta))
    assert single.dtype == jnp.float32
    exact = hard_sphere.structure_factor(Q.astype(np.float32).astype(float), float(np.float32(eta)))
    # 1/S is a sum of squares of terms of order 12 eta (1 + 2 eta)/(1 - eta)^2, at most 90.
    np.testing.assert_allclose(single, exact, rtol=1e-5)
