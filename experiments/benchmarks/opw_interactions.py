"""How fast are all F_ij(q) of Li0.8Pb0.2? JAX against NumPy with the same quadrature, and maps over 256 alloys.

Twice: from composition and volume, with cores taken to the density of the gas, holes and levels; and second order
alone, ions, holes and levels given. Agreement of the two; where the library's time goes; two floors of the run time:
arithmetic (multiply-adds of the Chebyshev sums at the peak of a matrix product) and memory (the arrays of the angular
grid, read and written once, at the speed of a copy).
"""

import argparse
import os
import tempfile
import time
from statistics import median

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.compilation_cache import compilation_cache
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import jaxalloy  # noqa: F401  (double precision)
from experiments.benchmarks import numpy_opw
from experiments.benchmarks.harness import SYMBOLS, alternate, compiled, ratio, record, seconds
from jaxalloy.electrons.interactions import wavenumber_grid
from jaxalloy.electrons.opw import OptimisedOPW, core_levels, wavenumber_characteristics
from jaxalloy.electrons.opw_response import ions_in_gas, respond, screened_pairs
from jaxalloy.electrons.second_order import fermi_quadrature, repulsions
from jaxalloy.elements.cores import frozen_core

POTENTIAL = OptimisedOPW()
VALENCES = np.array([1.0, 4.0])
CONCENTRATIONS, VOLUME = np.array([0.8, 0.2]), np.asarray(149.6)
NODES = 384


def cores():
    return frozen_core(SYMBOLS[0]), frozen_core(SYMBOLS[1])


def characteristics(concentrations, volume):
    """F_AA, F_AB, F_BB, Ry."""
    fermi = jnp.cbrt(3 * jnp.pi**2 * (concentrations @ VALENCES) / volume)
    q, _ = wavenumber_grid(fermi, 20.0, NODES)
    return wavenumber_characteristics(POTENTIAL, concentrations, volume, VALENCES, *cores(), q).F


def prepared(concentrations, volume):
    """Ions with their holes, their levels, and the wavenumbers."""
    alloy = ions_in_gas(
        cores(), concentrations, volume, VALENCES, POTENTIAL.hole, POTENTIAL.hole_norm, POTENTIAL.correlation
    )
    return alloy, core_levels(POTENTIAL, alloy)[0], wavenumber_grid(alloy.fermi_wavenumber, 20.0, NODES)[0]


def second_order(alloy, levels, q):
    return screened_pairs(respond(alloy, levels, q, POTENTIAL.local_field, None), alloy.volume)


def repulsion(alloy, levels, quadrature):
    strengths = alloy.strengths(levels, quadrature.wavenumber)
    return repulsions(alloy.ions, quadrature.final_squared, quadrature.along, strengths)


def many_alloys(count):
    lithium = np.linspace(0.2, 0.9, count)
    return jnp.stack([jnp.asarray(lithium), jnp.asarray(1 - lithium)], axis=1), jnp.linspace(200.0, 150.0, count)


def maps(count, repeats):
    """Alloys per second, one after the other, in vmapped chunks, and one after the other on every core."""
    states = many_alloys(count)
    mesh = jax.make_mesh((jax.device_count(),), ("alloys",), axis_types=(AxisType.Auto,))
    lanes = PartitionSpec("alloys")

    def in_turn(states, batch_size=None):
        return jax.lax.map(lambda x: characteristics(*x), states, batch_size=batch_size)

    shared = jax.shard_map(in_turn, mesh=mesh, in_specs=lanes, out_specs=lanes, check_vma=False)
    spread = jax.device_put(states, NamedSharding(mesh, lanes))
    ways = {
        "lax.map": (in_turn, states),
        "vmap in chunks of 4": (lambda states: in_turn(states, 4), states),
        f"lax.map on each of {jax.device_count()} devices": (shared, spread),
    }
    runs, costs = {}, {}
    for name, (way, where) in ways.items():
        run, costs[name] = compiled(way, where)
        runs[name] = lambda run=run, where=where: run(where)
    times = alternate(runs, repeats)
    return {name: costs[name] | {"alloys_per_s": count / median(times[name])} for name in ways}


