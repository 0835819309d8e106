"""The normal form that every secular system reduces to: one field, K two-level states, rates per state."""

import equinox as eqx
import jax.numpy as jnp

from jaxalloy._typing import Array, Complex, Float


class Invariants(eqx.Module):
    """What a lossless relaxation conserves, along the trajectory.

    excitations: N/alpha + 1/2 sum_k sigma_k, shape (*lanes, t); survives dephasing when t_sigma is infinite
    and the field undamped. bloch: sigma_k^2 + 4 |d_k|^2, shape (*lanes, t, k). energy: sum_k delta_k sigma_k
    / 2 + 2 Re sum_k Delta_k d_k^* b, shape (*lanes, t).
    """

    excitations: Float[Array, "*lanes t"]
    bloch: Float[Array, "*lanes t k"]
    energy: Float[Array, "*lanes t"]

    @property
    def drift(self) -> dict[str, Array]:
        """Largest departure of each from its first saved value, shape (*lanes), in its own unit."""

        def largest(value: Array) -> Array:
            return jnp.max(jnp.abs(value - value[..., :1]), -1)

        bloch = jnp.max(jnp.abs(self.bloch - self.bloch[..., :1, :]), (-2, -1))
        return {"excitations": largest(self.excitations), "bloch": bloch, "energy": largest(self.energy)}


def split_state(y: Float[Array, "n *lanes"]) -> tuple[Array, Array, Array]:
    """Field b, polarisations d_k and inversions sigma_k out of [Re b, Im b, Re d, Im d, sigma]."""
    states = (y.shape[0] - 2) // 3
    real, imaginary, inversion = jnp.split(y[2:], [states, 2 * states])
    return y[0] + 1j * y[1], real + 1j * imaginary, inversion


def join_state(field: Array, polarisation: Array, inversion: Array) -> Float[Array, " n"]:
    """[Re b, Im b, Re d, Im d, sigma] of one lane; the inverse of `split_state`."""
    head = jnp.stack([field.real, field.imag])
    return jnp.concatenate([head, polarisation.real, polarisation.imag, inversion])


class MaxwellBloch(eqx.Module):
    """Field and states in the frame rotating at omega_q, every rate an array over the states.

    db/dt       = -kappa b - i sum_k E_k d_k
    dd_k/dt     = -(Gamma_k + i delta_k) d_k + i Delta_k sigma_k b
    dsigma_k/dt = p_k - sigma_k/t_k - 4 Delta_k Im(d_k b^*)

    with the emission E_k = alpha Delta_k; a passive state (E_k = 0) feels the field and does not feed it.
    `start` is the state vector at t = 0. A leading axis of lanes on every leaf makes a batch.
    Source: EM Eqs. 9 and 15, corrected.
    """

    emission: Float[Array, "*lanes k"]
    coupling: Float[Array, "*lanes k"]
    dephasing: Float[Array, "*lanes k"]
    detuning: Float[Array, "*lanes k"]
    decay: Float[Array, "*lanes k"]
    source: Float[Array, "*lanes k"]
    damping: Float[Array, "*lanes"]
    commutator: Float[Array, "*lanes"]
    start: Float[Array, "*lanes n"]

    def rate(self, y: Float[Array, " n"]) -> Float[Array, " n"]:
        """dy/dt of one lane in real form."""
        states = self.coupling.shape[0]
        b_re, b_im = y[0], y[1]
        d_re, d_im, inversion = y[2 : 2 + states], y[2 + states : 2 + 2 * states], y[2 + 2 * states :]
        field = jnp.stack(
            [
                jnp.sum(self.emission * d_im) - self.damping * b_re,
                -jnp.sum(self.emission * d_re) - self.damping * b_im,
            ]
        )
        drive = self.coupling * inversion
        return jnp.concatenate(
            [
                field,
                self.detuning * d_im - self.dephasing * d_re - drive * b_im,
                -self.detuning * d_re - self.dephasing * d_im + drive * b_re,
                self.source - self.decay * inversion - 4.0 * self.coupling * (d_im * b_re - d_re * b_im),
            ]
        )

    def seed(self) -> Float[Array, ""]:
        """Largest of |b| and |d_k| at t = 0 among what feeds the field (one lane); the scale of `atol`."""
        field, polarisation, _ = split_state(self.start)
        feeding = jnp.where(self.emission != 0, jnp.abs(polarisation), 0.0)
        return jnp.maximum(jnp.abs(field), jnp.max(feeding))

    def field_rate(
        self, field: Complex[Array, "*lanes t"], polarisation: Complex[Array, "*lanes t k"]
    ) -> Complex[Array, "*lanes t"]:
        """db/dt along a trajectory."""
        return -self.damping[..., None] * field - 1j * jnp.sum(self.emission[..., None, :] * polarisation, -1)

    def invariants(
        self,
        field: Complex[Array, "*lanes t"],
        polarisation: Complex[Array, "*lanes t k"],
        inversion: Float[Array, "*lanes t k"],
    ) -> Invariants:
        """The three conserved quantities of the lossless system along a trajectory."""
        overlap = jnp.sum(self.coupling[..., None, :] * jnp.conj(polarisation), -1) * field
        detuned = jnp.sum(self.detuning[..., None, :] * inversion, -1)
        return Invariants(
            excitations=jnp.abs(field) ** 2 / self.commutator[..., None] + 0.5 * jnp.sum(inversion, -1),
            bloch=inversion**2 + 4.0 * jnp.abs(polarisation) ** 2,
            energy=0.5 * detuned + 2.0 * overlap.real,
        )


def collapse(model: MaxwellBloch) -> MaxwellBloch:
    """One emitting state with the sums and four passive probes, exactly equivalent when rates are common.

    Given the field, each (d_k, sigma_k) obeys the same linear equations, so it is a combination of the probes
    that start from d = 1, d = i and sigma = 1, and of the answer to a unit source; see `expand`. One lane.
    """
    field, polarisation, inversion = split_state(model.start)
    zero = jnp.zeros(5, model.start.dtype)

    def first(rate: Array) -> Array:
        return jnp.broadcast_to(rate[:1], (5,))

    return MaxwellBloch(
        emission=zero.at[0].set(model.emission[0]),
        coupling=first(model.coupling),
        dephasing=first(model.dephasing),
        detuning=first(model.detuning),
        decay=first(model.decay),
        source=zero.at[0].set(jnp.sum(model.source)).at[4].set(1.0),
        damping=model.damping,
        commutator=model.commutator,
        start=join_state(
            field,
            jnp.concatenate([jnp.sum(polarisation)[None], jnp.array([1.0, 1.0j, 0.0, 0.0], polarisation.dtype)]),
            jnp.concatenate([jnp.sum(inversion)[None], jnp.array([0.0, 0.0, 1.0, 0.0], inversion.dtype)]),
        ),
    )


def expand(model: MaxwellBloch, probes: Array) -> Array:
    """d_k(t) or sigma_k(t) of every state from the probes' trajectories, shape (t, 5) -> (t, k). One lane."""
    _, polarisation, inversion = split_state(model.start)
    weights = jnp.stack([polarisation.real, polarisation.imag, inversion, model.source])
    return probes[:, 1:] @ weights.astype(probes.dtype)
