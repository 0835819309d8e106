"""How a sweep is cut up: rectangular chunks of states sized to memory, lanes sorted by cost, padded to one shape."""

import dataclasses
import math
import os

import numpy as np

from jaxalloy.numerics.checks import InputError
from jaxalloy.sweep.configuration import Configuration

MEMORY_SHARE = 0.25
"""Of the memory that is free: what one chunk may take."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """The chunks of a sweep. tile: states of a chunk along every dimension. abreast: states under one `vmap`."""

    configuration: Configuration
    tile: tuple[int, ...]
    abreast: int

    @property
    def shape(self) -> tuple[int, ...]:
        """States along every dimension."""
        return self.configuration.states.shape

    @property
    def grid(self) -> tuple[int, ...]:
        """Chunks along every dimension."""
        return tuple(-(-size // part) for size, part in zip(self.shape, self.tile, strict=True))

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return math.prod(self.grid)

    @property
    def count(self) -> int:
        """Number of states."""
        return math.prod(self.shape)

    def position(self, chunk: int) -> tuple[int, ...]:
        """Where a chunk lies in the grid of chunks."""
        return tuple(int(i) for i in np.unravel_index(chunk, self.grid))

    def region(self, chunk: int) -> tuple[slice, ...]:
        """The states of a chunk."""
        return tuple(
            slice(i * part, min((i + 1) * part, size))
            for i, part, size in zip(self.position(chunk), self.tile, self.shape, strict=True)
        )

    def groups(self, devices: int) -> int:
        """Groups of `abreast` lanes that every chunk is padded to, a whole number of them on each device."""
        return -(-math.prod(self.tile) // (self.abreast * devices)) * devices

    def dearest_first(self) -> np.ndarray:
        """All chunks by the predicted cost of the state in their middle, so that no dear one is left to the end."""
        states, lanes = self.configuration.states, self.configuration.lanes()
        middle = [
            states.block(tuple(slice((s.start + s.stop) // 2, (s.start + s.stop) // 2 + 1) for s in self.region(chunk)))
            for chunk in range(self.chunks)
        ]
        cost = lanes.cost({name: np.concatenate([values[name] for values in middle]) for name in middle[0]})
        return np.argsort(-cost, kind="stable")


@dataclasses.dataclass(frozen=True)
class Lineup:
    """The lanes of one chunk in the order in which they are computed: groups of similar cost, dealt out to devices.

    values: (groups, abreast) by parameter; the padding repeats the cheapest lane. back: for every state of the chunk,
    where its lane is in the flattened groups.
    """

    values: dict[str, np.ndarray]
    back: np.ndarray


def line_up(plan: Plan, chunk: int, cost: np.ndarray, values: dict[str, np.ndarray], devices: int) -> Lineup:
    """Sort the lanes of a chunk by cost. values: of its states, by parameter; cost: of each."""
    groups = plan.groups(devices)
    order = np.argsort(cost, kind="stable")
    filled = np.concatenate([np.broadcast_to(order[:1], -len(order) % plan.abreast), order]).reshape(-1, plan.abreast)
    # whole groups of padding: which lanes are neighbours does not depend on the devices, and so no bit of the result
    filled = np.concatenate([np.broadcast_to(filled[:1], (groups - len(filled), plan.abreast)), filled])
    # neighbours in cost go to different devices, so that all of them are done at about the same time
    lanes = filled[np.arange(groups).reshape(-1, devices).T.ravel()]
    back = np.empty(len(order), int)
    back[lanes.ravel()[::-1]] = np.arange(lanes.size)[::-1]
    return Lineup({name: array[lanes] for name, array in values.items()}, back)


def make_plan(
    configuration: Configuration,
    backend: str = "cpu",
    devices: int = 1,
    memory: int | None = None,
    chunk: int | None = None,
) -> Plan:
    """Cut a sweep into chunks.

    memory: bytes that a chunk may take, a share of what is free by default. chunk: states of a chunk, as many as fit
    and take some seconds by default. Raises `InputError` for a chunk of no states.
    """
    quantity, shape = configuration.quantity, configuration.states.shape
    if chunk is not None and chunk < 1:
        raise InputError(f"chunk = {chunk}: at least one state per chunk is needed")
    usual, most = quantity.abreast[backend != "cpu"], quantity.chunk[backend != "cpu"]
    if chunk is None:
        memory = int(MEMORY_SHARE * free_memory()) if memory is None else memory
        workspace = devices * usual * quantity.workspace if backend == "cpu" else 0  # a GPU has it in memory of its own
        fits = (memory - workspace) // (3 * bytes_per_state(configuration))
        chunk = int(np.clip(fits, 1, max(most, usual)))
    left, tile = chunk, []
    for size in reversed(shape):
        parts = -(-size // max(1, min(left, size)))
        tile.append(-(-size // parts))
        left //= tile[-1]
    tile = tile[::-1]
    return Plan(configuration, tuple(tile), min(usual, math.prod(tile)))


def bytes_per_state(configuration: Configuration) -> int:
    """What is stored of a state, before compression, with its status."""
    curves = configuration.lanes().curves
    total = 1
    for name in configuration.stored:
        output = configuration.quantity.outputs[name]
        points = len(curves[output.dimension][0]) if output.dimension else 1
        total += points * np.dtype(output.dtype).itemsize
    return total


def free_memory() -> int:
    """Bytes of memory that are free on this machine, or 4 GB where it does not say."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return 4 * 10**9
