"""Beyond (a): PHH's "most urgent correction", a finite mean free path of the electrons, in liquid Li-Pb at 1000 K.

PHH expect it to weaken the screening (kappa falls), to damp the higher oscillations of S_CC, and to mend the entropies,
which they find too low (S_HS by about 0.5 k_B, the ordering part by an unnamed amount). The response is smeared over
1/l (de Gennes). l follows from the resistivity by Drude's formula where that is known, about 500 microohm cm at the
maximum at Li0.8Pb0.2 (after Nguyen and Enderby 1977) and 114 in pure Pb; elsewhere it is scanned. Both presets.
"""

import functools

import matplotlib.pyplot as plt
import numpy as np

from experiments.liquids import alloy, liquid
from experiments.pasturel1985.table2_entropies import TABLE
from experiments.report import Row, run

TITLE = "Beyond (a): finite electron mean free path in Li-Pb"

TEMPERATURE = 1000.0
SERIES = [f"Li0.{9 - i}Pb0.{1 + i}" for i in range(7)]
LITHIUM = [0.9 - 0.1 * i for i in range(7)]
PATHS = (40.0, 20.0, 10.0, 7.0, 5.0, 4.0, 3.0)
SHORT = 5.0
RESISTIVITY = {"Li0.8Pb0.2": 500.0, "Pb": 114.0}
ATOMIC_UNIT = 21.7371
"""hbar a0/e^2 in microohm cm."""


def drude(formula):
    """l = hbar k_F/(n e^2 rho), bohr."""
    this = alloy(formula, TEMPERATURE)
    return float(this.fermi_wavenumber / (this.electron_density * RESISTIVITY[formula] / ATOMIC_UNIT))


def swing(mixture):
    """Of S_CC/(c_A c_B) beyond q sigma = 8."""
    q = np.linspace(8.0, 20.0, 600) / float(mixture.sigma)
    c = mixture.concentration
    return float(np.ptp(np.asarray(mixture.structure_factor_cc(q) / (c * (1 - c)))))


@functools.cache
def numbers(formula, path=None, preset="paper"):
    """kappa, -epsilon (mRy), swing, S_HS, dS_ord; NaN where there is no stationary point."""
    state = liquid(formula, TEMPERATURE, "contact", preset, mean_free_path=path)
    if not bool(state.converged):
        return (float("nan"),) * 5
    parts = (state.kappa, -1e3 * state.epsilon, swing(state.liquid), state.entropy.hard_sphere, state.entropy.ordering)
    return tuple(float(x) for x in parts)


def rows():
    result = []
    for formula in RESISTIVITY:
        note = f"{RESISTIVITY[formula]:g} microohm cm; neighbours are about 5.5 bohr apart"
        result.append(Row(f"{formula}: l by Drude's formula (bohr)", "", drude(formula), note=note))
    for preset in ("paper", "default"):
        free, short = numbers("Li0.8Pb0.2", None, preset), numbers("Li0.8Pb0.2", SHORT, preset)
        limit = numbers("Li0.8Pb0.2", PATHS[-1], preset)
        changes = [f"{a:.2f} -> {b:.2f} -> {c:.2f}" for a, b, c in zip(free, short, limit, strict=True)]
        note = [f"{text} at l = infinite, {SHORT:g}, {PATHS[-1]:g} bohr" for text in changes]
        gain, order = short[3] - free[3], short[4] - free[4]
        result += [
            Row(f"Li0.8Pb0.2, {preset}: kappa falls", "yes", short[0] < free[0], note=f"{note[0]}, 1/bohr"),
            Row(
                f"Li0.8Pb0.2, {preset}: Phi_CC at contact keeps its strength (10 %)",
                "yes",
                abs(short[1] / free[1] - 1) < 0.1,
                note=f"{note[1]} mRy",
            ),
            Row(f"Li0.8Pb0.2, {preset}: higher oscillations of S_CC damped", "yes", short[2] < free[2], note=note[2]),
            Row(f"Li0.8Pb0.2, {preset}: S_HS rises towards the wanted 0.5 k_B", "0.5", gain, note=note[3]),
            Row(f"Li0.8Pb0.2, {preset}: ordering entropy less negative", "yes", order > 0, note=note[4]),
        ]
    share = [numbers(f, SHORT)[3] + numbers(f, SHORT)[4] - numbers(f)[3] - numbers(f)[4] for f in SERIES]
    listed = (
        "S_HS + dS_ord changes by " + ", ".join(f"{f} {x:+.2f}" for f, x in zip(SERIES, share, strict=True)) + " k_B"
    )
    result.append(
        Row(f"the entropies rise at every composition (l = {SHORT:g})", "yes", bool(np.nanmin(share) > 0), note=listed)
    )
    rich = np.array([numbers(f, SHORT)[0] / numbers(f)[0] for f in SERIES])
    listed = "kappa changes by the factors " + ", ".join(f"{x:.2f}" for x in rich)
    result.append(
        Row(f"kappa falls at every composition (l = {SHORT:g})", "yes", bool(np.nanmax(rich) < 1), note=listed)
    )
    return result


def draw(path):
    figure, axes = plt.subplots(2, 4, figsize=(15, 7.4), layout="constrained")
    names = ("κ (1/bohr)", "-ε (mRy)", "swing of S_CC/c_A c_B, qσ > 8", "S_HS + ΔS_ord (k_B)")

    def shown(values):
        return (*values[:3], values[3] + values[4])

    table = np.array(TABLE, dtype=float)
    printed = (table[:, 4], -table[:, 5], None, table[:, 7] + table[:, 8])
    for column, name in enumerate(names):
        top, bottom = axes[:, column]
        for preset, colour in (("paper", "C0"), ("default", "C1")):
            scan = [shown(numbers("Li0.8Pb0.2", length, preset))[column] for length in PATHS]
            top.plot(PATHS, scan, "o-", color=colour, ms=4, label=f"{preset} preset")
            infinite = shown(numbers("Li0.8Pb0.2", None, preset))[column]
            top.axhline(infinite, color=colour, ls=":", label=f"{preset}, l = ∞")
        top.axvline(drude("Li0.8Pb0.2"), color="0.6", lw=1, label="l from 500 μΩ cm")
        top.set(xlabel="mean free path l (bohr)", ylabel=name, title="Li0.8Pb0.2", xscale="log")
        top.set_xticks((3, 5, 10, 20, 40), ("3", "5", "10", "20", "40"))
        top.minorticks_off()
        for length, style in ((None, "k-"), (10.0, "C2--"), (SHORT, "C3-.")):
            label = "l = ∞" if length is None else f"l = {length:g} bohr"
            bottom.plot(
                LITHIUM, [shown(numbers(f, length))[column] for f in SERIES], style, marker="o", ms=4, label=label
            )
        if printed[column] is not None:
            bottom.plot(table[:, 0], printed[column], "kx", ms=8, label="PHH Table II")
        bottom.set(xlabel="atomic fraction of Li", ylabel=name, title="paper preset")
        top.legend(fontsize=7)
        bottom.legend(fontsize=7)
    figure.savefig(path, dpi=90)
    plt.close(figure)


if __name__ == "__main__":
    run("beyond.mean_free_path")
