import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxalloy.kinetics import (
    Adaptive,
    DrivenRelaxation,
    driven_order,
    relax,
    stability,
    stationary,
    threshold,
)
from jaxalloy.numerics.checks import InputError


@pytest.fixture(scope="module")
def driven_cases(cases):
    return [c for c in cases.values() if c.name.startswith("C_")]


def test_against_the_reference(driven_cases):
    for case in driven_cases:
        expected = case.entry["stationary"]
        limit, state, linear = threshold(case.system), stationary(case.system), stability(case.system)
        assert float(limit.inversion) == pytest.approx(expected["sigma_th"], rel=1e-12)
        assert float(limit.ratio) == pytest.approx(expected["r"], rel=1e-12)
        assert float(state.quanta) == pytest.approx(expected["N_stationary"], rel=1e-11, abs=1e-14)
        assert float(state.residual) < 1e-12
        if expected["r_Haken"] is not None:
            assert float(linear.boundary) == pytest.approx(expected["r_Haken"], rel=1e-12)
        else:
            assert np.isinf(float(linear.boundary))
            # The trajectory of the reference file ends where we say it comes to rest, as fast as we say.
            left = float(np.exp(2 * float(linear.growth_rate) * case.times[-1]))
            difference = abs(expected["N_at_end"] - expected["N_stationary"])
            assert difference < 20 * max(left, np.sqrt(left)) + 1e-9
    assert bool(stationary(driven_cases[1].system).above)
    assert not bool(stationary(driven_cases[0].system).above)


def _lorenz(ratio, kappa=10.0, dephasing=1.0, population_time=1.0):
    pump = ratio * kappa * dephasing
    return DrivenRelaxation(1.0, pump, 0.1, dephasing, population_time, kappa, 1.0, pump)


def test_instability_sets_in_at_the_lorenz_boundary():
    boundary = float(stability(_lorenz(5.0)).boundary)
    assert boundary == pytest.approx(10 * 14 / 8)
    growth = jax.jit(jax.vmap(lambda r: stability(_lorenz(r)).growth_rate))(
        jnp.array([boundary - 0.01, boundary, boundary + 0.01])
    )
    assert float(growth[0]) < 0 < float(growth[2])
    assert abs(float(growth[1])) < 1e-9


def test_critical_slowing():
    # Near threshold the slowest mode is -kappa Gamma (r - 1)/(kappa + Gamma) below, -2 times that above.
    for offset, factor in ((-1e-4, 1.0), (1e-4, -2.0)):
        linear = stability(_lorenz(1.0 + offset, kappa=0.5))
        assert float(linear.growth_rate) == pytest.approx(factor * offset * 0.5 / 1.5, rel=2e-3)
        assert bool(linear.stable)
        assert float(linear.slowest_time) == pytest.approx(-1.0 / float(linear.growth_rate))


@pytest.fixture(scope="module")
def unequal():
    rng = np.random.default_rng(2)
    return DrivenRelaxation(
        coupling=rng.uniform(0.5, 1.5, 8),
        inversion=rng.uniform(0.0, 1.0, 8),
        polarisation=0.01,
        dephasing=rng.uniform(0.5, 2.0, 8),
        population_time=rng.uniform(0.5, 1.0, 8),
        field_damping=0.8,
        commutator=0.9,
        pump=rng.uniform(1.0, 3.0, 8),
        detuning=rng.normal(size=8),
    )


def test_unequal_states_come_to_rest_where_predicted(unequal):
    state = stationary(unequal)
    assert bool(state.above)
    assert float(state.residual) < 1e-12
    out = relax(unequal, np.linspace(0.0, 80.0, 41), Adaptive(rtol=1e-11))
    assert float(out.quanta[-1]) == pytest.approx(float(state.quanta), rel=1e-8)
    np.testing.assert_allclose(out.inversion[-1], state.inversion, rtol=1e-7)
    turning = (jnp.conj(out.field[-1]) * out.mantissa_rate[-1] / out.quanta[-1]).imag
    assert float(turning) == pytest.approx(-float(state.frequency), abs=1e-8)
    # At the threshold pump itself the dark state is marginal.
    limit = threshold(unequal)
    marginal = DrivenRelaxation(
        unequal.coupling,
        unequal.inversion,
        unequal.polarisation,
        unequal.dephasing,
        unequal.population_time,
        unequal.field_damping,
        unequal.commutator,
        limit.per_state * 0.999999,
        unequal.detuning,
    )
    assert abs(float(stability(marginal).growth_rate)) < 1e-5


def test_derivatives_through_the_root():
    def quanta(p):
        return stationary(DrivenRelaxation(p[0], 0.0, 0.1, p[1], p[2], p[3], p[4], p[5], p[6])).quanta

    def closed_form(p):
        limit = p[3] * p[1] / (p[0] ** 2 * p[4]) * (1 + (p[6] / (p[3] + p[1])) ** 2)
        return p[1] / (4 * p[2] * p[0] ** 2) * (p[5] / limit - 1) * (1 + (p[6] / (p[3] + p[1])) ** 2)

    point = jnp.array([1.1, 1.25, 2.0, 0.5, 0.9, 4.0, 1.5])
    assert float(quanta(point)) == pytest.approx(float(closed_form(point)), rel=1e-12)
    np.testing.assert_allclose(jax.grad(quanta)(point), jax.grad(closed_form)(point), rtol=1e-10)


def test_order_of_the_condensate():
    # EM 18 is EM 17 times c-dependent alpha over N.
    alpha = 1 - 2 * 0.1 + 0.3**2 / 2
    system = DrivenRelaxation(0.8, 0.0, 0.1, 1.3, 2.0, 0.4, alpha, 5 * 3.0)
    expected = float(stationary(system).quanta) / 1000.0
    found = driven_order(3.0, 5.0, 0.1, 0.3, 2.0, 0.4, 0.8, 1.3, 1000.0)
    assert float(found) == pytest.approx(expected, rel=1e-12)
    assert float(driven_order(3.0, 5.0, 0.9, 0.3, 2.0, 0.4, 0.8, 1.3, 1000.0)) == 0.0  # alpha < 0: no threshold
    negative = DrivenRelaxation(0.8, 0.0, 0.1, 1.3, 2.0, 0.4, -0.5, 15.0)
    assert not bool(threshold(negative).exists)
    assert not bool(stationary(negative).above)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pump": 0.0}, "pump"),
        ({"field_damping": 0.0}, "damping"),
        ({"population_time": jnp.inf}, "finite t_sigma"),
    ],
)
def test_what_has_no_threshold_is_refused(changes, message):
    good = {"coupling": 1.0, "inversion": 0.0, "polarisation": 0.1, "dephasing": 1.0, "population_time": 1.0}
    system = DrivenRelaxation(**{**good, "field_damping": 1.0, "commutator": 1.0, "pump": 2.0, **changes})
    with pytest.raises(InputError, match=message):
        threshold(system)
