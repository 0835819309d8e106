"""Conduction electrons orthogonal to the cores: amplitudes B_nl(k), what they take from the core region, the hole.

A plane wave k loses p_i(k) = (4 pi/Omega) Σ_nl (2l+1) B_nl(k)^2 of its norm to ion i; summed over the Fermi sphere
that charge is missing around the ion, the orthogonalisation hole.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Float, Scalar
from jaxalloy.elements.cores import CoreState, FrozenCore, chebyshev_variable

_FERMI_NODES = 16
_BESSEL_SERIES_BELOW = 1.5


class IonInGas(eqx.Module):
    """A frozen core at the density of the electron gas of its alloy."""

    core: FrozenCore
    state: CoreState
    valence: Scalar

    @property
    def degeneracy(self) -> Float[Array, " orbital"]:
        """2l + 1 of every orbital."""
        return jnp.asarray([2 * l + 1 for l in self.core.angular_momenta], dtype=self.state.orbitals.dtype)

    def expectation(self, potential: Float[Array, " r"]) -> Float[Array, " orbital"]:
        """<nl| V(r) |nl> for every orbital; the potential on the core's radii, Ry."""
        return (self.core.weight * potential) @ self.state.orbitals**2

    def amplitudes(self, k: Float[Array, "*shape"]) -> Float[Array, "orbital *shape"]:
        """B_nl(k) = ∫ j_l(kr) R_nl r^2 dr, bohr^3/2; k in 1/bohr."""
        spread = (slice(None), slice(None)) + (None,) * k.ndim
        smooth = chebyshev_sum(self.state.amplitude_series[spread], chebyshev_variable(k**2)[None])
        return smooth * jnp.stack([k**l for l in self.core.angular_momenta])


@jax.custom_jvp
def chebyshev_sum(coefficients: Float[Array, "term *#shape"], y: Float[Array, "*#shape"]) -> Float[Array, "..."]:
    """Σ_m c_m T_m(y), coefficients broadcast against y; Clenshaw, unrolled so that it compiles to one loop."""
    twice = 2.0 * y
    above, here = jnp.zeros_like(y), coefficients[-1] + jnp.zeros_like(y)
    for m in range(coefficients.shape[0] - 2, 0, -1):
        above, here = here, twice * here - above + coefficients[m]
    return y * here - above + coefficients[0]


@chebyshev_sum.defjvp
def _chebyshev_sum_jvp(primals, tangents):
    """The slope in y from the derived series, not through the steps of the recurrence: quick in both modes."""
    (coefficients, y), (change, dy) = primals, tangents
    slope = chebyshev_sum(_derived_series(coefficients), y)
    terms = [jnp.ones_like(y), y]
    while len(terms) < coefficients.shape[0]:
        terms.append(2.0 * y * terms[-1] - terms[-2])
    return chebyshev_sum(coefficients, y), slope * dy + jnp.einsum("t...,t...->...", change, jnp.stack(terms))


def _derived_series(coefficients: Float[Array, "term *shape"]) -> Float[Array, "term *shape"]:
    """Chebyshev coefficients of d/dy, by the constant matrix of the recurrence."""
    count = coefficients.shape[0]
    matrix = np.polynomial.chebyshev.chebder(np.eye(count))
    return jnp.tensordot(jnp.asarray(matrix, dtype=coefficients.dtype), coefficients, axes=1)


def fermi_sphere(fermi_wavenumber: Scalar) -> tuple[Float[Array, " k"], Float[Array, " k"]]:
    """Wavenumbers and weights with Σ weight f = (1/pi^2) ∫_0^kF k^2 f dk."""
    x, w = np.polynomial.legendre.leggauss(_FERMI_NODES)
    k = fermi_wavenumber * jnp.asarray((1.0 + x) / 2.0, dtype=fermi_wavenumber.dtype)
    return k, k**2 * fermi_wavenumber * jnp.asarray(w / 2.0, dtype=k.dtype) / jnp.pi**2


def lost_norm(ions: tuple[IonInGas, ...], share: Float[Array, " ion"], k: Float[Array, " k"]) -> Float[Array, " k"]:
    """p(k) = 4 pi Σ_i share_i Σ_nl (2l+1) B_nl(k)^2, share_i = c_i/Omega: what the cores take from a plane wave."""
    return sum(4.0 * jnp.pi * share[i] * (ion.degeneracy @ ion.amplitudes(k) ** 2) for i, ion in enumerate(ions))


def hole_charge(ion: IonInGas, k: Float[Array, " k"], weight: Float[Array, " k"]) -> Scalar:
    """n_OH = (Omega/pi^2) ∫_0^kF k^2 p_i(k) dk, electrons, on the nodes of `fermi_sphere`.

    What PHH Table I tabulates: without 1/(1-p), unless the weight has it.
    """
    return 4.0 * jnp.pi * ion.degeneracy @ (ion.amplitudes(k) ** 2 @ weight)


def hole_density(
    ion: IonInGas, k: Float[Array, " k"], weight: Float[Array, " k"], shape: str
) -> Float[Array, " r"]:
    """4 pi r^2 dn_i(r), electrons per bohr, on the core's radii; its integral is -n_OH.

    "exact": dn = (1/pi^2) ∫ k^2 dk Σ_l (2l+1) [-2 j_l(kr) S_l + S_l^2], S_l = Σ_n R_nl B_nl(k);
    "core": dn = -(1/pi^2) ∫ k^2 dk Σ_nl (2l+1) (R_nl B_nl)^2, the shape of the core itself.
    """
    amplitudes = ion.amplitudes(k)
    if shape == "core":
        return -4.0 * jnp.pi * ion.state.orbitals**2 @ (ion.degeneracy * (amplitudes**2 @ weight))
    momenta = ion.core.angular_momenta
    waves = spherical_bessel(max(momenta), k[:, None] * ion.core.radius[None, :])
    density = jnp.zeros_like(ion.core.radius)
    for l in sorted(set(momenta)):
        first, last = momenta.index(l), len(momenta) - momenta[::-1].index(l)
        overlap = amplitudes[first:last].T @ ion.state.orbitals[:, first:last].T  # r S_l(k, r)
        lost = overlap**2 - 2.0 * ion.core.radius[None, :] * waves[l] * overlap
        density = density + (2 * l + 1) * (weight @ lost)
    return 4.0 * jnp.pi * density


def spherical_bessel(largest: int, x: Float[Array, "*shape"]) -> list[Float[Array, "*shape"]]:
    """j_0 ... j_largest, largest <= 3; a series below x = 1.5, where the upward recurrence cancels."""
    small = x < _BESSEL_SERIES_BELOW
    near, far = jnp.where(small, x, 0.0), jnp.where(small, _BESSEL_SERIES_BELOW, x)
    sine, cosine = jnp.sin(far), jnp.cos(far)
    upward = [sine / far, sine / far**2 - cosine / far]
    for l in range(1, largest):
        upward.append((2 * l + 1) / far * upward[l] - upward[l - 1])
    functions = []
    for l in range(largest + 1):
        terms, total = jnp.ones_like(x), jnp.ones_like(x)
        for m in range(1, 10):
            terms = terms * (-0.5 * near**2) / (m * (2 * l + 2 * m + 1))
            total = total + terms
        leading = near**l / float(np.prod(np.arange(1, 2 * l + 2, 2)))
        functions.append(jnp.where(small, leading * total, upward[l]))
    return functions
