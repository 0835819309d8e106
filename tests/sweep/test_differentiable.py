"""Derivatives through a map: those of the whole, in the memory of a chunk."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxalloy import HardSphereYukawa
from jaxalloy.numerics.checks import InputError
from jaxalloy.sweep import map_states

Q = np.linspace(0.05, 4.0, 100)


def fluctuations(state, epsilon, sigma):
    """S_CC(q) of a reference liquid at (concentration, temperature)."""
    liquid = HardSphereYukawa(state["c"], 0.42, sigma, epsilon, 1.2, state["T"])
    return liquid.structure_factor_cc(Q)


def states_of(count):
    return {"c": jnp.linspace(0.1, 0.9, count), "T": jnp.linspace(800.0, 1200.0, count)}


@pytest.mark.parametrize(("count", "chunk"), [(5, 64), (7, 3)])
def test_values_and_derivatives_are_those_of_vmap(count, chunk):
    states = states_of(count)
    target = jnp.linspace(0.0, 0.2, count)

    def misfit(parameters, mapped):
        found = mapped(lambda state: jnp.mean(fluctuations(state, *parameters)), states)
        return jnp.mean((found - target) ** 2) + jnp.max(found)  # a scalar of the whole map, not a sum over states

    at = (jnp.asarray(-0.02), jnp.asarray(5.0))
    chunked = jax.value_and_grad(misfit)(at, lambda f, s: map_states(f, s, chunk=chunk))
    plain = jax.value_and_grad(misfit)(at, lambda f, s: jax.vmap(f)(s))
    for ours, theirs in zip(jax.tree.leaves(chunked), jax.tree.leaves(plain), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_composes_with_jit_and_further_derivatives():
    states = states_of(9)

    def total(epsilon):
        return jnp.sum(map_states(lambda state: fluctuations(state, epsilon, 5.0)[0], states, chunk=4))

    h = 1e-5
    second = (jax.grad(total)(-0.02 + h) - jax.grad(total)(-0.02 - h)) / (2 * h)
    # central difference of the first derivative: error h^2/6 of the fourth, far below 1e-5 of it
    np.testing.assert_allclose(jax.jit(jax.grad(jax.grad(total)))(-0.02), second, rtol=1e-5)


def test_memory_of_a_gradient_is_that_of_a_chunk():
    def memory(count, mapped):
        def total(epsilon, states):
            return jnp.sum(mapped(lambda state: jnp.sum(fluctuations(state, epsilon, 5.0) ** 2), states))

        compiled = jax.jit(jax.grad(total)).lower(-0.02, states_of(count)).compile()
        return compiled.memory_analysis().temp_size_in_bytes

    few, many = (memory(count, lambda f, s: map_states(f, s, chunk=64)) for count in (256, 4096))
    per_state = (many - few) / (4096 - 256)
    whole = memory(4096, lambda f, s: jax.vmap(f)(s)) / 4096
    # what grows are the states and a result each, some dozens of bytes; without chunks it is every curve over q
    assert per_state < 100 < 8 * len(Q) <= whole


@pytest.mark.parametrize(("states", "chunk", "words"), [([1.0, 2.0], 4, "leading axes"), (np.ones(3), 0, "chunk = 0")])
def test_bad_input(states, chunk, words):
    with pytest.raises(InputError, match=words):
        map_states(lambda x: x, states, chunk=chunk)
    with pytest.raises(InputError, match="leading axes"):
        map_states(lambda x: x["a"], {"a": np.ones(3), "b": np.ones(4)})
