"""The rule of PHH Eq. 28, against scipy's minimiser and root finder on the same potential."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar

from jaxalloy.alloy import Alloy
from jaxalloy.constants import BOLTZMANN_RY_PER_K
from jaxalloy.electrons.empty_core import EmptyCore
from jaxalloy.electrons.interactions import interactions
from jaxalloy.electrons.tabulated import TabulatedPotential
from jaxalloy.thermodynamics.minimum_rule import density_minimum_rule


def test_against_scipy():
    forces = interactions(Alloy.parse("Li0.5Mg0.5", 940.0, volume=150.0), EmptyCore())
    density_potential = jax.jit(lambda R: forces.bhatia_thornton(R).NN)
    lowest = minimize_scalar(density_potential, bounds=(5.0, 7.0), method="bounded", options={"xatol": 1e-9})

    def rise(R, temperature):
        return float(density_potential(R) - lowest.fun) - 1.5 * BOLTZMANN_RY_PER_K * temperature

    def expected(temperature):
        return brentq(rise, 3.0, lowest.x, args=(temperature,), xtol=1e-12)

    rule = jax.jit(jax.value_and_grad(lambda temperature: density_minimum_rule(forces, temperature)))
    for temperature in (500.0, 940.0, 2000.0):
        sigma, slope = rule(temperature)
        assert float(sigma) == pytest.approx(expected(temperature), abs=1e-6)  # the parabola through the minimum
        by_difference = (expected(temperature + 1) - expected(temperature - 1)) / 2
        assert float(slope) == pytest.approx(by_difference, rel=1e-4)  # of the difference


def test_a_shoulder_has_no_diameter():
    R = np.linspace(2.0, 25.0, 200)
    repulsion = jnp.asarray(np.exp(-R))
    alloy = Alloy.parse("Li0.5Mg0.5", 940.0, volume=150.0)
    forces = interactions(alloy, TabulatedPotential(jnp.asarray(R), repulsion, repulsion, repulsion))
    assert np.isnan(density_minimum_rule(forces, 940.0))
