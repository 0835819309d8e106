"""The same numbers on a GPU as on the CPU beside it: one test for each part of the program, `pytest -m gpu`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxalloy as ja


def gpus():
    try:
        return jax.devices("gpu")
    except RuntimeError:
        return []


pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not gpus(), reason="JAX sees no GPU here")]


def assert_same_on_both(compute, rtol, atol=0.0):
    """Run `compute` on both devices, every array it makes included, and compare all numbers it returns."""
    found = {}
    for kind in ("cpu", "gpu"):
        with jax.default_device(jax.devices(kind)[0]):
            found[kind] = jax.tree.map(np.asarray, compute())
    assert jax.tree.leaves(found["cpu"])
    jax.tree.map(lambda x, y: np.testing.assert_allclose(y, x, rtol=rtol, atol=atol), found["cpu"], found["gpu"])


def test_reference_liquid():
    def liquid():
        state = ja.HardSphereYukawa(0.2, 0.42, 4.93, -0.0302, 1.8, 1000.0)
        q, R = jnp.linspace(0.01, 10.0, 500), jnp.linspace(4.0, 40.0, 300)
        return state.structure_factor_cc(q), state.structure_factor_nn(q), state.pair_correlations(R).g_AB

    assert_same_on_both(liquid, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("potential", [ja.EmptyCore(), ja.OptimisedOPW()], ids=["empty-core", "opw"])
def test_interactions(potential):
    def potentials():
        forces = ja.interactions(ja.Alloy.parse("Li0.8Pb0.2", temperature=1000.0), potential)
        return forces.bhatia_thornton(jnp.linspace(4.0, 20.0, 100)).CC

    assert_same_on_both(potentials, rtol=1e-8, atol=1e-9)  # sums over wavenumbers in another order, terms of 1 Ry


def test_minimum_and_its_derivative():
    def minimum():
        alloy = ja.Alloy.parse("Mg7Zn3", temperature=673.0)
        forces = ja.interactions(alloy, ja.EmptyCore())

        def free_energy(temperature):
            state = ja.minimise(alloy.at(temperature=temperature), forces, ja.Unconstrained())
            return state.free_energy.total, (state.eta, state.epsilon, state.kappa)

        return jax.jit(jax.value_and_grad(free_energy, has_aux=True))(673.0)

    assert_same_on_both(minimum, rtol=1e-7)  # a minimum is as good as the square root of the energy's rounding


def test_batch_of_trajectories():
    def fields():
        systems = [ja.FreeRelaxation(1.0, 400.0, 1e-4, dephasing, 1.0) for dephasing in np.linspace(2.0, 10.0, 16)]
        return jnp.abs(ja.relax_many(systems, jnp.linspace(0.0, 12.0, 20)).field)

    assert_same_on_both(fields, rtol=1e-6, atol=1e-6)  # both integrate to 1e-8 of the largest field
