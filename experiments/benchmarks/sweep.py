"""How the cost of a sweep grows: states/s, memory, devices, resuming, sorting, and against SciPy.

    python -m experiments.benchmarks.sweep            # everything, some minutes; results/sweep.json
    python -m experiments.benchmarks.sweep --gpu      # rates on the GPU; results/sweep_gpu.json

Every figure is of a process of its own. Rates are of computing and storing, compilation apart; memory is the largest
resident size of the process, from which that of a process with a sweep of 100 states is told apart.
"""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter

import numpy as np

SIZES = (100, 1_000, 10_000, 100_000)
PREDICT_SIZES = (100, 1_000, 10_000)
MEMORY_SIZES = (10_000, 1_000_000)
SUBSET = 12
"""States that the SciPy loop does, evenly out of the map."""


def description(quantity: str, states: int) -> dict:
    """A map of so many states: reference liquids, relaxations, or Li-Pb with empty cores."""
    rows = 10 ** (len(str(states - 1)) // 2)
    columns = states // rows
    if quantity == "structure-factor":
        return {
            "quantity": quantity,
            "store": ["S_CC_0", "S_CC_peak", "entropy_ordering", "free_energy_ordering"],
            "options": {"q": {"linear": [0.02, 1.7], "points": 85}},
            "fixed": {"concentration": 0.5, "eta": 0.4, "sigma": 4.93, "temperature": 1000.0},
            "axes": {
                "kappa": {"linear": [0.1, 3.0], "points": rows},
                "epsilon": {"linear": [-0.03, 0.005], "points": columns},
            },
        }
    if quantity == "relax":
        return {
            "quantity": quantity,
            "axes": {"x": {"log": [0.5, 30], "points": rows}, "dephasing": {"log": [0.2, 50], "points": columns}},
        }
    return {
        "quantity": quantity,
        "options": {"alloy": "LiPb", "potential": "empty-core", "q": {"linear": [0.02, 4.0], "points": 100}},
        "axes": {
            "concentration": {"linear": [0.02, 0.20], "points": rows},
            "temperature": {"linear": [800, 1400], "points": columns},
        },
    }


def one(quantity: str, states: int, unsorted: bool) -> dict:
    """Compile, then compute and store a map, then resume it: in this process."""
    import jax

    from jaxalloy.sweep import Configuration, Progress, make_plan, run
    from jaxalloy.sweep.configuration import QUANTITIES
    from jaxalloy.sweep.evaluate import Evaluator
    from jaxalloy.sweep.quantity import Lanes
    from jaxalloy.sweep.run import collect
    from jaxalloy.sweep.store import Store

    if unsorted:
        QUANTITIES[quantity].make.cost = Lanes.cost
    configuration = Configuration.of(description(quantity, states))
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "map.zarr"
        began = time.perf_counter()
        backend = jax.default_backend()
        cores = len(os.sched_getaffinity(0)) if backend == "cpu" else jax.device_count()
        plan = make_plan(configuration, backend, devices=cores, memory=10**9)
        evaluate = Evaluator(plan)
        evaluate(0)
        compiled = time.perf_counter()
        evaluate(0)
        computed = time.perf_counter() - compiled
        store = Store.create(path, plan)
        progress = Progress(plan.count, 0, 0, Counter())
        order = [int(chunk) for chunk in plan.dearest_first()]
        started = time.perf_counter()
        collect(store, ((chunk, evaluate(chunk)) for chunk in order), progress, None)
        seconds = time.perf_counter() - started
        size = store.bytes_on_disk()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        again = run(configuration, path, resume=True)
        resumed = time.perf_counter()
        run(configuration, path, resume=True)
        resumed = time.perf_counter() - resumed
    return {
        "states": plan.count,
        "chunks": plan.chunks,
        "devices": len(evaluate.devices),
        "computing_states_per_s": np.prod(plan.tile).item() / computed,
        "compile_s": compiled - began,
        "run_s": seconds,
        "states_per_s": plan.count / seconds,
        "converged": again.statuses.get("converged", 0),
        "peak_rss_bytes": peak,
        "store_bytes_per_state": size / plan.count,
        "resume_s": resumed,
    }


def apart(quantity: str, states: int, devices: int, unsorted: bool = False, pinned: bool = False) -> dict:
    """`one` in a process of its own with so many devices; pinned: and on no more cores than that."""
    command = [sys.executable, "-m", "experiments.benchmarks.sweep", "--quantity", quantity]
    command += ["--states", str(states), "--devices", str(devices)] + ["--unsorted"] * unsorted + ["--pinned"] * pinned
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = json.loads(out)
    print(f"{quantity} {found['states']} on {devices}: {found['states_per_s']:.4g} states/s", flush=True)
    return found


def on_gpu() -> None:
    """Rates on the GPU that there is, computing alone and with the store."""
    from experiments.benchmarks.harness import record

    sizes = {
        "structure-factor": (100_000, 1_000_000, 10_000_000),
        "predict": (10_000, 100_000),
        "relax": (100_000,),
    }
    found = {name: [apart(name, states, 1) for states in counts] for name, counts in sizes.items()}
    record("sweep_gpu", {name.replace("-", "_"): rows for name, rows in found.items()})


def scipy_loop(states: int) -> float:
    """Seconds per state of the same map by NumPy and SciPy, in a loop; see `numpy_bound`."""
    from experiments.benchmarks import numpy_bound
    from experiments.benchmarks.harness import SYMBOLS
    from jaxalloy.alloy import liquid_volume
    from jaxalloy.sweep import Configuration

    everything = Configuration.of(description("predict", states)).states
    block = everything.block(tuple(slice(None) for _ in everything.shape))
    chosen = np.linspace(0, states - 1, SUBSET).astype(int)
    points = [(block["concentration"][i], block["temperature"][i]) for i in chosen]
    volumes = [float(liquid_volume(SYMBOLS, c, t)[0]) for c, t in points]

    def loop():
        for (c, t), volume in zip(points, volumes, strict=True):
            numpy_bound.minimise(numpy_bound.interactions(SYMBOLS, c, volume), t, 20)

    loop()
    began = time.perf_counter()
    loop()
    return (time.perf_counter() - began) / SUBSET


def main() -> None:
    """All of it."""
    from experiments.benchmarks.harness import record

    cores = len(os.sched_getaffinity(0))
    liquids = [apart("structure-factor", states, cores) for states in SIZES]
    alloys = [apart("predict", states, cores) for states in PREDICT_SIZES]
    memory = {str(states): apart("structure-factor", states, 1) for states in MEMORY_SIZES}
    devices = {
        quantity: {
            "1": apart(quantity, states, 1),
            "1 on one core": apart(quantity, states, 1, pinned=True),
            "2": apart(quantity, states, 2),
        }
        for quantity, states in (("structure-factor", 100_000), ("predict", 4_000))
    }
    ordered = {name: apart("relax", 10_000, cores, name == "unsorted") for name in ("sorted", "unsorted")}
    scipy_s = scipy_loop(PREDICT_SIZES[-1])
    largest = alloys[-1]
    record(
        "sweep",
        {
            "structure_factor": liquids,
            "predict": alloys,
            "flatness_structure_factor": min(f["states_per_s"] for f in liquids)
            / max(f["states_per_s"] for f in liquids),
            "flatness_predict": min(f["states_per_s"] for f in alloys) / max(f["states_per_s"] for f in alloys),
            "memory": memory,
            "memory_ratio_1e6_1e4": memory["1000000"]["peak_rss_bytes"] / memory["10000"]["peak_rss_bytes"],
            "devices": devices,
            # one device alone on two cores uses some of the second within its operations
            "speedup_2_devices": {
                quantity: {one: found["2"]["states_per_s"] / found[one]["states_per_s"] for one in list(found)[:2]}
                for quantity, found in devices.items()
            },
            "relax_sorted": ordered["sorted"],
            "relax_unsorted": ordered["unsorted"],
            "sorting_gain": ordered["sorted"]["states_per_s"] / ordered["unsorted"]["states_per_s"],
            "resume_s": max(found["resume_s"] for found in [*liquids, *alloys]),
            "scipy_s_per_state": scipy_s,
            "ratio_scipy": scipy_s * largest["states_per_s"],
        },
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quantity", choices=("structure-factor", "predict", "relax"), help="measure one map only")
    parser.add_argument("--states", type=int, default=1000)
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--unsorted", action="store_true", help="leave the lanes in the order of the map")
    parser.add_argument("--pinned", action="store_true", help="on no more cores than devices")
    parser.add_argument("--gpu", action="store_true", help="rates on a GPU only")
    arguments = parser.parse_args()
    if arguments.pinned:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.devices])
    if arguments.gpu:
        on_gpu()
    elif arguments.quantity is None:
        main()
    else:
        import jax

        jax.config.update("jax_num_cpu_devices", arguments.devices)
        print(json.dumps(one(arguments.quantity, arguments.states, arguments.unsorted)))
