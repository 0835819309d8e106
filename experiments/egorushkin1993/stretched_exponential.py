"""EM Conclusions: a large set of weakly interacting clusters. When does it look like a stretched exponential?

Clusters of curve 1 (exponential) and curve 3 (S-shaped) of Fig. 1. "all rates": every rate of a cluster carries one
log-normal factor of width s, so eta(t) becomes eta(kt). "coupling": only Delta does. 2000 clusters of 13 to 300 atoms.
EM name no law; the statements tested are what one would expect of such a set.
"""

import functools

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from experiments.report import Row, run
from jaxalloy.kinetics import FreeRelaxation, ensemble_order, relax, relax_many, stretching

TITLE = "EM Conclusions: a large set of weakly interacting clusters"

TIMES = np.concatenate([[0.0], np.geomspace(1e-3, 1e4, 141)])
WIDTHS = {"all rates": np.array([0.0, 0.5, 1.0, 1.5, 2.0, 2.5]), "coupling": np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])}
CLUSTERS = 2000
CURVES = {"curve 1": (1.0, 10.0, 1e-8), "curve 3": (20.0, 10.0, 1e-13)}
KINDS = [("curve 1", "all rates"), ("curve 3", "all rates"), ("curve 3", "coupling")]


def ensemble(curve, scattered, width, seed=0):
    """Progress of the sample's order from 0 to 1."""
    x, dephasing, d0 = CURVES[curve]
    rng = np.random.default_rng(seed)
    factor = np.exp(width * rng.normal(size=CLUSTERS))
    sizes = np.exp(rng.uniform(np.log(13.0), np.log(300.0), CLUSTERS))
    if scattered == "all rates":
        own = np.concatenate([[0.0], np.geomspace(1e-4, 30.0, 400)])
        eta = np.asarray(relax(FreeRelaxation(1.0, x**2, d0, dephasing, 1.0), own).eta)
        progress = np.interp(np.minimum(factor[:, None] * TIMES, own[-1]), own, eta)
        return np.asarray(ensemble_order(jnp.asarray(progress), sizes))
    times = TIMES[TIMES < 30.0]
    out = relax_many(jax.vmap(lambda k: FreeRelaxation(k, x**2, d0, dephasing, 1.0))(jnp.asarray(factor)), times)
    assert bool(jnp.all(out.converged))
    progress = np.ones((CLUSTERS, TIMES.size))
    progress[:, : times.size] = out.eta
    return np.asarray(ensemble_order(jnp.asarray(progress), sizes))


@functools.cache
def table():
    """Exponents, deviations from the law and progress by kind, in the order of the widths."""
    found = {}
    for curve, scattered in KINDS:
        progress = [ensemble(curve, scattered, width) for width in WIDTHS[scattered]]
        fits = [stretching(TIMES, p) for p in progress]
        found[curve, scattered] = (
            np.array([float(f.exponent) for f in fits]),
            np.array([float(f.deviation) for f in fits]),
            progress,
        )
    return found


def rows():
    found = table()
    for kind, (beta, deviation, _) in found.items():
        print(f"{kind[0]}, scattered: {kind[1]}")
        for width, b, d in zip(WIDTHS[kind[1]], beta, deviation, strict=True):
            print(f"   s = {width:.1f}: beta {b:.3f}, farthest from the law {d:.3f}")
    single = found["curve 3", "all rates"][0][0]
    wide, narrow = found["curve 3", "all rates"], found["curve 3", "coupling"]
    falls = all(np.all(np.diff(found[kind][0]) < 0) for kind in KINDS[:2])
    first = WIDTHS["all rates"][np.argmax(wide[0] < 1.0)]
    closest = min(d for b, d in zip(wide[0], wide[1], strict=True) if b < 1)
    return [
        Row("one S-shaped cluster is no stretched exponential", "yes", bool(single > 1.5), note=f"beta {single:.2f}"),
        Row("beta falls with the width of the rates", "yes", bool(falls)),
        Row("S-shaped clusters look stretched", "yes", bool(wide[0][-1] < 1), note=f"beta < 1 from s = {first:g} on"),
        Row("they follow the law within 5 %", "yes", bool(closest < 0.05), note=f"at best {closest:.3f}"),
        Row(
            "scatter of the coupling alone stretches (s = 0.5)",
            "yes",
            bool(narrow[0][-1] < 1),
            note=f"beta {narrow[0][-1]:.2f}",
        ),
    ]


def draw(path):
    found = table()
    figure, axes = plt.subplots(1, 3, figsize=(14, 4), layout="constrained")
    for axis, kind in zip(axes, KINDS, strict=True):
        beta, _, progress = found[kind]
        for width, b, p in zip(WIDTHS[kind[1]], beta, progress, strict=True):
            axis.semilogx(TIMES[1:], p[1:], label=f"s = {width:.1f}, β = {b:.2f}")
        axis.set(xlabel="γ t (median cluster)", ylabel="⟨η²⟩", title=f"{kind[0]}, scattered: {kind[1]}")
        axis.legend(fontsize=8)
    figure.suptitle("Ensembles of clusters and the stretched exponential 1 - exp[-(t/τ)^β]")
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    run("egorushkin1993.stretched_exponential")
