"""Inversion of S_CC(q): the Yukawa potential that made the data comes back without being assumed."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from jaxalloy.fitting.inversion import invert_structure_factor
from jaxalloy.numerics.checks import InputError
from jaxalloy.reference import yukawa
from jaxalloy.scattering import XRays


def errors_in_per_cent(state, found):
    """Of the contact value, and rms over R of the potential, both in per cent of |epsilon|."""
    exact = state.liquid.ordering_potential(found.R)
    strength = abs(float(state.liquid.epsilon))
    contact = 100 * abs(float(found.epsilon) / float(state.liquid.epsilon) - 1)
    return contact, 100 * float(jnp.sqrt(jnp.mean((found.potential - exact) ** 2))) / strength


@pytest.mark.parametrize(
    # range of Ruppersberg and Schirmacher, and that of Table II, whose contact layer (sigma/9) is smoothed over
    ("kappa", "epsilon", "contact", "rms"),
    [(0.58, -20.0, 6.0, 2.0), (1.8, -30.2, 15.0, 2.0)],
)
def test_potential_comes_back(lithium_lead, kappa, epsilon, contact, rms):
    state = lithium_lead(0.8, kappa, epsilon)
    found = [
        errors_in_per_cent(state, invert_structure_factor(state.data(seed), state.alloy, 4.93)) for seed in range(2)
    ]
    assert max(error for error, _ in found) < contact
    assert max(error for _, error in found) < rms


def test_without_noise_the_contact_value_is_nearly_exact(lithium_lead):
    """What is left is the basis: piecewise linear with steps of 0.06 sigma."""
    state = lithium_lead(0.8, 0.58, -20.0, noise=1e-4)
    found = invert_structure_factor(state.data(0), state.alloy, 4.93)
    contact, rms = errors_in_per_cent(state, found)
    assert contact < 2
    assert rms < 0.5
    x = found.R / 4.93
    exact = yukawa.direct_correlation_cc(x, state.liquid.eta, state.liquid.y, state.liquid.Z)
    np.testing.assert_allclose(found.direct, exact, atol=0.02 * abs(float(exact[0])))


def test_a_wrong_diameter_shows_in_the_sensitivity_and_not_in_chi_squared(lithium_lead):
    state = lithium_lead(0.8, 0.58, -20.0)
    found = invert_structure_factor(state.data(0), state.alloy, 4.93)
    assert abs(found.epsilon_sigma[0] - found.epsilon_sigma[1]) > 0.002  # more than a tenth of epsilon
    small = invert_structure_factor(state.data(0), state.alloy, 0.98 * 4.93)
    assert float(small.epsilon) == pytest.approx(found.epsilon_sigma[0])
    assert abs(float(small.chi2 - found.chi2)) < 3 * np.sqrt(2 * 400)


def test_unknown_noise_is_estimated(lithium_lead):
    state = lithium_lead(0.8, 0.58, -20.0)
    data = state.data(0)
    known = invert_structure_factor(data, state.alloy, 4.93)
    blind = invert_structure_factor(dataclasses.replace(data, errors=None), state.alloy, 4.93)
    assert float(blind.epsilon_sd) == pytest.approx(float(known.epsilon_sd), rel=0.4)  # the penalties lie on a grid


def test_data_that_hold_no_ordering_part_are_refused(lithium_lead):
    state = lithium_lead(0.3, probe=XRays())
    with pytest.raises(InputError, match="weight of S_CC"):
        invert_structure_factor(state.data(0), state.alloy, 5.43)
    state = lithium_lead(0.8)
    with pytest.raises(InputError, match="sigma = 9"):
        invert_structure_factor(state.data(0), state.alloy, 9.0)
