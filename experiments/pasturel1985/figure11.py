"""PHH Fig. 11: S_CC(q) of the zero alloy Li0.7Mg0.3 at 940 K, which neutrons see alone; and S_CC(0) from COST 507.

The measured points of the figure (695 and 875 K) are not printed as numbers. What stands beside our curve instead is
the thermodynamic limit S_CC(0) = k_B T/(d^2 G/dc^2) of the assessed Gibbs energy, which the curve should start from.
"""

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import jaxalloy as ja
from experiments.assessed import assessment
from experiments.data import DataAbsentError
from experiments.liquids import liquid
from experiments.report import Row, run
from jaxalloy.constants import BOHR_IN_ANGSTROM

TITLE = "PHH Fig. 11: S_CC(q) of the zero alloy Li0.7Mg0.3"

FORMULA, TEMPERATURE, RANDOM = "Li0.7Mg0.3", 940.0, 0.21
PROBE = ja.Neutrons(isotopes={"Li": 7})
LENGTHS = {"Li": -0.2337, "Mg": 0.52}
Q = np.linspace(0.01, 4.0, 500)


def assessed():
    """S_CC(0) of the assessment, or None where it is absent."""
    try:
        x, _, _, _, fluctuations = assessment("Li-Mg", TEMPERATURE)
    except DataAbsentError:
        return None
    return float(np.interp(0.3, x, fluctuations))


def state():
    return liquid(FORMULA, TEMPERATURE, "free")


def rows():
    weights = PROBE.weights(("Li", "Mg"), 0.3, jnp.asarray([1.0]))
    length = {symbol: PROBE.length(symbol) for symbol in ("Li", "Mg")}
    composite = np.asarray(ja.structure_factor(state(), jnp.asarray(Q), PROBE))
    order = np.asarray(state().liquid.structure_factor_cc(Q)) / RANDOM
    apart = np.abs(composite - order).max()
    zero = length["Mg"] / (length["Mg"] - length["Li"])
    printed = LENGTHS["Mg"] / (LENGTHS["Mg"] - LENGTHS["Li"])
    best = int(np.argmax(order))
    limit, ours = assessed(), float(state().liquid.structure_factor_cc(0.0))
    against = "" if limit is None else f"{limit:.3f}"
    return [
        Row("b of 7Li (1e-12 cm)", "-0.2337", 0.1 * length["Li"], note="later measurement in our table"),
        Row("b of Mg (1e-12 cm)", "0.52", 0.1 * length["Mg"], note="later measurement in our table"),
        Row("zero alloy: fraction of Li", "0.7", zero, note=f"{printed:.3f} with the printed lengths"),
        Row(
            "neutrons see S_CC alone",
            "yes",
            bool(apart < 0.05),
            note=f"largest difference {apart:.3f}; weight of S_NN {float(weights.number_number[0]):.4f}",
        ),
        Row(
            "S_CC shows hetero-coordination: a peak above 1",
            "yes",
            bool(order[best] > 1.02),
            note=f"S_CC/(c_A c_B) = {order[best]:.2f} at {Q[best] / BOHR_IN_ANGSTROM:.2f} 1/angstrom",
        ),
        Row(
            "S_CC(0), paper column: COST 507",
            against,
            None if limit is None else ours,
            note="0.21 without order; the MSA at q = 0 is not consistent with its own bound (beyond.derivatives)",
        ),
    ]


def draw(path):
    figure, axis = plt.subplots(figsize=(8, 4.6), layout="constrained")
    q = Q / BOHR_IN_ANGSTROM
    axis.plot(q, state().liquid.structure_factor_cc(Q) / RANDOM, label="S_CC/c_A c_B, free minimum, default preset")
    axis.plot(q, ja.structure_factor(state(), jnp.asarray(Q), PROBE), "--", label="S(q), neutrons on ⁷Li-Mg")
    axis.plot(q, state().liquid.structure_factor_nn(Q), ":", color="0.6", label="S_NN")
    if (limit := assessed()) is not None:
        axis.plot(0, limit / RANDOM, "kx", ms=10, mew=2, clip_on=False, label="S_CC(0)/c_A c_B, COST 507")
    axis.axhline(1, color="0.8", lw=0.8)
    axis.set(xlabel="q (1/Å)", ylabel="structure factor", xlim=(0, q[-1]), ylim=(0, 2.6), title="Li0.7Mg0.3, 940 K")
    axis.legend()
    figure.savefig(path, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    run("pasturel1985.figure11")
