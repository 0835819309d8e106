"""The kinetic systems of EM: free (Eq. 9), driven (Eq. 15) and exponential relaxation (Eqs. 10-13).

hbar = 1; rates in any one unit, times in its inverse. Every argument that belongs to a state k is a scalar
(common to all states) or an array over k. `population_time` is t_sigma (`jnp.inf`: the inversion does not
decay).
"""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Complex, Float
from jaxalloy.kinetics.maxwell_bloch import MaxwellBloch, join_state
from jaxalloy.numerics.checks import InputError, is_traced, require, require_finite, require_positive


def as_real(value: Any) -> Array:
    """A real array in the precision of the input; integers become floats."""
    array = jnp.asarray(value)
    if jnp.issubdtype(array.dtype, jnp.complexfloating):
        raise InputError(f"a complex number ({array.ravel()[0]}) where a real one is needed: give its real part")
    return array if jnp.issubdtype(array.dtype, jnp.floating) else array.astype(float)


def as_number(value: Any) -> Array:
    """A real or complex array in the precision of the input; integers become floats."""
    array = jnp.asarray(value)
    return array if jnp.issubdtype(array.dtype, jnp.inexact) else array.astype(float)


def require_rate(name: str, value: Any) -> None:
    """`require` finite numbers >= 0."""
    require(name, value, lambda x: np.isfinite(x) & (x >= 0), "a rate must be finite and not negative")


def require_population_time(value: Any) -> None:
    """`require` t_sigma > 0; infinity is allowed."""
    remedy = "t_sigma must be positive (infinity: the inversion does not decay)"
    require("population_time", value, lambda x: x > 0, remedy)


def require_pairs(pairs: Any, inversion: Any, polarisation: Any) -> None:
    """`require` |sigma_k| <= n_k and sigma_k^2 + 4 |d_k|^2 <= n_k^2 of states of n_k electron pairs."""
    if pairs is None or is_traced((pairs, inversion, polarisation)):
        return
    require_positive("pairs", pairs, "each state stands for a positive number of electron pairs")
    pairs, inversion, polarisation = _aligned(pairs, inversion, polarisation)
    remedy = "a state of n pairs carries at most n: raise `pairs` or lower the inversion"
    require("|inversion| / pairs", np.abs(inversion) / pairs, lambda x: x <= 1, remedy)
    length = np.sqrt(np.square(inversion) + 4.0 * np.square(np.abs(polarisation))) / pairs
    remedy = "sigma^2 + 4 |d|^2 exceeds pairs^2: raise `pairs` or lower the polarisation"
    require("sqrt(sigma^2 + 4 |d|^2) / pairs", length, lambda x: x <= 1 + 1e-12, remedy)


def _aligned(*values: Any) -> list[np.ndarray]:
    """Arrays of lanes, or of lanes and states, that broadcast against each other; a single lane as it is."""
    arrays = [np.asarray(value) for value in values]
    most = max(array.ndim for array in arrays)
    return [array[:, None] if most == 2 and array.ndim == 1 else array for array in arrays]


def states_of(**values: Any) -> int:
    """Number K of states that these scalars or arrays over k agree on; `InputError` where they do not."""
    for name, value in values.items():
        if value.ndim > 1:
            raise InputError(f"{name} has {value.ndim} axes: give a scalar or an array over the states k")
    sizes = {name: value.shape[0] for name, value in values.items() if value.ndim == 1}
    if len(set(sizes.values())) > 1 or 0 in sizes.values():
        found = ", ".join(f"{name}: {size}" for name, size in sizes.items())
        raise InputError(f"arrays over k of different or zero length ({found}): give K values each, or scalars")
    return max(sizes.values(), default=1)


