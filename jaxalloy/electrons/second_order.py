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


def repulsion(
    ion: IonInGas,
    quadrature: FermiQuadrature,
    amplitudes: Float[Array, "orbital k q"],
    above_levels: Float[Array, "orbital k q"],
) -> Float[Array, "k mu q"]:
    """s = 4 pi Σ_nl (2l+1) P_l(cos) (E_k - E_nl) B_nl(k) B_nl(|k+q|), Ry bohr^3.

    amplitudes: B_nl(k); above_levels: E_k - E_nl = k^2 + <k|W|k> - E_nl, Ry. The sum over n is taken on the
    coefficients of the amplitude series, before anything is evaluated on the angular grid.
    """
    momenta = ion.core.angular_momenta
    y = chebyshev_variable(quadrature.final_squared)
    strength = 4.0 * jnp.pi * ion.degeneracy[:, None, None] * above_levels * amplitudes
    total = jnp.zeros_like(y)
    for l in sorted(set(momenta)):
        first, last = momenta.index(l), len(momenta) - momenta[::-1].index(l)
        series = jnp.tensordot(ion.state.amplitude_series[:, first:last], strength[first:last], axes=1)
        coefficients = [series[m][:, None, :] for m in range(series.shape[0])]
        total = total + chebyshev_sum(coefficients, y) * solid_legendre(l, quadrature)
    return total


def solid_legendre(l: int, quadrature: FermiQuadrature) -> Float[Array, "k mu q"]:
    """p^l P_l(cos) with p cos = k + q mu, p^2 = |k+q|^2, without a square root; l <= 3."""
    z, square = quadrature.along, quadrature.final_squared
    if l == 0:
        return jnp.ones_like(z)
    if l == 1:
        return z
    if l == 2:
        return 1.5 * z**2 - 0.5 * square
    return z * (2.5 * z**2 - 1.5 * square)


def unit_gauss_legendre(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights on (0, 1)."""
    x, w = np.polynomial.legendre.leggauss(count)
    return (1.0 + x) / 2.0, w / 2.0
