"""The full bosonic system (EM Eq. 8), not secular: the check of what EM Eq. 9 leaves out."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp

from jaxalloy._typing import Array, Complex, Float
from jaxalloy.kinetics.equations import (
    DrivenRelaxation,
    as_number,
    as_real,
    require_pairs,
    require_population_time,
    require_rate,
    states_of,
)
from jaxalloy.kinetics.maxwell_bloch import Invariants
from jaxalloy.numerics.checks import require, require_finite, require_positive


class BosonicRelaxation(eqx.Module):
    """Free relaxation with both fields b_q and b_-q, before the secular approximation (EM Eq. 8, corrected).

    db_q/dt     = -kappa b_q  - i [(A + M) b_q  + M b*_-q] - i sum_k Delta_k d_k
    db_-q/dt    = -kappa b_-q - i [(A + M) b_-q + M b*_q]
    dd_k/dt     = -(Gamma_k + i omega_k) d_k + i Delta_k sigma_k b_q
    dsigma_k/dt = -sigma_k/t_sigma - 4 Delta_k Im(d_k b*_q)

    with M = c(1-c) W(q)/4 and A = -mu > 0.
    concentration: c. ordering_energy: W(q). bare_energy: A. coupling, inversion, polarisation, dephasing,
    population_time: as `FreeRelaxation`, () or (k,). transition_energy: omega_k, () or (k,); None is
    resonance with the excitation, E = sqrt(A^2 + 2 A M). field_damping: kappa. Raises `InputError` where A +
    2M <= 0 (no real E).
    """

    concentration: Float[Array, "..."] = eqx.field(converter=as_real)
    ordering_energy: Float[Array, "..."] = eqx.field(converter=as_real)
    bare_energy: Float[Array, "..."] = eqx.field(converter=as_real)
    coupling: Float[Array, "..."] = eqx.field(converter=as_real)
    inversion: Float[Array, "..."] = eqx.field(converter=as_real)
    polarisation: Float[Array, "..."] | Complex[Array, "..."] = eqx.field(converter=as_number)
    dephasing: Float[Array, "..."] = eqx.field(converter=as_real)
    population_time: Float[Array, "..."] = eqx.field(converter=as_real)
    transition_energy: Any = None
    field_damping: Float[Array, "..."] = eqx.field(converter=as_real, default=0.0)
    pairs: Any = eqx.field(default=None, kw_only=True)
    field: Float[Array, "..."] | Complex[Array, "..."] = eqx.field(converter=as_number, default=0.0, kw_only=True)

    def __check_init__(self) -> None:
        states_of(**self.state_values())
        self.check()

    def state_values(self) -> dict[str, Array]:
        """The arguments that belong to a state."""
        names = ("coupling", "inversion", "polarisation", "dephasing", "population_time")
        values = {name: getattr(self, name) for name in names}
        return values if self.transition_energy is None else {**values, "transition": as_real(self.transition_energy)}

    def check(self) -> None:
        """Raise `InputError` where a value that is known cannot be used; also on a batch."""
        require("concentration", self.concentration, lambda c: (c > 0) & (c < 1), "c must lie between 0 and 1")
        require_positive("bare_energy", self.bare_energy, "A = -mu must be positive")
        for name in ("ordering_energy", "coupling", "inversion", "polarisation", "field"):
            require_finite(name, getattr(self, name))
        for name in ("dephasing", "field_damping"):
            require_rate(name, getattr(self, name))
        require_population_time(self.population_time)
        require_pairs(self.pairs, self.inversion, self.polarisation)
        remedy = "E^2 = A (A + 2M) must be positive: the state orders by itself; raise bare_energy"
        require("A + 2M", self.bare_energy + 2.0 * self.mixing, lambda x: x > 0, remedy)

    @property
    def mixing(self) -> Array:
        """M = c (1 - c) W(q) / 4, ()."""
        return self.concentration * (1.0 - self.concentration) * self.ordering_energy / 4.0

    @property
    def excitation_energy(self) -> Array:
        """E = sqrt(A^2 + 2 A M), the energy of the dynamical concentration excitation, ()."""
        return jnp.sqrt(self.bare_energy**2 + 2.0 * self.bare_energy * self.mixing)

    def secular(self) -> DrivenRelaxation:
        """The secular system that approximates this one (EM Eqs. 8 -> 9): |M/A| and all rates/E small.

        Detuning omega_k - E and Delta_eff = Delta u, u^2 = [(A + M)/E + 1]/2; b_q ~ u b e^{-iEt}.
        """
        energy = self.excitation_energy
        factor = jnp.sqrt(0.5 * ((self.bare_energy + self.mixing) / energy + 1.0))
        transition = energy if self.transition_energy is None else as_real(self.transition_energy)
        return DrivenRelaxation(
            coupling=self.coupling * factor,
            inversion=self.inversion,
            polarisation=self.polarisation,
            dephasing=self.dephasing,
            population_time=self.population_time,
            field_damping=self.field_damping,
            commutator=jnp.ones_like(energy),
            pump=jnp.zeros_like(energy),
            detuning=transition - energy,
            pairs=self.pairs,
            field=self.field / factor,
        )


class BosonicModel(eqx.Module):
    """EM Eq. 8 in real form, rates as arrays over the states; state [b_q, b_-q, d_k (re, im), sigma_k]."""

    diagonal: Float[Array, "*lanes"]
    mixing: Float[Array, "*lanes"]
    damping: Float[Array, "*lanes"]
    coupling: Float[Array, "*lanes k"]
    dephasing: Float[Array, "*lanes k"]
    transition: Float[Array, "*lanes k"]
    decay: Float[Array, "*lanes k"]
    start: Float[Array, "*lanes n"]

    def split(self, y: Float[Array, "*lanes n"]) -> tuple[Array, Array, Array, Array]:
        """b_q, b_-q, d_k, sigma_k; the state on the last axis."""
        states = (y.shape[-1] - 4) // 3
        real, imaginary, inversion = jnp.split(y[..., 4:], [states, 2 * states], axis=-1)
        return y[..., 0] + 1j * y[..., 1], y[..., 2] + 1j * y[..., 3], real + 1j * imaginary, inversion

    def join(self, field: Array, partner: Array, polarisation: Array, inversion: Array) -> Float[Array, " n"]:
        """The inverse of `split`, one lane."""
        head = jnp.stack([field.real, field.imag, partner.real, partner.imag])
        return jnp.concatenate([head, polarisation.real, polarisation.imag, inversion])

    def field_rate(self, field: Array, partner: Array, polarisation: Array) -> Array:
        """db_q/dt along a trajectory (or at one time)."""
        fed = jnp.sum(self.coupling[..., None, :] * polarisation, -1)
        along = [x[..., None] for x in (self.diagonal, self.mixing, self.damping)]
        return -along[2] * field - 1j * (along[0] * field + along[1] * jnp.conj(partner)) - 1j * fed

    def rate(self, y: Float[Array, " n"]) -> Float[Array, " n"]:
        """dy/dt of one lane."""
        field, partner, polarisation, inversion = self.split(y)
        return self.join(
            self.field_rate(field[None], partner[None], polarisation[None])[0],
            -self.damping * partner - 1j * (self.diagonal * partner + self.mixing * jnp.conj(field)),
            -(self.dephasing + 1j * self.transition) * polarisation + 1j * self.coupling * inversion * field,
            -self.decay * inversion - 4.0 * self.coupling * (polarisation * jnp.conj(field)).imag,
        )

    def seed(self) -> Float[Array, ""]:
        """Largest of |b_q| and |d_k| at t = 0 (one lane)."""
        field, _, polarisation, _ = self.split(self.start)
        return jnp.maximum(jnp.abs(field), jnp.max(jnp.abs(polarisation)))

    def invariants(self, field: Array, polarisation: Array, inversion: Array, partner: Array) -> Invariants:
        """N_q - N_-q + sum sigma/2, the Bloch lengths and the energy, along a trajectory."""
        diagonal, mixing = self.diagonal[..., None], self.mixing[..., None]
        bosons = diagonal * (jnp.abs(field) ** 2 + jnp.abs(partner) ** 2) + 2.0 * mixing * (field * partner).real
        overlap = jnp.sum(self.coupling[..., None, :] * jnp.conj(polarisation), -1) * field
        electrons = 0.5 * jnp.sum(self.transition[..., None, :] * inversion, -1)
        difference = jnp.abs(field) ** 2 - jnp.abs(partner) ** 2
        return Invariants(
            excitations=difference + 0.5 * jnp.sum(inversion, -1),
            bloch=inversion**2 + 4.0 * jnp.abs(polarisation) ** 2,
            energy=bosons + electrons + 2.0 * overlap.real,
        )


def bosonic_model(system: BosonicRelaxation) -> BosonicModel:
    """The system in real form with every rate spread over the K states. One lane."""
    values = system.state_values()
    states = states_of(**values)
    dtype = jnp.finfo(jnp.result_type(*values.values(), system.bare_energy)).dtype
    energy = system.excitation_energy if system.transition_energy is None else as_real(system.transition_energy)

    def spread(value: Array, dtype: Any = dtype) -> Array:
        return jnp.broadcast_to(value.astype(dtype), (states,))

    complex_dtype = jnp.result_type(dtype, jnp.complex64)
    shell = BosonicModel(
        diagonal=(system.bare_energy + system.mixing).astype(dtype),
        mixing=system.mixing.astype(dtype),
        damping=system.field_damping.astype(dtype),
        coupling=spread(system.coupling),
        dephasing=spread(system.dephasing),
        transition=spread(energy),
        decay=1.0 / spread(system.population_time),
        start=jnp.zeros(4 + 3 * states, dtype),
    )
    field = system.field.astype(complex_dtype)
    start = shell.join(
        field, jnp.zeros_like(field), spread(system.polarisation, complex_dtype), spread(system.inversion)
    )
    return eqx.tree_at(lambda m: m.start, shell, start)
