"""Measured partial structure factors of liquid Fe-Co and Fe-Cr: is there chemical order? (No detectable one.)

Fe-Co.csv and Fe-Cr.csv of the data hold Faber-Ziman partials S11, S22, S12 against q in 1/angstrom. The densities, 7.0
and 6.6 g/cm^3, only set the start and the ideal volume: sigma and eta are fitted apart.
"""

import functools

import matplotlib.pyplot as plt
import numpy as np

from experiments.data import data
from experiments.report import Row, run
from jaxalloy.constants import BOHR_IN_ANGSTROM
from jaxalloy.fitting.fit import fit_structure_factor
from jaxalloy.fitting.model import ReferenceModel
from jaxalloy.fitting.sample import sample
from jaxalloy.scattering import read_structure_factor

TITLE = "Measured liquid Fe-Co and Fe-Cr: no detectable chemical order"

ALLOYS = {
    "Fe-Co": ("Fe0.5Co0.5", 1800.0, 7.0, 0.049, 0.035),
    "Fe-Cr": ("Fe0.5Cr0.5", 1944.0, 6.6, 0.076, 0.055),
}
KAPPA = 1.0
HARD, SOFT, ORDER = ("sigma", "eta"), ("sigma", "eta", "softness"), ("sigma", "eta", "epsilon", "softness")


@functools.cache
def fits():
    """Hard spheres and soft spheres through S_NN; order too through S_NN and S_CC."""
    found = {}
    for name, (formula, temperature, density, *_) in ALLOYS.items():
        alloy = sample(formula, temperature, density=density)
        measured = read_structure_factor(
            data("liquid_3d_metals_measured", f"{name}.csv"), unit="1/angstrom"
        ).bhatia_thornton(alloy)
        model = ReferenceModel(alloy)
        found[name] = (
            fit_structure_factor(measured.only("NN"), model, HARD),
            fit_structure_factor(measured.only("NN"), model, SOFT),
            fit_structure_factor(measured.only("NN", "CC"), model, ORDER, fix={"kappa": KAPPA}),
        )
    return found


def rows():
    found = fits()
    result = []
    for name, (hard, soft, order) in found.items():
        *_, hard_limit, soft_limit = ALLOYS[name]
        result += [
            Row(
                f"{name}: rms of S_NN, hard spheres <= {hard_limit}",
                "yes",
                hard.rms <= hard_limit,
                note=f"{hard.rms:.4f}",
            ),
            Row(
                f"{name}: rms of S_NN, soft spheres <= {soft_limit}",
                "yes",
                soft.rms <= soft_limit,
                note=f"{soft.rms:.4f}",
            ),
            Row(
                f"{name}: softness b, angstrom, between 0.09 and 0.13",
                "yes",
                0.09 < soft["softness"].value * BOHR_IN_ANGSTROM < 0.13,
                note=f"{soft['softness'].value * BOHR_IN_ANGSTROM:.3f}",
            ),
            Row(f"{name}: the softness moves eta by about", "0.02", soft["eta"].value - hard["eta"].value, slack=0.005),
            Row(f"{name}: no order is detected", "yes", order.null is not None),
            Row(
                f"{name}: |epsilon| < 3 mRy at kappa = {KAPPA:g} (95 %)",
                "yes",
                order.null is not None and order.null.epsilon < 3e-3,
                note=f"{1e3 * order['epsilon'].value:.2f} +- {1e3 * order['epsilon'].sd:.2f} mRy",
            ),
            Row(
                f"{name}: neighbouring residuals correlated to 0.9",
                "yes",
                hard.correlation_of_residuals.lag_one > 0.85,
                note=f"{hard.correlation_of_residuals.lag_one:.2f}; {hard.problem.points} points count as "
                f"{hard.problem.points / hard.correlation_of_residuals.time:.0f}",
            ),
        ]
    return result


def draw(path):
    found = fits()
    figure, axes = plt.subplots(2, 2, figsize=(11, 7), sharex=True, layout="constrained", height_ratios=(3, 1))
    for column, (name, (hard, soft, order)) in enumerate(found.items()):
        q = np.asarray(hard.data[0].q) / BOHR_IN_ANGSTROM
        measured = np.asarray(order.data[0].curves)
        top, bottom = axes[:, column]
        top.plot(q, measured[0], ".", color="#0072b2", ms=4, label="$S_{NN}$ measured")
        top.plot(q, hard.curves[0][0], color="#777777", lw=1, label=f"hard spheres, rms {hard.rms:.3f}")
        top.plot(q, soft.curves[0][0], color="black", lw=1.3, label=f"softened, rms {soft.rms:.3f}")
        top.plot(q, measured[1] / 0.25, ".", color="#d55e00", ms=4, label="$S_{CC}/c_A c_B$ measured")
        top.plot(q, order.curves[0][1] / 0.25, "--", color="black", lw=1, label="no order")
        limit = 1e3 * order.null.epsilon if order.null is not None else np.nan
        top.set(title=rf"liquid {name}: $|\epsilon|$ < {limit:.1f} mRy (95 %, $\kappa$ = 1)", ylabel="structure factor")
        top.legend(frameon=False, fontsize=8)
        bottom.plot(q, measured[0] - hard.curves[0][0], color="#777777", lw=1)
        bottom.plot(q, measured[0] - soft.curves[0][0], color="black", lw=1)
        bottom.axhline(0, color="0.8", lw=0.6)
        bottom.set(xlabel="q (1/Å)", ylabel="measured - fit")
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    run("fitting.liquid_3d_metals")
