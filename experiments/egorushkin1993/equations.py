"""EM Eqs. 8-18 as printed and as corrected, each against a numerical solution that uses neither.

gamma = 2, so that a missing gamma shows. Eqs. 12-14 solve Eq. 11, integrated here by SciPy; Eqs. 16-18 are the rest
of a long integration of the driven system; the resonance is tested on the full bosonic system.
"""

import functools

import matplotlib.pyplot as plt
import numpy as np
from scipy.integrate import solve_ivp
from scipy.special import gamma, iv, kv

from experiments.report import Row, run
from jaxalloy.kinetics import (
    BosonicRelaxation,
    DrivenRelaxation,
    ExponentialRelaxation,
    FreeRelaxation,
    off_resonance_modulus,
    relax,
    stationary,
    threshold,
)

TITLE = "EM Eqs. 8-18: printed and corrected, against numerical solutions"

DECAY, COUPLING, INVERSION, SEED = 2.0, 1.0, 36.0, 1e-6
TIMES = np.linspace(0.0, 8.0, 401)
WITHIN = 0.01


@functools.cache
def solved(dephasing, detuning=0.0, inversion=INVERSION):
    """b(t) of Eq. 11, complex."""

    def slope(t, y):
        return [y[1], -(dephasing + 1j * detuning) * y[1] + COUPLING**2 * inversion * np.exp(-DECAY * t) * y[0]]

    start = np.array([0.0, -1j * COUPLING * SEED])
    return solve_ivp(slope, (0, TIMES[-1]), start, "DOP853", TIMES, rtol=1e-11, atol=1e-20).y[0]


def bessel(dephasing, z0):
    """|b| by Eq. 12 without its normalisation."""
    nu = dephasing / DECAY
    z = z0 * np.exp(-DECAY * TIMES / 2)
    front = 2 * COUPLING * SEED / DECAY * np.exp(-dephasing * TIMES / 2)
    return front * (iv(nu, z0) * kv(nu, z) - iv(nu, z) * kv(nu, z0))


def off_resonance(dephasing, detuning, share):
    """|b| by Eq. 14 with e^{-share Gamma t}; 1/2 is printed, 1 is right."""
    left = np.exp(-share * dephasing * TIMES)
    swing = left * np.sin(detuning * TIMES / 2) ** 2 + (1 - left) ** 2 / 4
    return 2 * COUPLING * SEED / np.hypot(dephasing, detuning) * np.sqrt(swing)


def far(curve, exact):
    """Largest difference in units of the largest exact value."""
    return float(np.abs(curve - np.abs(exact)).max() / np.abs(exact).max())


def row(what, error):
    """A claim that holds within 1 %."""
    return Row(what, "yes", error < WITHIN, note=f"farthest {error:.1e} of the largest value")


def resonance(inversion, what):
    """Whether |b| of Eq. 9 follows from Eq. 8 within 10 %, electrons at the printed A + M; M/A = -0.2."""
    rest, times = (inversion, 0.01, 0.3, 6.0), np.linspace(0.0, 10.0, 41)
    secular = np.abs(np.asarray(relax(FreeRelaxation(0.5, *rest), times).field))
    systems = [BosonicRelaxation(0.5, -64.0, 20.0, 0.5, *rest, transition_energy=e) for e in (16.0, np.sqrt(240.0))]
    printed, right = (far(secular, np.asarray(relax(system, times).field)) for system in systems)
    note = f"M/A = -0.2: farthest {printed:.2f} of the largest |b|; at sqrt(A^2 + 2AM) {right:.2f}"
    return Row(f"Eq. 9 from Eq. 8 at omega = A + M (10 %), {what} gain", "yes", printed < 0.1, note=note)


def driven():
    """Threshold and N_q' of EM Eqs. 16, 17, and N_q' at the end of an integration; Gamma 1, t_sigma 2, alpha .7."""
    rest = DrivenRelaxation(1.3, 4.0, 1e-3, 1.0, 2.0, 0.5, 0.7, 4.0)
    late = relax(rest, np.linspace(0.0, 200.0, 11)).quanta[-1]
    return rest, float(threshold(rest).inversion), float(stationary(rest).quanta), float(late)


