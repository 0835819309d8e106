"""Conduction electrons orthogonal to the cores: amplitudes B_nl(k), what they take from the core region, the hole.

A plane wave k loses p_i(k) = (4 pi/Omega) Σ_nl (2l+1) B_nl(k)^2 of its norm to ion i; summed over the Fermi sphere
that charge is missing around the ion, the orthogonalisation hole.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Float, Scalar
from jaxalloy.elements.cores import CoreState, FrozenCore, chebyshev_variable

_FERMI_NODES = 16
_BESSEL_SERIES_BELOW = 1.5
_UNROLLED_FROM = 4096
"""Points from which an unrolled recurrence is worth its compilation."""


Result = TypeVar("Result")


def both(function: Callable[..., Result], *pairs: tuple[Any, Any]) -> tuple[Result, Result]:
    """The function of A's members of the pairs, and of B's: arrays of the two ions differ in shape."""
    first, second = zip(*pairs, strict=True)
    return function(*first), function(*second)


class FermiSphere(eqx.Module):
    """Nodes on the radius of the Fermi sphere; the last one is k_F itself, with no weight."""

    k: Float[Array, " k"]
    weight: Float[Array, " k"]
    """Σ weight f = (1/pi^2) ∫_0^kF k^2 f dk."""

    @classmethod
    def of(cls, fermi_wavenumber: Scalar) -> "FermiSphere":
        """Gauss-Legendre nodes below k_F (1/bohr)."""
        x, w = np.polynomial.legendre.leggauss(_FERMI_NODES)
        k = fermi_wavenumber * jnp.asarray([*(1.0 + x) / 2.0, 1.0], dtype=fermi_wavenumber.dtype)
        dk = fermi_wavenumber * jnp.asarray([*w / 2.0, 0.0], dtype=k.dtype)
        return cls(k, k**2 * dk / jnp.pi**2)


class IonInGas(eqx.Module):
    """A frozen core at the density of the electron gas of its alloy."""

    core: FrozenCore
    state: CoreState
    valence: Scalar
    exchange: Float[Array, " r"]
    """v_xc(rho_c + n0) - v_xc(n0) on the core's radii, Ry."""
    sphere_amplitudes: Float[Array, "orbital k"]
    """B_nl on the nodes of the Fermi sphere, bohr^3/2."""

    @property
    def degeneracy(self) -> Float[Array, " orbital"]:
        """2l + 1 of every orbital."""
        return jnp.asarray([2 * l + 1 for l in self.core.angular_momenta], dtype=self.state.orbitals.dtype)

    def expectation(self, potential: Float[Array, " r"]) -> Float[Array, " orbital"]:
        """<nl| V(r) |nl> for every orbital; the potential on the core's radii, Ry."""
        return (self.core.weight * potential) @ self.state.orbitals**2


@jax.custom_jvp
def chebyshev_sum(coefficients: Float[Array, "term *#shape"], y: Float[Array, "*#shape"]) -> Float[Array, "..."]:
    """Σ_m c_m T_m(y), coefficients broadcast against y."""
    return _clenshaw(coefficients, y)


@chebyshev_sum.defjvp
def _chebyshev_sum_jvp(primals, tangents):
    """The slope in y from the derived series, not through the steps of the recurrence: quick in both modes."""
    (coefficients, y), (change, dy) = primals, tangents
    slope = chebyshev_sum(_derived_series(coefficients), y)
    return chebyshev_sum(coefficients, y), slope * dy + _clenshaw(change, y)


def _clenshaw(coefficients: Float[Array, "term *#shape"], y: Float[Array, "*#shape"]) -> Float[Array, "..."]:
    """Clenshaw's recurrence, for many points unrolled so that it compiles to one loop over them."""
    twice, zero = 2.0 * y, jnp.zeros(jnp.broadcast_shapes(coefficients.shape[1:], y.shape), y.dtype)

    def step(last, coefficient):
        above, here = last
        return (here, twice * here - above + coefficient), None

    if zero.size < _UNROLLED_FROM:
        (above, here), _ = jax.lax.scan(step, (zero, zero), coefficients[:0:-1])
    else:
        above, here = zero, coefficients[-1] + zero
        for m in range(coefficients.shape[0] - 2, 0, -1):
            (above, here), _ = step((above, here), jax.lax.index_in_dim(coefficients, m, keepdims=False))
    return y * here - above + coefficients[0]


def _derived_series(coefficients: Float[Array, "term *shape"]) -> Float[Array, "derived *shape"]:
    """Chebyshev coefficients of d/dy, by the constant matrix of the recurrence."""
    count = coefficients.shape[0]
    matrix = np.polynomial.chebyshev.chebder(np.eye(count))
    return jnp.tensordot(jnp.asarray(matrix, dtype=coefficients.dtype), coefficients, axes=1)


def amplitudes(core: FrozenCore, state: CoreState, k: Float[Array, "*shape"]) -> Float[Array, "orbital *shape"]:
    """B_nl(k) = ∫ j_l(kr) R_nl r^2 dr, bohr^3/2; k in 1/bohr."""
    spread = (slice(None), slice(None)) + (None,) * k.ndim
    smooth = chebyshev_sum(state.amplitude_series[spread], chebyshev_variable(k**2)[None])
    return smooth * jnp.stack([k**l for l in core.angular_momenta])


def lost_norm(ions: tuple[IonInGas, IonInGas], share: Float[Array, " ion"]) -> Float[Array, " k"]:
    """p(k) = 4 pi Σ_i share_i Σ_nl (2l+1) B_nl(k)^2, share_i = c_i/Omega, on the nodes of the Fermi sphere.

    What the cores take from the norm of a plane wave.
    """
    a, b = both(lambda ion: ion.degeneracy @ ion.sphere_amplitudes**2, ions)
    return 4.0 * jnp.pi * (share[0] * a + share[1] * b)


def hole_charge(ion: IonInGas, weight: Float[Array, " k"]) -> Scalar:
    """n_OH = (Omega/pi^2) ∫_0^kF k^2 p_i(k) dk, electrons, with the weights of `FermiSphere`.

    What PHH Table I tabulates: without 1/(1-p), unless the weight has it.
    """
    return 4.0 * jnp.pi * ion.degeneracy @ (ion.sphere_amplitudes**2 @ weight)


def hole_density(
    ion: IonInGas, weight: Float[Array, " k"], waves: list[Float[Array, "k r"]] | None
) -> Float[Array, " r"]:
    """4 pi r^2 dn_i(r), electrons per bohr, on the core's radii; its integral is -n_OH.

    With the waves j_l(kr) the exact hole, dn = (1/pi^2) ∫ k^2 dk Σ_l (2l+1) [-2 j_l(kr) S_l + S_l^2] with
    S_l = Σ_n R_nl B_nl(k); without them dn = -(1/pi^2) ∫ k^2 dk Σ_nl (2l+1) (R_nl B_nl)^2, the shape of the core.
    """
    if waves is None:
        return -4.0 * jnp.pi * ion.state.orbitals**2 @ (ion.degeneracy * (ion.sphere_amplitudes**2 @ weight))
    momenta = ion.core.angular_momenta
    density = jnp.zeros_like(ion.core.radius)
    for l in sorted(set(momenta)):
        first, last = momenta.index(l), len(momenta) - momenta[::-1].index(l)
        overlap = ion.sphere_amplitudes[first:last].T @ ion.state.orbitals[:, first:last].T  # r S_l(k, r)
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
