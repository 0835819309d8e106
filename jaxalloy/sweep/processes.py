"""A sweep as one program of several processes, on one host or many: all compute, the first one writes."""

from collections import Counter
from collections.abc import Callable

import jax
import numpy as np

from jaxalloy.numerics.checks import InputError, NoResultError
from jaxalloy.sweep.configuration import Configuration
from jaxalloy.sweep.plan import Plan
from jaxalloy.sweep.work import Progress, Work


def join(coordinator: str, process: tuple[int, int] | None) -> None:
    """Join the other processes; call this before JAX computes anything.

    coordinator: "host:port" of the first process, or "auto" under Slurm, Open MPI or Kubernetes, where JAX finds out by
    itself. process: number of this one, from 0, and how many there are. Raises `InputError` where they do not meet.
    """
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    try:
        if coordinator == "auto":
            jax.distributed.initialize()
        else:
            number, count = process if process is not None else (None, None)
            jax.distributed.initialize(coordinator, count, number)
    except (ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"--coordinator {coordinator}: {reason}; give HOST:PORT and --process I/N") from error


def share(open_work: Callable[[], Work], configuration: Configuration) -> Work:
    """The work as the first process finds it, in all processes; only there has it a store.

    Raises in all processes what `open_work` raises in the first, and `InputError` where their configurations differ.
    """
    if jax.process_count() == 1:
        return open_work()
    from jax.experimental import multihost_utils

    digests = multihost_utils.process_allgather(np.frombuffer(bytes.fromhex(configuration.digest()), np.uint8))
    if np.any(digests != digests[:1]):
        raise InputError("the processes of this sweep read different configurations: give all of them the same file")
    work: Work | None = None
    failure: Exception | None = None
    if jax.process_index() == 0:
        try:
            work = open_work()
        except (InputError, NoResultError) as error:
            failure = error
    dimensions = len(configuration.states.shape)
    header = [0] * (3 + dimensions) if work is None else [1, work.plan.abreast, work.progress.before, *work.plan.tile]
    told = [int(number) for number in multihost_utils.broadcast_one_to_all(np.array(header))]
    if failure is not None:
        raise failure
    if not told[0]:
        raise NoResultError("the store: the first process of this sweep could not open it; see what it says")
    plan = Plan(configuration, tuple(told[3:]), told[1])
    wanted = np.full(plan.chunks, -1)
    if work is not None:
        wanted[: len(work.wanted)] = work.wanted
    wanted = np.asarray(multihost_utils.broadcast_one_to_all(wanted))
    if work is not None:
        return work
    left = [int(chunk) for chunk in wanted if chunk >= 0]
    return Work(None, plan, left, 0, Progress(plan.count, told[2], told[2], Counter()), ())
