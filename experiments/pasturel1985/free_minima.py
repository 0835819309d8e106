"""PHH Secs. IV-V: where the bound has a free minimum, and what emerges there without being imposed.

Li-Mg: Eq. 28 (the wall rule) and Eq. 30 (epsilon = -Phi_CC(sigma)); Li-Pb: no minimum; Mg7Zn3: with both zeros of the
core levels, of which the one that is not gauge-consistent comes close to the paper's numbers.
"""

import matplotlib.pyplot as plt
import numpy as np

import jaxalloy as ja
from experiments.report import Row, run

ZEROS = ("consistent", "without-gas-xc")
LITHIUM_MAGNESIUM = (0.3, 0.5, 0.7)


def free(symbols, c, temperature, potential):
    """The free minimum of one alloy."""
    alloy = ja.Alloy.of(symbols, c, temperature)
    return ja.minimise(alloy, ja.interactions(alloy, potential), ja.Unconstrained())


def rows():
    result = []
    for c in LITHIUM_MAGNESIUM:
        state = free(("Li", "Mg"), c, 940.0, ja.OptimisedOPW())
        rule = float(ja.density_minimum_rule(state.interactions, 940.0))
        contact = -1e3 * float(state.interactions.bhatia_thornton(state.sigma).CC)
        name = f"Li{1 - c:.1f}Mg{c:.1f}"
        result.append(
            Row(f"{name}: sigma, by Eq. 28 | free", f"{rule:.2f}", float(state.sigma), 0.06, "bohr; ours both")
        )
        result.append(
            Row(
                f"{name}: epsilon, by Eq. 30 | free",
                f"{contact:.2f}",
                1e3 * float(state.epsilon),
                0.3,
                "mRy; ours both",
            )
        )
    for c in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7):
        state = free(("Li", "Pb"), c, 1000.0, ja.OptimisedOPW.paper())
        claim = state.status == "no minimum"
        result.append(
            Row(f"Li{1 - c:.1f}Pb{c:.1f}: no free minimum", "claim", claim, note=state.escape or state.status)
        )
    printed = {"eta": "0.51", "sigma": "5.31", "epsilon (mRy)": "-2.60", "kappa": "2.3"}
    for zero in ZEROS:
        state = free(("Mg", "Zn"), 0.3, 673.0, ja.OptimisedOPW(core_zero=zero))
        ours = (state.eta, state.sigma, 1e3 * state.epsilon, state.kappa)
        for (what, paper), value in zip(printed.items(), ours, strict=True):
            result.append(Row(f"Mg7Zn3 {what}", paper, float(value), note=f"core zero {zero}"))
    return result


def draw(path):
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    for axis, (symbols, c, temperature) in zip(
        axes, ((("Li", "Mg"), 0.5, 940.0), (("Mg", "Zn"), 0.3, 673.0)), strict=True
    ):
        state = free(symbols, c, temperature, ja.OptimisedOPW())
        sigma = float(state.sigma)
        R = np.linspace(0.8 * sigma, 3 * sigma, 400)
        combined = state.interactions.bhatia_thornton(R)
        for name, values in zip(("NN", "NC", "CC"), combined, strict=True):
            axis.plot(R, 1e3 * np.asarray(values), label=rf"$\Phi_{{{name}}}$")
        outside = R[R > sigma]
        axis.plot(outside, 1e3 * np.asarray(state.liquid.ordering_potential(outside)), "k+", ms=4, label="reference")
        axis.axvline(sigma, color="grey", lw=0.8)
        axis.set(ylim=(-6, 8), xlabel="R (bohr)", ylabel="potential (mRy)", title=f"{'-'.join(symbols)}, c = {c}")
        axis.legend(frameon=False)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    run("PHH Secs. IV-V: free minima, default preset (Li-Pb: paper preset)", rows, draw, "free_minima")
