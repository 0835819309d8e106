"""EM Eqs. 18, 19: does reversible relaxation (q) stimulate irreversible relaxation (the driven condensate q')?

Eq. 9 for q and the driven system for q' with the commutator alpha(t) = 1 - 2c + eta_q(t)^2/2, integrated together.
Rates: Gamma = 1, t_sigma = 1, kappa = 0.5 or 3 for q'; q relaxes as curve 3 of Fig. 1, to eta_q = 0.6 at its peak.
"""

import functools

import equinox as eqx
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from experiments.report import Row, run
from jaxalloy.kinetics import Adaptive, DrivenRelaxation, FreeRelaxation, driven_order, stability, threshold
from jaxalloy.kinetics.equations import normal_form
from jaxalloy.kinetics.maxwell_bloch import MaxwellBloch, split_state
from jaxalloy.kinetics.relax import integrate

TITLE = "EM Eq. 19: reversible relaxation stimulates irreversible relaxation"

TIMES = jnp.linspace(0.0, 80.0, 801)
QUANTA = 300.0  # N of eta_q^2 = N_q/N
PUMP = 4.0


class TwoCondensates(eqx.Module):
    """q beside q'; the state vectors one after the other. stimulated: whether q acts on q' at all."""

    free: MaxwellBloch
    driven: MaxwellBloch
    concentration: jnp.ndarray
    stimulated: jnp.ndarray

    @property
    def start(self):
        """Both state vectors at t = 0."""
        return jnp.concatenate([self.free.start, self.driven.start])

    def seed(self):
        """The smaller seed."""
        return jnp.minimum(self.free.seed(), self.driven.seed())

    def commutator(self, y):
        """alpha of q' beside q."""
        return 1 - 2 * self.concentration + self.stimulated * (y[0] ** 2 + y[1] ** 2) / (2 * QUANTA)

    def rate(self, y):
        """dy/dt of both."""
        first = self.free.start.size
        alpha = self.commutator(y[:first])
        driven = eqx.tree_at(lambda m: m.emission, self.driven, alpha * self.driven.coupling)
        return jnp.concatenate([self.free.rate(y[:first]), driven.rate(y[first:])])


def driven_system(alpha, kappa=0.5, pump=PUMP):
    return DrivenRelaxation(1.0, pump, 1e-3, 1.0, 1.0, kappa, alpha, pump)


@functools.cache
def together(concentration, stimulated=True, kappa=0.5, pump=PUMP):
    """eta_q(t)^2 and N_q'(t). Without decay of its inversion q keeps what it has reached: eta_q^2 = 200/300."""
    free = normal_form(FreeRelaxation(1.0, 400.0, 1e-4, 10.0, jnp.inf))
    model = TwoCondensates(
        free,
        normal_form(driven_system(1.0, kappa, pump)),
        jnp.asarray(float(concentration)),
        jnp.asarray(float(stimulated)),
    )
    path = integrate(model, TIMES, Adaptive(rtol=1e-11, solver="dopri8"))
    q, _, _ = split_state(path.state[:, : free.start.size].T)
    q_prime, _, _ = split_state(path.state[:, free.start.size :].T)
    return np.abs(np.asarray(q)) ** 2 / QUANTA, np.abs(np.asarray(q_prime)) ** 2


def rows():
    out = []
    order, with_q = together(0.3)
    _, without = together(0.3, stimulated=False)
    print(f"eta_q^2 -> {order[-1]:.4f}; N_q' -> {with_q[-1]:.4f} beside q, {without[-1]:.4f} without")
    out.append(Row("c = 0.3: N_q' grows once eta_q does (Eq. 19)", "yes", bool(with_q[-1] > 1.05 * without[-1])))
    expected = float(driven_order(PUMP, 1.0, 0.3, np.sqrt(order[-1]), 1.0, 0.5, 1.0, 1.0, 1.0))
    note = f"N_q' {with_q[-1]:.4f}, corrected Eq. 18 {expected:.4f}"
    out.append(
        Row("its value is that of the corrected Eq. 18", "yes", bool(abs(with_q[-1] / expected - 1) < 1e-3), note=note)
    )
    printed = PUMP * (1 - 0.6 + order[-1] / 2)
    note = f"Eq. 19 {printed:.3g}, ours {with_q[-1]:.3g}: a factor {printed / with_q[-1]:.1f}"
    out.append(
        Row("Eq. 19 as printed gives it within 10 %", "yes", bool(abs(printed / with_q[-1] - 1) < 0.1), note=note)
    )
    _, started = together(0.6, pump=3 * PUMP)
    _, dark = together(0.6, stimulated=False, pump=3 * PUMP)
    note = f"pump {3 * PUMP:g}: N_q' {started[-1]:.3f} beside q, {dark[-1]:.1e} without"
    out.append(
        Row(
            "c = 0.6 (alpha < 0 alone): q switches q' on", "yes", bool(started[-1] > 0.1 and dark[-1] < 1e-6), note=note
        )
    )
    _, rich = together(0.9)
    out.append(
        Row(
            "c = 0.9: it exists 'if eta is not 0'",
            "yes",
            bool(rich[-1] > 1e-6),
            note="1 - 2c + eta^2/2 < 0 still: no threshold",
        )
    )
    _, weak = together(0.3, pump=0.5)
    out.append(
        Row("below the threshold q' 'increases'", "yes", bool(weak[-1] > 1e-6), note="r < 1: it dies out, eta_q or not")
    )
    alphas = [1 - 0.6, 1 - 0.6 + order[-1] / 2]
    loss, strong = 10.0, 380.0
    ratios = [float(threshold(driven_system(a, loss, strong)).ratio) for a in alphas]
    limit = float(stability(driven_system(0.4, loss, strong)).boundary)
    _, bad = together(0.3, kappa=loss, pump=strong)
    late = bad[len(bad) // 2 :]
    swing = np.ptp(late) / late.mean()
    note = f"r {ratios[0]:.1f} -> {ratios[1]:.1f}, stable to {limit:.1f}; N_q' swings by {swing:.1f} means"
    out.append(
        Row("kappa > Gamma + 1/t_sigma: it stays stationary", "yes", bool(np.ptp(late) < 0.01 * late.mean()), note=note)
    )
    return out


def draw(path):
    figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
    for axis, c in zip(axes[:2], (0.3, 0.6), strict=True):
        pump = PUMP if c < 0.5 else 3 * PUMP
        order, with_q = together(c, pump=pump)
        _, without = together(c, stimulated=False, pump=pump)
        axis.plot(TIMES, order, "0.6", label="η_q²")
        axis.plot(TIMES, with_q, "k", label="N_q′ beside q")
        axis.plot(TIMES, without, "k--", label="N_q′ alone")
        axis.set(xlabel="Γ t", ylabel="η_q², N_q′", title=f"c = {c}")
        axis.legend()
    _, bad = together(0.3, kappa=10.0, pump=380.0)
    axes[2].plot(TIMES, bad, "k", lw=0.6)
    axes[2].set(xlabel="Γ t", ylabel="N_q′", title="c = 0.3, κ = 10 Γ: driven past the instability")
    figure.suptitle(
        "Two condensates: α(t) = 1 - 2c + η_q²/2 carries the reversible relaxation into the irreversible one"
    )
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    run("egorushkin1993.two_condensates")
