"""How fast are all F_ij(q) of Li0.8Pb0.2? JAX against NumPy with the same quadrature, and maps over 256 alloys.

Run: `python -m experiments.benchmarks.opw_interactions [--out FILE]`. Prints and writes JSON: machine, versions,
compile and run times apart (minimum and median of repeats), agreement of the two, and two floors of the run time:
arithmetic (multiply-adds of the Chebyshev sums at the measured peak) and memory (arrays read and written once).
"""

import argparse
import json
import os
import pathlib
import platform
import tempfile
import time

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.compilation_cache import compilation_cache

import jaxalloy  # noqa: F401  (double precision)
from jaxalloy.electrons.interactions import wavenumber_grid
from jaxalloy.electrons.opw import OptimisedOPW, core_levels, wavenumber_characteristics
from jaxalloy.electrons.opw_response import ions_in_gas
from jaxalloy.elements.cores import chebyshev_variable, frozen_core

POTENTIAL = OptimisedOPW()
CORES = frozen_core("Li"), frozen_core("Pb")
VALENCES = jnp.array([1.0, 4.0])
CONCENTRATIONS, VOLUME = jnp.array([0.8, 0.2]), jnp.asarray(149.6)
NODES = 384
K_NODES, MU_NODES = 10, 12


def characteristics(concentrations, volume):
    fermi = jnp.cbrt(3 * jnp.pi**2 * (concentrations @ VALENCES) / volume)
    q, _ = wavenumber_grid(fermi, 20.0, NODES)
    return wavenumber_characteristics(POTENTIAL, concentrations, volume, VALENCES, *CORES, q).F


