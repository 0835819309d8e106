"""The empty-core radius of magnesium from S_CC(0) of liquid Li-Mg at 900 K over the whole range of compositions.

One parameter shared by all alloys of the series, found by the gradient of the mean squared deviation through the
interactions and the free minimum of every state; `map_states` keeps the memory of that gradient to one chunk.
The series is derived from the COST 507 assessment of the liquid (Redlich-Kister), S_CC(0) = R T/(d^2 G/dx^2).
"""

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import minimize

import jaxalloy as ja
from experiments.report import Row, run
from jaxalloy.sweep import map_states

TEMPERATURE = 900.0
MAGNESIUM = np.array([0.15, 0.20, 0.25, 0.30, 0.40, 0.50, 0.60, 0.70, 0.75, 0.80, 0.85, 0.90])
ASSESSED = np.array(
    [0.10524, 0.12572, 0.14150, 0.15365, 0.16980, 0.17751, 0.17713, 0.16610, 0.15486, 0.13845, 0.11563, 0.08523]
)
START, BOUNDS = 1.0, (0.85, 1.12)
"""Core radii of magnesium, bohr; the bulk-stability radius, 1.316, leaves most of the series without a free minimum."""
CHUNK = 6


def fluctuations(radius, compositions=MAGNESIUM):
    """S_CC(0) of the series and whether each state has a minimum, shape (states,)."""

    def state(c):
        alloy = ja.Alloy.of(("Li", "Mg"), c, TEMPERATURE)
        found = ja.minimise(alloy, ja.interactions(alloy, ja.EmptyCore({"Mg": radius})), ja.Unconstrained())
        return found.liquid.structure_factor_cc(jnp.zeros(())), found.converged

    return map_states(state, jnp.asarray(compositions), chunk=CHUNK)


@jax.jit
def misfit(radius):
    """Mean squared deviation from the assessment, relative to the ideal mixture, and its derivative (1/bohr)."""

    def value(radius):
        found, _ = fluctuations(radius)
        return jnp.mean(((found - ASSESSED) / (MAGNESIUM * (1 - MAGNESIUM))) ** 2)

    return jax.value_and_grad(value)(radius)


def fit():
    """The best radius, the evaluations it took, and the root mean square deviations before and after."""

    def of(x):
        value, slope = misfit(jnp.asarray(x[0]))
        return float(value), np.array([float(slope)])

    found = minimize(of, [START], jac=True, bounds=[BOUNDS], method="L-BFGS-B", options={"ftol": 1e-10})
    return float(found.x[0]), int(found.nfev), float(np.sqrt(of([START])[0])), float(np.sqrt(found.fun))


def rows():
    radius, evaluations, before, after = fit()
    ours, converged = (np.asarray(x) for x in fluctuations(jnp.asarray(radius)))
    step = 1e-4
    difference = (misfit(jnp.asarray(START + step))[0] - misfit(jnp.asarray(START - step))[0]) / (2 * step)
    slope = misfit(jnp.asarray(START))[1]
    print(f"core radius of Mg: {START:.3f} -> {radius:.4f} bohr in {evaluations} evaluations with gradient")
    print(f"rms deviation over c_A c_B: {before:.4f} -> {after:.4f}")
    table = [
        Row(f"S_CC(0) at {c:.2f} Mg", f"{assessed:.3f}", float(value), note="" if ok else "no minimum")
        for c, assessed, value, ok in zip(MAGNESIUM, ASSESSED, ours, converged, strict=True)
    ]
    return [
        *table,
        Row("every state has a free minimum", "yes", bool(converged.all())),
        Row("derivative = central difference to 1e-5", "yes", bool(abs(slope / difference - 1) < 1e-5)),
        Row("the fit halves the deviation", "yes", bool(after < 0.5 * before)),
    ]


def draw(path):
    radius, *_ = fit()
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    c = np.linspace(0.02, 0.98, 49)
    axes.plot(c, c * (1 - c), ":", color="0.6", label="ideal mixture")
    axes.plot(MAGNESIUM, ASSESSED, "o", color="k", ms=4, label="COST 507 assessment")
    for r, style in ((START, "--"), (radius, "-")):
        values, converged = (np.asarray(x) for x in fluctuations(jnp.asarray(r), c))
        axes.plot(c, np.where(converged, values, np.nan), style, label=f"core radius of Mg {r:.3f} bohr")
    axes.set(xlabel="atomic fraction of Mg", ylabel="S_CC(0)", title=f"liquid Li-Mg, {TEMPERATURE:.0f} K")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    run("Li-Mg: a core radius from a composition series", rows, draw, "fitting_composition_series")
