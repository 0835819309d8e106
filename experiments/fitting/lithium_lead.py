"""Synthetic but realistic: 7Li-Pb from PHH Table II, 1 % noise, q 0.5 to 10 1/angstrom, seven compositions.

All five parameters (sigma, epsilon, kappa, scale, level) come back within their errors; and the ordering potential that
is found without assuming a Yukawa form (PHH Sec. V, after Ruppersberg and Schirmacher).
"""

import functools

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from experiments.report import Row, run
from jaxalloy import Alloy, HardSphereYukawa
from jaxalloy.constants import BOHR_IN_ANGSTROM
from jaxalloy.fitting.fit import fit_structure_factor
from jaxalloy.fitting.inversion import invert_structure_factor
from jaxalloy.fitting.model import ReferenceModel
from jaxalloy.fitting.synthetic import empty_template, synthetic_data
from jaxalloy.scattering import Neutrons

TITLE = "Synthetic 7Li-Pb (PHH Table II): parameters recovered"

# c_Li: volume (bohr^3), sigma (bohr), kappa (1/bohr), epsilon (Ry), as printed
TABLE = {
    0.9: (156.7, 4.76, 1.40, -0.0202),
    0.8: (149.6, 4.93, 1.80, -0.0302),
    0.7: (156.6, 5.04, 1.70, -0.0302),
    0.6: (165.5, 5.18, 1.70, -0.0270),
    0.5: (176.3, 5.29, 1.70, -0.0209),
    0.4: (187.7, 5.35, 1.90, -0.0157),
    0.3: (197.5, 5.43, 1.90, -0.0102),
}
Q = jnp.linspace(0.5, 10.0, 400) * BOHR_IN_ANGSTROM
NAMES = ("sigma", "epsilon", "kappa", "scale", "level")


def measure(c, volume, sigma, kappa, epsilon, seed):
    alloy = Alloy.of(("Li", "Pb"), 1 - c, 1000.0, volume)
    liquid = HardSphereYukawa(1 - c, np.pi * sigma**3 / (6 * volume), sigma, epsilon, kappa, 1000.0)
    template = empty_template(Q, 0.01, Neutrons(isotopes={"Li": 7}))
    return alloy, liquid, synthetic_data(template, alloy, liquid, jax.random.key(seed))


@functools.cache
def fits():
    found = {}
    for seed, (c, (volume, sigma, kappa, epsilon)) in enumerate(TABLE.items()):
        alloy, _, data = measure(c, volume, sigma, kappa, epsilon, seed)
        found[c] = fit_structure_factor(data, ReferenceModel(alloy))
    return found


@functools.cache
def inversion():
    """The potential of Ruppersberg and Schirmacher: -20 mRy, kappa 0.58, for Li0.8Pb0.2."""
    alloy, liquid, data = measure(0.8, 149.6, 4.93, 0.58, -0.020, 7)
    return liquid, invert_structure_factor(data, alloy, 4.93)


def rows():
    found, inverted = fits(), inversion()
    result = []
    for c, fit in found.items():
        truth = dict(zip(NAMES, (*np.array(TABLE[c])[[1, 3, 2]], 1.0, 1.0), strict=True))
        pulls = {name: (fit[name].value - truth[name]) / fit[name].sd for name in NAMES}
        worst = max(pulls, key=lambda name: abs(pulls[name]))
        note = f"furthest off: {worst}, {pulls[worst]:+.1f} sd; epsilon {1e3 * fit['epsilon'].value:.2f} +- "
        note += f"{1e3 * fit['epsilon'].sd:.2f} mRy, kappa {fit['kappa'].value:.3f} +- {fit['kappa'].sd:.3f}"
        result.append(Row(f"c_Li = {c}: five parameters within 3 sd", "yes", bool(abs(pulls[worst]) < 3), note=note))
    liquid, potential = inverted
    exact = liquid.ordering_potential(potential.R)
    rms = float(jnp.sqrt(jnp.mean((potential.potential - exact) ** 2))) / 0.020
    off = abs(float(potential.epsilon) / -0.020 - 1)
    result += [
        Row("inversion: contact value within 6 %", "yes", off < 0.06, note=f"{1e3 * float(potential.epsilon):.2f} mRy"),
        Row("inversion: potential within 1.3 % of |epsilon| (rms)", "yes", rms < 0.013, note=f"{100 * rms:.2f} %"),
    ]
    return result


def draw(path):
    found, inverted = fits(), inversion()
    figure, axes = plt.subplots(3, 3, figsize=(13, 9.5), layout="constrained")
    q = np.asarray(Q) / BOHR_IN_ANGSTROM
    for panel, (c, fit) in zip(axes.ravel(), found.items(), strict=False):
        panel.plot(
            q, np.asarray(fit.data[0].curves[0]), ".", ms=2, color="#0072b2", label="PHH Table II with 1 % noise"
        )
        panel.plot(q, fit.curves[0][0], color="black", lw=1, label="fit")
        panel.legend(frameon=False, fontsize=7)
        panel.set(xlabel="q (1/Å)", ylabel="S(q)")
        panel.set_title(
            rf"$c_{{Li}}$ = {c}: $\epsilon$ = {1e3 * fit['epsilon'].value:.1f}({1e3 * fit['epsilon'].sd:.1f}) mRy, "
            rf"$\kappa$ = {fit['kappa'].value:.2f}({fit['kappa'].sd:.2f})",
            fontsize=9,
        )
    panel = axes.ravel()[7]
    for i, name in enumerate(NAMES):
        truth = [dict(zip(NAMES, (*np.array(TABLE[c])[[1, 3, 2]], 1.0, 1.0), strict=True))[name] for c in found]
        pulls = [(fit[name].value - t) / fit[name].sd for fit, t in zip(found.values(), truth, strict=True)]
        panel.plot(np.array(list(found)) + 0.008 * (i - 2), pulls, "o", ms=4, label=name)
    panel.axhspan(-1, 1, color="0.9")
    panel.set(xlabel="$c_{Li}$", ylabel="(fit - truth)/sd", ylim=(-3.5, 3.5))
    panel.legend(frameon=False, fontsize=7, ncol=2)
    liquid, potential = inverted
    panel = axes.ravel()[8]
    R = np.asarray(potential.R)
    value, sd = 1e3 * np.asarray(potential.potential), 1e6 * np.asarray(potential.direct_sd) * 6.333623618e-6
    panel.fill_between(R, value - sd, value + sd, color="#0072b2", alpha=0.3, lw=0)
    panel.plot(R, value, color="#0072b2", label="from S(q), no form assumed")
    panel.plot(R, 1e3 * np.asarray(liquid.ordering_potential(potential.R)), "k--", label="truth: -20 mRy, 0.58 1/bohr")
    panel.set(xlabel="R (bohr)", ylabel=r"$\Phi_{CC}$ (mRy)", title="inversion, Li$_{0.8}$Pb$_{0.2}$")
    panel.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    run("fitting.lithium_lead")