def rows():
    z0 = 2 * COUPLING * np.sqrt(INVERSION)
    exact = solved(3.0)
    limit = COUPLING * SEED * (z0 / DECAY / 2) ** -1.5 * iv(1.5, z0 / DECAY) * gamma(1.5) / DECAY
    library = np.abs(np.asarray(relax(ExponentialRelaxation(COUPLING, INVERSION, SEED, 3.0, DECAY), TIMES).field))
    complex_order = solved(0.2, 10.0, 0.1)
    _, level, quanta, late = driven()
    by16 = 0.5 * 1.0 / (1.3**2 * 0.7)
    by17 = 1.0 / (4 * 2.0 * 1.3**2) * (4.0 / by16 - 1)
    c = 0.15
    first = 4.0 * 0.7 / (4 * 2.0 * 0.5)
    printed18, corrected18 = first - 1.0 / (c * (1 - c) * 1.3**2 * 2.0), first - 1.0 / (4 * 2.0 * 1.3**2)
    swing = off_resonance_modulus(ExponentialRelaxation(COUPLING, 0.1, SEED, 0.2, DECAY, detuning=10.0), TIMES)
    mean = float(np.abs(complex_order).mean() / np.abs(complex_order)[-1])
    real = bool(np.ptp(np.angle(complex_order[1:])) < 0.01)
    around = f"it starts from 0; mean {mean:.2f} of the last value: around its final one"
    return [
        row("Eq. 12 with z0 = 2 Delta sqrt(sigma0), as printed", far(bessel(3.0, z0), exact)),
        row("Eq. 12 with z0 = 2 Delta sqrt(sigma0)/gamma", far(bessel(3.0, z0 / DECAY), exact)),
        row("eta_infinity as printed, with that z0", abs(limit / np.abs(exact[-1]) - 1)),
        row("the same by the library's series, without Bessel functions", far(library, exact)),
        Row("Eq. 13 is real, as eta must be", "yes", real, note="b is complex off resonance: it needs a modulus"),
        row("Eq. 14 with e^(-Gamma t/2), as printed", far(off_resonance(0.2, 10.0, 0.5), complex_order)),
        row("Eq. 14 with e^(-Gamma t) (gain 0.1: an error of that order / 10)", far(np.asarray(swing), complex_order)),
        Row("Eq. 14: eta 'oscillates around its initial value'", "yes", mean < 0.5, note=around),
        resonance(8.0, "strong"),
        resonance(0.5, "weak"),
        Row("Eq. 16: threshold (paper: the formula)", f"{by16:.4f}", level),
        Row("Eq. 17: N_q' (paper: the formula) by stationary()", f"{by17:.4f}", quanta),
        Row("Eq. 17: N_q' at the end of an integration", f"{by17:.4f}", late),
        Row(
            "Eq. 18 as printed, the same state, N = 1", f"{printed18:.4f}", late, note="c(1-c) for 4 in the second term"
        ),
        Row("Eq. 18 with 4 t_sigma Delta^2 N below", f"{corrected18:.4f}", late),
    ]


def draw(path):
    figure, axes = plt.subplots(1, 3, figsize=(14, 4.3), layout="constrained")
    z0 = 2 * COUPLING * np.sqrt(INVERSION)
    exact = np.abs(solved(3.0))
    axes[0].semilogy(TIMES[1:], exact[1:], "k", lw=3, alpha=0.4, label="Eq. 11, integrated")
    axes[0].semilogy(TIMES[1:], bessel(3.0, z0)[1:], "r--", label="Eq. 12 as printed")
    axes[0].semilogy(TIMES[1:], bessel(3.0, z0 / DECAY)[1:], "C0:", lw=2, label="z₀ divided by γ")
    axes[0].set(xlabel="t (γ = 2)", ylabel="|b|", title="Eq. 12, x = 3, Γ = 1.5 γ")
    early = TIMES < 4
    exact = np.abs(solved(0.2, 10.0, 0.1))
    for share, style, name in ((0.5, "r--", "as printed"), (1.0, "C0:", "with e^(-Γt)")):
        axes[1].plot(TIMES[early], off_resonance(0.2, 10.0, share)[early], style, label=f"Eq. 14 {name}")
    axes[1].plot(TIMES[early], exact[early], "k", lw=3, alpha=0.4, label="Eq. 11, integrated")
    axes[1].set(xlabel="t (γ = 2)", ylabel="|b|", title="Eq. 14, Γ = 0.2, Ω = 10")
    rest, _, quanta, _ = driven()
    times = np.linspace(0.0, 60.0, 301)
    axes[2].plot(times, relax(rest, times).quanta, label="integrated")
    axes[2].axhline(quanta, color="k", ls=":", label="Eq. 17")
    axes[2].set(xlabel="Γ t", ylabel="N_q′", title="Eqs. 16, 17: a driven condensate")
    for axis in axes:
        axis.legend(fontsize=8)
    figure.savefig(path, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    run("egorushkin1993.equations")
