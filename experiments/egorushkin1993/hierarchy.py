"""EM Conclusions: fluctuation zones relax gradually or directly; "gradual relaxation is much more likely".

Four zones, the last the zone of the crystalline phase; steps between neighbours with coupling 1, direct transitions
with a coupling g. Gamma = 10, t_sigma = infinity, 100 electron pairs in zone 0, seeds d0 = 1e-4 everywhere; with less
dephasing two transitions that swing together would empty a zone to less than nothing, and the equations end.
A coherent transition stops when it has levelled its two zones, and whoever is first leaves no inversion to the other.
"""

import functools

import matplotlib.pyplot as plt
import numpy as np

from experiments.report import Row, run
from jaxalloy.kinetics import RelaxationNetwork, relax_network

TITLE = "EM Conclusions: gradual against direct relaxation"

TIMES = np.linspace(0.0, 100.0, 1001)
COUPLINGS = (0.05, 0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.55, 0.6, 0.7, 1.0)


@functools.cache
def relaxed(direct):
    network = RelaxationNetwork.chain(
        4,
        direct=True,
        populations=[100.0, 0.0, 0.0, 0.0],
        coupling=[1.0, 1.0, 1.0, direct, direct],
        dephasing=10.0,
        population_time=np.inf,
        polarisation=1e-4,
    )
    return relax_network(network, TIMES)


@functools.cache
def shares():
    """Share of the arrivals in the ZCP that came from the neighbouring zone, for every direct coupling."""
    share = []
    for direct in COUPLINGS:
        out = relaxed(direct)
        assert bool(out.converged)
        arrivals = np.asarray(out.quanta[-1])[[2, 3, 4]]
        share.append(arrivals[0] / arrivals.sum())
    return np.array(share)


def rows():
    share = shares()
    for direct, value in zip(COUPLINGS, share, strict=True):
        print(f"direct coupling {direct:4.2f} of the step's: {value:6.1%} of the arrivals come step by step")
    equal = share[COUPLINGS.index(1.0)]
    half = float(np.interp(-0.5, -share, COUPLINGS))
    weak = f"{share[2]:.1%} at g = 0.2; one half at g = {half:.2f}"
    return [
        Row("gradual relaxation prevails for weaker direct coupling", "yes", bool(share[2] > 0.9), note=weak),
        Row(
            "it prevails at equal coupling",
            "yes",
            bool(equal > 0.9),
            note=f"{equal:.1%}: whoever levels its two zones first leaves no inversion to the other",
        ),
    ]


def draw(path):
    figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    for axis, direct in zip(axes[:2], (0.2, 1.0), strict=True):
        out = relaxed(direct)
        for zone in range(4):
            axis.plot(TIMES, out.populations[:, zone], label="ZCP" if zone == 3 else f"FZ {zone}")
        axis.set(xlabel="Δ t", ylabel="population", title=f"direct coupling g = {direct}", xlim=(0, 20))
        axis.legend()
    axes[2].plot(COUPLINGS, shares(), "o-", label="arrivals in the ZCP from FZ 2")
    axes[2].axhline(0.5, color="0.6", ls=":", label="one half")
    axes[2].legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), frameon=False, fontsize=8)
    axes[2].set(xlabel="g / step coupling", ylabel="share of step-by-step arrivals")
    figure.suptitle("Hierarchy of zones: step by step or directly into the ZCP")
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    run("egorushkin1993.hierarchy")
