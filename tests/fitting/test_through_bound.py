"""Core radii from a structure factor, through the variational minimum: recovery, and the implicit derivatives."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxalloy.electrons.empty_core import EmptyCore
from jaxalloy.electrons.interactions import interactions
from jaxalloy.fitting.fit import fit_structure_factor
from jaxalloy.fitting.problem import residuals_of, set_up
from jaxalloy.fitting.synthetic import synthetic_data
from jaxalloy.fitting.through_bound import ThroughBound
from jaxalloy.thermodynamics.variational import ContactConstraint, minimise


@pytest.fixture(scope="module")
def true_radii(lithium_lead):
    """Li0.8Pb0.2 with core radii 3 % below and 2 % above those of the tables, and its data."""
    state = lithium_lead(0.8)
    tabulated = EmptyCore().prepare(state.alloy)
    radii = {"Li": 0.97 * tabulated[0], "Pb": 1.02 * tabulated[1]}
    solved = eqx.filter_jit(lambda a, p: minimise(a, interactions(a, p), ContactConstraint()))
    found = solved(state.alloy, EmptyCore(radii=radii)).require_converged()
    return state, radii, synthetic_data(state.template, state.alloy, found.liquid, jax.random.key(4))


@pytest.mark.slow  # a minute of compilation: the minimisation, differentiated, inside the search
def test_core_radii_are_recovered(true_radii):
    state, radii, data = true_radii
    result = fit_structure_factor(data, ThroughBound(state.alloy))
    assert result.converged
    for symbol, radius in radii.items():
        found = result[f"radius_{symbol}"]
        assert abs(found.value - float(radius)) < 3 * found.sd, symbol
        assert found.sd < 0.02 * found.value
    assert 0.8 < result.chi2 / result.dof < 1.2
    _derivatives_agree_with_differences(result.problem, result.at.jacobian, result.u)


def _derivatives_agree_with_differences(problem, jacobian, u):
    """Central differences through two complete minimisations; the minimum is known to 1e-10, a step of 1e-4 to 1e-6."""
    residuals = eqx.filter_jit(residuals_of)
    for i in range(2):
        step = np.zeros(u.size)
        step[i] = 1e-4
        plus, minus = (residuals(jnp.asarray(u + sign * step), problem) for sign in (1, -1))
        slope = np.asarray(plus - minus) / 2e-4
        np.testing.assert_allclose(jacobian[:, i], slope, atol=1e-4 * np.abs(slope).max())


def test_parameters_are_those_of_the_potential(lithium_lead):
    state = lithium_lead(0.8)
    model = ThroughBound(state.alloy, EmptyCore(mean_free_path=12.0))
    known = model.parameters()
    assert set(known) == {"radius_Li", "radius_Pb", "mean_free_path", "volume"}
    assert known["mean_free_path"].start == 12.0
    problem = set_up([state.data(0)], model)
    assert problem.names == ("radius_Li", "radius_Pb", "scale", "level")
