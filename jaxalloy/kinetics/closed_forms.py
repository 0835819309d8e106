"""Answers without integrating the nonlinear system: the exponential approximation, its limits, no losses.

The exponential approximation b'' + Gamma_c b' - Delta^2 sigma0 e^{-gamma t} b = 0 is solved by Bessel
functions of order Gamma_c/gamma (EM Eqs. 12, 13 with z0 = 2 Delta sqrt(sigma0)/gamma). They overflow, and
have no complex order here, so the equation is marched in t by its Taylor series, and the logarithm of the
scale carried along.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx
from jax import lax
from jax.scipy.linalg import solve_triangular

from jaxalloy._typing import Array, ArrayLike, Complex, Float, Real, ScalarLike
from jaxalloy.kinetics.elliptic import pendulum
from jaxalloy.kinetics.equations import (
    ExponentialRelaxation,
    FreeRelaxation,
    as_real,
    common_rates,
    normal_form,
    require_seed,
)
from jaxalloy.kinetics.maxwell_bloch import split_state
from jaxalloy.kinetics.trajectory import Outcome, Relaxation
from jaxalloy.numerics.checks import InputError, is_traced, require, require_positive

ORDER = 24
MAX_STEPS = 100_000
"""Between two times."""
TINY = 1e-30


def _series_step(time: Array, field: Array, slope: Array, rates: Float[Array, "4"], h: Array) -> tuple[Array, Array]:
    """b and b' a step h later, from the Taylor series of order 24 about the current time.

    With c_k = b_k h^k and w_j = Delta^2 sigma0 e^{-gamma t} h^2 (-gamma h)^j/j!, row k + 2 of a triangular
    system is (k+1)(k+2) c_{k+2} + Gamma_c h (k+1) c_{k+1} - sum_{j<=k} w_j c_{k-j} = 0.
    """
    dephasing, detuning, gain, decay = rates
    weights = [gain * jnp.exp(-decay * time) * h * h]
    for j in range(1, ORDER - 1):
        weights.append(weights[-1] * (-decay * h / j))
    row = np.arange(ORDER - 1)
    lag = row[:, None] - row[None, :]
    fed = jnp.where(lag >= 0, jnp.stack(weights)[np.maximum(lag, 0)], 0.0)
    unit = 1.0 / ((row + 1.0) * (row + 2.0))
    damped = (dephasing + 1j * detuning) * h * (row + 1.0) * unit
    matrix = jnp.eye(ORDER + 1, dtype=field.dtype)
    matrix = matrix.at[2:, : ORDER - 1].add(-fed * unit[:, None])
    matrix = matrix.at[row + 2, row + 1].add(damped)
    start = jnp.zeros(ORDER + 1, field.dtype).at[0].set(field).at[1].set(slope * h)
    terms = solve_triangular(matrix, start, lower=True, unit_diagonal=True)
    return jnp.sum(terms[::-1]), jnp.sum((np.arange(ORDER + 1) * terms)[::-1]) / h


def _march_to(carry: tuple, end: Array, rates: Float[Array, "4"]) -> tuple[tuple, tuple]:
    """Steps from the carried time to `end`, each within the radius in which order 24 is exact to rounding."""
    dephasing, detuning, gain, decay = lax.stop_gradient(rates)

    def step(state: tuple) -> tuple:
        time, field, slope, log_scale, steps = state
        now = lax.stop_gradient(time)
        speed = jnp.maximum(jnp.hypot(dephasing, detuning), jnp.sqrt(jnp.abs(gain) * jnp.exp(-decay * now)))
        natural = jnp.minimum(2.0 / jnp.maximum(speed, TINY), 0.5 / decay)
        last = end - now <= natural
        h = jnp.where(last, end - now, natural)
        field, slope = _series_step(now, field, slope, rates, h)
        size = lax.stop_gradient(jnp.abs(field) + jnp.abs(slope) / jnp.maximum(speed, decay))
        size = jnp.where(size > 0, size, 1.0)
        return jnp.where(last, end, now + h), field / size, slope / size, log_scale + jnp.log(size), steps + 1

    def unfinished(state: tuple) -> Array:
        return (state[0] < end) & (state[4] < MAX_STEPS)

    time, field, slope, log_scale, steps = lax.while_loop(unfinished, step, (*carry[:4], jnp.zeros_like(carry[4])))
    return (time, field, slope, log_scale, carry[4] + steps), (field, slope, log_scale, time >= end)


def _march(rates: Float[Array, "4"], times: Float[Array, "t"]) -> tuple[Array, Array, Array, Array, Array]:
    """(b, b') e^{-log_scale}, log_scale, reached at each time, and steps, for b(0) = 0, b'(0) = 1."""
    zero = jnp.zeros((), rates.dtype)
    complex_zero = zero + 0j
    start = (zero, complex_zero, complex_zero + 1.0, zero, jnp.zeros((), int))
    (*_, steps), (field, slope, log_scale, reached) = lax.scan(lambda c, t: _march_to(c, t, rates), start, times)
    return field, slope, log_scale, reached, steps


@jax.custom_jvp
def march(rates: Float[Array, "4"], times: Float[Array, "t"]) -> tuple[Array, Array, Array, Array, Array]:
    """`_march` with derivatives in both modes: four rates, so its Jacobian costs four forward marches."""
    return _march(rates, times)


@march.defjvp
def _march_jvp(primals: tuple, tangents: tuple) -> tuple[tuple, tuple]:
    (rates, times), (d_rates, d_times) = primals, tangents
    out = march(rates, times)
    field, slope, log_scale, reached, steps = out
    by_field, by_slope = jax.jacfwd(lambda r: _march(r, times)[:2])(rates)
    dephasing, detuning, gain, decay = rates
    curvature = gain * jnp.exp(-decay * times) * field - (dephasing + 1j * detuning) * slope
    d_field = by_field @ d_rates.astype(field.dtype) + slope * d_times
    d_slope = by_slope @ d_rates.astype(field.dtype) + curvature * d_times
    no_change = np.zeros(reached.shape, jax.dtypes.float0), np.zeros(steps.shape, jax.dtypes.float0)
    return out, (d_field, d_slope, jnp.zeros_like(log_scale), *no_change)


def exponential_relaxation(system: ExponentialRelaxation, times: Float[Array, "t"]) -> Relaxation:
    """The exponential approximation at the given times (EM Eqs. 12 and 13, corrected), with its exact limit.

    `eta` is |b|/|b_inf|, |b_inf| = |Delta d0/Gamma_c| |0F1(; 1 + Gamma_c/gamma; x0)|, x0 = Delta^2
    sigma0/gamma^2. |b| may overflow where z0 > 700; `eta` and `log_modulus` do not. `warning` tells where the
    neglected depletion of the inversion matters. Raises `InputError` for Gamma = Omega = 0, which has no
    limit to normalise by.
    """
    loss = system.dephasing + 1j * system.detuning
    gain = system.coupling**2 * system.inversion
    rates = jnp.stack([system.dephasing, system.detuning, gain, system.decay]).astype(times.dtype)
    depth = jnp.log(jnp.maximum(jnp.abs(gain) / system.decay**2, 1.0)) + 40.0
    late = lax.stop_gradient(jnp.maximum(times[-1] * (1.0 + 1e-9), depth / system.decay)).astype(times.dtype)
    field, slope, log_scale, reached, steps = march(rates, jnp.concatenate([times, late[None]]))
    amplitude = -1j * system.coupling * system.polarisation
    limit = field[-1] + slope[-1] / jnp.where(loss != 0, loss, 1.0)
    log_limit = jnp.log(jnp.abs(amplitude * limit)) + log_scale[-1]
    kinds: Any = Outcome
    sound = jnp.all(reached) & (system.dephasing > 0) & jnp.isfinite(log_limit)
    field, slope = amplitude * field[:-1], amplitude * slope[:-1]
    return Relaxation(
        times=times,
        field_mantissa=field,
        mantissa_rate=slope,
        log_scale=log_scale[:-1],
        scaled_polarisation=(1j * slope / jnp.where(system.coupling != 0, system.coupling, 1.0))[:, None],
        inversion=(system.inversion * jnp.exp(-system.decay * times))[:, None],
        reached=reached[:-1],
        steps=steps,
        result=kinds.where(sound, kinds.successful, kinds.not_finite),
        model=None,
        log_limit=log_limit,
        log_depletion=2.0 * log_limit - jnp.log(0.5 * jnp.abs(system.inversion)),
        solver="Taylor march of order 24",
    )


def require_limit(system: ExponentialRelaxation) -> None:
    """`require` a dephasing, a seed and a coupling: without them there is no eta to speak of."""
    remedy = "without dephasing b grows for ever and eta has no limit; give dephasing > 0, or use FreeRelaxation"
    require("dephasing", system.dephasing, lambda x: x > 0, remedy)
    remedy = "b = 0 for ever without it; give a seed, e.g. polarisation=1e-4, and a coupling"
    require("|coupling * polarisation|", jnp.abs(system.coupling * system.polarisation), lambda x: x > 0, remedy)


def off_resonance_modulus(system: ExponentialRelaxation, times: Real[ArrayLike, "t"]) -> Float[Array, "t"]:
    """|b| far off resonance, where the gain is negligible (EM Eq. 14 with e^{-Gamma t} in both places).

    2 |Delta d0| / |Gamma_c| [e^{-Gamma t} sin^2(Omega t/2) + (1 - e^{-Gamma t})^2/4]^{1/2}
    Valid for Delta^2 sigma0 << gamma |Gamma_c|; `weak_gain_field` keeps the first power of the gain.
    """
    times = as_real(times)
    _require_loss(system)
    left = jnp.exp(-system.dephasing * times)
    swing = left * jnp.sin(0.5 * system.detuning * times) ** 2 + 0.25 * (1.0 - left) ** 2
    scale = 2.0 * jnp.abs(system.coupling * system.polarisation) / jnp.hypot(system.dephasing, system.detuning)
    return scale * jnp.sqrt(swing)


def weak_gain_field(system: ExponentialRelaxation, times: Real[ArrayLike, "t"]) -> Complex[Array, "t"]:
    """b(t) for a weak gain.

    -i (Delta d0/Gamma_c) [e^s - e^{-Gamma_c t - s}],  s = Delta^2 sigma0 (1 - e^{-gamma t})/(gamma Gamma_c)
    An improvement on EM Eq. 14, with an error of second order in Delta^2 sigma0/(gamma |Gamma_c|).
    """
    times = as_real(times)
    _require_loss(system)
    loss = system.dephasing + 1j * system.detuning
    gain = system.coupling**2 * system.inversion / (system.decay * loss)
    s = -gain * jnp.expm1(-system.decay * times)
    return -1j * system.coupling * system.polarisation / loss * (jnp.exp(s) - jnp.exp(-loss * times - s))


def _require_loss(system: ExponentialRelaxation) -> None:
    size = jnp.hypot(system.dephasing, system.detuning)
    require("|Gamma + i Omega|", size, lambda x: x > 0, "the weak-gain limits need dephasing or detuning")


def lossless_field(system: FreeRelaxation, times: Real[ArrayLike, "t"]) -> Complex[Array, "t"]:
    """b(t) without losses, at resonance, with one coupling, from b(0) = 0: the motion of a pendulum.

    |b| = sqrt(L) k k' |sd(Delta sqrt(L) t | k^2)|,  S = sum sigma0,  P = |sum d0|,  L = sqrt(S^2 + 4 P^2),
    theta0 = atan2(2P, S),  k = cos(theta0/2): a pulse after the delay ln(8/theta0)/(Delta sqrt L).

    times: (t,). Returns (t,). Raises `InputError` where a rate, a detuning or b(0) is not zero, or couplings
    differ.
    """
    times = as_real(times)
    require_seed(system)
    remedy = "the closed form holds without losses, at resonance and from b(0) = 0; integrate with relax instead"
    for name in ("dephasing", "detuning", "field"):
        require(name, jnp.abs(getattr(system, name)), lambda x: x == 0, remedy)
    require("population_time", system.population_time, np.isinf, remedy)
    if not is_traced(system.coupling) and not common_rates(system):
        raise InputError("coupling differs between states: no closed form; integrate with relax instead")
    model = normal_form(system)
    _, polarisation, inversion = split_state(model.start)
    total, seed = jnp.sum(inversion), jnp.sum(polarisation)
    length = jnp.sqrt(total**2 + 4.0 * jnp.abs(seed) ** 2)
    half = 0.5 * jnp.arctan2(2.0 * jnp.abs(seed), total)
    k, k_prime = jnp.cos(half), jnp.sin(half)
    signed = jnp.sqrt(length) * k * pendulum(model.coupling[0] * jnp.sqrt(length) * times, k, k_prime)
    phase = seed / jnp.where(jnp.abs(seed) > 0, jnp.abs(seed), 1.0)
    return -1j * phase * signed


def critical_gain(dephasing: ScalarLike) -> Float[Array, ""]:
    """x0c(nu): EM Eq. 12 is S-shaped where x0 = Delta^2 sigma0/gamma^2 exceeds it; nu = Gamma/gamma.

    b'' = 0 first happens with b''' = 0, hence at e^{-gamma t} = nu/x0 with b' = gamma b; the root in x0 of
    that. 2.56, 10.5, 17.9 and 62.7 at nu = 1, 5, 10 and 50.
    """
    nu = as_real(dephasing)
    require_positive("dephasing", nu, "nu = Gamma/gamma must be positive")

    def excess_slope(log_excess: Array, nu: Array) -> Array:
        log_ratio = jnp.exp(log_excess)
        one = jnp.ones_like(nu)
        rates = jnp.stack([nu, 0.0 * nu, nu * jnp.exp(log_ratio), one])
        field, slope, *_ = march(rates, log_ratio[None])
        return (slope[0] / field[0]).real - 1.0

    solver: Any = optx.Bisection(rtol=1e-13, atol=1e-13)  # type: ignore[call-arg]
    options = {"lower": jnp.full_like(nu, -6.0), "upper": jnp.full_like(nu, 2.0)}
    root: Any = optx.root_find(excess_slope, solver, jnp.full_like(nu, -1.0), args=nu, options=options, max_steps=128)
    return nu * jnp.exp(jnp.exp(root.value))
