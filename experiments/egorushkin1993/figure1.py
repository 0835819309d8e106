"""EM Fig. 1: the three regimes of relaxation by the closed form (Eq. 12), and Eq. 9 with two seeds beside it.

gamma = 1; (x, Gamma) = (1, 10), (1, 1), (20, 10) for the curves 1, 2, 3, read from the text: the figure has no numbers.
"""

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

CURVES = {1: (1.0, 10.0), 2: (1.0, 1.0), 3: (20.0, 10.0)}
SEEDS = (1e-12, 1e-4)
TIMES = np.linspace(0.0, 12.0, 601)


def closed(x, dephasing):
    return relax(ExponentialRelaxation(1.0, x**2, 1e-12, dephasing, 1.0), TIMES)


def full(x, dephasing, seed):
    return relax(FreeRelaxation(1.0, x**2, seed, dephasing, 1.0), TIMES)


def proportionality(target, rate):
    """Share of the variance of d eta/dt, over the late half of the rise, that a multiple of `target` explains."""
    slope = (target @ rate) / (target @ target)
    return 1.0 - np.sum((rate - slope * target) ** 2) / np.sum(rate**2)


def rows():
    out = []
    for curve, (x, dephasing) in CURVES.items():
        solution = closed(x, dephasing)
        t10, t50, t90 = np.asarray(arrival_times(solution).times)
        s_shaped = bool(x**2 > critical_gain(dephasing))
        print(f"curve {curve}: x = {x:g}, Gamma = {dephasing:g}: t10 {t10:.4f}, t50 {t50:.4f}, t90 {t90:.4f}")
        if curve < 3:
            eta, rate = np.asarray(solution.eta), np.asarray(solution.rate)
            late = (eta > 0.5) & (eta < 0.999)
            by_eta, by_rest = proportionality(eta[late], rate[late]), proportionality(1 - eta[late], rate[late])
            note = f"explains {by_eta:.2f} of the rate; 1 - eta explains {by_rest:.3f}"
            out.append(Row(f"curve {curve}: d eta/dt proportional to eta", "yes", bool(by_eta > 0.95), note=note))
        if curve == 1:
            out.append(Row("curve 1: fast at first, then slow", "yes", bool(t90 - t50 > 2 * (t50 - t10))))
        if curve == 2:
            falls = bool((np.diff(np.asarray(solution.eta)) < 0).all())
            out.append(Row("curve 2: 'a smooth decrease of eta(t)'", "yes", falls, note="eta rises monotonically"))
        note = f"x0 = {x**2:g} against x0c = {float(critical_gain(dephasing)):.3g}"
        out.append(
            Row(
                f"curve {curve}: S-shaped" + (" (not)" if curve < 3 else ""), "yes", s_shaped == (curve == 3), note=note
            )
        )
    slow, fast = (arrival_times(closed(20.0, g)).times for g in (1.0, 10.0))
    shift = f"t50 {float(slow[1]):.2f} against {float(fast[1]):.2f}"
    out.append(Row("curve 3 with Gamma = 1: shifted to longer times", "yes", bool(slow[1] > fast[1]), note=shift))
    for curve, (x, dephasing) in CURVES.items():
        reference = np.asarray(closed(x, dephasing).eta)
        away = [np.abs(np.asarray(full(x, dephasing, seed).eta) - reference).max() for seed in SEEDS]
        note = f"largest difference {away[0]:.1e}; with d0 = 1e-4 {away[1]:.1e}"
        out.append(Row(f"curve {curve}: Eq. 12 equals Eq. 9 at d0 = 1e-12", "yes", bool(away[0] < 0.02), note=note))
    return out


def draw(path):
    figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    for axis, (curve, (x, dephasing)) in zip(axes, CURVES.items(), strict=True):
        axis.plot(TIMES, closed(x, dephasing).eta, "k", label="Eq. 12")
        for seed, style in zip(SEEDS, ("--", ":"), strict=True):
            axis.plot(TIMES, full(x, dephasing, seed).eta, style, label=f"Eq. 9, d₀ = {seed:g}")
        axis.set(xlabel="γ t", ylabel="η = |b|/|b_end|", title=f"{curve}: x = {x:g}, Γ = {dephasing:g} γ")
        axis.legend()
    figure.suptitle("EM Fig. 1; at d₀ = 10⁻⁴ the field of curve 3 empties the inversion and overshoots")
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    run("EM Fig. 1: three regimes", rows, draw, "egorushkin1993_figure1")
