"""PHH Fig. 2: pair potentials in equiatomic Li alloys against those in the pure metals; the chemical compression.

The number checked: the repulsive wall of Li-Li moves in from 4.45 bohr in pure Li to about 3.4 bohr in Li-Pb (read off
the figure where the potential falls below 10 mRy, 0.1 bohr allowed); the rest are the statements of the text.
"""

import functools

import matplotlib.pyplot as plt
import numpy as np

from experiments.liquids import forces
from experiments.report import Row, run

TITLE = "PHH Fig. 2: pair potentials and the chemical compression"

TEMPERATURE, PRESET = 1000.0, "paper"
FORMULAS = ("LiMg", "LiAl", "LiPb")
R = np.linspace(3.0, 20.0, 1701)
PAPER_WALL = {"Li": 4.45, "LiPb": 3.4}


@functools.cache
def potentials(formula):
    """Phi_AA, Phi_AB, Phi_BB in mRy."""
    return 1e3 * np.asarray(forces(formula, TEMPERATURE, PRESET)[1].pair_potentials(R))


def wall(phi, level=10.0):
    """Where the repulsive wall falls below `level` mRy, bohr."""
    return float(R[np.argmax(phi < level)])


def first_minimum(phi):
    """R and depth of the first minimum beyond the wall."""
    dips = np.flatnonzero((phi[1:-1] < phi[:-2]) & (phi[1:-1] <= phi[2:]))
    return float(R[dips[0] + 1]), float(phi[dips[0] + 1])


def local_maxima(phi):
    """Indices of local maxima."""
    return np.flatnonzero((phi[1:-1] > phi[:-2]) & (phi[1:-1] >= phi[2:])) + 1


def correlation(first, second):
    """Of two potentials beyond 11 bohr, where only the Friedel oscillations are left."""
    far = R > 11.0
    return float(np.corrcoef((R**3 * first)[far], (R**3 * second)[far])[0, 1])


def rows():
    walls = {name: wall(potentials(name)[0]) for name in ("Li", *FORMULAS)}
    result = [
        Row("Li-Li wall in pure Li (bohr)", "4.45", walls["Li"], 0.1),
        Row("Li-Li wall in LiPb (bohr)", "3.4", walls["LiPb"], 0.1),
        Row("it moves in from Li to Mg to Al to Pb", "yes", list(walls.values()) == sorted(walls.values())[::-1]),
    ]
    for formula, metal in (("LiMg", "Mg"), ("LiAl", "Al")):
        here, pure = first_minimum(potentials(formula)[2]), first_minimum(potentials(metal)[0])
        note = (
            f"{here[1]:.1f} mRy at {here[0]:.2f} bohr; pure {metal} {pure[1]:.1f} at {pure[0]:.2f}; hangs on w(2 k_F)"
        )
        deep = here[1] < 2 * min(pure[1], 0.0) and here[1] < -3
        result.append(Row(f"{formula}: a very deep minimum of {metal}-{metal}", "yes", deep, note=note))
    lead, pure = potentials("LiPb")[2], potentials("Pb")[0]
    humps = [local_maxima(phi[R < 9.0]) for phi in (lead, pure)]
    note = f"local maxima on it: {len(humps[0])} in LiPb, {len(humps[1])} in pure Pb"
    result.append(Row("LiPb: a hump on the repulsive edge of Pb-Pb", "yes", len(humps[0]) > len(humps[1]), note=note))
    far = R > 11.0
    swings = {name: np.ptp((R**3 * phi)[far]) for name, phi in (("alloy", lead), ("pure", pure))}
    note = f"swing of R^3 Phi beyond 11 bohr: {swings['alloy']:.0f} against {swings['pure']:.0f} mRy bohr^3"
    result.append(
        Row("LiPb: oscillations of Pb-Pb stronger than in Pb", "yes", swings["alloy"] > swings["pure"], note=note)
    )
    for formula in FORMULAS:
        like, unlike, other = potentials(formula)
        least = min(correlation(like, unlike), correlation(unlike, other))
        note = f"least correlation of R^3 Phi beyond 11 bohr {least:.2f}"
        note += "" if least > 0.9 else "; form factors small or of opposite sign at 2 k_F shift the phase"
        result.append(Row(f"{formula}: all three oscillate in phase far out", "yes", least > 0.9, note=note))
    deeper = []
    for formula in FORMULAS:
        like, unlike, other = potentials(formula)
        place = R > wall((like + other) / 2)
        deeper.append(float(((like + other) / 2 - unlike)[place].max()))
    note = "mean of AA and BB minus AB, at most: " + ", ".join(f"{x:.1f}" for x in deeper) + " mRy"
    claim = "AB lies below the mean of AA and BB, further in Li-Al, Li-Pb than in Li-Mg"
    result.append(Row(claim, "yes", min(deeper[1:]) > deeper[0] > 0, note=note))
    return result


def draw(path):
    figure, axes = plt.subplots(1, 3, figsize=(14, 4.6), layout="constrained", sharey=True)
    for axis, formula in zip(axes, FORMULAS, strict=True):
        other = formula[2:]
        for name, phi in zip(("Li-Li", f"Li-{other}", f"{other}-{other}"), potentials(formula), strict=True):
            axis.plot(R, phi, label=name)
        axis.plot(R, potentials("Li")[0], "k:", label="Li-Li in pure Li")
        axis.plot(R, potentials(other)[0], "k--", label=f"{other}-{other} in pure {other}")
        axis.plot(PAPER_WALL["Li"], 10.0, "kx", ms=9, label="PHH: wall of Li-Li, pure Li")
        if formula in PAPER_WALL:
            axis.plot(PAPER_WALL[formula], 10.0, "r+", ms=11, mew=2, label="PHH: wall of Li-Li in LiPb")
        axis.axhline(0, color="0.8", lw=0.8)
        axis.set(ylim=(-6, 20), xlim=(3, 16), xlabel="R (bohr)", title=formula)
        axis.legend(fontsize=8)
    axes[0].set(ylabel="pair potential (mRy)")
    figure.savefig(path, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    run("pasturel1985.figure2")
