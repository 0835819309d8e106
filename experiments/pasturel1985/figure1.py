"""PHH Fig. 1: the screening charge around a Li ion in Li, Li-Na, Li-Mg, Li-Al, Li-Pb, and along Li-Pb; paper preset.

The article prints no numbers here, only that electrons gather closer to the Li ion the higher the valence of the other
metal, and that the pseudo-atoms of Li and Pb overlap least at Li0.8Pb0.2. The overlap is int rho_Li(r) rho_Pb(r - R)
d^3r at the diameter of Table II, per electron of both; of several ways to define it this is the plainest.
"""

import functools

import matplotlib.pyplot as plt
import numpy as np

from experiments.liquids import forces
from experiments.pasturel1985.table2_entropies import TABLE
from experiments.report import Row, run

TITLE = "PHH Fig. 1: screening charge around Li and Pb"

TEMPERATURE, PRESET = 1000.0, "paper"
EQUIATOMIC = ("Li", "LiNa", "LiMg", "LiAl", "LiPb")
SERIES = [f"Li{line[0]}Pb{round(1 - float(line[0]), 1)}" for line in TABLE]
R = np.linspace(0.02, 8.0, 400)
NEAR = 2.0


@functools.cache
def shells(formula):
    """4 pi R^2 rho(R) around both kinds of ion, electrons per bohr."""
    between = forces(formula, TEMPERATURE, PRESET)[1]
    return 4 * np.pi * R**2 * np.asarray(between.screening_density(R))


def within(formula, species=0, radius=NEAR):
    """Screening electrons nearer to the ion than `radius` bohr."""
    inside = radius >= R
    return float(np.trapezoid(shells(formula)[species][inside], R[inside]))


def overlap(formula, distance):
    """Overlap of the screening clouds of unlike neighbours, 1/bohr^3 per electron of both."""
    between = forces(formula, TEMPERATURE, PRESET)[1]
    q, weights = np.asarray(between.q), np.asarray(between.weights)
    clouds = np.prod(np.asarray(between.screening_charge), axis=0) / np.prod(between.effective_valences)
    return float((weights * q**2 * clouds) @ np.sinc(q * distance / np.pi) / (2 * np.pi**2))


def rows():
    inner = {formula: within(formula) for formula in EQUIATOMIC}
    overlaps = [overlap(formula, float(line[3])) for formula, line in zip(SERIES, TABLE, strict=True)]
    least = SERIES[int(np.argmin(overlaps))]
    print("electrons within 2 bohr of Li: " + ", ".join(f"{f} {n:.3f}" for f, n in inner.items()))
    print("overlap of Li and Pb at sigma, 1e-3/bohr^3: " + ", ".join(f"{1e3 * x:.3f}" for x in overlaps))
    lead = [within(formula, 1) for formula in SERIES]
    lithium = [within(formula) for formula in SERIES]
    order = [inner[f] for f in EQUIATOMIC[2:]]
    listed = "electrons within 2 bohr: " + ", ".join(f"{f} {inner[f]:.2f}" for f in EQUIATOMIC)
    return [
        Row("charge drawn closer to Li with the valence: Mg < Al < Pb", "yes", order == sorted(order), note=listed),
        Row("more electrons near Li in Li-Mg, Li-Al, Li-Pb than in Li", "yes", min(order) > inner["Li"]),
        Row("fewer in Li-Na (lower electron density)", "yes", inner["LiNa"] < inner["Li"]),
        Row("Li-Pb: charge near Li grows with the Pb content", "yes", bool((np.diff(lithium) > 0).all())),
        Row("Li-Pb: charge near Pb grows with the Pb content", "yes", bool((np.diff(lead) > 0).all())),
        Row(
            "'minimal overlap between unlike pairs' at Li0.8Pb0.2",
            "yes",
            least == "Li0.8Pb0.2",
            note=f"least at {least} with Table II's diameters; the article does not say how it measures overlap",
        ),
    ]


def draw(path):
    figure, axes = plt.subplots(1, 3, figsize=(14, 4.4), layout="constrained")
    for formula in EQUIATOMIC:
        axes[0].plot(R, shells(formula)[0], "k:" if formula == "Li" else "-", label=formula)
    for i, formula in enumerate(SERIES):
        colour = plt.cm.viridis(i / len(SERIES))
        for axis, species in ((axes[1], 0), (axes[2], 1)):
            axis.plot(R, shells(formula)[species], color=colour, label=formula)
    titles = ("(a) around Li, equiatomic alloys", "(b) around Li in Li-Pb", "(c) around Pb in Li-Pb")
    for axis, title in zip(axes, titles, strict=True):
        axis.axvline(NEAR, color="0.8", lw=0.8)
        axis.axhline(0, color="0.8", lw=0.8)
        axis.set(xlabel="R (bohr)", title=title, xlim=(0, 8))
        axis.legend(fontsize=8)
    axes[0].set_ylabel("4πR²ρ (electrons per bohr)")
    figure.suptitle("PHH Fig. 1, paper preset, 1000 K; the article's curves carry no numbers")
    figure.savefig(path, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    run("pasturel1985.figure1")
