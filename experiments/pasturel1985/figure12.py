"""PHH Fig. 12: functions of mixing of liquid Li-Mg at 940 K, against the COST 507 assessment (the column "paper").

The article's points are not printed as numbers; the assessment stands in for its measurements. Heats are
semi-quantitative: each 0.1 Ry of the Li levels against those of Mg moves them by 3 to 5 kJ/mol (beyond.core_levels).
"""

import functools

import matplotlib.pyplot as plt
import numpy as np

import jaxalloy as ja
from experiments.assessed import assessment
from experiments.data import DataAbsentError
from experiments.liquids import liquid, potential
from experiments.report import Row, run
from jaxalloy.constants import GAS_CONSTANT_J_PER_MOL_K, RYDBERG_IN_KJ_PER_MOL

TITLE = "PHH Fig. 12: mixing of liquid Li-Mg"

TEMPERATURE = 940.0
X = np.linspace(0.1, 0.9, 5)
NAMES = ("dG (kJ/mol)", "dH (kJ/mol)", "dS (J/mol K)")
PRESETS = {"default": {}, "paper": {"preset": "paper"}, "neutral spheres": {"core_shift": "neutral-spheres"}}
REASON = {
    "dG (kJ/mol)": "as dH",
    "dH (kJ/mol)": "reference of the core levels, +-20 kJ/mol",
    "dS (J/mol K)": "packing: the pure liquids pack more densely than the alloy here; no size difference",
}


@functools.cache
def mixed(x, choice):
    """Functions of mixing of Li(1-x)Mg(x)."""
    formula = f"Li{round(1 - x, 6)}Mg{round(x, 6)}"
    return ja.mixing(liquid(formula, TEMPERATURE, "free", **PRESETS[choice]), potential(**PRESETS[choice]))


@functools.cache
def curves(choice):
    """dG, dH (kJ/mol) and dS (J/mol K) over X, and of dS the parts of packing and order."""
    points = [mixed(float(x), choice) for x in X]
    free = RYDBERG_IN_KJ_PER_MOL * np.array([float(m.free_energy) for m in points])
    heat = RYDBERG_IN_KJ_PER_MOL * np.array([float(m.enthalpy) for m in points])
    entropy = GAS_CONSTANT_J_PER_MOL_K * np.array([float(m.entropy) for m in points])
    packing = [
        float(m.alloy.entropy.hard_sphere - (1 - x) * m.pure[0].entropy.hard_sphere - x * m.pure[1].entropy.hard_sphere)
        for x, m in zip(X, points, strict=True)
    ]
    order = [float(m.alloy.entropy.ordering) for m in points]
    return (
        (free, heat, entropy),
        GAS_CONSTANT_J_PER_MOL_K * np.array(packing),
        GAS_CONSTANT_J_PER_MOL_K * np.array(order),
    )


@functools.cache
def assessed():
    """x and the three functions of the assessment; None where the data are absent."""
    try:
        x, free, heat, entropy, _ = assessment("Li-Mg", TEMPERATURE)
    except DataAbsentError:
        return None
    return x, (free, heat, entropy)


def rows():
    result = []
    for choice in PRESETS:
        found, packing, order = curves(choice)
        for name, curve, column in zip(NAMES, found, range(3), strict=True):
            reference = assessed() and np.interp(0.5, assessed()[0], assessed()[1][column])
            paper = "" if reference is None else f"{reference:.1f}"
            ours = None if reference is None else float(curve[2])
            result.append(Row(f"{name} at x = .5, {choice}", paper, ours, note=REASON[name]))
    found, packing, order = curves("default")
    share = float(np.abs(packing).mean() / np.abs(order).mean())
    parts = f"packing {packing[2]:+.1f}, order {order[2]:+.1f} J/mol K at x = .5"
    least = -GAS_CONSTANT_J_PER_MOL_K * (X * np.log(X) + (1 - X) * np.log(1 - X))
    low = bool((found[2] < least).all())
    miss = (
        ""
        if assessed() is None
        else f"{found[2][2]:.1f} against {np.interp(0.5, assessed()[0], assessed()[1][2]):.1f} J/mol K"
    )
    below = None if assessed() is None else bool(found[2][2] < np.interp(0.5, *(assessed()[0], assessed()[1][2])))
    return [
        *result,
        Row("entropy of mixing below the ideal one", "yes", low, note=parts),
        Row("dS 'distinctly too low' against experiment", "yes", below, note=f"ours: {miss}"),
        Row(
            "change of packing is its dominant contribution",
            "yes",
            share > 1,
            note=f"{share:.1f} times that of the order",
        ),
    ]


def draw(path):
    figure, axes = plt.subplots(1, 3, figsize=(13, 4.8), layout="constrained")
    for choice, marker in zip(PRESETS, "osd", strict=True):
        for axis, curve in zip(axes, curves(choice)[0], strict=True):
            axis.plot(X, curve, marker + "-", ms=4, label=f"jaxalloy, {choice}")
    _, packing, order = curves("default")
    axes[2].plot(X, packing, "+", color="0.4", label="packing, default")
    axes[2].plot(X, order, "x", color="0.4", label="order, default")
    for axis, name, column in zip(axes, NAMES, range(3), strict=True):
        if assessed() is not None:
            axis.plot(assessed()[0], assessed()[1][column], "k-", lw=2, label="COST 507")
        axis.axhline(0, color="0.8", lw=0.8)
        axis.set(xlabel="atomic fraction of Mg", ylabel=name)
    figure.legend(*axes[2].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    figure.suptitle("Liquid Li-Mg, 940 K, free minima")
    figure.savefig(path, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    run("pasturel1985.figure12")
