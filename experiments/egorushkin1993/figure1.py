"""EM Fig. 1: the three regimes of relaxation by the closed form (Eq. 12): eta, its rate and its second derivative.

gamma = 1; (x, Gamma) = (1, 10), (1, 1), (20, 10) for the curves 1, 2, 3, read from the text: the figure has no numbers.
Beside it Eq. 9 integrated with two seeds, of which Eq. 12 is the limit for a small one.
"""

import functools
import itertools

import matplotlib.pyplot as plt
import numpy as np

from experiments.report import Row, run
from jaxalloy.kinetics import (
    ExponentialRelaxation,
    FreeRelaxation,
    arrival_times,
    critical_gain,
    relax,
)

TITLE = "EM Fig. 1: three regimes and three stages"

CURVES = {1: (1.0, 10.0), 2: (1.0, 1.0), 3: (20.0, 10.0)}
SEEDS = (1e-12, 1e-4)
TIMES = np.linspace(0.0, 12.0, 1201)


@functools.cache
def closed(x, dephasing):
    """eta, its rate and second derivative by Eqs. 11 and 12, and the times at which eta is .1, .5, .9."""
    solution = relax(ExponentialRelaxation(1.0, x**2, 1e-12, dephasing, 1.0), TIMES)
    eta, rate = np.asarray(solution.eta), np.asarray(solution.rate)
    curvature = x**2 * np.exp(-TIMES) * eta - dephasing * rate
    return eta, rate, curvature, np.asarray(arrival_times(solution).times)


@functools.cache
def full(x, dephasing, seed):
    """eta by Eq. 9."""
    return np.asarray(relax(FreeRelaxation(1.0, x**2, seed, dephasing, 1.0), TIMES).eta)


def explained(target, rate):
    """Share of the variance of d eta/dt, over the late half of the rise, that a multiple of `target` explains."""
    slope = (target @ rate) / (target @ target)
    return 1.0 - np.sum((rate - slope * target) ** 2) / np.sum(rate**2)


def stages(curve):
    """Mean rates of eta at short, moderate and long times: up to eta = .1, to .9, to .99; in gamma."""
    eta, _, _, (t10, _, t90) = closed(*CURVES[curve])
    t99 = float(np.interp(0.99, eta, TIMES))
    return 0.1 / t10, 0.8 / (t90 - t10), 0.09 / (t99 - t90)


def rows():
    out = []
    for curve, (x, dephasing) in CURVES.items():
        eta, rate, _, (t10, t50, t90) = closed(x, dephasing)
        gain, limit = x**2, float(critical_gain(dephasing))
        print(f"curve {curve}: x = {x:g}, Gamma = {dephasing:g}: t10 {t10:.4f}, t50 {t50:.4f}, t90 {t90:.4f}")
        if curve < 3:
            late = (eta > 0.5) & (eta < 0.999)
            by_eta, by_rest = explained(eta[late], rate[late]), explained(1 - eta[late], rate[late])
            note = f"a multiple of it explains {by_eta:.2f} of the rate; of 1 - eta {by_rest:.3f}: exponential it is"
            out.append(Row(f"curve {curve}: d eta/dt proportional to eta", "yes", bool(by_eta > 0.95), note=note))
        if curve == 1:
            out.append(Row("curve 1: fast at first, then slow", "yes", bool(t90 - t50 > 2 * (t50 - t10))))
        if curve == 2:
            falls = bool((np.diff(eta) < 0).all())
            out.append(Row("curve 2: 'a smooth decrease of eta(t)'", "yes", falls, note="eta rises; its rate falls"))
        shape = "S-shaped" if curve == 3 else "not S-shaped"
        note = f"S-shaped above x0 = {limit:.3g} (x0 = x^2); here {gain:g}"
        out.append(Row(f"curve {curve}: {shape}", "yes", (gain > limit) == (curve == 3), note=note))
    eta, rate, curvature, _ = closed(*CURVES[3])
    monotone = bool((np.diff(eta) >= 0).all())
    out += [
        Row("curve 3: eta varies nonmonotonically", "yes", not monotone, note="Eq. 12 is monotone for sigma0 > 0"),
        Row("curve 3: its rate varies nonmonotonically", "yes", bool((np.diff(np.sign(np.diff(rate))) != 0).any())),
        Row("curve 3: and its second derivative", "yes", bool((np.diff(np.sign(np.diff(curvature))) != 0).any())),
    ]
    for curve in CURVES:
        rates = stages(curve)
        apart = min(max(a / b, b / a) for a, b in itertools.pairwise(rates))
        note = "mean rates at short, moderate, long times: " + ", ".join(f"{rate:.2g}" for rate in rates)
        out.append(Row(f"curve {curve}: three stages (rates apart by a factor 2)", "yes", bool(apart > 2), note=note))
    slow, fast = closed(20.0, 1.0), closed(20.0, 10.0)
    shift = f"t50 {slow[3][1]:.2f} against {fast[3][1]:.2f}"
    out.append(Row("curve 3 with Gamma = 1: shifted to longer times", "yes", bool(slow[3][1] > fast[3][1]), note=shift))
    steep = f"largest rate {slow[1].max():.2f} at Gamma = 1, {fast[1].max():.2f} at 10: a smaller Gamma waits longer"
    out.append(Row("'smaller tau_e, steeper curve' (x = 20)", "yes", bool(fast[1].max() > slow[1].max()), note=steep))
    for curve, (x, dephasing) in CURVES.items():
        away = [np.abs(full(x, dephasing, seed) - closed(x, dephasing)[0]).max() for seed in SEEDS]
        note = f"largest difference {away[0]:.1e}; with d0 = 1e-4 {away[1]:.1e}"
        out.append(Row(f"curve {curve}: Eq. 12 equals Eq. 9 at d0 = 1e-12", "yes", bool(away[0] < 0.02), note=note))
    return out


def draw(path):
    figure, axes = plt.subplots(3, 3, figsize=(13, 9), layout="constrained", sharex="col")
    names = ("η = |b|/|b_∞|", "dη/dt (γ)", "d²η/dt² (γ²)")
    for column, (curve, (x, dephasing)) in enumerate(CURVES.items()):
        *values, arrivals = closed(x, dephasing)
        for axis, value, name in zip(axes[:, column], values, names, strict=True):
            axis.plot(TIMES, value, "k", label="Eq. 12")
            axis.axhline(0, color="0.8", lw=0.8)
            axis.set(ylabel=name, xlim=(0, (1.5, 8, 9)[column]))
        for seed, style in zip(SEEDS, ("--", ":"), strict=True):
            axes[0, column].plot(TIMES, full(x, dephasing, seed), style, label=f"Eq. 9, d₀ = {seed:g}")
        axes[0, column].plot(arrivals, (0.1, 0.5, 0.9), "ro", ms=4, label="η = .1, .5, .9")
        axes[0, column].set(title=f"curve {curve}: x = {x:g}, Γ = {dephasing:g} γ")
        axes[2, column].set_xlabel("γ t")
        for axis in axes[:, column]:
            axis.legend(fontsize=8)
    if (curve_one := closed(*CURVES[1])[2]).min() < -50:
        axes[2, 0].set_ylim(curve_one.min() * 1.05, -curve_one.min() * 0.1)
    figure.suptitle("EM Fig. 1; at d₀ = 10⁻⁴ the field of curve 3 empties the inversion and overshoots")
    figure.savefig(path, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    run("egorushkin1993.figure1")
