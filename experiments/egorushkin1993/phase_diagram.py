"""The driven condensate over pump and field damping: none, stationary, unstable (EM Eqs. 16, 17 and what they miss).

5000 trajectories started next to the stationary state; Gamma = 1, t_sigma = 1. EM know the threshold r = 1 only.
"""

import functools

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from experiments.report import Row, run
from jaxalloy.kinetics import DrivenRelaxation, relax_many, stability, stationary

TITLE = "EM Eqs. 16, 17: phase diagram of the driven condensate"

DAMPING, RATIO = np.geomspace(0.2, 30.0, 50), np.geomspace(0.3, 100.0, 100)
TIMES = np.linspace(0.0, 60.0, 121)
PUSH = 1.02


def system(damping, ratio):
    """The condensate at rest, pushed off by 2 % (or a seed of 0.01 where there is none)."""
    pump = ratio * damping
    above = ratio > 1
    quanta = 0.25 * jnp.maximum(ratio - 1.0, 0.0)
    field = PUSH * jnp.sqrt(quanta) + jnp.where(above, 0.0, 0.01)
    inversion = jnp.where(above, damping, pump)
    polarisation = 1j * inversion * field / PUSH
    return DrivenRelaxation(1.0, inversion, polarisation, 1.0, 1.0, damping, 1.0, pump, field=field)


@functools.cache
def sweep():
    """Mean and spread of N over the last third, against its stationary value, on the grid (damping, ratio)."""
    damping, ratio = (x.ravel() for x in np.meshgrid(DAMPING, RATIO, indexing="ij"))
    out = relax_many(jax.vmap(system)(jnp.asarray(damping), jnp.asarray(ratio)), TIMES)
    late = np.asarray(out.quanta)[:, 2 * len(TIMES) // 3 :]
    first = np.asarray(out.quanta)[:, : len(TIMES) // 6]
    expected = 0.25 * np.maximum(ratio - 1, 0)
    shape = (len(DAMPING), len(RATIO))
    grows = np.ptp(late, axis=1) > np.ptp(first, axis=1)
    fields = expected, late.mean(1), np.ptp(late, axis=1), grows, np.asarray(out.converged)
    return [x.reshape(shape) for x in fields]


def boundary(damping, beta=1.0):
    """r at which the stationary state becomes unstable, infinite for a good resonator."""
    bad = damping > 1 + beta
    return np.where(bad, damping * (damping + beta + 3) / np.where(bad, damping - beta - 1, 1), np.inf)


def rows():
    expected, mean, _, grows, converged = sweep()
    r = np.broadcast_to(RATIO, mean.shape)
    limit = boundary(DAMPING)[:, None]
    clear = np.abs(r / limit - 1.0) > 0.1
    none, stationary_zone, unstable = r < 0.9, (r > 1.1) & (r < limit) & clear, (r > limit) & clear
    print(f"{converged.mean():.1%} of {converged.size} trajectories converged")
    resting = np.abs(mean - expected) < 0.02 * expected + 1e-9
    pick = jax.vmap(lambda d, x: stability(system(d, x)).growth_rate)
    grid = np.meshgrid(DAMPING, RATIO, indexing="ij")
    linear = np.asarray(pick(*(jnp.asarray(x.ravel()) for x in grid))).reshape(mean.shape)
    agree = (linear > 0)[unstable].mean(), (linear < 0)[stationary_zone].mean()
    share = resting[stationary_zone].mean()
    note = f"{(~resting[unstable]).mean():.1%} of {unstable.sum()} points above r_H do not rest"
    quick = np.asarray(stationary(system(jnp.asarray(0.5), jnp.asarray(3.0))).quanta)
    return [
        Row("no condensate below the threshold (Eq. 16)", "yes", bool((mean[none] < 1e-3).all())),
        Row("Eq. 17 at kappa = 0.5, r = 3: N", "0.5", float(quick)),
        Row("Eq. 17 holds between threshold and r_H", "yes", bool(share > 0.98), note=f"{share:.1%}"),
        Row("above threshold 'a condensate will exist' at rest", "yes", bool(resting[r > 1.1].all()), note=note),
        Row("eigenvalues and trajectories agree", "yes", bool(min(agree) > 0.999 and grows[unstable].mean() > 0.9)),
    ]


def draw(path):
    expected, mean, spread, _, _ = sweep()
    figure, axes = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
    relative = np.where(expected > 0, spread / np.where(expected > 0, expected, 1.0), 0.0)
    panels = (
        (np.log10(np.maximum(mean, 1e-3)), "log₁₀ of the mean N"),
        (np.minimum(relative, 4), "spread of N / N of Eq. 17"),
    )
    for axis, (values, label) in zip(axes, panels, strict=True):
        image = axis.pcolormesh(RATIO, DAMPING, values)
        figure.colorbar(image, ax=axis, label=label)
        axis.plot(boundary(DAMPING), DAMPING, "w", label="r_H (Lorenz)")
        axis.axvline(1.0, color="w", ls="--", label="threshold, Eq. 16")
        axis.set(xscale="log", yscale="log", xlabel="r = pump/threshold", ylabel="κ/Γ", xlim=(RATIO[0], RATIO[-1]))
        axis.legend(facecolor="0.5")
    figure.suptitle("The driven condensate, t_σ = 1/Γ: dark, stationary, pulsing or chaotic")
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    run("egorushkin1993.phase_diagram")
