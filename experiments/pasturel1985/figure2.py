"""PHH Fig. 2: pair potentials in equiatomic Li alloys against those in the pure metals; the chemical compression.

The statement checked: the repulsive wall of Li-Li moves in from 4.45 bohr in pure Li to about 3.4 bohr in Li-Pb.
"""

import matplotlib.pyplot as plt
import numpy as np

import jaxalloy as ja
from experiments.report import Row, run

TEMPERATURE = 1000.0
FORMULAS = ("LiMg", "LiAl", "LiPb")
R = np.linspace(3.0, 16.0, 1301)


def potentials(alloy):
    """Phi_AA, Phi_AB, Phi_BB in mRy."""
    return 1e3 * np.asarray(ja.interactions(alloy, ja.OptimisedOPW.paper()).pair_potentials(R))


def wall(phi, level=10.0):
    """Where the repulsive wall falls below `level` mRy, bohr."""
    return float(R[np.argmax(phi < level)])


def rows():
    pure = wall(potentials(ja.Alloy.pure("Li", TEMPERATURE))[0])
    walls = {formula: wall(potentials(ja.Alloy.parse(formula, TEMPERATURE))[0]) for formula in FORMULAS}
    note = "where Phi falls below 10 mRy; read off the figure, 0.1 bohr allowed"
    return [
        Row("Li-Li wall in pure Li (bohr)", "4.45", pure, 0.1, note),
        Row("Li-Li wall in LiPb (bohr)", "3.4", walls["LiPb"], 0.1, note),
        Row("it moves in from Mg to Al to Pb", "claim", pure > walls["LiMg"] > walls["LiAl"] > walls["LiPb"]),
    ]


def draw(path):
    figure, axes = plt.subplots(1, 3, figsize=(13, 4.5), layout="constrained", sharey=True)
    lithium = potentials(ja.Alloy.pure("Li", TEMPERATURE))[0]
    for axis, formula in zip(axes, FORMULAS, strict=True):
        alloy = ja.Alloy.parse(formula, TEMPERATURE)
        other = alloy.symbols[1]
        for name, phi in zip(("Li-Li", f"Li-{other}", f"{other}-{other}"), potentials(alloy), strict=True):
            axis.plot(R, phi, label=name)
        axis.plot(R, lithium, "k:", label="pure Li")
        axis.plot(R, potentials(ja.Alloy.pure(other, TEMPERATURE))[0], "k--", label=f"pure {other}")
        axis.set(ylim=(-15, 25), xlabel="R (bohr)", title=formula)
        axis.legend(frameon=False)
    axes[0].set(ylabel="pair potential (mRy)")
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    run("PHH Fig. 2: chemical compression, paper preset", rows, draw, "figure2")
