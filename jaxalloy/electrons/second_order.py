"""Second-order perturbation of the Fermi sphere by non-local form factors.

X[f](q) = -(1/pi^2) ∫_0^kF k^2 dk ∫_{-1}^1 dmu f(k, mu, q)/(q^2 + 2 k q mu), a principal value; X[1] = chi_0(q).

A form factor here is u_i = a_i(q) + s_i(k, mu, q): a part that depends on q alone, singular as 1/q^2, and the
orthogonalisation terms s_i, regular. Only X[s_i] and X[s_i s_j] need quadrature; keeping them apart from a_i leaves
nothing to cancel at small q (see `opw.screened_pairs`).

Quadrature: k on [0, k1] and [k1, k_F], k1 = min(q/2, k_F), with |k - k1| ~ s^3 against the logarithm at k = q/2;
in mu the value at the pole mu0 = clip(-q/2k, -1, 1) is subtracted and integrated in closed form. The result is rescaled
by chi_0/X[1]. Arrays have axes (k, mu, q): q is contiguous, so that the inner loops vectorise.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Float, Scalar
from jaxalloy.electrons.orthogonalisation import IonInGas, chebyshev_sum
from jaxalloy.electrons.screening import lindhard
from jaxalloy.elements.cores import chebyshev_variable

_SMALLEST_Q = 1e-5
"""1/bohr, in units of k_F: X[s] is even and analytic in q there, so its value at this q stands for all smaller ones."""


class FermiQuadrature(eqx.Module):
    """Nodes (k, mu, q) of X; `mu` ends with the pole mu0."""

    wavenumber: Float[Array, "k q"]
    weight: Float[Array, "k q"]
    """-(1/pi^2) k^2 dk, times chi_0/X[1]."""
    final_squared: Float[Array, "k mu q"]
    """|k+q|^2."""
    along: Float[Array, "k mu q"]
    """k + q mu = |k+q| cos(k, k+q)."""
    kernel: Float[Array, "k mu q"]
    """Σ_mu kernel f = ∫ dmu f/(q^2 + 2 k q mu)."""

    def integrate(self, f: Float[Array, "k mu q"]) -> Float[Array, " q"]:
        """X[f](q)."""
        return jnp.sum(self.weight * jnp.sum(self.kernel * f, axis=1), axis=0)


def fermi_quadrature(
    q: Float[Array, " q"], fermi_wavenumber: Scalar, k_nodes: int = 10, mu_nodes: int = 12
) -> FermiQuadrature:
    """Quadrature for X at wavenumbers q (1/bohr): 2 x `k_nodes` radial, `mu_nodes` angular nodes."""
    q = jnp.maximum(q, _SMALLEST_Q * fermi_wavenumber)
    s, ds = (jnp.asarray(x, dtype=q.dtype)[:, None] for x in unit_gauss_legendre(k_nodes))
    mu, dmu = (jnp.asarray(x, dtype=q.dtype)[None, :, None] for x in unit_gauss_legendre(mu_nodes))
    mu, dmu = 2.0 * mu - 1.0, 2.0 * dmu
    middle = jnp.minimum(q / 2.0, fermi_wavenumber)[None, :]
    outside = jnp.maximum(fermi_wavenumber - q / 2.0, 0.0)[None, :]
    k = jnp.concatenate([middle * (1.0 - s**3), middle + outside * s**3])
    dk = jnp.concatenate([middle * 3.0 * s**2 * ds, outside * 3.0 * s**2 * ds])
    k_cube, q_cube = k[:, None, :], q[None, None, :]
    pole = jnp.maximum(-q_cube / (2.0 * k_cube), -1.0)
    slope = 2.0 * k_cube * q_cube
    gap = q_cube**2 + slope * mu
    # mu on the pole by accident: f(mu) - f(mu0) vanishes as well
    regular = dmu / jnp.where(gap == 0.0, jnp.inf, gap)
    distance = jnp.abs(q[None, :] - 2.0 * k)
    logarithm = jnp.log((q[None, :] + 2.0 * k) / jnp.where(distance == 0.0, 1.0, distance))
    logarithm = jnp.where(distance == 0.0, 0.0, logarithm)[:, None, :] / slope
    at_pole = logarithm - jnp.sum(regular, axis=1, keepdims=True)
    mu_all = jnp.concatenate([jnp.broadcast_to(mu, regular.shape), pole], axis=1)
    weight = -(k**2) * dk / jnp.pi**2
    unity = jnp.sum(weight * logarithm[:, 0], axis=0)
    return FermiQuadrature(
        wavenumber=k,
        weight=weight * (lindhard(q, fermi_wavenumber) / unity)[None, :],
        final_squared=k_cube**2 + q_cube**2 + slope * mu_all,
        along=k_cube + q_cube * mu_all,
        kernel=jnp.concatenate([regular, at_pole], axis=1),
    )


def repulsions(
    ions: tuple[IonInGas, IonInGas],
    quadrature: FermiQuadrature,
    strengths: tuple[Float[Array, "a k q"], Float[Array, "b k q"]],
) -> tuple[Float[Array, "k mu q"], Float[Array, "k mu q"]]:
    """s_i = 4 pi Σ_nl (2l+1) P_l(cos) (E_k - E_nl) B_nl(k) B_nl(|k+q|) of both ions, Ry bohr^3.

    strengths: (E_k - E_nl) B_nl(k) per ion, E_k = k^2 + <k|W|k>. One k after the other: the angular grid of one k stays
    in the cache, the compiler cannot inline s into the sums over it, and a gradient recomputes instead of storing.
    """

    @jax.checkpoint
    def at_one_k(node):
        squared, along, *strength = node
        return tuple(repulsion(ion, squared, along, x) for ion, x in zip(ions, strength, strict=True))

    by_k = tuple(jnp.moveaxis(x, 1, 0) for x in strengths)
    return jax.lax.map(at_one_k, (quadrature.final_squared, quadrature.along, *by_k))


def repulsion(
    ion: IonInGas,
    final_squared: Float[Array, "mu q"],
    along: Float[Array, "mu q"],
    strength: Float[Array, "orbital #q"],
) -> Float[Array, "mu q"]:
    """s of one ion at one k; |k+q|^2, k + q mu and (E_k - E_nl) B_nl(k) given.

    The sum over n is taken on the coefficients of the amplitude series, before anything meets the angular grid.
    """
    momenta = ion.core.angular_momenta
    series, distinct = [], sorted(set(momenta))
    for l in distinct:
        first, last = momenta.index(l), len(momenta) - momenta[::-1].index(l)
        series.append(4 * np.pi * (2 * l + 1) * ion.state.amplitude_series[:, first:last] @ strength[first:last])
    radial = chebyshev_sum(jnp.stack(series, axis=1)[:, :, None, :], chebyshev_variable(final_squared)[None])
    return sum(solid_legendre(l, along, final_squared) * radial[i] for i, l in enumerate(distinct))


def solid_legendre(
    l: int, along: Float[Array, "*shape"], squared: Float[Array, "*shape"]
) -> Float[Array, "*shape"]:
    """p^l P_l(cos) from p cos and p^2, without a square root; l <= 3."""
    if l == 0:
        return jnp.ones_like(along)
    if l == 1:
        return along
    if l == 2:
        return 1.5 * along**2 - 0.5 * squared
    return along * (2.5 * along**2 - 1.5 * squared)


def unit_gauss_legendre(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights on (0, 1)."""
    x, w = np.polynomial.legendre.leggauss(count)
    return (1.0 + x) / 2.0, w / 2.0
