"""Gradients and Hessians at the ends of the domain: Z from 1e-4 to 200, |K| up to 1e4, eta to 0.58."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from jaxalloy.reference import hard_sphere, yukawa

Q = jnp.asarray([1e-2, 1.0, 4.5, 30.0])
CORNERS = np.array(list(itertools.product(np.log([0.02, 0.58]), np.log([1e-3, 1e4]), np.log([1e-4, 1.0, 200.0]))))
"""(ln eta, ln(-K), ln Z): in the logarithms all derivatives are of the order of the functions."""


def functions(point):
    """Everything that the bound is made of, with the root of the quartic inside."""
    eta, K, Z = jnp.exp(point[0]), -jnp.exp(point[1]), jnp.exp(point[2])
    y, _ = yukawa.solve_order_parameter(eta, K, Z)
    scalars = [
        y,
        yukawa.ordering_entropy(eta, y, Z),
        yukawa.alpha_cc(y, Z),
        yukawa.contact_value_cc(eta, y, Z),
        yukawa.ordering_energy_ratio(y, Z),
        hard_sphere.excess_entropy(eta),
        hard_sphere.alpha_nn(eta),
    ]
    curves = [yukawa.structure_factor_cc(Q, y, Z), hard_sphere.structure_factor(Q, eta)]
    return jnp.concatenate([jnp.stack(scalars), *curves])


@pytest.fixture(scope="module")
def exact():
    """Values, gradients and Hessians at the corners, and functions to take differences of."""
    value, slope = jax.jit(jax.vmap(functions)), jax.jit(jax.vmap(jax.jacfwd(functions)))
    return value, slope, jax.jit(jax.vmap(jax.jacrev(jax.jacfwd(functions))))


def fourth_order_difference(function, step):
    """Derivatives of `function` at the corners by central differences, last axis the variable."""
    columns = []
    for axis in np.eye(3):
        at = [np.asarray(function(CORNERS + n * step * axis)) for n in (-2, -1, 1, 2)]
        columns.append((at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * step))
    return np.stack(columns, axis=-1)


def test_gradients_against_finite_differences(exact):
    value, slope, _ = exact
    size = np.abs(np.asarray(value(CORNERS)))[..., None]
    # rounding 1e-16/step and the fifth derivative times step^4 balance at 1e-3, at some 1e-12 of the function
    np.testing.assert_allclose(slope(CORNERS) / size, fourth_order_difference(value, 1e-3) / size, rtol=1e-6, atol=1e-8)


def test_hessians_against_finite_differences(exact):
    value, slope, hessian = exact
    size = np.abs(np.asarray(value(CORNERS)))[..., None, None]
    found = np.asarray(hessian(CORNERS)) / size
    np.testing.assert_allclose(found, fourth_order_difference(slope, 1e-3) / size, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(found, np.swapaxes(found, -1, -2), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("corner", [CORNERS[0], CORNERS[6], CORNERS[11]])
def test_both_modes_to_second_order(corner):
    scale = jnp.maximum(jnp.abs(functions(jnp.asarray(corner))), 1e-300)
    scaled = jax.jit(lambda point: functions(point) / scale)
    # JAX compares with differences of second order at steps of 1e-4: six digits
    check_grads(scaled, (jnp.asarray(corner),), order=2, modes=("fwd", "rev"), eps=1e-4, rtol=1e-5, atol=1e-5)
