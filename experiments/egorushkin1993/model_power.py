"""How well an annealing curve tells the laws of relaxation apart: synthetic data with known truth.

120 points over five relaxation times, ten noises for each truth, noise 0.5, 2 and 8 % of the change, AICc. EM's claim
that the electronic mechanism shows as an S-shaped curve can be tested against data only as far as this.
"""

import matplotlib.pyplot as plt
import numpy as np

from experiments.report import Row, run
from jaxalloy.fitting.relaxation import AnnealingCurve, compare, relaxation_model

TITLE = "Telling the laws of relaxation apart"

TIMES = np.linspace(0.0, 60.0, 121)[1:]
TRUTH = {
    "em12": (150.0, 4.0, 0.12 * 60),
    "kww": (12.0 / 60, 0.6),
    "age": (8.0 / 60, 5.0),
    "tnm": (12.0 / 60, 0.8, 2.5),
    "exponential": (15.0 / 60,),
    "constant": (),
}
NOISES = (0.005, 0.02, 0.08)
REPEATS = 10


def matrix(noise):
    """Share of the repeats in which each law (column) is preferred, and not excluded, for each truth (row)."""
    names = list(TRUTH)
    preferred, kept = np.zeros((2, len(names), len(names)))
    for row, (truth, values) in enumerate(TRUTH.items()):
        exact = relaxation_model(truth).progress(np.array(values), TIMES / TIMES[-1])
        for seed in range(REPEATS):
            scatter = noise * np.random.default_rng(seed).normal(size=len(TIMES))
            found = compare(AnnealingCurve(TIMES, exact + scatter, time_unit="min"), names)
            preferred[row, names.index(found.preferred)] += 1
            for name in found.indistinguishable:
                kept[row, names.index(name)] += 1
    return preferred / REPEATS, kept / REPEATS


FOUND = {}


def rows():
    out = []
    names = list(TRUTH)
    for noise in NOISES:
        preferred, kept = FOUND[noise] = matrix(noise)
        print(f"noise {noise:.1%} of the change; rows: truth, columns: not excluded (preferred)")
        print(" " * 12 + "".join(f"{name:>15}" for name in names))
        for name, not_excluded, best in zip(names, kept, preferred, strict=True):
            print(f"{name:12}" + "".join(f"{k:9.1f} ({p:3.1f})" for k, p in zip(not_excluded, best, strict=True)))
        cover = np.diag(kept)
        worst = f"kept least: {names[int(np.argmin(cover))]}, {cover.min():.1f}"
        out.append(Row(f"noise {noise:.1%}: the truth is kept (0.8)", "yes", bool(cover.min() >= 0.8), note=worst))
        others = kept[0][[names.index(name) for name in ("age", "exponential", "constant")]]
        note = f"kept beside em12: at most {others.max():.1f}"
        out.append(Row(f"noise {noise:.1%}: S-shape excludes spectra", "yes", bool(others.max() < 0.2), note=note))
        rivals = kept[names.index("kww")]
        told = ", ".join(f"{n} {k:.1f}" for n, k in zip(names, rivals, strict=True) if k > 0.2 and n != "kww")
        out.append(Row(f"noise {noise:.1%}: kww told from all others", "yes", told == "", note=told or "none kept"))
    return out


def draw(path):
    names = list(TRUTH)
    figure, axes = plt.subplots(1, len(NOISES), figsize=(13, 4.6), layout="constrained")
    for axis, noise in zip(axes, NOISES, strict=True):
        _, kept = FOUND[noise]
        image = axis.imshow(kept, vmin=0, vmax=1, cmap="Blues")
        axis.set_xticks(range(len(names)), names, rotation=60)
        axis.set_yticks(range(len(names)), names)
        axis.set(title=f"noise {100 * noise:g} % of the change", xlabel="law")
    axes[0].set_ylabel("truth")
    figure.colorbar(image, ax=axes, label="share of the data that do not exclude the law")
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    run("egorushkin1993.model_power")
