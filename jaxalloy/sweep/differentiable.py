"""Maps of many states whose derivatives take the memory of one chunk."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxalloy.numerics.checks import InputError


def map_states(function: Callable[[Any], Any], states: Any, *, chunk: int = 64) -> Any:
    """`jax.vmap(function)(states)` whose `jax.grad` needs memory for `chunk` states, not for all of them.

    function: of one state (a PyTree without its leading axis); what it closes over, such as the parameters of a
    potential, is differentiated too. states: a PyTree of arrays with one leading axis of states. chunk: states that are
    computed abreast. Reverse mode keeps the states and the results of the map and computes every chunk once more; any
    scalar of the map can follow, as in

        def misfit(radius):
            found = map_states(lambda c: prediction(c, radius), concentrations)
            return jnp.mean((found - measured) ** 2)

        jax.value_and_grad(misfit)(1.3)

    Raises `InputError` for states without a common leading axis and for a chunk of no states.
    """
    lengths = {jnp.shape(leaf)[:1] for leaf in jax.tree.leaves(states)}
    if len(lengths) != 1 or lengths == {()}:
        raise InputError(f"states: the leading axes are {sorted(lengths)}; give arrays with one common axis of states")
    if chunk < 1:
        raise InputError(f"chunk = {chunk}: at least one state per chunk is needed")
    (count,) = lengths.pop()
    chunk = min(chunk, count)
    filled = -(-count // chunk) * chunk
    # the last chunk is filled up with copies of the last state, whose results are dropped
    index = jnp.minimum(jnp.arange(filled), count - 1)
    chunks = jax.tree.map(lambda leaf: jnp.asarray(leaf)[index].reshape(-1, chunk, *jnp.shape(leaf)[1:]), states)
    mapped = lax.map(jax.checkpoint(jax.vmap(function)), chunks)
    return jax.tree.map(lambda leaf: leaf.reshape(filled, *leaf.shape[2:])[:count], mapped)
