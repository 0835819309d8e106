"""What an integration returns: the trajectory, how it was obtained and whether it got to the end."""

import math
from typing import Any

import diffrax
import equinox as eqx
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Bool, Complex, Float, Int, Real
from jaxalloy.numerics.checks import InputError, is_traced, require_finite

CONSISTENT_DEPLETION = 1e-4
"""EM Eq. 10 neglects the inversion that the field consumes: sound below this N_inf/(sigma0/2)."""


def check_times(times: Real[Array, "t"]) -> None:
    """Raise `InputError` unless the times are finite, start at or after 0, end after 0 and increase."""
    require_finite("times", times)
    if is_traced(times):
        return
    values = np.asarray(times)
    if values.size == 0 or values[-1] <= 0:
        raise InputError("times: give at least one time after 0, where the integration starts")
    if values[0] < 0:
        raise InputError(f"times[0] = {values[0]:.6g}: the integration starts at 0; shift the times")
    step = np.diff(values)
    if (step <= 0).any():
        where = int(np.argmax(step <= 0)) + 1
        raise InputError(f"times[{where}] = {values[where]:.6g} does not exceed the time before: times must increase")


class Outcome(eqx.Enumeration):
    """How an integration ended; the text is empty where it succeeded."""

    successful = ""
    max_steps_reached = "max_steps was reached before the last time: raise max_steps or rtol, or shorten the times"
    step_too_small = "the step fell below the resolution of the time: too stiff or diverging; try Kvaerno5"
    step_too_long = "a fixed step was too long for rtol: raise steps, or let the step adapt (steps=None)"
    not_finite = "the state is not finite: the field grows without bound or the input is not finite"


def outcome_of(result: Any) -> Any:
    """The `Outcome` of a diffrax result."""
    kinds: Any = Outcome
    too_many = result == diffrax.RESULTS.max_steps_reached
    other = kinds.where(too_many, kinds.max_steps_reached, kinds.step_too_small)
    return kinds.where(result == diffrax.RESULTS.successful, kinds.successful, other)


class Relaxation(eqx.Module):
    """A relaxation at the requested times; a batch carries leading axes of lanes.

    times: (t,). field: b = field_mantissa * exp(log_scale), complex, (*lanes, t); log_scale is None (zero)
    except in the exponential approximation, where |b| may exceed the largest number and only eta and
    log_modulus stay finite. polarisation: d_k, complex, inversion: sigma_k, (*lanes, t, k). reached: false at
    times that the integration did not reach; there the last state reached is repeated. steps: accepted and
    rejected. result: an `Outcome`. model: the equations in normal form. solver: what integrated. partner:
    b_-q of the bosonic system. log_limit, log_depletion: ln|b_inf| and ln(N_inf/(sigma0/2)) of the
    exponential approximation.
    """

    times: Float[Array, "t"]
    field_mantissa: Complex[Array, "*lanes t"]
    mantissa_rate: Complex[Array, "*lanes t"]
    log_scale: Float[Array, "*lanes t"] | None
    scaled_polarisation: Complex[Array, "*lanes t k"]
    inversion: Float[Array, "*lanes t k"]
    reached: Bool[Array, "*lanes t"]
    steps: Int[Array, "*lanes"]
    result: Any
    model: Any
    solver: str = eqx.field(static=True)
    partner: Complex[Array, "*lanes t"] | None = None
    log_limit: Float[Array, "*lanes"] | None = None
    log_depletion: Float[Array, "*lanes"] | None = None

    @property
    def field(self) -> Complex[Array, "*lanes t"]:
        """The amplitude b(t) of the concentration field."""
        return self.field_mantissa if self.log_scale is None else self.field_mantissa * jnp.exp(self.log_scale)

    @property
    def polarisation(self) -> Complex[Array, "*lanes t k"]:
        """The electronic polarisation d_k(t) of every state."""
        scaled = self.scaled_polarisation
        return scaled if self.log_scale is None else scaled * jnp.exp(self.log_scale)[..., None]

    @property
    def quanta(self) -> Float[Array, "*lanes t"]:
        """N(t) = |b|^2, the number of concentration excitations."""
        return jnp.abs(self.field) ** 2

    @property
    def log_modulus(self) -> Float[Array, "*lanes t"]:
        """ln|b(t)|; minus infinity where b = 0."""
        log_modulus = jnp.log(jnp.abs(self.field_mantissa))
        return log_modulus if self.log_scale is None else log_modulus + self.log_scale

    @property
    def eta(self) -> Float[Array, "*lanes t"]:
        """Order parameter |b(t)| / |b_end|: at the last time given, or the limit of a closed form."""
        return jnp.abs(self.field_mantissa) * self._relative_scale()

    @property
    def rate(self) -> Float[Array, "*lanes t"]:
        """d eta/dt."""
        modulus = jnp.abs(self.field_mantissa)
        along = jnp.real(jnp.conj(self.field_mantissa) * self.mantissa_rate)
        speed = jnp.where(modulus > 0, along / jnp.where(modulus > 0, modulus, 1.0), jnp.abs(self.mantissa_rate))
        return speed * self._relative_scale()

    def _relative_scale(self) -> Array:
        if self.log_scale is not None and self.log_limit is not None:
            finite = jnp.isfinite(self.log_limit)[..., None]
            limit = jnp.where(finite, self.log_limit[..., None], 0.0)
            return jnp.where(finite, jnp.exp(self.log_scale - limit), 0.0)
        last = jnp.abs(self.field_mantissa[..., -1:])
        return jnp.where(last > 0, 1.0 / jnp.where(last > 0, last, 1.0), 0.0)

    @property
    def invariants(self) -> Any:
        """Conserved quantities of the lossless system (`Invariants`); None for the exponential one."""
        if self.model is None:
            return None
        state = (self.field, self.polarisation, self.inversion)
        return self.model.invariants(*state) if self.partner is None else self.model.invariants(*state, self.partner)

    @property
    def warning(self) -> str:
        """What limits the meaning of the answer, in words; empty where nothing does. Not under jit."""
        if self.log_depletion is None:
            return ""
        decades = float(np.max(np.asarray(self.log_depletion))) / math.log(10.0)
        if decades <= math.log10(CONSISTENT_DEPLETION):
            return ""
        return (
            f"N_inf/(sigma0/2) = 10^{decades:.1f} > {CONSISTENT_DEPLETION:g}: the field would consume what "
            "EM Eq. 10 leaves to decay by itself; lower the polarisation, or use FreeRelaxation"
        )

    @property
    def converged(self) -> Bool[Array, "*lanes"]:
        """Whether the last time was reached at the requested tolerance."""
        return self.result == Outcome.successful
