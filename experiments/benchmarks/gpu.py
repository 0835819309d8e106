"""Rates on a GPU, against the CPU cores beside it in the same run: relaxation, liquids, alloys, interactions, fits.

    python -m experiments.benchmarks.gpu                # both, each in a process of its own; results/gpu.json

Every case is compiled apart, checked against the CPU's numbers for the same states, and timed as the median of runs on
results that are there. How near the hardware's limit the closed forms of the liquid come is counted: the operations and
the bytes are those that XLA's own cost analysis finds in the compiled program, the limits are a product of large
matrices and a copy of a large array, both in double precision, measured in the same process.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxalloy as ja
from experiments.benchmarks import fitting
from experiments.benchmarks.harness import compiled, machine, record, seconds
from experiments.benchmarks.minimisation_map import FRACTIONS, TEMPERATURES, state
from experiments.benchmarks.relaxation import SEED, TIMES, Lanes
from jaxalloy.fitting import batch
from jaxalloy.kinetics import FreeRelaxation, Taylor, relax_many
from jaxalloy.sweep import Configuration

CHECKED = 64
"""States at the beginning of each case whose numbers the two devices must share."""
COUNTS = {
    "relaxation_1": (1_000_000, 100_000),
    "relaxation_32": (100_000, 10_000),
    "liquids": (2_097_152, 131_072),
    "alloys": (16_384, 2_048),
    "interactions": (512, 64),
    "fits": (16_384, 4_096),
}
"""States that the GPU and the CPU do."""


def relaxation(states: int, count: int) -> dict[str, Any]:
    """Trajectories of EM Eq. 9, those of `experiments.benchmarks.relaxation`, to 1e-8 of max|b|."""
    lanes = Lanes(states, COUNTS[f"relaxation_{states}"][0]).first(count)

    def one(inversion, dephasing, detuning):
        if states == 1:
            return FreeRelaxation(1.0, inversion[0], SEED, dephasing, 1.0)
        return FreeRelaxation(1.0, inversion, SEED / states, dephasing, 1.0, detuning)

    systems = jax.vmap(one)(*(jnp.asarray(a) for a in (lanes.inversion, lanes.dephasing, lanes.detuning)))

    def run():
        found = relax_many(systems, TIMES, Taylor(rtol=1e-9))
        return found.field, found.steps

    first = seconds(run)
    times = [seconds(run) for _ in range(3)]
    field, steps = run()
    return {
        "count": count,
        "first_call_s": first,
        "run_s": median(times),
        "steps_mean": float(jnp.mean(steps)),
        "steps_largest": int(jnp.max(steps)),
        "check": np.abs(np.asarray(field[:CHECKED])),
        "tolerance": 1e-8 * float(jnp.max(jnp.abs(field[:CHECKED]))),
    }


def uniform(count: int, *ranges: tuple[float, float]) -> list[jax.Array]:
    """Random numbers within each of the ranges; the first ones are the same whatever their count."""
    found = np.random.default_rng(0).uniform(*np.transpose(ranges), size=(count, len(ranges)))
    return [jnp.asarray(column) for column in found.T]


def timed(
    one: Callable, points: jax.Array, abreast: int, check: Callable[[Any], Any], tolerance: float
) -> dict[str, Any]:
    """Rate of `one` over many points; check: the numbers to compare; tolerance: of them."""
    run, cost = compiled(lambda many: jax.lax.map(one, many, batch_size=abreast), points)
    times = [seconds(lambda: run(points)) for _ in range(3)]
    return cost | {
        "count": len(points),
        "abreast": abreast,
        "run_s": median(times),
        "check": np.asarray(check(run(points)))[:CHECKED],
        "tolerance": tolerance,
    }


def liquids(count: int) -> dict[str, Any]:
    """Reference liquids with S_NN, S_CC at 85 wavenumbers, their peaks, and the thermodynamics of order."""
    fixed = {"concentration": 0.5, "eta": 0.4, "sigma": 4.93, "temperature": 1000.0}
    lanes = Configuration.of(
        {
            "quantity": "structure-factor",
            "options": {"q": {"linear": [0.02, 1.7], "points": 85}},
            "fixed": fixed,
            "axes": {"kappa": {"list": [1.0, 2.0]}, "epsilon": {"list": [-0.03, -0.02]}},
        }
    ).lanes()
    kappa, epsilon = uniform(count, (0.1, 3.0), (-0.03, 0.005))
    points = {name: jnp.full(count, value) for name, value in fixed.items()} | {"kappa": kappa, "epsilon": epsilon}
    wanted = ("S_CC_0", "S_CC_peak", "q_CC_peak", "S_NN_peak", "entropy_ordering", "status")
    run, cost = compiled(lambda values: {name: lanes(values)[name] for name in wanted}, points)
    times = [seconds(lambda: run(points)) for _ in range(5)]
    analysis = run.cost_analysis() or {}
    return cost | {
        "count": count,
        "run_s": median(times),
        "check": np.asarray(run(points)["entropy_ordering"])[:CHECKED],
        "tolerance": 1e-10,
        "operations": analysis.get("flops"),
        "transcendentals": analysis.get("transcendentals"),
        "bytes": analysis.get("bytes accessed"),
    }


def alloys(count: int, abreast: int) -> dict[str, Any]:
    """Li-Pb with empty cores: interactions and constrained minimum, as in `minimisation_map`."""
    points = jnp.stack(uniform(count, FRACTIONS, TEMPERATURES), axis=-1)
    return timed(state, points, abreast, lambda found: found[0], 1e-7)


def interactions(count: int, abreast: int) -> dict[str, Any]:
    """F_ij(q) of Li-Pb from optimised OPW, over composition and volume."""
    alloy, potential = ja.Alloy.parse("Li0.8Pb0.2", temperature=1000.0), ja.OptimisedOPW()

    def one(point):
        there = alloy.at(concentration=point[0], volume=point[1])
        return ja.interactions(there, potential).characteristics

    points = jnp.stack(uniform(count, (0.1, 0.7), (150.0, 190.0)), axis=-1)
    return timed(one, points, abreast, lambda found: found[:, :, 100], 1e-8)


def fits(count: int) -> dict[str, Any]:
    """Five parameters from 400 points each, the data of `experiments.benchmarks.fitting`."""
    alloy, nn, cc, data, _ = fitting.problem(count)
    q, error = jnp.asarray(fitting.Q), jnp.full(fitting.Q.size, fitting.NOISE)

    def run():
        return batch.fit_batch(q, data, error, nn, cc, alloy)

    first = seconds(run)
    times = [seconds(run) for _ in range(3)]
    found = run()
    return {
        "count": count,
        "first_call_s": first,
        "run_s": median(times),
        "converged": int(jnp.sum(found.converged)),
        "check": np.asarray(found.eta)[:CHECKED],
        "tolerance": 1e-6,
    }


def limits() -> dict[str, float]:
    """Double-precision operations per second of a matrix product, and bytes per second of a copy."""
    side, length = (8192, 2**28) if jax.default_backend() == "gpu" else (2048, 2**25)
    a, x = jax.random.normal(jax.random.key(0), (side, side)), jnp.arange(1.0 * length)
    product, _ = compiled(lambda a: a @ a, a)
    copy, _ = compiled(lambda x: x + 1.0, x)
    return {
        "operations_per_s": 2 * side**3 / min(seconds(lambda: product(a)) for _ in range(5)),
        "bytes_per_s": 16 * length / min(seconds(lambda: copy(x)) for _ in range(5)),
    }


CASES: dict[str, Callable[[int, bool], dict[str, Any]]] = {
    "relaxation_1": lambda count, gpu: relaxation(1, count),
    "relaxation_32": lambda count, gpu: relaxation(32, count),
    "liquids": lambda count, gpu: liquids(count),
    "alloys": lambda count, gpu: alloys(count, 4096 if gpu else 16),
    "interactions": lambda count, gpu: interactions(count, 128 if gpu else 4),
    "fits": lambda count, gpu: fits(count),
}


def here(cases: list[str], output: pathlib.Path) -> None:
    """All cases on this process's device; a case that fails says so, and the others go on."""
    gpu = jax.default_backend() == "gpu"
    found: dict[str, Any] = {"machine": machine(), "limits": limits()}
    checks = {}
    for name in cases:
        began = time.perf_counter()
        try:
            row = CASES[name](COUNTS[name][0 if gpu else 1], gpu)
        except Exception as error:
            row = {"failed": f"{type(error).__name__}: {error}"[:500]}
        else:
            row["states_per_s"] = row["count"] / row["run_s"]
            checks[name] = row.pop("check")
        found[name] = row
        print(f"{jax.default_backend()} {name} ({time.perf_counter() - began:.0f} s): {row}", flush=True)
        output.write_text(json.dumps(found))
        np.savez(output.with_suffix(".npz"), **checks)


