"""PHH Figs. 5 and 6: heat, entropy, free energy of ordering and the peak of S_CC against screening.

The paper does not print the diameter (kappa is given in 1/bohr); we take that of Li0.8Pb0.2 in its Table II.
"""

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from experiments.report import Row, run
from jaxalloy.constants import BOLTZMANN_RY_PER_K
from jaxalloy.reference.mixture import HardSphereYukawa

TITLE = "PHH Figs. 5 and 6: ordering against screening"

ETA, SIGMA, TEMPERATURE = 0.40, 4.93, 1000.0
KAPPA = np.linspace(0.005, 3.0, 1200)
Q_SIGMA = np.linspace(2.0, 8.0, 1201)


@jax.jit
def ordering(epsilon):
    """dH, T dS, dF in mRy/atom and the largest S_CC/(c_A c_B), each at every kappa."""

    def at(kappa):
        liquid = HardSphereYukawa(0.5, ETA, SIGMA, epsilon, kappa, TEMPERATURE)
        heat = 1e3 * liquid.ordering_enthalpy
        entropy = 1e3 * BOLTZMANN_RY_PER_K * TEMPERATURE * liquid.ordering_entropy
        peak = 4.0 * jnp.max(liquid.structure_factor_cc(Q_SIGMA / SIGMA))
        return {"dH": heat, "TdS": entropy, "dF": heat - entropy, "peak": peak}

    return jax.vmap(at)(jnp.asarray(KAPPA))


def extrema(epsilon):
    """Screening constants (1/bohr) where the order is strongest by each of the four measures."""
    curves = {name: np.asarray(curve) for name, curve in ordering(epsilon).items()}
    return {name: float(KAPPA[np.argmax(c) if name == "peak" else np.argmin(c)]) for name, c in curves.items()}


def rows():
    weak, strong = extrema(-0.005), extrema(-0.025)

    def finite(*kappas):
        return min(kappas) > 2 * float(KAPPA[0])

    def apart(found):
        kappas = sorted(found[name] for name in ("dH", "TdS", "dF"))
        return finite(*kappas) and min(np.diff(kappas)) > 0.05

    nearest = "sigma assumed; of the four values drawn in Fig. 7, 0.7 is the nearest"
    falling = "dF falls all the way to kappa = 0"
    return [
        Row("eps = -25 mRy: kappa of largest S_CC(Qp), 1/bohr", "0.7", strong["peak"]),
        Row("eps = -25 mRy: kappa of lowest dH_ord, 1/bohr", "0.7", strong["dH"], note=nearest),
        Row("eps = -25 mRy: kappa of strongest dS_ord, 1/bohr", "1.3", strong["TdS"]),
        Row("strongest order at finite kappa (S_CC peak)", "yes", finite(weak["peak"], strong["peak"])),
        Row("strongest order at finite kappa (dH)", "yes", finite(weak["dH"], strong["dH"])),
        Row("that kappa grows with |eps| (S_CC peak)", "yes", strong["peak"] > weak["peak"]),
        Row("that kappa grows with |eps| (dH)", "yes", strong["dH"] > weak["dH"]),
        Row("eps = -25 mRy: dH, dS, dF extremal at different kappa", "yes", bool(apart(strong))),
        Row("eps = -5 mRy: dH, dS, dF extremal at different kappa", "yes", bool(apart(weak)), note=falling),
    ]


def draw(path):
    figure, axes = plt.subplots(2, 2, figsize=(10, 8), sharex=True, layout="constrained")
    for axis, what, kappa, style in (
        (axes[0, 1], "ΔH", 0.7, ":"),
        (axes[0, 1], "ΔS", 1.3, "--"),
        (axes[1, 1], "S_CC", 0.7, ":"),
    ):
        axis.axvline(kappa, color="r", ls=style, lw=0.9, label=f"PHH: strongest {what}, κ = {kappa}")
    for column, epsilon in enumerate((-0.005, -0.025)):
        curves, best = ordering(epsilon), extrema(epsilon)
        labels = {"dH": "ΔH_ord", "TdS": "TΔS_ord", "dF": "ΔF_ord"}
        for name, label in labels.items():
            line = axes[0, column].plot(KAPPA, curves[name], label=label)[0]
            at = np.searchsorted(KAPPA, best[name])
            axes[0, column].plot(KAPPA[at], curves[name][at], "o", color=line.get_color())
        axes[1, column].plot(KAPPA, curves["peak"], "k", label="S_CC(Qp)/(c_A c_B)")
        axes[1, column].axvline(best["peak"], color="0.7", label=f"maximum, κ = {best['peak']:.2f}")
        axes[0, column].set(title=f"ε = {1e3 * epsilon:.0f} mRy", ylabel="mRy per atom")
        axes[1, column].set(xlabel="κ (1/bohr)", ylabel="S_CC(Qp)/(c_A c_B)")
        axes[0, column].legend(fontsize=8, loc="lower right")
        axes[1, column].legend(fontsize=8, loc="upper right")
    figure.suptitle(f"PHH Figs. 5, 6: η = {ETA}, σ = {SIGMA} bohr (assumed), T = {TEMPERATURE:.0f} K; dots: lowest")
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    run("pasturel1985.figures5_6")
