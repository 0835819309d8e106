"""The mixture in physical units: PHH Table II, bad input, transformations."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxalloy.constants import BOLTZMANN_RY_PER_K
from jaxalloy.numerics.checks import InputError
from jaxalloy.reference.mixture import HardSphereYukawa

LITHIUM_LEAD = {
    "concentration": 0.2,
    "eta": 0.42,
    "sigma": 4.93,
    "epsilon": -0.0302,
    "kappa": 1.8,
    "temperature": 1000.0,
}
pair_correlations = eqx.filter_jit(lambda liquid, R: liquid.pair_correlations(R))


def lithium_lead(**changes):
    return HardSphereYukawa(**(LITHIUM_LEAD | changes))


def test_lead_lead_contact_values_of_the_lithium_lead_table():
    """g_PbPb(1+) = -20.3, -11.9, -5.1, -1.3 for c_Li = .9 ... .6 with the printed two-digit parameters."""
    table = [
        (0.1, 0.36, 4.76, -0.0202, 1.4, -20.3),
        (0.2, 0.42, 4.93, -0.0302, 1.8, -11.9),
        (0.3, 0.43, 5.04, -0.0302, 1.7, -5.1),
        (0.4, 0.44, 5.18, -0.0270, 1.7, -1.3),
    ]
    for c, eta, sigma, epsilon, kappa, expected in table:
        liquid = HardSphereYukawa(c, eta, sigma, epsilon, kappa, 1000.0)
        # Quoted with one decimal, for two-digit parameters that do not fix the volume exactly.
        assert float(liquid.contact_values.g_BB) == pytest.approx(expected, abs=0.06)


def test_partials_are_consistent():
    liquid = lithium_lead()
    q = np.linspace(0.0, 10.0, 200)
    c = 0.2
    S = liquid.partial_structure_factors(q)
    total = (1 - c) * S.S_AA + c * S.S_BB + 2 * np.sqrt(c * (1 - c)) * S.S_AB
    np.testing.assert_allclose(total, liquid.structure_factor_nn(q), rtol=1e-12)
    order = c * (1 - c) * (c * S.S_AA + (1 - c) * S.S_BB - 2 * np.sqrt(c * (1 - c)) * S.S_AB)
    np.testing.assert_allclose(order, liquid.structure_factor_cc(q), rtol=1e-10)
    R = np.array([3.0, 4.93, 5.0, 7.3, 12.0])
    g = pair_correlations(liquid, R)
    average = (1 - c) ** 2 * g.g_AA + c**2 * g.g_BB + 2 * c * (1 - c) * g.g_AB
    np.testing.assert_allclose(average, g.g_NN, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(c * (1 - c) * (g.g_AA + g.g_BB - 2 * g.g_AB), g.h_CC, rtol=1e-11, atol=1e-13)
    assert float(g.g_AA[0]) == float(g.g_BB[0]) == float(g.h_CC[0]) == 0.0
    contact = liquid.contact_values
    found = [float(g.g_AA[1]), float(g.g_AB[1]), float(g.g_BB[1])]
    np.testing.assert_allclose(found, [float(value) for value in contact], rtol=1e-11)


def test_enthalpy_is_the_integral_of_the_potential():
    liquid = lithium_lead()
    nodes, weights = np.polynomial.legendre.leggauss(40)
    R = 4.93 * (np.arange(1, 20)[:, None] + (nodes + 1) / 2).ravel()
    w = 4.93 * np.tile(weights / 2, 19)
    integrand = np.asarray(pair_correlations(liquid, R).h_CC * liquid.ordering_potential(R)) * R**2
    expected = 2 * np.pi / float(liquid.volume) * np.sum(w * integrand)
    assert float(liquid.ordering_enthalpy) == pytest.approx(expected, rel=1e-11)
    assert float(liquid.ordering_potential(4.93)) == pytest.approx(0.0302, rel=1e-14)
    assert float(liquid.ordering_potential(4.9)) == 0.0


def test_entropy_is_the_temperature_derivative_of_the_free_energy():
    """dF = dH - T dS, and -d(dF)/dT = dS at fixed eta, epsilon, kappa."""

    def free_energy(temperature):
        liquid = lithium_lead(temperature=temperature)
        return liquid.ordering_enthalpy - BOLTZMANN_RY_PER_K * temperature * liquid.ordering_entropy

    slope = float(jax.jit(jax.grad(free_energy))(1000.0))
    expected = float(lithium_lead().ordering_entropy)
    assert -slope / BOLTZMANN_RY_PER_K == pytest.approx(expected, rel=1e-11)


def test_units():
    liquid = lithium_lead()
    assert float(liquid.Z) == pytest.approx(1.8 * 4.93)
    assert float(liquid.beta_epsilon) == pytest.approx(-0.0302 / (6.333623618e-6 * 1000.0))
    assert float(liquid.volume) == pytest.approx(149.38, abs=0.01)
    doubled = lithium_lead(sigma=2 * 4.93, kappa=0.9)
    assert float(doubled.alpha_cc) == pytest.approx(float(liquid.alpha_cc) / 2)
    assert float(doubled.alpha_nn) == pytest.approx(float(liquid.alpha_nn) / 2)
    np.testing.assert_allclose(doubled.structure_factor_cc(0.7), liquid.structure_factor_cc(1.4), rtol=1e-13)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"concentration": 0.0}, "concentration = 0"),
        ({"concentration": 1.2}, "between 0 and 1"),
        ({"eta": 0.61}, "packing fraction"),
        ({"eta": np.nan}, "eta = nan"),
        ({"sigma": -1.0}, "sigma = -1"),
        ({"kappa": 0.0}, "kappa = 0"),
        ({"temperature": 0.0}, "temperature = 0"),
        ({"epsilon": np.inf}, "epsilon = inf"),
        ({"epsilon": 0.02}, "epsilon = 0.02 Ry.*spinodal.*take epsilon below"),
    ],
)
def test_bad_input_names_the_value(change, message):
    with pytest.raises(InputError, match=message):
        lithium_lead(**change)


def test_the_named_limit_is_the_limit():
    limit = float(lithium_lead(epsilon=-0.001).spinodal_epsilon)
    assert lithium_lead(epsilon=0.9999 * limit).stable
    with pytest.raises(InputError, match="spinodal"):
        lithium_lead(epsilon=1.0001 * limit)


def test_transformations():
    @eqx.filter_jit
    def states(c, epsilon):
        return jax.vmap(lambda c, e: lithium_lead(concentration=c, epsilon=e))(c, epsilon)

    c, epsilon = jnp.array([0.2, 0.4, 0.6]), jnp.array([-0.03, -0.01, 0.02])
    batch = states(c, epsilon)
    assert jax.vmap(lambda liquid: liquid.stable)(batch).tolist() == [True, True, False]
    many = jax.vmap(lambda liquid: liquid.structure_factor_cc(jnp.array([0.0, 1.5])))(batch)
    alone = lithium_lead(concentration=0.4, epsilon=-0.01).structure_factor_cc(np.array([0.0, 1.5]))
    np.testing.assert_allclose(many[1], alone, rtol=1e-13)
    assert jnp.isnan(many[2]).all()
    gradient = eqx.filter_jit(eqx.filter_grad(lambda liquid: liquid.ordering_enthalpy))(lithium_lead())
    assert float(gradient.concentration) == 0.0
    step = 1e-6
    above, below = (float(lithium_lead(kappa=1.8 + s).ordering_enthalpy) for s in (step, -step))
    assert float(gradient.kappa) == pytest.approx((above - below) / (2 * step), rel=1e-7)


def test_single_precision_stays_single():
    liquid = HardSphereYukawa(**{name: np.float32(value) for name, value in LITHIUM_LEAD.items()})
    leaves = [liquid.y, liquid.ordering_entropy, liquid.alpha_cc, liquid.volume, *liquid.contact_values]
    R = np.array([5.0, 9.0], np.float32)
    leaves += [
        *liquid.pair_correlations(R),
        *liquid.partial_structure_factors(R),
        liquid.ordering_potential(R),
    ]
    assert all(leaf.dtype == jnp.float32 for leaf in leaves)
