"""Where a cluster saturates: 10^5 empty chunks through Dask here, and what 10^9 states on 64 GPUs would take.

    python -m experiments.benchmarks.sweep_scheduler [--chunks 100000] [--workers 2]

The same submission as in `jaxalloy.sweep.cluster` (a bounded queue, results as they come, the process that started the
sweep writes), with tasks that return at once. Writes results/sweep_scheduler.json. The table takes bytes per
state from results/sweep.json; the states/s of a GPU are an assumption until they are measured.
"""

import argparse
import itertools
import json
import pathlib
import tempfile
import time

import numpy as np

from experiments.benchmarks.harness import RESULTS, record

STATES, GPUS = 10**9, 64
RATES = (1e3, 1e4, 1e5, 1e6)
"""States per second and GPU: from `predict` of first principles to structure factors alone."""
CHUNK_SIZES = (1_000, 10_000, 65_536)


def nothing(chunk: int) -> tuple[int, None]:
    """The empty chunk."""
    return chunk, None


def through_the_scheduler(chunks: int, workers: int) -> dict:
    """Tasks per second of empty chunks, and the largest resident size of this process and its scheduler."""
    import resource

    from distributed import Client, as_completed

    from jaxalloy.sweep.cluster import AHEAD, local_cluster

    with local_cluster(str(workers)) as cluster, Client(cluster, set_as_default=False) as client:
        client.wait_for_workers(workers)
        waiting = iter(range(chunks))

        def submit(chunk):
            return client.submit(nothing, chunk, pure=False, key=f"empty-{chunk}")

        began = time.perf_counter()
        first = [submit(chunk) for chunk in itertools.islice(waiting, (1 + AHEAD) * workers)]
        tasks, marks = as_completed(first, loop=client.loop), []
        for seen, future in enumerate(tasks, 1):
            future.result()
            future.release()
            for chunk in itertools.islice(waiting, 1):
                tasks.add(submit(chunk))
            if seen % max(1, chunks // 10) == 0:
                marks.append(seen / (time.perf_counter() - began))
        seconds = time.perf_counter() - began
    return {
        "chunks": chunks,
        "workers": workers,
        "seconds": seconds,
        "tasks_per_s": chunks / seconds,
        "tasks_per_s_along_the_way": marks,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def writing(chunks: int = 200) -> dict:
    """Seconds to write and record one chunk of 65 536 states with four numbers each, at most, and one of 1000."""
    from jaxalloy.sweep import Configuration, make_plan
    from jaxalloy.sweep.store import Store

    found = {}
    for size in (1_000, 65_536):
        axes = {"kappa": {"linear": [0.1, 3.0], "points": chunks}, "epsilon": {"linear": [-0.03, 0.0], "points": size}}
        fixed = {"concentration": 0.5, "eta": 0.4, "sigma": 4.93, "temperature": 1000.0}
        store = ["S_CC_0", "S_CC_peak", "entropy_ordering", "free_energy_ordering"]
        given = {"quantity": "structure-factor", "store": store, "fixed": fixed, "axes": axes}
        plan = make_plan(Configuration.of(given), chunk=size)
        noise = np.random.default_rng(0).normal(size=(1, size))  # numbers that do not compress
        results = dict.fromkeys(store, noise) | {"status": np.zeros((1, size), np.int8)}
        with tempfile.TemporaryDirectory() as folder:
            target = Store.create(pathlib.Path(folder) / "map.zarr", plan)
            began = time.perf_counter()
            count = min(plan.chunks, chunks if size == 1_000 else 20)
            for chunk in range(count):
                target.write(chunk, results)
            found[str(size)] = (time.perf_counter() - began) / count
    return found


def estimate(tasks_per_s: float, write_s: dict, bytes_per_state: float) -> list[dict]:
    """Wall time T = max(N/(G r), N/(n s), (N/n) w(n)), for N states, G GPUs of r states/s, n per chunk, s tasks/s."""
    slope = (write_s["65536"] - write_s["1000"]) / (65_536 - 1_000)
    rows = []
    for rate, size in itertools.product(RATES, CHUNK_SIZES):
        tasks = STATES / size
        write = write_s["1000"] + slope * (size - 1_000)
        parts = {
            "computing_s": STATES / (GPUS * rate),
            "scheduling_s": tasks / tasks_per_s,
            "writing_s": tasks * write,
        }
        limit = max(parts, key=lambda name: parts[name])
        rows.append(
            {"states_per_s_gpu": rate, "states_per_chunk": size, "tasks": round(tasks)}
            | parts
            | {
                "wall_h": parts[limit] / 3600,
                "limit": limit.removesuffix("_s"),
                "store_GB": STATES * bytes_per_state / 1e9,
                "saturates_at_gpus": size / rate / max(1 / tasks_per_s, write),
            }
        )
    return rows


def main(chunks: int, workers: int) -> None:
    measured = RESULTS / "sweep.json"
    per_state = 33.0  # four float64 and a status, before compression
    if measured.exists():
        per_state = json.loads(measured.read_text())["structure_factor"][-1]["store_bytes_per_state"]
    scheduler, write_s = through_the_scheduler(chunks, workers), writing()
    rows = estimate(scheduler["tasks_per_s"], write_s, per_state)
    print("states/s/GPU | states/chunk |   tasks | computing h | scheduling h | writing h | wall h | saturates at GPUs")
    for row in rows:
        computing, scheduling, writing_h = (row[name] / 3600 for name in ("computing_s", "scheduling_s", "writing_s"))
        print(
            f"{row['states_per_s_gpu']:12.0e} | {row['states_per_chunk']:12d} | {row['tasks']:7d} | {computing:11.3f} "
            f"| {scheduling:12.3f} | {writing_h:9.3f} | {row['wall_h']:6.2f} | {row['saturates_at_gpus']:.0f}"
        )
    record(
        "sweep_scheduler",
        {"scheduler": scheduler, "write_s": write_s, "store_bytes_per_state": per_state, "estimate": rows},
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    main(arguments.chunks, arguments.workers)
