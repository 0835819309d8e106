"""Run a sweep from its configuration to its store, on the devices of this machine or on a cluster."""

import dataclasses
import pathlib
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import jax
import numpy as np

from jaxalloy.sweep.configuration import Configuration
from jaxalloy.sweep.evaluate import Evaluator
from jaxalloy.sweep.plan import Plan, make_plan
from jaxalloy.sweep.processes import share
from jaxalloy.sweep.store import Store
from jaxalloy.sweep.work import Progress, open_work

Results = tuple[int, dict[str, np.ndarray]]


@dataclasses.dataclass(frozen=True)
class Summary:
    """What came of a sweep: the store, its plan, states by status in words, and how this run went.

    computed: states computed by this run; damaged: chunks found damaged and computed again.
    """

    store: pathlib.Path
    plan: Plan
    statuses: dict[str, int]
    computed: int
    damaged: int
    seconds: float
    warnings: tuple[str, ...]


def run(
    configuration: Configuration,
    path: pathlib.Path | str,
    *,
    resume: bool = False,
    scheduler: str | None = None,
    memory: int | None = None,
    chunk: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Summary:
    """Compute every state of `configuration` into the Zarr store at `path`; what is there already is not repeated.

    resume: continue a store, which must be of this configuration. scheduler: a Dask cluster, "tcp://host:8786" or
    "local:2" for so many workers on this machine; otherwise the devices of this process. memory: bytes that a chunk may
    take. chunk: states of a chunk. progress: called after every chunk. A state without a result has a status in the
    store that says why. Raises `InputError` for a store that exists or is of another configuration, and
    `NoResultError` for a full disk.
    """
    with ExitStack() as stack:
        if scheduler is None:
            backend, devices = jax.default_backend(), jax.device_count()
        else:
            from jaxalloy.sweep.cluster import Cluster

            cluster = stack.enter_context(Cluster(scheduler))
            backend, devices = cluster.backend(), 1
        plan = make_plan(configuration, backend, devices, memory, chunk)
        work = share(lambda: open_work(pathlib.Path(path), plan, resume), configuration)
        if scheduler is None:
            found = _here(work.plan, work.wanted)
        else:
            found = cluster.results(work.plan, work.wanted) if work.wanted else iter(())
        state = work.progress
        collect(work.store, found, state, progress)
    words = configuration.quantity.all_statuses
    return Summary(
        store=pathlib.Path(path),
        plan=work.plan,
        statuses={words[code]: count for code, count in sorted(state.counts.items())},
        computed=state.done - state.before,
        damaged=work.damaged,
        seconds=time.perf_counter() - state.began,
        warnings=work.warnings,
    )


def _here(plan: Plan, wanted: list[int]) -> Iterator[Results]:
    if wanted:
        evaluate = Evaluator(plan, jax.devices())
        for chunk in wanted:
            yield chunk, evaluate(chunk)


def collect(
    store: Store | None, found: Iterable[Results], state: Progress, progress: Callable[[Progress], None] | None
) -> None:
    """Write results as they come, one chunk behind the computation."""

    def written(waiting: tuple[Future, np.ndarray]) -> None:
        future, status = waiting
        future.result()
        state.add(status)
        if progress is not None:
            progress(state)

    waiting: tuple[Future, np.ndarray] | None = None
    with ThreadPoolExecutor(1) as writer:
        for chunk, results in found:
            if waiting is not None:
                written(waiting)
            write = store.write if store is not None else _drop
            waiting = writer.submit(write, chunk, results), results["status"]
        if waiting is not None:
            written(waiting)


def _drop(chunk: int, results: dict[str, np.ndarray]) -> None:
    """Another process writes."""