def seconds(function, repeats):
    """Minimum and median time of a call."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        jax.block_until_ready(function())
        times.append(time.perf_counter() - started)
    return {"min": min(times), "median": float(np.median(times))}


class Peer:
    """X[s_i], X[s_i s_j] and F_ij by NumPy: same nodes, same series, whole arrays at once (BLAS where it can)."""

    def __init__(self):
        choices = (POTENTIAL.hole, POTENTIAL.hole_norm, POTENTIAL.correlation)
        alloy = jax.jit(lambda c, v: ions_in_gas(CORES, c, v, VALENCES, *choices))(CONCENTRATIONS, VOLUME)
        self.levels = [np.asarray(level) for level in jax.jit(lambda a: core_levels(POTENTIAL, a)[0])(alloy)]
        self.fermi = float(alloy.fermi_wavenumber)
        self.q = np.asarray(wavenumber_grid(alloy.fermi_wavenumber, 20.0, NODES)[0])
        self.series = [np.asarray(ion.state.amplitude_series) for ion in alloy.ions]
        self.momenta = [np.array(core.angular_momenta) for core in CORES]
        self.exchange = [np.asarray(ion.exchange) for ion in alloy.ions]
        self.density = [np.asarray(ion.state.density) for ion in alloy.ions]
        self.holes = np.asarray(alloy.hole_densities)
        self.mean_potential = float(alloy.mean_potential)
        self.radius, self.weight = np.asarray(CORES[0].radius), np.asarray(CORES[0].weight)
        field, q = POTENTIAL.local_field, jnp.asarray(self.q)
        self.coulomb = np.asarray(8 * jnp.pi / q**2 * (1 - field(q, alloy.fermi_wavenumber)))

    def quadrature(self):
        """Nodes k, |k+q|^2, k.(k+q)/k, the kernel and chi_0."""
        q, kf = self.q, self.fermi
        x, w = np.polynomial.legendre.leggauss(K_NODES)
        s, ds = ((1 + x) / 2)[:, None], (w / 2)[:, None]
        mu, dmu = (y[None, :, None] for y in np.polynomial.legendre.leggauss(MU_NODES))
        middle, outside = np.minimum(q / 2, kf), np.maximum(kf - q / 2, 0)
        k = np.concatenate([middle * (1 - s**3), middle + outside * s**3])
        dk = np.concatenate([middle * 3 * s**2 * ds, outside * 3 * s**2 * ds])
        slope, k3 = 2 * k[:, None] * q, k[:, None]
        pole = np.maximum(-q / (2 * k3), -1)
        regular = dmu / (q**2 + slope * mu)
        distance = np.abs(q - 2 * k)  # 0 at q = 2 k_F, where the nodes above k1 have no weight
        logarithm = np.log(
            (q + 2 * k) / np.where(distance == 0, np.inf, distance), where=distance > 0, out=np.zeros_like(k)
        )
        logarithm = logarithm[:, None] / slope
        kernel = np.concatenate([regular, logarithm - regular.sum(1, keepdims=True)], axis=1)
        mus = np.concatenate([np.broadcast_to(mu, regular.shape), pole], axis=1)
        weight = -(k**2) * dk / np.pi**2
        y = q / (2 * kf)
        chi = -kf / (2 * np.pi**2) * (0.5 + (1 - y**2) / (4 * y) * np.log(np.abs((1 + y) / (1 - y))))
        weight = weight * chi / np.sum(weight * logarithm[:, 0], axis=0)
        return k, k3**2 + q**2 + slope * mus, k3 + q * mus, weight[:, None] * kernel, chi

    def characteristics(self):
        """F_AA, F_AB, F_BB at the wavenumbers, Ry."""
        k, squared, along, kernel, chi = self.quadrature()
        q, volume = self.q, float(VOLUME)
        shares = 4 * np.pi * np.asarray(CONCENTRATIONS) / volume
        at_k = polynomials(np.asarray(chebyshev_variable(k**2)), self.series[0].shape[0])
        amplitudes = [
            np.tensordot(series.T, at_k, 1) * k[None] ** l[:, None, None]
            for series, l in zip(self.series, self.momenta, strict=True)
        ]
        top, lost = self.mean_potential, 0.0
        for share, b, level, l in zip(shares, amplitudes, self.levels, self.momenta, strict=True):
            norm = share * (2 * l + 1)[:, None, None] * b**2
            lost, top = lost + norm.sum(0), top + (norm * (k**2 - level[:, None, None])).sum(0)
        energy = k**2 + top / (1 - lost)
        final = polynomials(np.asarray(chebyshev_variable(squared)), self.series[0].shape[0])
        solids = [np.ones_like(along), along, 1.5 * along**2 - 0.5 * squared]
        solids.append(along * (2.5 * along**2 - 1.5 * squared))
        repulsions = []
        for series, b, level, l in zip(self.series, amplitudes, self.levels, self.momenta, strict=True):
            radial = np.tensordot(series.T, final, 1)  # one matrix product: B_nl(|k+q|)/|k+q|^l for every orbital
            strength = 4 * np.pi * (2 * l + 1)[:, None, None] * (energy - level[:, None, None]) * b
            repulsions.append(
                sum(solids[m] * np.einsum("akq,akmq->kmq", strength[l == m], radial[l == m]) for m in set(l))
            )
        first = [np.sum(kernel * s, axis=(0, 1)) for s in repulsions]
        x = q[:, None] * self.radius
        sinc = np.sinc(x / np.pi)
        shell = 4 * np.pi * self.radius**2 * self.weight
        local = [
            (sinc * shell) @ exchange
            - 8 * np.pi / q**2 * ((1 - sinc) @ (shell * density))
            - 8 * np.pi / q**2 * (valence - (sinc * self.weight) @ hole)
            for exchange, density, valence, hole in zip(
                self.exchange, self.density, np.asarray(VALENCES), self.holes, strict=True
            )
        ]
        dielectric, pairs = 1 - self.coulomb * chi, []
        for i, j in ((0, 0), (0, 1), (1, 1)):
            screened = local[i] * local[j] * chi + local[i] * first[j] + local[j] * first[i]
            product = np.sum(kernel * repulsions[i] * repulsions[j], axis=(0, 1))
            pairs.append((screened + self.coulomb * first[i] * first[j]) / dielectric + product)
        return np.array(pairs) / (2 * volume)


def polynomials(y, count):
    terms = np.empty((count, *y.shape))
    terms[0], terms[1] = 1.0, y
    for m in range(2, count):
        np.multiply(2 * y, terms[m - 1], out=terms[m])
        terms[m] -= terms[m - 2]
    return terms


def many_alloys(count):
    lithium = np.linspace(0.2, 0.9, count)
    return jnp.stack([jnp.asarray(lithium), jnp.asarray(1 - lithium)], axis=1), jnp.linspace(200.0, 150.0, count)


def measure_maps(count):
    """Alloys per second of vmap in chunks of 8, and of one alloy after the other, compiled once each."""
    concentrations, volumes = many_alloys(count)
    states = (concentrations, volumes)
    ways = {
        "lax.map": jax.jit(lambda s: jax.lax.map(lambda x: characteristics(*x), s)),
        "lax.map, chunks of 8 under vmap": jax.jit(
            lambda s: jax.lax.map(lambda x: characteristics(*x), s, batch_size=8)
        ),
    }
    result = {}
    for name, way in ways.items():
        started = time.perf_counter()
        jax.block_until_ready(way(states))
        first = time.perf_counter() - started
        run = seconds(lambda way=way: way(states), 2)["min"]
        result[name] = {"alloys_per_second": count / run, "compile_s": first - run}
    return result


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
            started = time.perf_counter()
            jax.jit(characteristics).lower(CONCENTRATIONS, VOLUME).compile()
            seconds_taken = time.perf_counter() - started
        for name, value in zip(settings, before, strict=True):
            jax.config.update(name, value)
        compilation_cache.reset_cache()
    return seconds_taken


def floors():
    """Arithmetic and memory floors in seconds, from the peak of a matrix product and of a copy on this machine."""
    a, big = np.ones((1500, 1500)), np.ones(8_000_000)
    flops = 2 * 1500**3 / seconds(lambda: a @ a, 5)["min"]
    bytes_per_second = 2 * big.nbytes / seconds(big.copy, 5)["min"]
    points = 2 * K_NODES * (MU_NODES + 1) * NODES
    momenta = sum(len(set(core.angular_momenta)) for core in CORES)
    terms = CORES[0].amplitudes.shape[1]
    orbitals = sum(len(core.angular_momenta) for core in CORES)
    operations = points * momenta * terms * 3 + 2 * K_NODES * NODES * orbitals * terms * (3 + 2)
    return {
        "gflops_peak_matmul": flops / 1e9,
        "floating_point_operations": operations,
        "arithmetic_floor_s": operations / flops,
        "memory_floor_s": 8 * points * 12 / bytes_per_second,  # 12 arrays of the full angular grid
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("experiments/out/opw_interactions.json"))
    parser.add_argument("--alloys", type=int, default=256)
    arguments = parser.parse_args()
    single = jax.jit(characteristics)
    started = time.perf_counter()
    compiled = single.lower(CONCENTRATIONS, VOLUME).compile()
    compile_time = time.perf_counter() - started
    cached = cached_compile_time()
    ours = np.asarray(compiled(CONCENTRATIONS, VOLUME))
    peer = Peer()
    theirs = peer.characteristics()
    difference = float(np.max(np.abs(ours - theirs) * peer.q**2) / np.max(np.abs(ours) * peer.q**2))
    jax_time, numpy_time = seconds(lambda: compiled(CONCENTRATIONS, VOLUME), 40), seconds(peer.characteristics, 5)
    report = {
        "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "versions": {"python": platform.python_version(), "jax": jax.__version__, "numpy": np.__version__},
        "backend": jax.default_backend(),
        "load_average": os.getloadavg()[0],
        "compile_s": compile_time,
        "compile_from_cache_s": cached,
        "jax_s": jax_time,
        "numpy_s": numpy_time,
        "speedup": numpy_time["median"] / jax_time["median"],
        "largest_relative_difference": difference,
        "floors": floors(),
        "maps": measure_maps(arguments.alloys),
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(report, indent=1))
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
