"""Speed of fitting: 1000 synthetic data sets, 400 q points, 5 parameters, against lmfit, SciPy and a vmapped library
solver.

Usage: python -m experiments.benchmarks.fitting [--count 1000] [--peers 200]. All in one process on one machine; the
peers fit the first `--peers` data sets with a NumPy model from the same start. Writes
experiments/out/benchmark_fitting.json with machine, versions, compile and run times; peers that are not installed are
left out and named.
"""

import argparse
import json
import os
import platform
import time

import jax
import jax.numpy as jnp
import numpy as np

from experiments.report import OUT
from jaxalloy import Alloy, HardSphereYukawa
from jaxalloy.constants import BOHR_IN_ANGSTROM
from jaxalloy.fitting import batch
from jaxalloy.fitting.least_squares import Marquardt, from_residuals, solve
from jaxalloy.fitting.synthetic import empty_template, synthetic_data
from jaxalloy.scattering import Neutrons

VOLUME, SIGMA, KAPPA, EPSILON, NOISE = 149.6, 4.93, 1.8, -0.0302, 0.01
ETA = np.pi * SIGMA**3 / (6 * VOLUME)
Q = np.linspace(0.5, 10.0, 400) * BOHR_IN_ANGSTROM


def problem(count):
    alloy = Alloy.of(("Li", "Pb"), 0.2, 1000.0, VOLUME)
    liquid = HardSphereYukawa(0.2, ETA, SIGMA, EPSILON, KAPPA, 1000.0)
    blank = empty_template(Q, None, Neutrons(isotopes={"Li": 7}))
    exact = synthetic_data(blank, alloy, liquid, jax.random.key(0)).curves[0]
    data = exact[None] + NOISE * jax.random.normal(jax.random.key(1), (count, Q.size))
    nn, cc, _ = blank.weights(alloy)
    truth = jnp.stack([liquid.sigma, liquid.y, jnp.log(liquid.kappa), jnp.ones(()), jnp.ones(())])
    return alloy, nn[0], cc[0], data, truth


def numpy_model(u, q, nn, cc):
    """The same curve in NumPy, for peers."""
    sigma, y, log_kappa, scale, level = u
    Q, Z = q * sigma, np.exp(log_kappa) * sigma
    eta = np.pi * sigma**3 / (6 * VOLUME)
    sine, cosine = np.sin(Q), np.cos(Q)
    c1, c2 = sine / Q, (1 - cosine) / Q**2
    c3, c4 = (1 - c1) / Q**2, (0.5 - c2) / Q**2
    first, second = 12 * eta * (1 + eta / 2) / (1 - eta) ** 2, 12 * eta * (1 + 2 * eta) / (1 - eta) ** 2
    S_NN = 1 / ((1 + first * c2 - second * c3) ** 2 + Q**2 * (first * c3 - second * c4) ** 2)
    m = y * (Z - y / 2)
    S_CC = (Q**2 + Z**2) / ((Q * (1 + m * c2)) ** 2 + (Z - y - m * c1) ** 2)
    return level + scale * (nn * (S_NN - 1) + cc * (S_CC - 1))


def start_of(data):
    sigma = np.cbrt(6 * 0.42 * VOLUME / np.pi)
    return np.array([sigma, -1.5, np.log(8.0 / sigma), 1.0, float(np.mean(data[-80:]))])


def ours(alloy, nn, cc, data, fallback):
    def fit():
        return jax.block_until_ready(batch.fit_batch(jnp.asarray(Q), data, jnp.full(Q.size, NOISE), nn, cc, alloy, fallback=fallback))  # fmt: skip  # noqa: E501

    begin = time.perf_counter()
    fit()
    first = time.perf_counter() - begin
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        found = fit()
        times.append(time.perf_counter() - begin)
    return found, first, float(np.median(times))


def plain_vmap(alloy, nn, cc, data):
    """The same solver under one vmapped loop with automatic derivatives: what analytic slopes and compaction bring."""

    def residuals(u, measured):
        return (batch.curve_and_slopes(u, jnp.asarray(Q), nn, cc, alloy.volume)[0] - measured) / NOISE

    linearise, box = from_residuals(residuals), batch._box(alloy)
    starts = jnp.asarray(np.stack([start_of(np.asarray(row)) for row in data]))
    run = jax.jit(jax.vmap(lambda u, row: solve(linearise, u, row, Q.size, box, Marquardt())))
    return timed(lambda: jax.block_until_ready(run(starts, data)).chi2)


def with_optimistix(alloy, nn, cc, data):
    import optimistix

    def residuals(u, measured):
        return (batch.curve_and_slopes(u, jnp.asarray(Q), nn, cc, alloy.volume)[0] - measured) / NOISE

    solver = optimistix.LevenbergMarquardt(rtol=1e-8, atol=1e-8)

    def one(u, measured):
        return optimistix.least_squares(residuals, solver, u, measured, max_steps=256, throw=False).value

    starts = jnp.asarray(np.stack([start_of(np.asarray(row)) for row in data]))
    run = jax.jit(jax.vmap(one))
    chi2 = jax.jit(jax.vmap(lambda u, row: jnp.sum(residuals(u, row) ** 2)))
    return timed(lambda: chi2(jax.block_until_ready(run(starts, data)), data))


