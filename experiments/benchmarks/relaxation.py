"""Trajectories per second of EM Eq. 9: jaxalloy against SciPy, a compiled DOP853, torchode and torchdiffeq.

Lanes: x = Delta sqrt(sum sigma0) uniform in 0.5-20, Gamma uniform in 0.3-10, t_sigma = 1, d0 = 1e-4, 25 times to 12;
K = 1, and K = 32 with normal detunings; fixed seed. Every method runs at the loosest tolerance of 1e-8, 1e-9, ... with
which its worst error over the same 24 lanes is below 1e-8 of max|b| (truth: SciPy DOP853 at 3e-14). Compile time apart.
Peers are optional: `pip install numba torch torchode torchdiffeq` into an environment of its own.
Writes experiments/out/relaxation_benchmark.json. Rates are of one run on one machine: quote ratios.
"""

import importlib.metadata
import json
import os
import pathlib
import platform
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

from jaxalloy.kinetics import Adaptive, FreeRelaxation, Taylor, relax_many

OUT = pathlib.Path(__file__).parents[1] / "out" / "relaxation_benchmark.json"
TIMES = np.linspace(0.0, 12.0, 25)
SEED, TARGET, CHECKED = 1e-4, 1e-8, 24
TOLERANCES = (1e-8, 1e-9, 1e-10, 1e-11, 1e-12)


class Lanes:
    """The batch, as arrays: inversion and detuning (lanes, k), dephasing (lanes,)."""

    def __init__(self, states, lanes=10_000, seed=0):
        rng = np.random.default_rng(seed)
        x, self.dephasing = rng.uniform(0.5, 20.0, lanes), rng.uniform(0.3, 10.0, lanes)
        self.states = states
        self.inversion = np.repeat(x[:, None] ** 2 / states, states, 1)
        self.detuning = rng.normal(size=(lanes, states)) if states > 1 else np.zeros((lanes, 1))

    def first(self, count):
        """The first `count` lanes."""
        part = object.__new__(Lanes)
        part.states = self.states
        for name in ("dephasing", "inversion", "detuning"):
            setattr(part, name, getattr(self, name)[:count])
        return part

    def start(self):
        """State vectors [Re b, Im b, Re d, Im d, sigma], (lanes, 2 + 3k)."""
        lanes, k = self.inversion.shape
        seeds = np.full((lanes, k), SEED / k)
        return np.concatenate([np.zeros((lanes, 2)), seeds, np.zeros((lanes, k)), self.inversion], 1)


def jaxalloy_by(method):
    """b of all lanes by `relax_many` with method(rtol)."""

    def run(lanes, rtol):
        def one(inversion, dephasing, detuning):
            if lanes.states == 1:
                return FreeRelaxation(1.0, inversion[0], SEED, dephasing, 1.0)
            return FreeRelaxation(1.0, inversion, SEED / lanes.states, dephasing, 1.0, detuning)

        batch = jax.vmap(one)(*(jnp.asarray(a) for a in (lanes.inversion, lanes.dephasing, lanes.detuning)))
        return np.asarray(relax_many(batch, TIMES, method(rtol)).field)

    return run


def by_scipy(name):
    """A Python loop over `solve_ivp`."""

    def run(lanes, rtol):
        k, out = lanes.states, []
        for y0, gamma, delta in zip(lanes.start(), lanes.dephasing, lanes.detuning, strict=True):

            def rate(t, y, gamma=gamma, delta=delta):
                d_re, d_im, s = y[2 : 2 + k], y[2 + k : 2 + 2 * k], y[2 + 2 * k :]
                new = np.empty_like(y)
                new[0], new[1] = d_im.sum(), -d_re.sum()
                new[2 : 2 + k] = -gamma * d_re + delta * d_im - s * y[1]
                new[2 + k : 2 + 2 * k] = -gamma * d_im - delta * d_re + s * y[0]
                new[2 + 2 * k :] = -s - 4 * (d_im * y[0] - d_re * y[1])
                return new

            y = solve_ivp(rate, (0, 12.0), y0, name, TIMES, rtol=max(rtol, 3e-14), atol=0.01 * rtol * SEED / k).y
            out.append(y[0] + 1j * y[1])
        return np.array(out)

    return run


def by_numba(lanes, rtol):
    """The compiled DOP853, all cores."""
    from experiments.benchmarks.dop853_numba import integrate

    atol = 0.01 * rtol * SEED / lanes.states
    return integrate(lanes.start(), TIMES, lanes.dephasing, lanes.detuning, rtol, atol)


def _torch_rate(lanes):
    import torch

    k = lanes.states
    gamma, delta = torch.tensor(lanes.dephasing)[:, None], torch.tensor(lanes.detuning)

    def rate(t, y):
        b_re, b_im, d_re, d_im, s = y[:, :1], y[:, 1:2], y[:, 2 : 2 + k], y[:, 2 + k : 2 + 2 * k], y[:, 2 + 2 * k :]
        return torch.cat(
            [
                d_im.sum(1, keepdim=True),
                -d_re.sum(1, keepdim=True),
                -gamma * d_re + delta * d_im - s * b_im,
                -gamma * d_im - delta * d_re + s * b_re,
                -s - 4 * (d_im * b_re - d_re * b_im),
            ],
            1,
        )

    return rate, torch.tensor(lanes.start())


