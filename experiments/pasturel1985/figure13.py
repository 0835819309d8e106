"""PHH Fig. 13: neutron S(q) of liquid 7Li-Pb at 1000 K over composition; what the zero alloy shows.

The measured points are not printed as numbers; the article's own curves follow from its Table II and are the marks.
Whether the higher oscillations are too strong is judged against the potential that Ruppersberg and Schirmacher found by
inverting the measurement on Li0.8Pb0.2: -20 mRy, 0.58 1/bohr.
"""

import functools

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import jaxalloy as ja
from experiments.liquids import liquid
from experiments.pasturel1985.table2_entropies import TABLE
from experiments.report import Row, run
from jaxalloy.constants import BOHR_IN_ANGSTROM

TITLE = "PHH Fig. 13: neutron structure factors of Li-Pb"

TEMPERATURE = 1000.0
PROBE = ja.Neutrons(isotopes={"Li": 7})
Q = np.linspace(0.3, 7.0, 900) * BOHR_IN_ANGSTROM
LINES = {line[0]: line for line in TABLE}


@functools.cache
def printed(lithium):
    """The reference liquid with the parameters of Table II."""
    _, _, eta, sigma, kappa, epsilon, *_ = (float(number) for number in LINES[lithium])
    return ja.HardSphereYukawa(1 - float(lithium), eta, sigma, 1e-3 * epsilon, kappa, TEMPERATURE)


@functools.cache
def state(lithium, preset="paper"):
    return liquid(f"Li{lithium}Pb{round(1 - float(lithium), 1)}", TEMPERATURE, "contact", preset)


def composite(lithium, mixture):
    """Neutron-weighted S(q) of any reference liquid."""
    c = 1 - float(lithium)
    weights = PROBE.weights(("Li", "Pb"), c, jnp.asarray(Q))
    order = mixture.structure_factor_cc(Q) / (c * (1 - c))
    return np.asarray(
        weights.number_number * mixture.structure_factor_nn(Q) + weights.concentration_concentration * order
    )


def swing(mixture):
    """Higher-order oscillation of S_CC/(c_A c_B): the swing beyond q sigma = 8."""
    c = mixture.concentration
    q = np.linspace(8.0, 20.0, 600) / float(mixture.sigma)
    return float(np.ptp(np.asarray(mixture.structure_factor_cc(q) / (c * (1 - c)))))


def rows():
    result = []
    zero = PROBE.length("Pb") / (PROBE.length("Pb") - PROBE.length("Li"))
    result.append(Row("zero alloy: fraction of Li", "0.8", zero))
    weights = [float(PROBE.weights(("Li", "Pb"), 1 - float(x), jnp.ones(1)).number_number[0]) for x in LINES]
    grows = bool(np.all(np.diff(weights[1:]) > 0))
    note = "weight of S_NN: " + ", ".join(f"{x} {w:.3f}" for x, w in zip(LINES, weights, strict=True))
    result.append(Row("S_NN contributes more the more Pb", "yes", grows, note=note))
    c = 0.2
    order = np.asarray(state("0.8").liquid.structure_factor_cc(Q)) / (c * (1 - c))
    apart = float(np.abs(composite("0.8", state("0.8").liquid) - order).max())
    result.append(Row("Li0.8Pb0.2: S(q) is S_CC/(c_A c_B)", "yes", apart < 0.1, note=f"largest difference {apart:.3f}"))
    for lithium in LINES:
        ours, theirs = composite(lithium, state(lithium).liquid), composite(lithium, printed(lithium))
        place, expected = (float(Q[np.argmax(s)]) / BOHR_IN_ANGSTROM for s in (ours, theirs))
        result.append(
            Row(f"Li{lithium}: first peak at (1/angstrom)", f"{expected:.2f}", place, note="paper: from its Table II")
        )
        result.append(
            Row(
                f"Li{lithium}: its height",
                f"{theirs.max():.2f}",
                float(ours.max()),
                note="paper: from its Table II; follows epsilon and kappa",
            )
        )
    inverted = ja.HardSphereYukawa(0.2, 0.42, 4.93, -0.020, 0.58, TEMPERATURE)
    measured = swing(inverted)
    result.append(
        Row(
            "Li0.8: higher oscillations too strong (paper's parameters)",
            "yes",
            swing(printed("0.8")) > measured,
            note=f"swing beyond q sigma = 8: {swing(printed('0.8')):.2f}; inverted potential {measured:.2f}",
        )
    )
    result.append(
        Row(
            "Li0.8: and with our default preset",
            "",
            swing(state("0.8", "default").liquid) > measured,
            note=f"swing {swing(state('0.8', 'default').liquid):.2f}",
        )
    )
    return result


def draw(path):
    figure, axes = plt.subplots(2, 4, figsize=(15, 7), layout="constrained", sharex=True)
    q = Q / BOHR_IN_ANGSTROM
    for axis, lithium in zip(axes.flat, LINES, strict=False):
        axis.plot(q, composite(lithium, state(lithium).liquid), label="paper preset")
        axis.plot(q, composite(lithium, state(lithium, "default").liquid), "--", label="default preset")
        axis.plot(q[::25], composite(lithium, printed(lithium))[::25], "kx", ms=4, label="PHH Table II")
        axis.axhline(1, color="0.8", lw=0.8)
        axis.set(title=f"Li{lithium}Pb{1 - float(lithium):.1f}", xlabel="q (1/Å)", ylabel="S(q), neutrons")
        axis.legend(fontsize=8)
    last = axes.flat[7]
    inverted = ja.HardSphereYukawa(0.2, 0.42, 4.93, -0.020, 0.58, TEMPERATURE)
    for name, mixture, style in (
        ("paper preset", state("0.8").liquid, "-"),
        ("default preset", state("0.8", "default").liquid, "--"),
        ("inverted measurement: -20, 0.58", inverted, "k:"),
    ):
        last.plot(q, mixture.structure_factor_cc(Q) / 0.16, style, label=name)
    last.set(title="Li0.8Pb0.2: S_CC/c_A c_B", xlabel="q (1/Å)", ylabel="S_CC/c_A c_B")
    last.legend(fontsize=8)
    figure.savefig(path, dpi=90)
    plt.close(figure)


if __name__ == "__main__":
    run("pasturel1985.figure13")
