"""PHH Table I: charges of the orthogonalisation holes in equiatomic Li alloys and in the pure metals, paper preset.

Densities are the package's: measured for Li-Pb, additive elsewhere, all at 1000 K; the paper does not print its own.
"""

import matplotlib.pyplot as plt

import jaxalloy as ja
from experiments.report import Row, run

TEMPERATURE = 1000.0
PAIRS = {
    "LiNa": ("0.0465", "0.0856"),
    "LiMg": ("0.0895", "0.1140"),
    "LiAl": ("0.1439", "0.1345"),
    "LiPb": ("0.1402", "0.3223"),
}
PURE = {"Li": "0.0622", "Na": "0.0730", "Mg": "0.1500", "Al": "0.2108", "Pb": "0.4197"}
FOUR_PER_CENT = 0.04


def holes(alloy):
    """Hole charges of both species, electrons per ion."""
    return ja.interactions(alloy, ja.OptimisedOPW.paper()).hole_charges(alloy.valences)


def rows():
    result = []
    for formula, printed in PAIRS.items():
        alloy = ja.Alloy.parse(formula, TEMPERATURE)
        note = f"Omega = {float(alloy.volume):.1f}; 4 % allowed for the unprinted density"
        for symbol, paper, ours in zip(alloy.symbols, printed, holes(alloy), strict=True):
            result.append(Row(f"{formula}: hole of {symbol}", paper, float(ours), FOUR_PER_CENT * float(paper), note))
    for symbol, paper in PURE.items():
        alloy = ja.Alloy.pure(symbol, TEMPERATURE)
        note = f"Omega = {float(alloy.volume):.1f}; 4 % allowed for the unprinted density"
        result.append(Row(f"pure {symbol}", paper, float(holes(alloy)[0]), FOUR_PER_CENT * float(paper), note))
    return result


def draw(path):
    found = rows()
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    axes.plot([row.ours for row in found], "o", label="jaxalloy, paper preset")
    axes.plot([float(row.paper) for row in found], "x", color="black", label="PHH Table I")
    axes.set_xticks(range(len(found)), [row.what.replace("hole of ", "") for row in found], rotation=60, fontsize=8)
    axes.set(ylabel="hole charge (electrons per ion)")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    run("PHH Table I: orthogonalisation-hole charges", rows, draw, "table1")
