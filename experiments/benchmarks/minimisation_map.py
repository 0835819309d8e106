"""(b) 4096 constrained minimisations of Li-Pb over composition and temperature in one vmapped call, against SciPy.

The library: interactions and minimum of every state, mapped by `jax.vmap` in chunks that stay in the processor's cache,
with the chunks shared out over the cores. SciPy: the same equations and quadrature in a loop over some of the states,
extrapolated to all of them; once the quick way, which takes for granted that there is one root between the ends of
the range, and once with the library's own scan of 20 packing fractions before the root is refined.
"""

import argparse
import os
from statistics import median

import jax
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import jaxalloy as ja
from experiments.benchmarks import numpy_bound
from experiments.benchmarks.harness import FORMULA, SYMBOLS, alternate, compiled, ratio, record

FRACTIONS, TEMPERATURES = (0.02, 0.20), (800.0, 1400.0)
"""Of lead, and in K: where the contact constraint has a solution with empty cores throughout."""

CHUNK = 16
SCAN = 20


def state(point):
    """eta, epsilon (Ry), kappa (1/bohr), status and volume (bohr^3) at (fraction of lead, temperature in K)."""
    alloy = ja.Alloy.parse(FORMULA, temperature=1000.0)
    alloy = alloy.at(concentration=point[0], temperature=point[1]).at_liquid_volume()
    found = ja.minimise(alloy, ja.interactions(alloy, ja.EmptyCore()), ja.ContactConstraint())
    return found.eta, found.epsilon, found.kappa, found.status_code, alloy.volume


def shared_map(points):
    """`state` of many points, in chunks, a part of them on each device; returns the function and the points there."""
    mesh = jax.make_mesh((jax.device_count(),), ("lanes",), axis_types=(AxisType.Auto,))
    lanes = PartitionSpec("lanes")
    mapped = jax.shard_map(
        lambda part: jax.lax.map(state, part, batch_size=CHUNK),
        mesh=mesh,
        in_specs=lanes,
        out_specs=lanes,
        check_vma=False,
    )
    return mapped, jax.device_put(points, NamedSharding(mesh, lanes))


def main(count: int = 4096, subset: int = 24, repeats: int = 3) -> None:
    side = round(count**0.5)
    grid = np.meshgrid(np.linspace(*FRACTIONS, side), np.linspace(*TEMPERATURES, side), indexing="ij")
    points = np.stack(grid, axis=-1).reshape(-1, 2)
    mapped, there = shared_map(points)
    run, cost = compiled(mapped, there)
    eta, epsilon, kappa, status, volumes = (np.asarray(values) for values in run(there))

    chosen = np.linspace(0, len(points) - 1, subset).astype(int)

    def loop(scan):
        return np.array(
            [
                numpy_bound.minimise(numpy_bound.interactions(SYMBOLS, points[i, 0], volumes[i]), points[i, 1], scan)
                for i in chosen
            ]
        )

    loop(0)
    contenders = {"library": lambda: run(there), "scipy": lambda: loop(0), "scipy_scan": lambda: loop(SCAN)}
    times = alternate(contenders, repeats)
    ours = np.stack([eta, epsilon, kappa], axis=-1)[chosen]
    scale = len(points) / subset
    record(
        "minimisation_map",
        {
            "states": len(points),
            "fractions_of_lead": FRACTIONS,
            "temperatures_K": TEMPERATURES,
            "devices": jax.device_count(),
            "converged": int(np.sum(status == 0)),
            "library": cost | {"run_s": median(times["library"])},
            "library_s_each": median(times["library"]) / len(points),
            "scipy_states": subset,
            "scipy_s_each": median(times["scipy"]) / subset,
            "scipy_scan_s_each": median(times["scipy_scan"]) / subset,
            "scipy_s_extrapolated": median(times["scipy"]) * scale,
            "ratio": ratio(times["scipy"], times["library"]) * scale,
            "ratio_scan": ratio(times["scipy_scan"], times["library"]) * scale,
            "largest_relative_difference": dict(
                zip(("eta", "epsilon", "kappa"), np.max(np.abs(loop(0) / ours - 1), axis=0).tolist(), strict=True)
            ),
        },
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=4096, help="states, a square number")
    parser.add_argument("--subset", type=int, default=24, help="states that SciPy does")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--devices", type=int, default=len(os.sched_getaffinity(0)), help="parts of a CPU to share over"
    )
    arguments = parser.parse_args()
    jax.config.update("jax_num_cpu_devices", arguments.devices)
    main(arguments.count, arguments.subset, arguments.repeats)
