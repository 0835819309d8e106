"""The closed-form expansion of the integrals against the same integrals differentiated by JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxalloy as ja
from jaxalloy.thermodynamics.bound import StructureIntegrals

PARTS = {
    "density": lambda integrals, x: integrals.density_energy(x[0]),
    "ordering": lambda integrals, x: integrals.ordering_energy(*x),
    "contact": lambda integrals, x: integrals.contact_potential_cc(x[0]),
}


@pytest.fixture(scope="module")
def integrals():
    alloy = ja.Alloy.parse("Li0.8Pb0.2", temperature=1000.0)
    return StructureIntegrals.of(ja.interactions(alloy, ja.EmptyCore()))


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("at", [(0.40, -2.0, 3.0), (0.28, -8.0, 0.4), (0.52, 0.2, 12.0), (0.45, 0.0, 1.0)], ids=str)
def test_value_slope_and_curvature(integrals, part, at):
    """Strong, weak, no order, and segregation; to the rounding of sums over 640 wavenumbers."""
    point = jnp.asarray(at)
    nearby = integrals.near(integrals.waves(point[0]), point[1], point[2])
    for derivative in (lambda f: f, jax.grad, jax.hessian):
        found, expected = (derivative(lambda x, of=of: PARTS[part](of, x))(point) for of in (nearby, integrals))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * float(jnp.max(jnp.abs(expected))))


def test_first_order_keeps_the_slope(integrals):
    point = jnp.asarray([0.40, -2.0, 3.0])
    nearby = integrals.near(integrals.waves(point[0]), point[1], point[2])
    for part in PARTS.values():
        slopes = [jax.grad(lambda x, of=of: part(of, x))(point) for of in (nearby, nearby.to_first_order())]  # noqa: B023
        np.testing.assert_array_equal(*slopes)
