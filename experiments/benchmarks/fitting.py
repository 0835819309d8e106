"""Speed of fitting: 1000 synthetic data sets, 400 q points, 5 parameters, against lmfit, SciPy and a vmapped library
solver.

Usage: python -m experiments.benchmarks.fitting [--count 1000] [--peers 150] [--rounds 5]. All in one process on one
machine; the peers fit the first `--peers` data sets (lmfit and SciPy with a NumPy model, one process) from the same
start, in rounds that alternate with ours: the ratio is the median over the rounds, so that a busy machine slows both.
Writes experiments/benchmarks/results/fitting.json with machine, versions, compile and run times; peers that are not
installed are left out and named.
"""

import argparse
import json
import os
import platform
import time

import jax
import jax.numpy as jnp
import numpy as np

from experiments.benchmarks.harness import RESULTS
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


def ours(alloy, nn, cc, data, fallback=True):
    begin = time.perf_counter()
    found = batch.fit_batch(jnp.asarray(Q), data, jnp.full(Q.size, NOISE), nn, cc, alloy, fallback=fallback)
    jax.block_until_ready(found)
    return found, time.perf_counter() - begin


def plain_vmap(alloy, nn, cc):
    """The same solver under one vmapped loop with automatic derivatives: what analytic slopes, thinning and compaction
    bring."""

    def residuals(u, measured):
        return (batch.curve_and_slopes(u, jnp.asarray(Q), nn, cc, alloy.volume)[0] - measured) / NOISE

    linearise, box = from_residuals(residuals), batch._box(alloy)
    run = jax.jit(jax.vmap(lambda u, row: solve(linearise, u, row, Q.size, box, Marquardt()).chi2))
    return lambda rows: timed(lambda: run(starts_of(rows), rows))


def with_optimistix(alloy, nn, cc):
    import optimistix

    def residuals(u, measured):
        return (batch.curve_and_slopes(u, jnp.asarray(Q), nn, cc, alloy.volume)[0] - measured) / NOISE

    solver = optimistix.LevenbergMarquardt(rtol=1e-8, atol=1e-8)

    def one(u, measured):
        found = optimistix.least_squares(residuals, solver, u, measured, max_steps=256, throw=False).value
        return jnp.sum(residuals(found, measured) ** 2)

    run = jax.jit(jax.vmap(one))
    return lambda rows: timed(lambda: run(starts_of(rows), rows))


def starts_of(rows):
    return jnp.asarray(np.stack([start_of(row) for row in np.asarray(rows)]))


def timed(function):
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


def race(ours_once, peers, data, rounds):
    """Every peer after every run of ours, several rounds; rates, ratios of each round, and differences of chi^2."""
    best = ours_once()[0]
    chi2 = np.asarray(best.chi2)
    times, found = [], {name: [] for name in peers}
    size = len(data) // rounds
    for k in range(rounds):
        rows = data[k * size : (k + 1) * size]
        for name, run in peers.items():
            _, seconds = ours_once()
            times.append(seconds)
            theirs, peer_seconds = run(rows)
            ratio = (peer_seconds / len(rows)) / (seconds / chi2.size)
            found[name].append((len(rows) / peer_seconds, ratio, np.abs(theirs - chi2[k * size : (k + 1) * size])))
    report = {}
    for name, results in found.items():
        rates, ratios, differences = zip(*results, strict=True)
        same = np.concatenate(differences)
        report[name] = {
            "fits_per_s": float(np.median(rates)),
            "ratio": float(np.median(ratios)),
            "ratio_of_every_round": [float(r) for r in ratios],
            "same_minimum": float(np.mean(same < 1e-4)),
            "largest_difference_where_same": float(same[same < 1e-4].max()) if (same < 1e-4).any() else None,
        }
    return best, times, report


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--peers", type=int, default=150, help="data sets that the peers fit, over all rounds")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    alloy, nn, cc, data, truth = problem(asked.count)
    _, first = ours(alloy, nn, cc, data)  # compiles
    errors = jnp.full(Q.size, NOISE)
    starts = jnp.tile(truth[None], (asked.count, 1))
    best = np.asarray(batch.fit_batch(jnp.asarray(Q), data, errors, nn, cc, alloy, starts=starts, fallback=False).chi2)
    alone, _ = ours(alloy, nn, cc, data, fallback=False)
    nn_, cc_ = np.asarray(nn), np.asarray(cc)
    few = data[: asked.peers]
    peers = {
        "lmfit": lambda rows: with_lmfit(nn_, cc_, np.asarray(rows)),
        "scipy": lambda rows: with_scipy(nn_, cc_, np.asarray(rows)),
        "optimistix under vmap": with_optimistix(alloy, nn, cc),
        "same solver, automatic derivatives, all points, no compaction": plain_vmap(alloy, nn, cc),
    }
    absent = {}
    for name in tuple(peers):
        try:
            peers[name](few[: len(few) // asked.rounds])  # compiles
        except ImportError as error:
            absent[name] = f"not installed: {error}"
            del peers[name]
    found, times, race_report = race(lambda: ours(alloy, nn, cc, data), peers, few, asked.rounds)
    total, per_point = forward(alloy, nn, cc)
    report = {
        "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "load": os.getloadavg(),
        "device": str(jax.devices()[0]),
        "versions": {"jax": jax.__version__, "numpy": np.__version__, "python": platform.python_version()},
        "count": asked.count,
        "global_minimum_fixed_start": float(np.mean(np.asarray(alone.chi2) - best < 1e-4)),
        "global_minimum_with_fallback": float(np.mean(np.asarray(found.chi2) - best < 1e-4)),
        "first_call_s": first,
        "run_s": float(np.median(times)),
        "fits_per_s": asked.count / float(np.median(times)),
        "fits_per_s_fastest_run": asked.count / min(times),
        "peers": race_report | absent,
        "forward": {"10000_sets_s": total, "ns_per_point": per_point},
    }
    try:
        report["forward"]["sasmodels_hard_sphere_ns_per_point"] = sasmodels_kernel()
    except Exception as error:  # no compiler, or not installed: the benchmark goes on
        report["forward"]["sasmodels"] = f"not run: {type(error).__name__}: {error}"
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "fitting.json"
    path.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
