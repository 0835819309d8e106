"""Trajectories per second of EM Eq. 9: jaxalloy against SciPy, a compiled DOP853, torchode and torchdiffeq.

Lanes: x = Delta sqrt(sum sigma0) uniform in 0.5-20, Gamma uniform in 0.3-10, t_sigma = 1, d0 = 1e-4, 25 times to 12;
K = 1, and K = 32 with normal detunings; fixed seed. Every method runs at the loosest tolerance of 1e-8, 1e-9, ... with
which its worst error over the same lanes is below 1e-8 of max|b| (truth: SciPy DOP853 at 3e-14). Compiling is timed
apart: the first call of all less the second. Then all methods run in turn, round after round, and medians count; beside
the wall clock the time of all threads, which another program on the machine does not stretch. Peers are optional:
`pip install numba torch torchode torchdiffeq`. Rates belong to one machine: quote ratios.
"""

import functools
import importlib.metadata
import statistics
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

from experiments.benchmarks.harness import processor_seconds, ratio, record
from jaxalloy.kinetics import Adaptive, FreeRelaxation, Taylor, relax_many

TIMES = np.linspace(0.0, 12.0, 25)
SEED, TARGET, CHECKED = 1e-4, 1e-8, 24
ROUNDS, FEW_ROUNDS, LONG = 5, 2, 2.0
"""Methods of which one run takes longer than so many seconds sit out the rounds after the first few."""
PAUSE = 0.3
"""Seconds between two runs: threads of the last one spin for a while before they sleep."""
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

    torch.set_num_threads(1)  # faster for arrays this small
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

    torch.set_num_threads(1)  # faster for arrays this small
    rate, y0 = _torch_rate(lanes)
    with torch.no_grad():
        y = odeint(rate, y0, torch.tensor(TIMES), rtol=rtol, atol=0.01 * rtol * SEED / lanes.states, method="dopri8")
    return (y[..., 0] + 1j * y[..., 1]).numpy().T


METHODS = {
    "jaxalloy, Taylor 12": (jaxalloy_by(lambda r: Taylor(rtol=r)), {1: 10_000, 32: 1_000}, None),
    "jaxalloy, Taylor 16": (jaxalloy_by(lambda r: Taylor(rtol=r, order=16)), {1: 10_000, 32: 1_000}, None),
    "jaxalloy, Dopri8": (jaxalloy_by(lambda r: Adaptive(rtol=r)), {1: 1_000, 32: 250}, None),
    "scipy DOP853": (by_scipy("DOP853"), {1: CHECKED, 32: CHECKED}, None),
    "scipy LSODA": (by_scipy("LSODA"), {1: CHECKED, 32: CHECKED}, None),
    "numba DOP853": (by_numba, {1: 10_000, 32: 1_000}, "numba"),
    "torchode Tsit5": (by_torchode, {1: 1024, 32: 64}, "torchode"),
    "torchdiffeq dopri8": (by_torchdiffeq, {1: 1024, 32: 64}, "torchdiffeq"),
}
"""Name -> (runner, lanes that are timed for each K, peer package)."""


def installed(package):
    """Version of a package, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def error(field, truth):
    """Worst |b - truth| over the lanes, relative to max|b| of the lane."""
    return float((np.abs(field - truth).max(1) / np.abs(truth).max(1)).max())


def calibrated(run, lanes, truth):
    """The loosest tolerance that reaches the target, its error, and the seconds of compiling."""
    checked = lanes.first(CHECKED)
    walls = []
    for _ in range(2):
        began = time.perf_counter()
        found = run(checked, TOLERANCES[0])
        walls.append(time.perf_counter() - began)
    for rtol in TOLERANCES:
        worst = error(found if rtol == TOLERANCES[0] else run(checked, rtol), truth)
        if worst < TARGET:
            break
    compiling = max(walls[0] - walls[1], 0.0)
    return {"rtol": rtol, "error": worst, "reached_target": bool(worst < TARGET), "compile_s": compiling}


def race(contenders):
    """(wall, processor) seconds of every contender in every round, one after the other within a round."""
    times = {name: [] for name in contenders}
    for name, run in contenders.items():
        if "jaxalloy" in name:
            run()  # compiles for this number of lanes
    for number in range(ROUNDS):
        for name, run in contenders.items():
            if number < FEW_ROUNDS or times[name][0][0] < LONG:
                time.sleep(PAUSE)
                times[name].append(processor_seconds(run))
    return times


def compared(states, wanted):
    """All methods on the lanes of so many states: name -> figures."""
    lanes = Lanes(states)
    truth = by_scipy("DOP853")(lanes.first(CHECKED), 3e-14)
    table, contenders = {}, {}
    for name, (run, counts, package) in METHODS.items():
        if wanted and not any(word in name for word in wanted):
            continue
        if package and not installed(package):
            table[name] = {"skipped": f"{package} is not installed"}
            continue
        table[name] = calibrated(run, lanes, truth) | {"lanes": counts[states]}
        contenders[name] = functools.partial(run, lanes.first(counts[states]), table[name]["rtol"])
        print(f"K = {states:2d}  {name:20} {table[name]}", flush=True)
    each = {name: np.array(times).T / table[name]["lanes"] for name, times in race(contenders).items()}
    for name, (wall, processor) in each.items():
        row = table[name]
        row["rate_per_s"] = 1 / statistics.median(wall)
        row["wall_us_each"], row["processor_us_each"] = (1e6 * statistics.median(t) for t in (wall, processor))
        for other, key in (("scipy DOP853", "scipy"), ("numba DOP853", "numba")):
            if other in each:
                row[f"times_faster_than_{key}"] = times_faster(each[other][0], wall)
                row[f"times_less_processor_than_{key}"] = times_faster(each[other][1], processor)
        print(f"K = {states:2d}  {name:20} {row['rate_per_s']:10.1f}/s, {row['processor_us_each']:.1f} us", flush=True)
    return table


def times_faster(slow, fast):
    """Median ratio over the rounds that both ran in."""
    rounds = min(len(slow), len(fast))
    return ratio(list(slow[:rounds]), list(fast[:rounds]))


def main():
    """Race all that is installed, or the methods with a word of the command line in their names; print and record."""
    jax.config.update("jax_enable_compilation_cache", False)
    versions = {package: installed(package) for package in ("diffrax", "numba", "torch", "torchode", "torchdiffeq")}
    results = {f"K={states}": compared(states, sys.argv[1:]) for states in (1, 32)}
    record("relaxation", {"peers": versions, "rounds": ROUNDS, "target": TARGET, "results": results})


if __name__ == "__main__":
    main()
