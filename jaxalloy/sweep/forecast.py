"""What a sweep will take, before it is run."""

import dataclasses
import time

import jax

from jaxalloy.sweep.evaluate import Evaluator
from jaxalloy.sweep.plan import Plan, bytes_per_state


@dataclasses.dataclass(frozen=True)
class Forecast:
    """devices: at work. memory, disk: bytes, of one chunk and of the store before compression. compile_seconds: once.

    seconds: of all chunks, by the one with the median predicted cost.
    """

    devices: int
    memory: int
    disk: int
    compile_seconds: float
    seconds: float


def forecast(plan: Plan) -> Forecast:
    """Compile the sweep's program (which the run then finds in the cache) and time one chunk of it."""
    evaluate = Evaluator(plan)
    chunk = int(plan.dearest_first()[plan.chunks // 2])
    began = time.perf_counter()
    values, _ = evaluate.inputs(chunk)
    program = evaluate.program.lower(values).compile()
    compiled = time.perf_counter() - began
    jax.block_until_ready(program(values))
    began = time.perf_counter()
    jax.block_until_ready(program(values))
    seconds = time.perf_counter() - began
    used = program.memory_analysis()
    names = ("temp_size_in_bytes", "argument_size_in_bytes", "output_size_in_bytes")
    # the analysis is of one device
    memory = len(evaluate.devices) * sum(getattr(used, name, 0) for name in names)
    disk = plan.count * bytes_per_state(plan.configuration)
    return Forecast(len(evaluate.devices), memory, disk, compiled, seconds * plan.chunks)