class FreeRelaxation(eqx.Module):
    """Free relaxation of one short-range order driven by K electron states (EM Eq. 9, for b rather than b^+).

    db/dt       = -i sum_k Delta_k d_k
    dd_k/dt     = -(Gamma_k + i delta_k) d_k + i Delta_k sigma_k b
    dsigma_k/dt = -sigma_k/t_sigma - 4 Delta_k Im(d_k b^*)

    coupling: Delta_k. inversion: sigma_k(0). polarisation: d_k(0), complex. dephasing: Gamma_k.
    population_time: t_sigma. detuning: delta_k. pairs: electron pairs behind each k, None leaves |sigma_k|
    unchecked. All () or (k,). field: b(0), (). Raises `InputError` for negative rates, mismatched K and
    |sigma_k| > pairs.
    """

    coupling: Float[Array, "..."] = eqx.field(converter=as_real)
    inversion: Float[Array, "..."] = eqx.field(converter=as_real)
    polarisation: Float[Array, "..."] | Complex[Array, "..."] = eqx.field(converter=as_number)
    dephasing: Float[Array, "..."] = eqx.field(converter=as_real)
    population_time: Float[Array, "..."] = eqx.field(converter=as_real)
    detuning: Float[Array, "..."] = eqx.field(converter=as_real, default=0.0)
    pairs: Any = eqx.field(default=None, kw_only=True)
    field: Float[Array, "..."] | Complex[Array, "..."] = eqx.field(converter=as_number, default=0.0, kw_only=True)

    def __check_init__(self) -> None:
        states_of(**_state_values(self))
        self.check()

    def check(self) -> None:
        """Raise `InputError` where a value that is known cannot be used; also on a batch."""
        _check_states(self)


class DrivenRelaxation(eqx.Module):
    """A condensate q' of excitations kept by a pumped inversion (EM Eq. 15 with its time derivatives).

    db/dt       = -kappa b - i alpha sum_k Delta_k d_k
    dd_k/dt     = -(Gamma_k + i delta_k) d_k + i Delta_k sigma_k b
    dsigma_k/dt = (sigma^p_k - sigma_k)/t_sigma - 4 Delta_k Im(d_k b^*)

    As `FreeRelaxation`, and field_damping: kappa, (). commutator: alpha = [b, b^+], () (EM: 1 - 2c +
    eta^2/2). pump: sigma^p_k, () or (k,). inversion is the start value sigma_k(0), not the pump.
    """

    coupling: Float[Array, "..."] = eqx.field(converter=as_real)
    inversion: Float[Array, "..."] = eqx.field(converter=as_real)
    polarisation: Float[Array, "..."] | Complex[Array, "..."] = eqx.field(converter=as_number)
    dephasing: Float[Array, "..."] = eqx.field(converter=as_real)
    population_time: Float[Array, "..."] = eqx.field(converter=as_real)
    field_damping: Float[Array, "..."] = eqx.field(converter=as_real)
    commutator: Float[Array, "..."] = eqx.field(converter=as_real)
    pump: Float[Array, "..."] = eqx.field(converter=as_real)
    detuning: Float[Array, "..."] = eqx.field(converter=as_real, default=0.0)
    pairs: Any = eqx.field(default=None, kw_only=True)
    field: Float[Array, "..."] | Complex[Array, "..."] = eqx.field(converter=as_number, default=0.0, kw_only=True)

    def __check_init__(self) -> None:
        states_of(**_state_values(self), pump=self.pump)
        for name in ("field_damping", "commutator"):
            if getattr(self, name).ndim > 0:
                raise InputError(f"{name} belongs to the field, not to a state: give a scalar")
        self.check()

    def check(self) -> None:
        """Raise `InputError` where a value that is known cannot be used; also on a batch."""
        _check_states(self)
        require_rate("field_damping", self.field_damping)
        remedy = "alpha = [b, b^+] must be finite and not zero (1 for bosons, 1 - 2c + eta^2/2 in EM)"
        require("commutator", self.commutator, lambda x: np.isfinite(x) & (x != 0), remedy)
        require_finite("pump", self.pump)
        require_pairs(self.pairs, self.pump, 0.0)


