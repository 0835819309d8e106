"""PHH Table II from first principles: liquid Li-Pb at 1000 K under the contact constraint; nothing is fitted.

The reference of the core levels is the decisive choice (see beyond.core_levels); of the four readings of the constraint
the default, "ordering", is used. Line by line for the paper's preset; of the default preset the deviation over the
seven compositions (paper column 0).
"""

import functools

import matplotlib.pyplot as plt
import numpy as np

from experiments.liquids import liquid
from experiments.pasturel1985.table2_entropies import TABLE
from experiments.report import Row, run

TITLE = "PHH Table II from first principles"

TEMPERATURE = 1000.0
PRESETS = ("paper", "default")
COLUMNS = {
    "eta": 2,
    "sigma (bohr)": 3,
    "kappa (1/bohr)": 4,
    "epsilon (mRy)": 5,
    "S_HS (k_B)": 7,
    "dS_ord (k_B)": 8,
}
REASONS = {
    "eta": "follows sigma",
    "sigma (bohr)": "unpublished detail of the article's cores",
    "kappa (1/bohr)": "the slope of Phi_CC at contact; the article's kappa hardly varies with composition, ours does",
    "epsilon (mRy)": "Phi_CC(sigma); reference of the core levels",
    "S_HS (k_B)": "follows eta",
    "dS_ord (k_B)": "follows epsilon and kappa",
}


@functools.cache
def numbers(lithium, preset):
    """One line of the table."""
    state = liquid(f"Li{lithium}Pb{round(1 - float(lithium), 1)}", TEMPERATURE, "contact", preset)
    reference = (state.eta, state.sigma, state.kappa, 1e3 * state.epsilon)
    return [float(x) for x in (*reference, state.entropy.hard_sphere, state.entropy.ordering)]


@functools.cache
def found(preset):
    """Ours, shape (7, 6)."""
    return np.array([numbers(line[0], preset) for line in TABLE])


def rows():
    result = []
    for i, line in enumerate(TABLE):
        for j, (what, column) in enumerate(COLUMNS.items()):
            row = Row(f"Li{line[0]}: {what}", line[column], float(found("paper")[i, j]))
            note = f"{100 * (row.ours / float(row.paper) - 1):+.0f} %"
            result.append(row._replace(note=note if row.verdict == "agrees" else f"{note}; {REASONS[what]}"))
    printed = np.array([[float(line[column]) for column in COLUMNS.values()] for line in TABLE])
    for preset in PRESETS:
        relative = 100 * (found(preset) / printed - 1)
        for what, error in zip(COLUMNS, relative.T, strict=True):
            note = f"mean {error.mean():+.0f} %, from {error.min():+.0f} to {error.max():+.0f} %"
            result.append(
                Row(f"{preset} preset, {what}: rms deviation (%)", "", float(np.sqrt((error**2).mean())), note=note)
            )
    return result


def draw(path):
    lithium = [float(line[0]) for line in TABLE]
    figure, axes = plt.subplots(2, 3, figsize=(12, 6.5), layout="constrained", sharex=True)
    for index, (axis, (what, column)) in enumerate(zip(axes.flat, COLUMNS.items(), strict=True)):
        axis.plot(lithium, [float(line[column]) for line in TABLE], "kx", ms=8, label="PHH Table II")
        for preset, marker in zip(PRESETS, ("o-", "s--"), strict=True):
            axis.plot(lithium, found(preset)[:, index], marker, ms=4, label=f"{preset} preset")
        axis.set(ylabel=what)
        axis.legend(fontsize=8)
    for axis in axes[1]:
        axis.set(xlabel="atomic fraction of Li")
    figure.suptitle("Liquid Li-Pb, 1000 K, contact constraint")
    figure.savefig(path, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    run("pasturel1985.table2")
