"""Many clusters and many zones: ensembles, and relaxation through fluctuation zones one by one or at once.

EM's Conclusions: structural relaxation is that of a large set of weakly interacting clusters; a fluctuation zone (FZ)
relaxes gradually, from zone to zone, or directly into the zone of the crystalline phase (ZCP).
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, ArrayLike, Bool, Complex, Float, Int, Real
from jaxalloy.kinetics.equations import as_number, as_real, require_population_time, require_rate
from jaxalloy.kinetics.relax import Adaptive, choose_solver, integrate
from jaxalloy.kinetics.trajectory import Outcome, check_times
from jaxalloy.numerics.checks import InputError, NoResultError, is_traced, require, require_finite, require_positive

Numbers: TypeAlias = Real[ArrayLike, "n"] | Sequence[float]
"""One number per zone, time or cluster, shape (n,)."""


class RelaxationNetwork(eqx.Module):
    """Zones with populations p_i, joined by transitions that each emit excitations of their own (EM Eq. 9 for each).

    For the transition e from zone i to zone j, with the inversion sigma_e = p_i - p_j:

    db_e/dt = -i Delta_e d_e
    dd_e/dt = -Gamma_e d_e + i Delta_e sigma_e b_e
    dp_i/dt = -dp_j/dt = -(p_i - p_j)/(2 t_sigma,e) - 2 Delta_e Im(d_e b_e^*),   summed over the transitions

    so that a single transition is `FreeRelaxation` and the sum of the populations is conserved. Coherences between
    transitions that share a zone are left out: sound where dephasing is faster than the swings, Gamma_e > Delta_e |b_e|
    or so; beyond, a zone can be emptied to less than nothing, which `relax_network` refuses.
    transitions: pairs (i, j), every i, j < z. populations: p_i(0), (z,). coupling, dephasing, population_time,
    polarisation: of each transition, () or (e,). Raises `InputError` for a zone that does not exist.
    """

    transitions: tuple[tuple[int, int], ...] = eqx.field(static=True)
    populations: Float[Array, "z"] = eqx.field(converter=as_real)
    coupling: Float[Array, "..."] = eqx.field(converter=as_real)
    dephasing: Float[Array, "..."] = eqx.field(converter=as_real)
    population_time: Float[Array, "..."] = eqx.field(converter=as_real)
    polarisation: Float[Array, "..."] | Complex[Array, "..."] = eqx.field(converter=as_number)

    def __check_init__(self) -> None:
        zones = self.populations.shape[0]
        for i, j in self.transitions:
            if not (0 <= i < zones and 0 <= j < zones and i != j):
                raise InputError(f"transition ({i}, {j}): zones are numbered 0 to {zones - 1}, and differ")
        if not self.transitions:
            raise InputError("transitions: give at least one, e.g. ((0, 1),)")
        for name in ("coupling", "dephasing", "population_time", "polarisation"):
            shape = getattr(self, name).shape
            if shape not in ((), (len(self.transitions),)):
                raise InputError(f"{name} has shape {shape}: give a scalar or one per transition")
        require("populations", self.populations, lambda p: p >= 0, "a zone cannot hold less than nothing")
        require_finite("coupling", self.coupling)
        require_rate("dephasing", self.dephasing)
        require_population_time(self.population_time)
        require("|polarisation|", jnp.abs(self.polarisation), lambda d: d > 0, "every transition needs a seed")

    @classmethod
    def chain(cls, zones: int, *, direct: bool, populations: Numbers, **rates: Any) -> "RelaxationNetwork":
        """Zones 0 to z-1 in a row, the last being the ZCP.

        Transitions: the z-1 steps from each zone to the next and, if `direct`, after them those from each zone but
        the last two straight into the ZCP.
        """
        steps = tuple((i, i + 1) for i in range(zones - 1))
        straight = tuple((i, zones - 1) for i in range(zones - 2)) if direct else ()
        return cls(transitions=steps + straight, populations=as_real(populations), **rates)


class NetworkRelaxation(eqx.Module):
    """Populations and quanta of a network along its relaxation.

    times: (t,). populations: p_i, (t, z). fields: b_e, (t, e). quanta: |b_e|^2, the coherent transitions made, (t, e).
    reached, steps, result: as in `Relaxation`.
    """

    times: Float[Array, "t"]
    populations: Float[Array, "t z"]
    fields: Complex[Array, "t e"]
    reached: Bool[Array, "t"]
    steps: Int[Array, ""]
    result: Any

    @property
    def quanta(self) -> Float[Array, "t e"]:
        """N_e = |b_e|^2."""
        return jnp.abs(self.fields) ** 2

    @property
    def converged(self) -> Bool[Array, ""]:
        """Whether the last time was reached at the requested tolerance."""
        return self.result == Outcome.successful


class _NetworkModel(eqx.Module):
    """The network in real form; state [Re b, Im b, Re d, Im d (e each), p]."""

    transitions: tuple[tuple[int, int], ...] = eqx.field(static=True)
    coupling: Float[Array, "e"]
    dephasing: Float[Array, "e"]
    decay: Float[Array, "e"]
    start: Float[Array, "n"]

    def split(self, y: Float[Array, "*t n"]) -> tuple[Array, Array, Array]:
        """b_e, d_e, p_i; the state on the last axis."""
        e = len(self.transitions)
        parts = jnp.split(y, [e, 2 * e, 3 * e, 4 * e], axis=-1)
        return parts[0] + 1j * parts[1], parts[2] + 1j * parts[3], parts[4]

    def rate(self, y: Float[Array, "n"]) -> Float[Array, "n"]:
        """dy/dt."""
        field, dipole, populations = self.split(y)
        upper = jnp.array([i for i, _ in self.transitions])
        lower = jnp.array([j for _, j in self.transitions])
        inversion = populations[upper] - populations[lower]
        d_field = -1j * self.coupling * dipole
        d_dipole = -self.dephasing * dipole + 1j * self.coupling * inversion * field
        flow = 0.5 * self.decay * inversion + 2.0 * self.coupling * (dipole * jnp.conj(field)).imag
        d_populations = jnp.zeros_like(populations).at[upper].add(-flow).at[lower].add(flow)
        return jnp.concatenate([d_field.real, d_field.imag, d_dipole.real, d_dipole.imag, d_populations])

    def seed(self) -> Float[Array, ""]:
        """The smallest seed, whose error would shift a delay."""
        return jnp.min(jnp.abs(self.split(self.start)[1]))


def relax_network(
    network: RelaxationNetwork, times: Real[ArrayLike, "t"], method: Adaptive | None = None
) -> NetworkRelaxation:
    """Integrate a network of zones from t = 0, all fields zero, and give it at `times` (t,).

    Raises `NoResultError` (outside jit) where the equations empty a zone to less than nothing.
    """
    method = Adaptive() if method is None else method
    count, dtype = len(network.transitions), network.populations.dtype

    def spread(value: Array) -> Array:
        return jnp.broadcast_to(value, (count,))

    dipole, zero = spread(network.polarisation), jnp.zeros(count, dtype)
    start = jnp.concatenate([zero, zero, jnp.real(dipole), jnp.imag(dipole), network.populations]).astype(dtype)
    decay = 1.0 / spread(network.population_time)
    model = _NetworkModel(network.transitions, spread(network.coupling), spread(network.dephasing), decay, start)
    times = as_real(times).astype(dtype)
    check_times(times)
    method = choose_solver(method, jnp.max(jnp.maximum(model.dephasing, model.decay)), times[-1])
    path = integrate(model, times, method)
    state, reached = path.held()
    field, _, populations = model.split(state)
    if not is_traced(populations):
        _refuse_negative(np.asarray(times), np.asarray(populations), float(jnp.max(jnp.abs(dipole))))
    return NetworkRelaxation(times, populations, field, reached, path.steps, path.result)


def _refuse_negative(times: np.ndarray, populations: np.ndarray, seed: float) -> None:
    """Seeds polarise zones that are empty; as deep as they are a population may go."""
    t, zone = np.unravel_index(np.argmin(populations), populations.shape)
    if populations[t, zone] < -seed:
        found = f"zone {zone} is emptied to {populations[t, zone]:.3g} at t = {times[t]:.3g}"
        why = "its transitions swing faster than they dephase, and their coherence with each other is left out"
        raise NoResultError(f"{found}: {why}; give more dephasing or weaker couplings")


def ensemble_order(eta: Real[ArrayLike, "lanes t"], sizes: Numbers) -> Float[Array, "t"]:
    """Mean of eta^2 over clusters weighted by their sizes: what an observable of the whole sample follows.

    Weakly interacting clusters relax each by itself, and their phases are random, so that squares add.
    """
    sizes = as_real(sizes)
    require_positive("sizes", sizes, "a cluster holds a positive number of atoms")
    return (sizes / jnp.sum(sizes)) @ eta**2


class Stretching(eqx.Module):
    """How close a relaxation comes to 1 - exp(-(t/tau)^beta).

    exponent: beta, () (1: exponential; below 1: stretched; above 1: S-shaped). time: tau. deviation: largest
    difference between the curve and the law over the range fitted. points: how many were fitted.
    """

    exponent: Float[Array, ""]
    time: Float[Array, ""]
    deviation: Float[Array, ""]
    points: Int[Array, ""]


def stretching(times: Numbers, progress: Numbers, low: float = 0.02, high: float = 0.98) -> Stretching:
    """Straight line through ln(-ln(1 - x)) against ln t, where the progress x from 0 to 1 lies between low and high.

    A diagnosis of shape, each point with equal weight; fits to data with errors belong to the fitting room.
    """
    times, progress = as_real(times), as_real(progress)
    used = (progress > low) & (progress < high) & (times > 0)
    require("points between low and high", jnp.sum(used), lambda n: n >= 3, "give more times, or later ones")
    x = jnp.log(jnp.where(used, times, 1.0))
    y = jnp.log(-jnp.log1p(-jnp.where(used, progress, 0.5)))
    weight = used / jnp.maximum(jnp.sum(used), 1)
    centre_x, centre_y = weight @ x, weight @ y
    exponent = (weight @ ((x - centre_x) * (y - centre_y))) / (weight @ (x - centre_x) ** 2)
    time = jnp.exp(centre_x - centre_y / exponent)
    law = -jnp.expm1(-jnp.exp(exponent * (x - jnp.log(time))))
    deviation = jnp.max(jnp.where(used, jnp.abs(law - progress), 0.0))
    return Stretching(exponent, time, deviation, jnp.sum(used))
