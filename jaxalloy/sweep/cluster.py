"""The chunks of a sweep as tasks of a Dask cluster; only the process that started the sweep writes.

A worker that dies costs its task: Dask gives the task to another one, and the process that writes sees each result
once. Started with `dask scheduler` and `dask worker tcp://host:8786 --nthreads 1`, or on this machine by "local:2".
"""

import functools
import glob
import importlib.metadata
import itertools
import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np

from jaxalloy.numerics.checks import InputError, NoResultError
from jaxalloy.sweep.configuration import from_text
from jaxalloy.sweep.plan import Plan

AHEAD = 4
"""Tasks per worker that are queued beyond the one that runs, so that no worker waits for its next."""


class Cluster:
    """A connection to a Dask cluster, to be used as a context.

    scheduler: "tcp://host:8786", or "local:N" for N workers on this machine. Raises `InputError` where Dask is missing
    or no scheduler answers.
    """

    def __init__(self, scheduler: str):
        try:
            from distributed import Client
        except ImportError as error:
            raise InputError("--scheduler needs Dask: pip install 'jaxalloy[cluster]'") from error
        with ExitStack() as stack:
            address: Any = scheduler
            if scheduler.startswith("local:"):
                address = stack.enter_context(local_cluster(scheduler.removeprefix("local:")))
            try:
                self.client = stack.enter_context(Client(address, set_as_default=False, timeout=15))
                self.client.wait_for_workers(1, timeout=60)
            except (OSError, ValueError) as error:
                raise InputError(f"--scheduler {scheduler}: no cluster with a worker there; see the README") from error
            self._open = stack.pop_all()

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *exception: Any) -> None:
        self._open.close()

    def backend(self) -> str:
        """What a worker computes on: "cpu" or "gpu"."""
        return self.client.submit(_backend, pure=False).result()

    def results(self, plan: Plan, wanted: list[int]) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
        """Results of the chunks `wanted`, as they come.

        Raises `NoResultError` where a task costs one worker after the other.
        """
        from distributed import KilledWorker, as_completed

        name, text = plan.configuration.digest()[:12], plan.configuration.text()

        def submit(chunk: int) -> Any:
            task = (text, plan.tile, plan.abreast, _version(), chunk)
            return self.client.submit(compute, *task, pure=False, key=f"{name}-{chunk}")

        # no more than this is queued at a time, as finished results wait in the memory of the workers
        room = (1 + AHEAD) * len(self.client.scheduler_info(n_workers=-1)["workers"])
        waiting = iter(wanted)
        tasks = as_completed([submit(chunk) for chunk in itertools.islice(waiting, room)], loop=self.client.loop)
        try:
            for future in tasks:
                result = future.result()
                future.release()
                for chunk in itertools.islice(waiting, 1):
                    tasks.add(submit(chunk))
                yield result
        except KilledWorker as error:
            raise NoResultError(
                f"{error}; the chunks written so far are safe: look at the worker's log, then use --resume"
            ) from error


def local_cluster(count: str) -> Any:
    """Workers on this machine, each a process with one thread, and with a GPU of its own where there are GPUs."""
    from distributed import Nanny, Scheduler, SpecCluster

    if not count.isdigit() or int(count) < 1:
        raise InputError(f"--scheduler local:{count}: give the number of workers, as in local:2")
    import jax

    gpus, cache = visible_gpus(), jax.config.values["jax_compilation_cache_dir"]
    workers = {}
    for index in range(int(count)):
        environment = {"CUDA_VISIBLE_DEVICES": gpus[index % len(gpus)]} if gpus else {}
        environment |= {"JAX_COMPILATION_CACHE_DIR": cache} if cache else {}
        options = {"nthreads": 1, "memory_limit": 0, "dashboard_address": None, "env": environment, "silence_logs": 50}
        workers[index] = {"cls": Nanny, "options": options | {"host": "127.0.0.1"}}
    local = {"host": "127.0.0.1", "port": 0, "dashboard_address": None}
    return SpecCluster(workers=workers, scheduler={"cls": Scheduler, "options": local}, silence_logs=50)


def visible_gpus() -> list[str]:
    """Names of the NVIDIA GPUs that may be used here, without starting JAX on them."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [name for name in chosen.split(",") if name.strip()]
    return [str(number) for number in range(len(glob.glob("/dev/nvidia[0-9]*")))]


def compute(text: str, tile: tuple[int, ...], abreast: int, version: str, chunk: int) -> tuple[int, dict]:
    """The task: one chunk of the sweep with this configuration. Runs in a worker."""
    if version != _version():
        raise InputError(f"this worker has jaxalloy {_version()}, the sweep {version}: install the same everywhere")
    return chunk, _evaluator(text, tile, abreast)(chunk)


@functools.lru_cache(maxsize=2)
def _evaluator(text: str, tile: tuple[int, ...], abreast: int) -> Any:
    """Kept by the worker, so that it compiles once; it uses the first device that it sees."""
    import jax

    from jaxalloy.sweep.evaluate import Evaluator

    return Evaluator(Plan(from_text(text), tuple(tile), abreast), jax.local_devices()[:1])


def _backend() -> str:
    import jax

    return jax.default_backend()


def _version() -> str:
    return importlib.metadata.version("jaxalloy")
