"""Compute the chunks of a plan on devices: one compiled program for all of them."""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.extend.core import jaxpr_as_fun
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from jaxalloy._typing import Array
from jaxalloy.sweep.plan import Plan, line_up

LANES = "lanes"


class Evaluator:
    """Computes the chunks of one plan; the program is compiled for the first of them.

    Groups of lanes are shared out over the devices by `shard_map`, under which the loops of different devices do not
    wait for each other; on each device one group follows the other. devices: those of this process by default, or those
    of all processes that run this program together.
    """

    def __init__(self, plan: Plan, devices: list[Any] | None = None):
        self.plan = plan
        self.states, self.lanes = plan.configuration.states, plan.configuration.lanes()
        self.devices = list(jax.local_devices() if devices is None else devices)
        if jax.process_count() == 1:  # otherwise every process has to take part
            self.devices = self.devices[: -(-math.prod(plan.tile) // plan.abreast)]
        mesh = jax.sharding.Mesh(np.array(self.devices), (LANES,), axis_types=(AxisType.Auto,))
        self.sharding = NamedSharding(mesh, PartitionSpec(LANES))
        one_group = self._traced_group()
        shared = jax.shard_map(
            lambda values: lax.map(one_group, values),
            mesh=mesh,
            in_specs=PartitionSpec(LANES),
            out_specs=PartitionSpec(LANES),
            check_vma=False,
        )
        self.program = jax.jit(shared)

    def _group(self, values: dict[str, Array]) -> dict[str, Array]:
        outputs = self.lanes(values)
        return {name: outputs[name] for name in (*self.plan.configuration.stored, "status")}

    def _traced_group(self) -> Callable[[dict[str, Array]], dict[str, Array]]:
        """`_group`, traced outside of `shard_map`: under its mesh lineax takes equal shapes for different ones."""
        names = self.states.block((slice(0, 1),) * len(self.plan.tile))
        lanes = jax.ShapeDtypeStruct((self.plan.abreast,), float)
        traced, shapes = jax.make_jaxpr(self._group, return_shape=True)(dict.fromkeys(names, lanes))
        names_out, flat = jax.tree.structure(shapes), jaxpr_as_fun(traced)
        return lambda values: jax.tree.unflatten(names_out, flat(*jax.tree.leaves(values)))

    def inputs(self, chunk: int) -> tuple[dict[str, Array], np.ndarray]:
        """The lanes of a chunk on the devices, and the way back to its states."""
        values = self.states.block(self.plan.region(chunk))
        cost = self.lanes.cost(values)
        lineup = line_up(self.plan, chunk, cost, values, len(self.devices))
        return {name: self._place(array) for name, array in lineup.values.items()}, lineup.back

    def _place(self, array: np.ndarray) -> Array:
        return jax.make_array_from_callback(
            array.shape, self.sharding, functools.partial(np.ndarray.__getitem__, array)
        )

    def gather(self, array: Array) -> np.ndarray:
        """An output of the program on the host of every process."""
        if array.is_fully_addressable:
            return np.asarray(array)
        from jax.experimental import multihost_utils

        return np.asarray(multihost_utils.process_allgather(array, tiled=True))

    def __call__(self, chunk: int) -> dict[str, np.ndarray]:
        """The outputs stored and the status of the states of a chunk, shaped like its region."""
        values, back = self.inputs(chunk)
        outputs = self.program(values)
        shape = tuple(part.stop - part.start for part in self.plan.region(chunk))
        found = {}
        for name, array in outputs.items():
            flat = self.gather(array).reshape(-1, *array.shape[2:])
            found[name] = flat[back].reshape(*shape, *flat.shape[1:])
        return found
