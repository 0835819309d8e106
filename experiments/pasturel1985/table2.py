"""PHH Table II from first principles: liquid Li-Pb at 1000 K under the contact constraint, in both presets.

Columns eta, sigma, kappa, epsilon and the two entropies; nothing is fitted. The core levels' reference is the decisive
choice (see free_minima.py and the README); of the four readings of the constraint the default, "ordering", is used.
"""

import matplotlib.pyplot as plt
import numpy as np

import jaxalloy as ja
from experiments.pasturel1985.table2_entropies import TABLE
from experiments.report import Row, run

TEMPERATURE = 1000.0
PRESETS = {"paper preset": ja.OptimisedOPW.paper(), "default preset": ja.OptimisedOPW()}
NAMES = ("eta", "sigma", "kappa", "epsilon (mRy)", "S_HS (k_B)", "dS_ord (k_B)")


def states(potential):
    """The contact states of the seven alloys."""
    alloys = [ja.Alloy.of(("Li", "Pb"), round(1 - float(line[0]), 1), TEMPERATURE) for line in TABLE]
    return [ja.minimise(alloy, ja.interactions(alloy, potential)) for alloy in alloys]


def numbers(state):
    """One line of the table."""
    liquid = (state.eta, state.sigma, state.kappa, 1e3 * state.epsilon)
    return [float(x) for x in (*liquid, state.entropy.hard_sphere, state.entropy.ordering)]


def rows():
    result = []
    for name, potential in PRESETS.items():
        for line, state in zip(TABLE, states(potential), strict=True):
            printed = [line[2], line[3], line[4], line[5], line[7], line[8]]
            for what, paper, ours in zip(NAMES, printed, numbers(state), strict=True):
                relative = ours / float(paper) - 1
                note = f"{name}, {100 * relative:+.0f} %"
                result.append(Row(f"Li{line[0]} {what}", paper, ours, note=note))
    return result


def draw(path):
    lithium = [float(line[0]) for line in TABLE]
    columns = (2, 3, 4, 5, 7, 8)
    figure, axes = plt.subplots(2, 3, figsize=(12, 6.5), layout="constrained", sharex=True)
    found = {name: np.array([numbers(state) for state in states(potential)]) for name, potential in PRESETS.items()}
    for index, (axis, what, column) in enumerate(zip(axes.ravel(), NAMES, columns, strict=True)):
        axis.plot(lithium, [float(line[column]) for line in TABLE], "kx", label="PHH Table II")
        for name, marker in zip(PRESETS, ("o-", "s--"), strict=True):
            axis.plot(lithium, found[name][:, index], marker, ms=4, label=name)
        unit = {"sigma": "sigma (bohr)", "kappa": "kappa (1/bohr)"}.get(what, what)
        axis.set(ylabel=unit)
    for axis in axes[1]:
        axis.set(xlabel="atomic fraction of Li")
    axes[0, 0].legend(frameon=False)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    run("PHH Table II from first principles, reading 'ordering'", rows, draw, "table2")