def apart(platform: str, cases: list[str], folder: pathlib.Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """`here` in a process that sees one kind of device."""
    output = folder / f"{platform}.json"
    command = [sys.executable, "-m", "experiments.benchmarks.gpu", "--here", str(output), *cases]
    environment = os.environ | {"JAX_PLATFORMS": "cpu" if platform == "cpu" else "cuda"}
    subprocess.run(command, check=True, env=environment)
    return json.loads(output.read_text()), dict(np.load(output.with_suffix(".npz")))


def main(cases: list[str]) -> None:
    """Both devices, side by side."""
    with tempfile.TemporaryDirectory() as folder:
        gpu, on_gpu = apart("gpu", cases, pathlib.Path(folder))
        cpu, on_cpu = apart("cpu", cases, pathlib.Path(folder))
    summary = {}
    for name in cases:
        if name not in on_gpu or name not in on_cpu:
            continue
        number = len(on_cpu[name])
        difference = float(np.nanmax(np.abs(on_gpu[name][:number] - on_cpu[name])))
        tolerance = gpu[name]["tolerance"]
        row = {"ratio": gpu[name]["states_per_s"] / cpu[name]["states_per_s"], "largest_difference": difference}
        row["agree"] = difference <= tolerance
        if gpu[name].get("operations"):
            row["share_of_arithmetic_limit"] = (
                gpu[name]["operations"] / gpu[name]["run_s"] / gpu["limits"]["operations_per_s"]
            )
            row["share_of_bandwidth_limit"] = gpu[name]["bytes"] / gpu[name]["run_s"] / gpu["limits"]["bytes_per_s"]
        summary[name] = row
    record("gpu", {"summary": summary, "gpu": gpu, "cpu": cpu})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=list(CASES), help=f"of {', '.join(CASES)}")
    parser.add_argument("--here", type=pathlib.Path, help="measure in this process, into this file")
    arguments = parser.parse_args()
    if arguments.here:
        here(arguments.cases, arguments.here)
    else:
        main(arguments.cases)