def by_torchode(lanes, rtol):
    """Each lane with a step of its own, Tsit5 (torchode has no higher order)."""
    import torch
    import torchode

    rate, y0 = _torch_rate(lanes)
    term = torchode.ODETerm(rate)
    control = torchode.IntegralController(atol=0.01 * rtol * SEED / lanes.states, rtol=rtol, term=term)
    solver = torchode.AutoDiffAdjoint(torchode.Tsit5(term=term), control)
    problem = torchode.InitialValueProblem(y0=y0, t_eval=torch.tensor(TIMES).expand(y0.shape[0], -1))
    with torch.no_grad():
        y = solver.solve(problem).ys.numpy()
    return y[..., 0] + 1j * y[..., 1]


def by_torchdiffeq(lanes, rtol):
    """One step for the whole batch, dopri8."""
    import torch
    from torchdiffeq import odeint

    rate, y0 = _torch_rate(lanes)
    with torch.no_grad():
        y = odeint(rate, y0, torch.tensor(TIMES), rtol=rtol, atol=0.01 * rtol * SEED / lanes.states, method="dopri8")
    return (y[..., 0] + 1j * y[..., 1]).numpy().T


def methods():
    """Name -> (runner, lanes to time at K = 1, at K = 32, peer package)."""
    return {
        "jaxalloy, Taylor 12": (jaxalloy_by(lambda r: Taylor(rtol=r)), 10_000, 2_000, None),
        "jaxalloy, Taylor 16": (jaxalloy_by(lambda r: Taylor(rtol=r, order=16)), 10_000, 2_000, None),
        "jaxalloy, Dopri8": (jaxalloy_by(lambda r: Adaptive(rtol=r)), 1_000, 500, None),
        "scipy DOP853": (by_scipy("DOP853"), CHECKED, CHECKED, None),
        "scipy LSODA": (by_scipy("LSODA"), CHECKED, CHECKED, None),
        "numba DOP853": (by_numba, 10_000, 2_000, "numba"),
        "torchode Tsit5": (by_torchode, 256, 64, "torchode"),
        "torchdiffeq dopri8": (by_torchdiffeq, 256, 64, "torchdiffeq"),
    }


def installed(package):
    """Version of a package, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def error(field, truth):
    """Worst |b - truth| over the lanes, relative to max|b| of the lane."""
    return float((np.abs(field - truth).max(1) / np.abs(truth).max(1)).max())


def measure(run, lanes, count, truth):
    """Tolerance, error and times of one method; the best of three runs unless a run takes long."""
    checked, worst = lanes.first(CHECKED), np.inf
    for rtol in TOLERANCES:
        worst = error(run(checked, rtol), truth)
        if worst < TARGET:
            break
    part = lanes.first(count)
    begin = time.perf_counter()
    run(part, rtol)
    first = time.perf_counter() - begin
    best = first
    for _ in range(3 if first < 20 else 0):
        begin = time.perf_counter()
        run(part, rtol)
        best = min(best, time.perf_counter() - begin)
    return {
        "rtol": rtol,
        "error": worst,
        "reached_target": bool(worst < TARGET),
        "lanes": count,
        "first_call_s": first,
        "run_s": best,
        "rate_per_s": count / best,
    }


def main():
    """Measure all that is installed, or the methods with a word of the command line in their names; print and write."""
    wanted = sys.argv[1:]
    packages = ("jax", "diffrax", "numpy", "scipy", "numba", "torch", "torchode", "torchdiffeq")
    report = {
        "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "load_before": os.getloadavg()[0],
        "backend": jax.default_backend(),
        "versions": {p: installed(p) for p in packages} | {"python": platform.python_version()},
        "results": {},
    }
    for states in (1, 32):
        lanes = Lanes(states)
        truth = by_scipy("DOP853")(lanes.first(CHECKED), 3e-14)
        table = {}
        for name, (run, few, many, package) in methods().items():
            if wanted and not any(word in name for word in wanted):
                continue
            if package and not installed(package):
                print(f"K = {states:2d}  {name:20} skipped: pip install {package}", flush=True)
                table[name] = {"skipped": f"{package} is not installed"}
                continue
            table[name] = measure(run, lanes, few if states == 1 else many, truth)
            base = table.get("scipy DOP853", {}).get("rate_per_s", float("nan"))
            row = table[name]
            print(
                f"K = {states:2d}  {name:20} {row['rate_per_s']:10.1f}/s  first {row['first_call_s']:6.1f} s  "
                f"rtol {row['rtol']:.0e}  error {row['error']:.1e}  x scipy {row['rate_per_s'] / base:.0f}",
                flush=True,
            )
        report["results"][f"K={states}"] = table
    report["load_after"] = os.getloadavg()[0]
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(report, indent=1))
    print(f"wrote {OUT}")


if __name__ == "__main__":
    main()
