"""Beyond (c): heat capacity and concentration fluctuations by automatic differentiation through the minimum.

C_V = T dS/dT at fixed volume, through the implicit derivative of the free minimum; and S_CC(0) = k_B T/(d^2 F/dc^2) of
the bound along the liquid's volume, against S_CC(q -> 0) of the reference liquid (the mean-spherical approximation) and
the COST 507 assessment. Were the MSA and the potentials consistent, all three would agree. Li-Mg at 940 K.
"""

import functools

import jax
import matplotlib.pyplot as plt
import numpy as np

import jaxalloy as ja
from experiments.assessed import assessment
from experiments.data import DataAbsentError
from experiments.liquids import liquid, potential
from experiments.report import Row, run
from jaxalloy.constants import BOLTZMANN_RY_PER_K, GAS_CONSTANT_J_PER_MOL_K

TITLE = "Beyond (c): heat capacity and S_CC(0) by differentiation"

TEMPERATURE = 940.0
X = np.linspace(0.2, 0.8, 5)
CHOICES = {"default": {}, "neutral spheres": {"core_shift": "neutral-spheres"}}
SYSTEMS = {"Li0.5Mg0.5": (940.0, "free"), "Mg7Zn3": (673.0, "free"), "Li0.8Pb0.2": (1000.0, "contact")}


def state_of(alloy, choice="default", constraint="free"):
    """The minimised bound, for tracing."""
    method = {"free": ja.Unconstrained(), "contact": ja.ContactConstraint()}[constraint]
    return ja.minimise(alloy, ja.interactions(alloy, potential(**CHOICES[choice])), method)


@functools.cache
def heat_capacity(formula):
    """C_V by differentiation, by differences of the entropy, and 3/2 k_B + that of the energy, k_B per atom."""
    temperature, constraint = SYSTEMS[formula]
    alloy = liquid(formula, temperature, constraint).alloy
    between = liquid(formula, temperature, constraint).interactions
    method = {"free": ja.Unconstrained(), "contact": ja.ContactConstraint()}[constraint]

    @jax.jit
    def both(T):
        state = ja.minimise(alloy.at(temperature=T), between, method)
        return state.entropy.total, state.free_energy.energy

    slope = jax.jacfwd(both)(temperature)
    step = 5.0
    up, down = both(temperature + step), both(temperature - step)
    differences = temperature * (float(up[0]) - float(down[0])) / (2 * step)
    return temperature * float(slope[0]), differences, float(slope[1]) / BOLTZMANN_RY_PER_K


@functools.cache
def fluctuations(choice):
    """S_CC(0) over X: of the bound by d^2 F/dc^2, and of the reference liquid."""
    start = liquid("Li0.5Mg0.5", TEMPERATURE, "free", **CHOICES[choice]).alloy

    def free_energy(c):
        return state_of(start.at(concentration=c).at_liquid_volume(), choice).free_energy.total

    slope = jax.jit(jax.jacfwd(free_energy))
    step = 0.01  # of the exact first derivative
    curvature = np.array([(float(slope(x + step)) - float(slope(x - step))) / (2 * step) for x in X])
    reference = [
        liquid(f"Li{round(1 - x, 6)}Mg{round(x, 6)}", TEMPERATURE, "free", **CHOICES[choice]).liquid for x in X
    ]
    return BOLTZMANN_RY_PER_K * TEMPERATURE / curvature, np.array(
        [float(r.structure_factor_cc(0.0)) for r in reference]
    )


@functools.cache
def assessed():
    """x and S_CC(0) of COST 507, or None."""
    try:
        x, *_, found = assessment("Li-Mg", TEMPERATURE)
    except DataAbsentError:
        return None
    return x, found


def rows():
    result = []
    for formula, (temperature, constraint) in SYSTEMS.items():
        exact, differences, energy = heat_capacity(formula)
        note = f"{temperature:g} K, {constraint}; {GAS_CONSTANT_J_PER_MOL_K * exact:.1f} J/mol K"
        result.append(Row(f"{formula}: C_V (k_B), derivative", "", exact, note=note))
        result.append(Row(f"{formula}: and by differences (paper column) of S", f"{differences:.4f}", exact, 2e-3))
        same = abs(energy - exact) < 1e-3
        note = f"dE/dT = {energy:.4f}, T dS/dT = {exact:.4f} k_B"
        result.append(
            Row(
                f"{formula}: T dS/dT = dE/dT (holds at a free minimum)",
                "yes",
                same,
                note=note + ("" if same else "; a constraint breaks it (PHH Eq. 27)"),
            )
        )
    for choice in CHOICES:
        bound, reference = fluctuations(choice)
        ratio = reference / bound
        note = f"MSA/bound {ratio.min():.2f} to {ratio.max():.2f} over x = .2 to .8"
        note += "; where it is negative the bound has d^2F/dc^2 < 0 and would demix" if ratio.min() < 0 else ""
        result.append(
            Row(
                f"Li-Mg, {choice}: MSA consistent with its own bound (10 %)",
                "yes",
                bool(np.abs(ratio - 1).max() < 0.1),
                note=note,
            )
        )
        for name, values in (("d^2F/dc^2", bound[2]), ("MSA", reference[2])):
            against = None if assessed() is None else float(np.interp(0.5, *assessed()))
            paper, ours = ("", None) if against is None else (f"{against:.3f}", float(values))
            note = "paper column: COST 507; as the heat of mixing, the curvature hangs on the core levels"
            result.append(Row(f"Li0.5Mg0.5, {choice}: S_CC(0) by {name}", paper, ours, note=note))
    return result


def draw(path):
    figure, axes = plt.subplots(1, 2, figsize=(12, 4.6), layout="constrained")
    for choice, colour in zip(CHOICES, ("C0", "C1"), strict=True):
        bound, reference = fluctuations(choice)
        axes[0].plot(X, bound, "o-", color=colour, label=f"bound, k_BT/(d²F/dc²), {choice}")
        axes[0].plot(X, reference, "s--", color=colour, label=f"MSA, S_CC(q→0), {choice}")
    fine = np.linspace(0, 1, 101)
    axes[0].plot(fine, fine * (1 - fine), ":", color="0.6", label="ideal, c(1-c)")
    if assessed() is not None:
        axes[0].plot(*assessed(), "kx", label="COST 507")
    axes[0].set(xlabel="atomic fraction of Mg", ylabel="S_CC(0)", title="Li-Mg, 940 K", ylim=(0, None))
    names = list(SYSTEMS)
    for offset, part, label in ((-0.2, 0, "T dS/dT, derivative"), (0.0, 1, "T dS/dT, differences"), (0.2, 2, "dE/dT")):
        axes[1].bar(np.arange(3) + offset, [heat_capacity(name)[part] for name in names], 0.19, label=label)
    axes[1].set_xticks(range(3), [f"{n}, {SYSTEMS[n][0]:g} K, {SYSTEMS[n][1]}" for n in names], fontsize=8)
    axes[1].axhline(1.5, color="0.6", ls=":", label="3/2: hard spheres of fixed diameter")
    axes[1].axhline(3.0, color="k", ls="--", lw=0.8, label="3: Dulong and Petit")
    axes[1].set(ylabel="heat capacity at constant volume (k_B per atom)")
    for axis in axes:
        axis.legend(fontsize=8)
    figure.savefig(path, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    run("beyond.derivatives")
