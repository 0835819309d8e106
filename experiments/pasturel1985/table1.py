"""PHH Table I: charges of the orthogonalisation holes in equiatomic Li alloys and in the pure metals, paper preset.

Densities are the package's: measured for Li-Pb, additive elsewhere, all at 1000 K; the paper does not print its own.
The size of a hole goes with the electron density, so a density that is off by x moves it by about x; 4 % are allowed.
"""

import functools

import matplotlib.pyplot as plt

from experiments.liquids import alloy, forces
from experiments.report import Row, run

TITLE = "PHH Table I: orthogonalisation-hole charges"

TEMPERATURE, ALLOWED = 1000.0, 0.04
PAIRS = {
    "LiNa": ("0.0465", "0.0856"),
    "LiMg": ("0.0895", "0.1140"),
    "LiAl": ("0.1439", "0.1345"),
    "LiPb": ("0.1402", "0.3223"),
}
PURE = {"Li": "0.0622", "Na": "0.0730", "Mg": "0.1500", "Al": "0.2108", "Pb": "0.4197"}
REASONS = {
    "LiNa": "additive volume with Na at 1000 K; see pure Na",
    "LiAl": "additive volume; the alloy contracts on mixing, and more electrons per volume make larger holes",
    "Na": "the paper's charge asks for the density of Na near its melting point, not at 1000 K",
}


@functools.cache
def rows():
    result = []
    for formula, printed in (PAIRS | {symbol: (charge,) for symbol, charge in PURE.items()}).items():
        this, between = forces(formula, TEMPERATURE, "paper")
        charges = [float(charge) for charge in between.hole_charges(this.valences)]
        for symbol, paper, ours in zip(this.symbols, printed, charges, strict=False):
            name = f"{formula}: hole of {symbol}" if len(printed) == 2 else f"pure {symbol}"
            row = Row(name, paper, ours, ALLOWED * float(paper))
            volume = f"{float(this.volume):.1f} bohr^3 per atom"
            result.append(row._replace(note=volume if row.agrees else f"{volume}; {REASONS.get(formula, '')}"))
    return result


def volume_for(symbol, charge):
    """The volume, bohr^3, at which a pure metal has a hole of this charge, by the density of electrons."""
    this, between = forces(symbol, TEMPERATURE, "paper")
    return float(this.volume * between.hole_charges(this.valences)[0] / charge)


def draw(path):
    found = rows()
    for symbol, charge in PURE.items():
        at = float(alloy(symbol, TEMPERATURE).volume)
        print(f"pure {symbol}: Table I asks for about {volume_for(symbol, float(charge)):.0f} bohr^3, ours {at:.0f}")
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    axes.plot([row.ours for row in found], "o", label="jaxalloy, paper preset")
    axes.plot([float(row.paper) for row in found], "x", color="black", ms=8, label="PHH Table I")
    axes.set_xticks(range(len(found)), [row.what.replace("hole of ", "") for row in found], rotation=50, fontsize=9)
    axes.set(ylabel="hole charge (electrons per ion)")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    run("pasturel1985.table1")
