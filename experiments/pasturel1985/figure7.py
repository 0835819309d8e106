"""PHH Fig. 7: ordering potential, pair correlations and S_CC(q) at four screening constants.

c = 1/2, eta = 0.40, T = 1000 K, epsilon = -25 mRy; the diameter is not printed: we take that of Li0.8Pb0.2.
"""

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from experiments.report import Row, run
from jaxalloy.reference.mixture import HardSphereYukawa

TITLE = "PHH Fig. 7: structure against screening"

ETA, SIGMA, TEMPERATURE, EPSILON = 0.40, 4.93, 1000.0, -0.025
KAPPA = (0.1, 0.7, 1.3, 1.9)
X = np.concatenate([[0.9, 1.0 - 1e-9], np.linspace(1.0, 3.5, 1001)])
Q_SIGMA = np.linspace(0.0, 20.0, 1001)


@jax.jit
def curves():
    """Phi_CC (mRy), g_AA, g_AB on X and S_CC/(c_A c_B) on Q_SIGMA for each kappa."""

    def at(kappa):
        liquid = HardSphereYukawa(0.5, ETA, SIGMA, EPSILON, kappa, TEMPERATURE)
        g = liquid.pair_correlations(X * SIGMA)
        structure = 4.0 * liquid.structure_factor_cc(Q_SIGMA / SIGMA)
        return 1e3 * liquid.ordering_potential(X * SIGMA), g.g_AA, g.g_AB, structure

    return jax.vmap(at)(jnp.array(KAPPA))


def rows():
    _, like, unlike, structure = (np.asarray(values) for values in curves())
    outside = X >= 1.0
    like, unlike, x = like[:, outside], unlike[:, outside], X[outside]
    near = like[:, x < 2.0]
    swing = np.ptp(like[:, x < 1.5], axis=1)
    change = [np.abs(unlike[i + 1] - unlike[i]).max() for i in range(3)]
    peak, high = structure.max(axis=1), np.ptp(structure[:, Q_SIGMA > 8.0], axis=1)
    print("kappa (1/bohr)        " + "".join(f"{kappa:9.1f}" for kappa in KAPPA))
    for name, values in (
        ("g_AB at contact", unlike[:, 0]),
        ("g_AA at contact", like[:, 0]),
        ("max g_AA, x < 2", near.max(axis=1)),
        ("swing of g_AA, x < 1.5", swing),
        ("S_CC(Qp)/(c_A c_B)", peak),
        ("Qp sigma", Q_SIGMA[np.argmax(structure, axis=1)]),
        ("swing of S_CC, Q > 8", high),
    ):
        print(f"{name:22}" + "".join(f"{value:9.3f}" for value in values))

    steps, falls = np.diff(unlike[:, 0]), np.diff(like[:, 0])
    contact = f"steps {steps[0]:.2f}, {steps[1]:.2f}, {steps[2]:.2f}"
    form = f"largest changes {change[0]:.2f}, {change[1]:.2f}, {change[2]:.2f}"
    return [
        Row("g_AB at contact rises with kappa up to 1.3", "yes", bool((steps[:2] > 0).all())),
        Row(
            "it saturates: last step < 1/4 of the first",
            "yes",
            bool(steps[2] < 0.25 * steps[0]),
            note=contact,
        ),
        Row("g_AB(R) settles beyond 1.3 (same test)", "yes", bool(change[2] < 0.25 * change[0]), note=form),
        Row("g_AA at contact falls with every step of kappa", "yes", bool((falls < 0).all())),
        Row("its first fall is the largest ('dramatically')", "yes", bool(np.argmin(falls) == 0)),
        Row("kappa = .7: g_AA fluctuates least at x < 1.5", "yes", bool(np.argmin(swing) == 1)),
        Row("kappa = 1.9: 'distinct peak near' R/sigma", "1.15", float(x[np.argmax(near[3])]), slack=0.02),
        Row("S_CC(Qp) at kappa = .1, 1.9 equal within 10 %", "yes", bool(abs(peak[0] / peak[3] - 1) < 0.1)),
        Row("higher oscillations stronger at 1.9 than at .1", "yes", bool(high[3] > 1.5 * high[0])),
        Row("kappa = .7 has the highest S_CC(Qp) of the four", "yes", bool(np.argmax(peak) == 1)),
    ]


def draw(path):
    potential, like, unlike, structure = curves()
    figure, axes = plt.subplots(2, 2, figsize=(11, 8), layout="constrained")
    outside = X >= 1.0
    for i, (kappa, style) in enumerate(zip(KAPPA, ("-", "--", "-.", ":"), strict=True)):
        label = f"κ = {kappa} bohr⁻¹"
        axes[0, 0].plot(X[outside], potential[i][outside], style, label=label)
        axes[0, 1].plot(Q_SIGMA, structure[i], style, label=label)
        axes[1, 0].plot(X, like[i], style, label=label)
        axes[1, 1].plot(X, unlike[i], style, label=label)
    axes[0, 0].set(xlabel="R/σ", ylabel="Φ_CC (mRy)", title="(a) ordering potential")
    axes[0, 1].set(xlabel="q σ", ylabel="S_CC/(c_A c_B)", title="(c) structure factor")
    axes[1, 0].set(xlabel="R/σ", ylabel="g_AA = g_BB", title="(b) like atoms")
    axes[1, 1].set(xlabel="R/σ", ylabel="g_AB", title="(b) unlike atoms")
    axes[1, 0].axvline(1.15, color="r", ls=":", lw=0.9, label="PHH: 'distinct peak near' 1.15")
    for axis in axes.flat:
        axis.legend()
    axes[1, 0].axhline(0.0, color="0.8", zorder=0)
    figure.suptitle("PHH Fig. 7: ε = -25 mRy, η = 0.40, T = 1000 K, σ = 4.93 bohr (assumed)")
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    run("pasturel1985.figure7")