def cached_compile_time():
    """Seconds to trace and load the compiled code from the cache on disk, after it was written there once."""
    settings = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")
    before = [getattr(jax.config, name) for name in settings]
    with tempfile.TemporaryDirectory() as folder:
        for name, value in zip(settings, (folder, 0.0), strict=True):
            jax.config.update(name, value)
        compilation_cache.reset_cache()
        for _ in range(2):
            jax.clear_caches()
            began = time.perf_counter()
            jax.jit(characteristics).lower(CONCENTRATIONS, VOLUME).compile()
            taken = time.perf_counter() - began
        for name, value in zip(settings, before, strict=True):
            jax.config.update(name, value)
        compilation_cache.reset_cache()
    return taken


def floors(quadrature):
    """Arithmetic and memory floors in seconds, from the peak of a matrix product and of a copy on this machine."""
    a, big = np.ones((1500, 1500)), np.ones(8_000_000)
    flops = 2 * 1500**3 / min(seconds(lambda: a @ a) for _ in range(5))
    bytes_per_second = 2 * big.nbytes / min(seconds(big.copy) for _ in range(5))
    points = quadrature.kernel.size
    channels = sum(len(set(core.angular_momenta)) for core in cores())
    operations = points * channels * cores()[0].amplitudes.shape[1] * 3
    return {
        "gflops_peak_matmul": flops / 1e9,
        "floating_point_operations": operations,
        "arithmetic_floor_s": operations / flops,
        "memory_floor_s": 8 * points * 8 / bytes_per_second,  # 8 arrays of the angular grid
    }


def main(alloys: int = 256, repeats: int = 25) -> None:
    whole, cost = compiled(characteristics, CONCENTRATIONS, VOLUME)
    cached = cached_compile_time()
    state = jax.jit(prepared)(CONCENTRATIONS, VOLUME)
    quadrature = jax.jit(fermi_quadrature)(state[2], state[0].fermi_wavenumber)
    parts = {
        "ions, holes, levels": compiled(prepared, CONCENTRATIONS, VOLUME)[0],
        "nodes and kernel": compiled(fermi_quadrature, state[2], state[0].fermi_wavenumber)[0],
        "repulsions": compiled(repulsion, *state[:2], quadrature)[0],
    }
    second, _ = compiled(second_order, *state)

    by_hand = [numpy_opw.Core.of(core) for core in cores()], CONCENTRATIONS, float(VOLUME), VALENCES
    ions, q = numpy_opw.ions_in_gas(*by_hand), np.asarray(state[2])
    times = alternate(
        {
            "whole": lambda: whole(CONCENTRATIONS, VOLUME),
            "numpy whole": lambda: numpy_opw.characteristics(*by_hand, NODES)[0],
            "second order": lambda: second(*state),
            "numpy second order": lambda: numpy_opw.second_order(ions, q),
            "ions, holes, levels": lambda: parts["ions, holes, levels"](CONCENTRATIONS, VOLUME),
            "nodes and kernel": lambda: parts["nodes and kernel"](state[2], state[0].fermi_wavenumber),
            "repulsions": lambda: parts["repulsions"](*state[:2], quadrature),
        },
        repeats,
    )
    ours, theirs = np.asarray(whole(CONCENTRATIONS, VOLUME)), numpy_opw.characteristics(*by_hand, NODES)[0]
    floor = floors(quadrature)
    record(
        "opw_interactions",
        {
            "devices": jax.device_count(),
            "library": cost | {"from_cache_s": cached, "run_s": median(times["whole"]), "least_s": min(times["whole"])},
            "numpy_s": median(times["numpy whole"]),
            "ratio": ratio(times["numpy whole"], times["whole"]),
            "second_order_s": median(times["second order"]),
            "numpy_second_order_s": median(times["numpy second order"]),
            "ratio_second_order": ratio(times["numpy second order"], times["second order"]),
            "parts_s": {name: median(times[name]) for name in parts},
            "largest_relative_difference": float(np.max(np.abs(ours - theirs) * q**2) / np.max(np.abs(ours) * q**2)),
            "floors": floor,
            "times_the_arithmetic_floor": min(times["whole"]) / floor["arithmetic_floor_s"],
            "alloys": alloys,
            "maps": maps(alloys, 3),
        },
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alloys", type=int, default=256, help="in the maps, a multiple of the devices")
    parser.add_argument("--repeats", type=int, default=25)
    parser.add_argument(
        "--devices", type=int, default=len(os.sched_getaffinity(0)), help="parts of a CPU to share the map over"
    )
    arguments = parser.parse_args()
    jax.config.update("jax_num_cpu_devices", arguments.devices)
    main(arguments.alloys, arguments.repeats)