class ExponentialRelaxation(eqx.Module):
    """The exponential approximation (EM Eqs. 10-13): the inversion decays as sigma0 e^{-gamma t}.

    b'' + (Gamma + i Omega) b' - Delta^2 sigma0 e^{-gamma t} b = 0,  b(0) = 0,  b'(0) = -i Delta d0

    coupling: Delta. inversion: sigma0 (sum over k, either sign). polarisation: d0 (sum over k). dephasing:
    Gamma. decay: gamma > 0. detuning: Omega. All (). Raises `InputError` for negative rates and gamma <= 0.
    """

    coupling: Float[Array, "..."] = eqx.field(converter=as_real)
    inversion: Float[Array, "..."] = eqx.field(converter=as_real)
    polarisation: Float[Array, "..."] | Complex[Array, "..."] = eqx.field(converter=as_number)
    dephasing: Float[Array, "..."] = eqx.field(converter=as_real)
    decay: Float[Array, "..."] = eqx.field(converter=as_real)
    detuning: Float[Array, "..."] = eqx.field(converter=as_real, default=0.0)

    def __check_init__(self) -> None:
        for name in ("coupling", "inversion", "polarisation", "dephasing", "decay", "detuning"):
            if getattr(self, name).ndim > 0:
                raise InputError(f"{name}: EM Eqs. 10-13 have one state; give the sum over k, a scalar")
        self.check()

    def check(self) -> None:
        """Raise `InputError` where a value that is known cannot be used; also on a batch."""
        for name in ("coupling", "inversion", "polarisation", "detuning"):
            require_finite(name, getattr(self, name))
        require_rate("dephasing", self.dephasing)
        require_positive(
            "decay", self.decay, "gamma must be positive: the closed form is a function of z = e^{-gamma t}"
        )


def _state_values(system: FreeRelaxation | DrivenRelaxation) -> dict[str, Array]:
    names = ("coupling", "inversion", "polarisation", "dephasing", "population_time", "detuning")
    values = {name: getattr(system, name) for name in names}
    return values if system.pairs is None else {**values, "pairs": jnp.asarray(system.pairs)}


def _check_states(system: FreeRelaxation | DrivenRelaxation) -> None:
    for name in ("coupling", "inversion", "polarisation", "detuning", "field"):
        require_finite(name, getattr(system, name))
    require_rate("dephasing", system.dephasing)
    require_population_time(system.population_time)
    require_pairs(system.pairs, system.inversion, system.polarisation)


def require_seed(system: Any) -> None:
    """`require` that |b(0)| + sum_k |d_k(0)| > 0 in every lane: without a seed b = 0 for ever."""
    if is_traced((system.polarisation, system.field)):
        return
    polarisation, field = np.abs(system.polarisation), np.abs(system.field)
    per_lane = polarisation.sum(-1) if polarisation.ndim > field.ndim else polarisation
    remedy = "b(0) = d(0) = 0 stays zero for ever; give a seed, e.g. polarisation=1e-4 (or field=1e-4)"
    require("|b(0)| + sum |d(0)|", per_lane + field, lambda x: x > 0, remedy)


def common_rates(system: Any, lanes: int = 0) -> bool:
    """Whether coupling, dephasing, detuning and t_sigma are known to be the same for all states.

    Scalars are common by construction; an array is, where its numbers are known and equal. `lanes`: leading
    axes.
    """
    for value in (system.coupling, system.dephasing, system.detuning, system.population_time):
        if value.ndim == lanes:
            continue
        if is_traced(value) or not bool(np.all(np.asarray(value) == np.asarray(value)[..., :1])):
            return False
    return True


def normal_form(system: FreeRelaxation | DrivenRelaxation) -> MaxwellBloch:
    """The system with every rate spread over the K states, in one real precision. One lane."""
    zero = jnp.zeros((), system.inversion.dtype)
    pump, damping, commutator = zero, zero, zero + 1.0
    if isinstance(system, DrivenRelaxation):
        pump, damping, commutator = system.pump, system.field_damping, system.commutator
    values = _state_values(system)
    values.pop("pairs", None)
    states = states_of(**values, pump=pump)
    dtype = jnp.finfo(jnp.result_type(*values.values(), pump, system.field)).dtype

    def spread(value: Array) -> Array:
        return jnp.broadcast_to(value.astype(dtype), (states,))

    complex_dtype = jnp.result_type(dtype, jnp.complex64)
    coupling, decay = spread(system.coupling), 1.0 / spread(system.population_time)
    return MaxwellBloch(
        emission=commutator.astype(dtype) * coupling,
        coupling=coupling,
        dephasing=spread(system.dephasing),
        detuning=spread(system.detuning),
        decay=decay,
        source=spread(pump) * decay,
        damping=damping.astype(dtype),
        commutator=commutator.astype(dtype),
        start=join_state(
            system.field.astype(complex_dtype),
            jnp.broadcast_to(system.polarisation.astype(complex_dtype), (states,)),
            spread(system.inversion),
        ),
    )
