"""PHH Secs. IV and V: where the bound has a free minimum, and what emerges there without being imposed.

Li-Mg at 940 K: the diameter by Eq. 28 (the wall rule) and the strength by Eq. 30 (epsilon = -Phi_CC(sigma)) stand in
the column of the paper, the free minimum in ours; the article says they are equal, within about 0.05 bohr and 10 %.
Li-Pb at 1000 K: no minimum. Default preset for Li-Mg, paper preset for Li-Pb.
"""

import functools

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import jaxalloy as ja
from experiments.liquids import forces, liquid
from experiments.report import Row, run

TITLE = "PHH Secs. IV, V: free minima and what emerges from them"

MAGNESIUM = ("Li0.7Mg0.3", "Li0.5Mg0.5", "Li0.3Mg0.7")
LEAD = [f"Li0.{9 - i}Pb0.{1 + i}" for i in range(7)]
ETAS = np.linspace(0.24, 0.52, 15)
EPSILONS = -np.geomspace(1e-3, 0.2, 121)
KAPPAS = np.geomspace(0.3, 4.0, 25)


@functools.cache
def valley(formula, temperature, preset):
    """At every packing fraction the lowest bound over epsilon and kappa, and the epsilon there, both mRy."""
    alloy, between = forces(formula, temperature, preset)

    @jax.jit
    def lowest(eta):
        sigma = jnp.cbrt(6 * eta * alloy.volume / jnp.pi)

        def bound(epsilon, kappa):
            mixture = ja.HardSphereYukawa(alloy.concentration, eta, sigma, epsilon, kappa, temperature)
            return ja.free_energy_bound(alloy, between, mixture).total

        values = jax.vmap(jax.vmap(bound, (None, 0)), (0, None))(jnp.asarray(EPSILONS), jnp.asarray(KAPPAS))
        return jnp.min(values), jnp.asarray(EPSILONS)[jnp.argmin(jnp.min(values, axis=1))]

    return 1e3 * np.array([lowest(eta) for eta in jnp.asarray(ETAS)]).T


def rows():
    result = []
    for formula in MAGNESIUM:
        state = liquid(formula, 940.0, "free")
        rule = float(ja.density_minimum_rule(state.interactions, 940.0))
        contact = -1e3 * float(state.interactions.bhatia_thornton(state.sigma).CC)
        result += [
            Row(f"{formula}: sigma by Eq. 28 | free (bohr)", f"{rule:.2f}", float(state.sigma), 0.05),
            Row(
                f"{formula}: epsilon by Eq. 30 | free (mRy)",
                f"{contact:.2f}",
                1e3 * float(state.epsilon),
                -0.1 * contact,
            ),
        ]
    for formula in LEAD:
        state = liquid(formula, 1000.0, "free", "paper")
        found = f"eta {float(state.eta):.3f}, epsilon {1e3 * float(state.epsilon):.1f} mRy"
        note = state.escape if state.status == "no minimum" else f"{state.status}: {found}; the order is weakest here"
        result.append(Row(f"{formula}: no free minimum", "yes", state.status == "no minimum", note=note))
    falls, strength = valley("Li0.8Pb0.2", 1000.0, "paper")
    fall, stronger = falls[0] - falls[-1], strength[0] / strength[-1]
    note = f"from eta {ETAS[-1]:.2f} to {ETAS[0]:.2f}: F by {fall:+.0f} mRy, epsilon {stronger:.1f} times as strong"
    down = bool(fall < 0 and stronger > 1 and np.argmin(falls) == 0)
    result.append(Row("Li0.8Pb0.2: F falls on towards small sigma, strong epsilon", "yes", down, note=note))
    return result


def draw(path):
    figure, axes = plt.subplots(1, 3, figsize=(14, 4.4), layout="constrained")
    state = liquid("Li0.5Mg0.5", 940.0, "free")
    sigma = float(state.sigma)
    R = np.linspace(0.8 * sigma, 3 * sigma, 400)
    for name, values in zip(("NN", "NC", "CC"), state.interactions.bhatia_thornton(R), strict=True):
        axes[0].plot(R, 1e3 * np.asarray(values), label=f"Φ_{name}")
    marks = R[sigma < R][::10]
    axes[0].plot(marks, 1e3 * np.asarray(state.liquid.ordering_potential(marks)), "k+", label="reference, free minimum")
    axes[0].axvline(sigma, color="grey", lw=0.8, label=f"σ = {sigma:.2f}, free minimum")
    rule = float(ja.density_minimum_rule(state.interactions, 940.0))
    axes[0].axvline(rule, color="r", ls=":", label=f"σ = {rule:.2f}, PHH Eq. 28")
    axes[0].set(ylim=(-6, 8), xlabel="R (bohr)", ylabel="potential (mRy)", title="Li0.5Mg0.5, 940 K")
    axes[0].legend(fontsize=8)
    for formula, temperature, preset in (("Li0.5Mg0.5", 940.0, "default"), ("Li0.8Pb0.2", 1000.0, "paper")):
        falls, strength = valley(formula, temperature, preset)
        axes[1].plot(ETAS, falls - falls.min(), label=formula)
        axes[2].semilogy(ETAS, -strength, label=formula)
    axes[1].plot(float(state.eta), 0.0, "ko", label="free minimum")
    axes[2].plot(float(state.eta), -1e3 * float(state.epsilon), "ko", label="free minimum")
    axes[1].set(xlabel="packing fraction η", ylabel="F - its minimum (mRy)", title="lowest bound over ε and κ")
    axes[2].set(xlabel="packing fraction η", ylabel="-ε (mRy)", title="and the ordering strength there")
    axes[1].set_ylim(-1, 60)
    for axis in axes[1:]:
        axis.legend(fontsize=8)
    figure.savefig(path, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    run("pasturel1985.free_minima")
