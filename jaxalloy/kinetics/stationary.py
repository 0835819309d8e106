"""The driven condensate: threshold, stationary state, stability (EM Eqs. 16-18, corrected and detuned)."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx
from jax import lax

from jaxalloy._typing import Array, Bool, Complex, Float, ScalarLike
from jaxalloy.kinetics.equations import DrivenRelaxation, normal_form
from jaxalloy.kinetics.maxwell_bloch import MaxwellBloch, join_state
from jaxalloy.numerics.checks import InputError, require, require_positive

FREQUENCIES = 2001
"""Grid on which the roots of the phase condition are bracketed."""
BISECTIONS = 60


class Threshold(eqx.Module):
    """The least pump that keeps a condensate, with the shape of the pump given.

    inversion: sum_k sigma_th. per_state: sigma_th,k, (k,). ratio: r = sum sigma^p / sum sigma_th, above
    threshold where r > 1. frequency: of b against omega_q at threshold. exists: false where no positive pump
    reaches it.
    """

    inversion: Float[Array, ""]
    per_state: Float[Array, "k"]
    ratio: Float[Array, ""]
    frequency: Float[Array, ""]
    exists: Bool[Array, ""]


class StationaryState(eqx.Module):
    """The stationary condensate b = sqrt(N) e^{-i frequency t}, or N = 0 below threshold.

    quanta: N. frequency: pulling by the detuning. polarisation: d_k in the frame rotating with b, (k,).
    inversion: sigma_k, (k,). above: whether a condensate exists. residual: largest |dy/dt| left, relative to
    the largest rate.
    """

    quanta: Float[Array, ""]
    frequency: Float[Array, ""]
    polarisation: Complex[Array, "k"]
    inversion: Float[Array, "k"]
    above: Bool[Array, ""]
    residual: Float[Array, ""]


class Stability(eqx.Module):
    """Linear stability of the stationary state.

    eigenvalues: of the Jacobian in the rotating frame, (n,); a condensate has one at zero, its free phase.
    growth_rate: largest real part, the phase left out. stable: growth_rate < 0. slowest_time: -1/growth_rate,
    which diverges at the threshold (critical slowing) and at the boundary. boundary: r at which the resonant
    condensate of common rates becomes unstable, s (s + beta + 3)/(s - beta - 1) with s = kappa/Gamma, beta =
    1/(Gamma t_sigma); infinite where kappa <= Gamma + 1/t_sigma. It is that of the Lorenz system and has no
    meaning for unequal states.
    """

    eigenvalues: Complex[Array, "n"]
    growth_rate: Float[Array, ""]
    stable: Bool[Array, ""]
    slowest_time: Float[Array, ""]
    boundary: Float[Array, ""]


def threshold(system: DrivenRelaxation) -> Threshold:
    """The threshold inversion (EM Eq. 16), detuned by Omega.

    sum_k sigma_th = kappa Gamma/(Delta^2 alpha) [1 + Omega^2/(kappa + Gamma)^2]

    For unequal states the pump is scaled by the least s > 0 that has a real frequency omega with
    s alpha sum_k Delta_k^2 sigma^p_k/(Gamma_k + i (delta_k - omega)) = kappa - i omega.
    Raises `InputError` where kappa, Gamma or the whole pump is zero.
    """
    _require_driven(system)
    return _threshold(normal_form(system))


def stationary(system: DrivenRelaxation) -> StationaryState:
    """The stationary state above threshold (EM Eq. 17), detuned by Omega.

    N = Gamma/(4 t_sigma Delta^2) (r - 1) [1 + Omega^2/(kappa + Gamma)^2]

    For unequal states N and the frequency solve the saturated condition, from the closed form of the mean
    rates on; derivatives through the root are implicit. Below threshold N = 0, sigma_k = sigma^p_k.

    >>> import jaxalloy as ja
    >>> driven = ja.DrivenRelaxation(1.0, 1.5, 1e-3, 1.0, 1.0, 0.5, 1.0, pump=1.5)
    >>> round(float(ja.threshold(driven).ratio), 3), round(float(ja.stationary(driven).quanta), 3)
    (3.0, 0.5)
    """
    _require_driven(system)
    return _stationary(normal_form(system))


def stability(system: DrivenRelaxation) -> Stability:
    """Eigenvalues about the stationary state (N = 0 below threshold) and the Lorenz boundary."""
    _require_driven(system)
    return _stability(normal_form(system))


@eqx.filter_jit
def _stability(model: MaxwellBloch) -> Stability:
    state = _stationary(model)
    field = jnp.sqrt(state.quanta) + 0j
    rotating = eqx.tree_at(lambda m: m.detuning, model, model.detuning - state.frequency)
    y = join_state(field, state.polarisation, state.inversion)

    def rate(y: Array) -> Array:
        turned = jnp.stack([-y[1], y[0]]) * state.frequency  # the field's own frequency in the rotating frame
        return rotating.rate(y).at[:2].add(turned)

    eigenvalues = jnp.linalg.eigvals(jax.jacfwd(rate)(y))
    phase = jnp.argmin(jnp.abs(eigenvalues))
    parts = eigenvalues.real
    transverse = jnp.where(state.above & (jnp.arange(parts.size) == phase), -jnp.inf, parts)
    growth = jnp.max(transverse)
    s, beta = model.damping / model.dephasing[0], model.decay[0] / model.dephasing[0]
    unstable = s > 1.0 + beta
    boundary = jnp.where(unstable, s * (s + beta + 3.0) / jnp.where(unstable, s - beta - 1.0, 1.0), jnp.inf)
    return Stability(eigenvalues, growth, growth < 0, -1.0 / growth, boundary)


def driven_order(
    pump: ScalarLike,
    pairs: ScalarLike,
    concentration: ScalarLike,
    order: ScalarLike,
    population_time: ScalarLike,
    field_damping: ScalarLike,
    coupling: ScalarLike,
    dephasing: ScalarLike,
    quanta: ScalarLike,
) -> Float[Array, ""]:
    """eta_q'^2 of the driven condensate on a background of order eta (EM Eq. 18, corrected).

    sigma^p n (1 - 2c + eta^2/2)/(4 t_sigma kappa N) - Gamma/(4 t_sigma Delta^2 N), with n pairs of pump
    sigma^p each; zero below threshold, and where alpha = 1 - 2c + eta^2/2 <= 0, where no threshold exists.
    All ().
    """
    remedy = "rates, t_sigma and the number N of quanta must be positive"
    for name, value in [
        ("field_damping", field_damping),
        ("population_time", population_time),
        ("quanta", quanta),
    ]:
        require_positive(name, value, remedy)
    commutator = 1.0 - 2.0 * jnp.asarray(concentration) + 0.5 * jnp.asarray(order) ** 2
    supply = jnp.asarray(pump) * pairs * commutator / field_damping
    loss = jnp.asarray(dephasing) / jnp.asarray(coupling) ** 2
    squared = (supply - loss) / (4.0 * jnp.asarray(population_time) * quanta)
    return jnp.where(commutator > 0, jnp.maximum(squared, 0.0), 0.0)


def _require_driven(system: DrivenRelaxation) -> None:
    if not isinstance(system, DrivenRelaxation):
        raise InputError(f"{type(system).__name__} has no stationary condensate: only DrivenRelaxation is pumped")
    require_positive("field_damping", system.field_damping, "without damping of the field there is no threshold")
    require_positive("dephasing", system.dephasing, "without dephasing there is no threshold")
    require("population_time", system.population_time, np.isfinite, "a pump acts through a finite t_sigma only")
    require("max |pump|", jnp.max(jnp.abs(system.pump)), lambda x: x > 0, "without a pump there is no condensate")


def _response(model: MaxwellBloch, pump: Array, frequency: Array, quanta: Any = 0.0) -> tuple[Array, Array]:
    """alpha sum_k Delta_k^2 sigma_k/(Gamma_k + i (delta_k - omega)) and the saturated sigma_k at N quanta."""
    offset = model.detuning - frequency
    width = model.dephasing**2 + offset**2
    saturation = 4.0 * model.coupling**2 * quanta * model.dephasing / (width * model.decay)
    inversion = pump / (1.0 + saturation)
    gain = model.emission * model.coupling * inversion * (model.dephasing - 1j * offset) / width
    return jnp.sum(gain), inversion


@eqx.filter_jit
def _threshold(model: MaxwellBloch) -> Threshold:
    pump = model.source / model.decay
    kappa = model.damping

    def phase_excess(frequency: Array) -> Array:
        return (_response(model, pump, frequency)[0] * (kappa + 1j * frequency)).imag

    def scale(frequency: Array) -> tuple[Array, Array]:
        aligned = (_response(model, pump, frequency)[0] * (kappa + 1j * frequency)).real
        positive = aligned > 0
        return jnp.where(positive, (kappa**2 + frequency**2) / jnp.where(positive, aligned, 1.0), jnp.inf), positive

    frequency = _brackets(lax.stop_gradient(model), phase_excess, scale)
    slope = jax.grad(phase_excess)(lax.stop_gradient(frequency))
    frequency = frequency - phase_excess(frequency) / jnp.where(slope != 0, slope, 1.0)  # carries the derivative
    least, exists = scale(frequency)
    return Threshold(
        inversion=least * jnp.sum(pump),
        per_state=least * pump,
        ratio=jnp.where(exists, 1.0 / least, 0.0),
        frequency=frequency,
        exists=exists,
    )


def _brackets(model: MaxwellBloch, phase_excess: Any, scale: Any) -> Array:
    """The frequency of least threshold among the roots of the phase condition, between 0 and the delta_k."""
    reach = jnp.max(jnp.abs(model.detuning))
    grid = jnp.linspace(-1.0, 1.0, FREQUENCIES, dtype=reach.dtype) * (1.001 * reach + 1e-3 * model.damping)
    excess = jax.vmap(phase_excess)(grid)
    lower, upper, crossing = grid[:-1], grid[1:], excess[:-1] * excess[1:] <= 0
    sign = jnp.sign(excess[:-1])

    def halve(ends: tuple, _: None) -> tuple[tuple, None]:
        lower, upper = ends
        middle = 0.5 * (lower + upper)
        left = jax.vmap(phase_excess)(middle) * sign > 0
        return (jnp.where(left, middle, lower), jnp.where(left, upper, middle)), None

    (lower, upper), _ = lax.scan(halve, (lower, upper), None, length=BISECTIONS)
    roots = 0.5 * (lower + upper)
    least = jnp.where(crossing, jax.vmap(lambda f: scale(f)[0])(roots), jnp.inf)
    return lax.stop_gradient(roots[jnp.argmin(least)])


@eqx.filter_jit
def _stationary(model: MaxwellBloch) -> StationaryState:
    limit = _threshold(model)
    pump = model.source / model.decay
    above = limit.exists & (limit.ratio > 1.0)
    weight = model.emission * model.coupling * pump
    share = weight / jnp.sum(weight)
    coupling = jnp.sum(share * model.coupling**2)
    width = jnp.sum(share * (model.dephasing**2 + (model.detuning - limit.frequency) ** 2) / model.dephasing)
    guess = jnp.maximum(limit.ratio - 1.0, 1e-6) * width * jnp.sum(share * model.decay) / (4.0 * coupling)

    def mismatch(unknown: Array, model: MaxwellBloch) -> Array:
        quanta, frequency = jnp.exp(unknown[0]), unknown[1]
        gain, _ = _response(model, model.source / model.decay, frequency, quanta)
        left = gain / (model.damping - 1j * frequency) - 1.0
        return jnp.stack([left.real, left.imag])

    start = lax.stop_gradient(jnp.stack([jnp.log(guess), limit.frequency]))
    solver: Any = optx.Dogleg(rtol=1e-13, atol=1e-13)
    solution: Any = optx.root_find(mismatch, solver, start, args=model, max_steps=200, throw=False)
    quanta = jnp.where(above, jnp.exp(jnp.where(above, solution.value[0], 0.0)), 0.0)
    frequency = jnp.where(above, solution.value[1], 0.0)
    gain, inversion = _response(model, pump, frequency, quanta)
    offset = model.detuning - frequency
    polarisation = 1j * model.coupling * inversion * jnp.sqrt(quanta) / (model.dephasing + 1j * offset)
    left = jnp.where(above, jnp.abs(gain / (model.damping - 1j * frequency) - 1.0), 0.0)
    return StationaryState(quanta, frequency, polarisation, inversion, above, left)