def timed(function):
    function()
    begin = time.perf_counter()
    chi2 = np.asarray(jax.block_until_ready(function()))
    return chi2, time.perf_counter() - begin


def with_scipy(nn, cc, data):
    from scipy.optimize import least_squares

    begin, chi2 = time.perf_counter(), []
    for row in data:
        found = least_squares(lambda u, row=row: (numpy_model(u, Q, nn, cc) - row) / NOISE, start_of(row), method="lm", x_scale="jac")  # fmt: skip  # noqa: E501
        chi2.append(2 * found.cost)
    return np.array(chi2), time.perf_counter() - begin


def with_lmfit(nn, cc, data):
    import lmfit

    begin, chi2 = time.perf_counter(), []
    names = ("sigma", "y", "log_kappa", "scale", "level")
    for row in data:
        parameters = lmfit.Parameters()
        for name, value in zip(names, start_of(row), strict=True):
            parameters.add(name, value)

        def residuals(p, row=row):
            return (numpy_model([p[name].value for name in names], Q, nn, cc) - row) / NOISE

        chi2.append(lmfit.minimize(residuals, parameters).chisqr)
    return np.array(chi2), time.perf_counter() - begin


def forward(alloy, nn, cc, count=10_000):
    """Seconds for `count` parameter sets of 400 q, and nanoseconds for a point."""
    rng = np.random.default_rng(0)
    u = np.stack([rng.uniform(4.6, 5.2, count), rng.uniform(-4, 0.3, count), rng.uniform(-1, 1.5, count)])
    u = jnp.asarray(np.concatenate([u, np.ones((2, count))]).T)
    run = jax.jit(jax.vmap(lambda u: batch.curve_and_slopes(u, jnp.asarray(Q), nn, cc, alloy.volume)[0]))
    jax.block_until_ready(run(u))
    begin = time.perf_counter()
    jax.block_until_ready(run(u))
    seconds = time.perf_counter() - begin
    return seconds, 1e9 * seconds / (count * Q.size)


def sasmodels_kernel(count=200):
    """Nanoseconds for a point of the compiled hard-sphere kernel of sasmodels (S_NN alone)."""
    from sasmodels.core import load_model
    from sasmodels.direct_model import call_kernel

    kernel = load_model("hardsphere", dtype="double", platform="dll").make_kernel([Q])
    call_kernel(kernel, {"radius_effective": SIGMA / 2, "volfraction": 0.42})
    begin = time.perf_counter()
    for i in range(count):
        call_kernel(kernel, {"radius_effective": SIGMA / 2 * (1 + 1e-4 * i), "volfraction": 0.42})
    return 1e9 * (time.perf_counter() - begin) / (count * Q.size)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--peers", type=int, default=200)
    asked = parser.parse_args()
    alloy, nn, cc, data, truth = problem(asked.count)
    errors = jnp.full(Q.size, NOISE)
    starts = jnp.tile(truth[None], (asked.count, 1))
    best = np.asarray(batch.fit_batch(jnp.asarray(Q), data, errors, nn, cc, alloy, starts=starts, fallback=False).chi2)
    alone, _, _ = ours(alloy, nn, cc, data, fallback=False)
    found, compiled, seconds = ours(alloy, nn, cc, data, fallback=True)
    report = {
        "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "load": os.getloadavg(),
        "device": str(jax.devices()[0]),
        "versions": {"jax": jax.__version__, "numpy": np.__version__, "python": platform.python_version()},
        "count": asked.count,
        "global_minimum_fixed_start": float(np.mean(np.asarray(alone.chi2) - best < 1e-4)),
        "global_minimum_with_fallback": float(np.mean(np.asarray(found.chi2) - best < 1e-4)),
        "first_call_s": compiled,
        "run_s": seconds,
        "fits_per_s": asked.count / seconds,
        "peers": {},
    }
    few, nn_, cc_ = np.asarray(data[: asked.peers]), np.asarray(nn), np.asarray(cc)
    peers = {
        "lmfit": lambda: with_lmfit(nn_, cc_, few),
        "scipy": lambda: with_scipy(nn_, cc_, few),
        "optimistix under vmap": lambda: with_optimistix(alloy, nn, cc, jnp.asarray(few)),
        "same solver, automatic derivatives, no compaction": lambda: plain_vmap(alloy, nn, cc, jnp.asarray(few)),
    }
    for name, run in peers.items():
        try:
            chi2, peer_seconds = run()
        except ImportError as error:
            report["peers"][name] = f"not installed: {error}"
            continue
        rate = len(few) / peer_seconds
        same = float(np.mean(np.abs(chi2 - np.asarray(found.chi2)[: len(few)]) < 1e-4))
        report["peers"][name] = {"fits_per_s": rate, "ratio": report["fits_per_s"] / rate, "same_minimum": same}
    total, per_point = forward(alloy, nn, cc)
    report["forward"] = {"10000_sets_s": total, "ns_per_point": per_point}
    try:
        report["forward"]["sasmodels_hard_sphere_ns_per_point"] = sasmodels_kernel()
    except Exception as error:  # no compiler, or not installed: the benchmark goes on
        report["forward"]["sasmodels"] = f"not run: {type(error).__name__}: {error}"
    OUT.mkdir(exist_ok=True)
    path = OUT / "benchmark_fitting.json"
    path.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
