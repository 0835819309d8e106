"""The empty-core radius of magnesium from S_CC(0) of liquid Li-Mg at 900 K over the whole range of compositions.

One parameter shared by all alloys of the series, found by the gradient of the mean squared deviation through the
interactions and the free minimum of every state; `map_states` keeps the memory of that gradient to one chunk.
The series is that of the COST 507 assessment of the liquid, S_CC(0) = R T/(d^2 G/dx^2).
"""

import functools

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize

import jaxalloy as ja
from experiments.assessed import assessment
from experiments.report import Row, run
from jaxalloy.sweep import map_states

TITLE = "Li-Mg: a core radius from a composition series"
TEMPERATURE = 900.0
RANGE = (0.15, 0.90)
"""Of magnesium; at the ends the order is too weak to tell radii apart."""
START, BOUNDS = 1.0, (0.85, 1.12)
"""Core radii of magnesium, bohr; the bulk-stability radius, 1.316, leaves most of the series without a free minimum."""
CHUNK = 4


@functools.cache
def series():
    """Fractions of magnesium and the assessed S_CC(0). Raises `DataAbsentError`."""
    x, *_, fluctuations = assessment("Li-Mg", TEMPERATURE)
    inside = (x >= RANGE[0] - 1e-9) & (x <= RANGE[1] + 1e-9)
    return x[inside], fluctuations[inside]


def fluctuations(radius, compositions):
    """S_CC(0) of the series and whether each state has a minimum, shape (states,)."""

    def state(c):
        alloy = ja.Alloy.of(("Li", "Mg"), c, TEMPERATURE)
        found = ja.minimise(alloy, ja.interactions(alloy, ja.EmptyCore({"Mg": radius})), ja.Unconstrained())
        return found.liquid.structure_factor_cc(jnp.zeros(())), found.converged

    return map_states(state, jnp.asarray(compositions), chunk=CHUNK)


@jax.jit
def misfit(radius):
    """Mean squared deviation from the assessment, relative to the ideal mixture, and its derivative (1/bohr)."""

    magnesium, assessed = series()

    def value(radius):
        found, _ = fluctuations(radius, magnesium)
        return jnp.mean(((found - assessed) / (magnesium * (1 - magnesium))) ** 2)

    return jax.value_and_grad(value)(radius)


@functools.cache
def fit():
    """The best radius, the evaluations it took, and the root mean square deviations before and after."""

    def of(x):
        value, slope = misfit(jnp.asarray(x[0]))
        return float(value), np.array([float(slope)])

    found = minimize(of, [START], jac=True, bounds=[BOUNDS], method="L-BFGS-B", options={"ftol": 1e-10})
    return float(found.x[0]), int(found.nfev), float(np.sqrt(of([START])[0])), float(np.sqrt(found.fun))


def rows():
    radius, evaluations, before, after = fit()
    magnesium, assessed = series()
    ours, converged = (np.asarray(x) for x in fluctuations(jnp.asarray(radius), magnesium))
    step = 1e-4
    difference = (misfit(jnp.asarray(START + step))[0] - misfit(jnp.asarray(START - step))[0]) / (2 * step)
    slope = misfit(jnp.asarray(START))[1]
    print(f"core radius of Mg: {START:.3f} -> {radius:.4f} bohr in {evaluations} evaluations with gradient")
    print(f"rms deviation over c_A c_B: {before:.4f} -> {after:.4f}")
    table = [
        Row(f"S_CC(0) at {c:.2f} Mg", f"{known:.3f}", float(value), note="" if ok else "no minimum")
        for c, known, value, ok in zip(magnesium, assessed, ours, converged, strict=True)
    ]
    return [
        *table,
        Row("every state has a free minimum", "yes", bool(converged.all())),
        Row("derivative = central difference to 1e-5", "yes", bool(abs(slope / difference - 1) < 1e-5)),
        Row("the fit halves the deviation", "yes", bool(after < 0.5 * before)),
    ]


def draw(path):
    radius, *_ = fit()
    magnesium, assessed = series()
    figure, axis = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
    c = np.linspace(0.04, 0.96, 47)
    axis.plot(c, c * (1 - c), ":", color="0.6", label="ideal mixture")
    axis.plot(magnesium, assessed, "ko", ms=4, label="COST 507")
    for r, style in ((START, "--"), (radius, "-")):
        values, converged = (np.asarray(x) for x in fluctuations(jnp.asarray(r), c))
        axis.plot(c, np.where(converged, values, np.nan), style, label=f"core radius of Mg {r:.3f} bohr")
    axis.set(xlabel="atomic fraction of Mg", ylabel="S_CC(0)", title=f"liquid Li-Mg, {TEMPERATURE:.0f} K")
    axis.legend(frameon=False)
    figure.savefig(path, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    run("fitting.composition_series")
