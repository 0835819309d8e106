"""PHH Figs. 3 and 4: potentials in number-concentration form with the reference diameter and ordering potential.

Fig. 3: equiatomic Li-Mg (free minimum), Li-Al and Li-Pb (contact constraint); Fig. 4: Li-Pb over composition. The
article's marks are the diameter and the Yukawa form: for Li-Pb those of its Table II stand beside ours. Paper preset.
"""

import functools

import matplotlib.pyplot as plt
import numpy as np

import jaxalloy as ja
from experiments.liquids import liquid
from experiments.pasturel1985.table2_entropies import TABLE
from experiments.report import Row, run

TITLE = "PHH Figs. 3, 4: density, cross and ordering potentials"

PRINTED = {f"Li{line[0]}Pb{round(1 - float(line[0]), 1)}": line for line in TABLE}
PANELS = {"LiMg": (940.0, "free"), "LiAl": (1000.0, "contact"), "Li0.5Pb0.5": (1000.0, "contact")}
SERIES = ("Li0.9Pb0.1", "Li0.8Pb0.2", "Li0.7Pb0.3", "Li0.6Pb0.4", "Li0.4Pb0.6", "Li0.3Pb0.7")


def state(formula):
    """The reference liquid of one panel."""
    temperature, constraint = PANELS.get(formula, (1000.0, "contact"))
    return liquid(formula, temperature, constraint, "paper")


@functools.cache
def curves(formula):
    """R (bohr) and Phi_NN, Phi_NC, Phi_CC (mRy)."""
    R = np.linspace(3.2, 16.0, 641)
    return R, [1e3 * np.asarray(phi) for phi in state(formula).interactions.bhatia_thornton(R)]


def form_error(formula):
    """Largest distance of the reference from the true ordering potential beyond sigma, in units of |epsilon|."""
    R, (_, _, ordering) = curves(formula)
    this = state(formula)
    outside = float(this.sigma) < R
    reference = 1e3 * np.asarray(this.liquid.ordering_potential(R))
    return float(np.abs(reference - ordering)[outside].max() / abs(1e3 * float(this.epsilon)))


def rows():
    contact = {name: -1e3 * float(state(name).epsilon) for name in (*PANELS, *SERIES)}
    along = {name: contact[name] for name in PRINTED}
    printed = {name: -float(line[5]) for name, line in PRINTED.items()}
    times = contact["Li0.5Pb0.5"] / contact["LiMg"]
    strongest = max(along, key=along.get)
    result = [
        Row("Phi_CC(sigma) > 0 everywhere: hetero-coordination", "yes", min(contact.values()) > 0),
        Row("Li-Pb about 5 times stronger than Li-Mg (equiatomic)", "5", times, 1.0, "one either way allowed"),
        Row(
            "ordering is strongest at Li0.8Pb0.2",
            "yes",
            strongest == "Li0.8Pb0.2",
            note=f"ours at {strongest}; Table II ties it with Li0.7Pb0.3 (30.2 mRy)",
        ),
    ]
    for name in PRINTED:
        this = state(name)
        rule = float(ja.density_minimum_rule(this.interactions, 1000.0))
        gone = np.isnan(rule)
        note = "Phi_NN has a shoulder, no first minimum: no diameter by the rule" if gone else "0.1 bohr allowed"
        agree = bool(abs(rule - float(this.sigma)) < 0.1)
        shown = "none" if gone else f"{rule:.2f}"
        result.append(
            Row(
                f"{name}: Eq. 28 well obeyed",
                "yes",
                agree,
                note=f"{note}; sigma {shown} by the rule, {float(this.sigma):.2f}",
            )
        )
    shape = {name: form_error(name) for name in PRINTED}
    note = "farthest from it, in |epsilon|: " + ", ".join(f"{name} {x:.2f}" for name, x in shape.items())
    result.append(
        Row("Li-Pb: the Yukawa form reproduces Phi_CC within 25 %", "yes", max(shape.values()) < 0.25, note=note)
    )
    R, (density, _, ordering) = curves("Li0.5Pb0.5")
    far = R > 11.0
    swing, contact_value = float(np.ptp(ordering[far])), contact["Li0.5Pb0.5"]
    note = f"swing beyond 11 bohr {swing:.2f} mRy against {contact_value:.1f} at contact"
    result.append(
        Row("Phi_CC is very strongly damped (5 % of contact)", "yes", swing < 0.05 * contact_value, note=note)
    )
    ratio = swing / float(np.ptp(density[far]))
    note = (
        f"ratio of swings {ratio:.2f}; their amplitudes go with (w_Li - w_Pb)^2 and (c_Li w_Li + c_Pb w_Pb)^2 at 2 k_F"
    )
    result.append(Row("'because all three oscillate in phase': less than Phi_NN", "yes", ratio < 0.5, note=note))
    R, (_, cross, ordering) = curves("LiMg")
    here = float(state("LiMg").sigma) < R
    ratio = float(np.abs(cross[here]).max() / np.abs(ordering[here]).max())
    result.append(
        Row(
            "Li-Mg: Phi_NC is not small compared to Phi_CC",
            "yes",
            ratio > 0.5,
            note=f"largest values: ratio {ratio:.2f}",
        )
    )
    for name in PRINTED:
        result.append(
            Row(
                f"{name}: Phi_CC at the printed sigma (mRy)",
                f"{printed[name]:.1f}",
                at_sigma(name),
                note="epsilon of Table II",
            )
        )
    return result


def at_sigma(formula):
    """Phi_CC at the diameter of Table II, mRy."""
    return 1e3 * float(state(formula).interactions.bhatia_thornton(np.float64(PRINTED[formula][3])).CC)


def draw(path):
    figure, axes = plt.subplots(3, 3, figsize=(13, 11), layout="constrained")
    for axis, formula in zip(axes.flat, (*PANELS, *SERIES), strict=True):
        R, (density, cross, ordering) = curves(formula)
        this = state(formula)
        sigma = float(this.sigma)
        for values, style, name in ((density, "-", "NN"), (cross, ":", "NC"), (ordering, "--", "CC")):
            axis.plot(R, values, style, label=f"Φ_{name}")
        marks = R[sigma < R][::12]
        axis.plot(marks, 1e3 * np.asarray(this.liquid.ordering_potential(marks)), "k+", label="reference, ours")
        axis.axvline(sigma, color="0.5", lw=0.8, label=f"σ = {sigma:.2f}")
        if formula in PRINTED:
            line = [float(number) for number in PRINTED[formula]]
            marks = np.arange(line[3], 12.0, 0.35)
            yukawa = -line[5] * np.exp(-line[4] * (marks - line[3])) * line[3] / marks
            axis.plot(marks, yukawa, "rx", ms=4, label="reference, PHH Table II")
        top = 1.6 * abs(1e3 * float(this.epsilon))
        axis.set(ylim=(-0.8 * top, top), xlim=(3.2, 13), title=f"{formula}, {PANELS.get(formula, ('', 'contact'))[1]}")
        axis.set(xlabel="R (bohr)", ylabel="potential (mRy)")
        axis.axhline(0, color="0.8", lw=0.8)
        axis.legend(fontsize=7)
    figure.savefig(path, dpi=90)
    plt.close(figure)


if __name__ == "__main__":
    run("pasturel1985.figures3_4")
