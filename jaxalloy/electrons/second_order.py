"""Second-order perturbation of the Fermi sphere by non-local form factors.

X[f](q) = -(1/pi^2) ∫_0^kF k^2 dk ∫_{-1}^1 dmu f(k, mu, q)/(q^2 + 2 k q mu), a principal value; X[1] = chi_0(q).

A form factor here is u_i = a_i(q) + s_i(k, mu, q): a part that depends on q alone, singular as 1/q^2, and the
orthogonalisation terms s_i, regular. Only X[s_i] and X[s_i s_j] need quadrature; keeping them apart from a_i leaves
nothing to cancel at small q (see `opw.screened_pairs`).

Quadrature: s_i is a polynomial in mu times a function of |k+q|^2, so it continues to the pole mu0 = -q/2k wherever that
lies, and f0(k) = f(k, mu0) is even and analytic in k. Then

    X[f] = -(1/pi^2) ∫ k^2 dk { ∫ dmu [f(mu) - f0]/(q^2 + 2 k q mu) + f0 ln|(q+2k)/(q-2k)|/(2kq) }

has an analytic first term, for Gauss-Legendre nodes in k that are the same at all q, and a second one that is exact for
polynomials f0: ∫_{-1}^1 P_n(t) ln|y+t| dt = -2 [Q_{n+1}(y) - Q_{n-1}(y)]/(2n+1), n odd, y = q/2k_F. Far beyond 2 k_F
nothing is subtracted. The error falls exponentially with the nodes, and X[1] = chi_0 to 1e-10. Arrays have axes
(k, mu, q): q is contiguous, so that the inner loops vectorise.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Float, Scalar
from jaxalloy.electrons.orthogonalisation import IonInGas, both, chebyshev_sum
from jaxalloy.elements.cores import chebyshev_variable

_SMALLEST_Q = 1e-5
"""1/bohr, in units of k_F: X[s] is even and analytic in q there, so its value at this q stands for all smaller ones."""

_LOGARITHMIC_BELOW = 1.15
"""q/2k_F from which the logarithm is smooth on the Fermi sphere."""

_SUBTRACTED_BELOW = 2.0
"""q/2k_F from which the pole is far enough from the Fermi sphere for plain Gauss-Legendre quadrature."""


class FermiQuadrature(eqx.Module):
    """Nodes (k, mu, q) of X; `mu` ends with the pole mu0."""

    wavenumber: Float[Array, " k"]
    final_squared: Float[Array, "k mu q"]
    """|k+q|^2."""
    along: Float[Array, "k mu q"]
    """k + q mu = |k+q| cos(k, k+q)."""
    kernel: Float[Array, "k mu q"]

    def integrate(self, f: Float[Array, "k mu q"]) -> Float[Array, " q"]:
        """X[f](q)."""
        return jnp.sum(self.kernel * f, axis=(0, 1))


def fermi_quadrature(
    q: Float[Array, " q"], fermi_wavenumber: Scalar, k_nodes: int = 10, mu_nodes: int = 9
) -> FermiQuadrature:
    """Quadrature for X at wavenumbers q (1/bohr): `k_nodes` on the radius of the Fermi sphere, `mu_nodes` angles.

    The radial nodes are the positive half of a Gauss-Legendre rule on (-k_F, k_F), since all integrands are even in k.
    """
    q = jnp.maximum(q, _SMALLEST_Q * fermi_wavenumber)
    t, dt = (x[k_nodes:] for x in np.polynomial.legendre.leggauss(2 * k_nodes))
    k = fermi_wavenumber * jnp.asarray(t, dtype=q.dtype)
    weight = -(k**2) * fermi_wavenumber * jnp.asarray(dt, dtype=q.dtype) / jnp.pi**2
    k_cube, q_cube = k[:, None, None], q[None, None, :]
    slope = 2.0 * k_cube * q_cube
    mu, dmu = _angles(-q_cube / (2.0 * k_cube), mu_nodes)
    gap = q_cube**2 + slope * mu
    regular = weight[:, None, None] * dmu / gap
    y = q / (2.0 * fermi_wavenumber)
    subtracted = (y < _SUBTRACTED_BELOW)[None, None, :]
    distance = jnp.abs(q[None, :] - 2.0 * k[:, None])
    ratio = (q[None, :] + 2.0 * k[:, None]) / jnp.where(distance == 0.0, 1.0, distance)
    smooth = weight[:, None] * jnp.log(ratio) / (2.0 * k[:, None] * q[None, :])
    odd = np.polynomial.legendre.legvander(t, 2 * k_nodes - 1)[:, 1::2] * (dt * t)[:, None]
    exact = jnp.asarray(odd, dtype=q.dtype) @ (_legendre_q_steps(y, k_nodes) / q[None, :])
    exact = (fermi_wavenumber / jnp.pi) ** 2 * exact
    logarithm = jnp.where((y < _LOGARITHMIC_BELOW)[None, :], exact, smooth)
    at_pole = logarithm[:, None, :] - jnp.sum(regular, axis=1, keepdims=True)
    pole = jnp.where(subtracted, -q_cube / (2.0 * k_cube), -1.0)
    mu_all = jnp.concatenate([mu, pole], axis=1)
    return FermiQuadrature(
        wavenumber=k,
        final_squared=k_cube**2 + q_cube**2 + slope * mu_all,
        along=k_cube + q_cube * mu_all,
        kernel=jnp.concatenate([regular, jnp.where(subtracted, at_pole, 0.0)], axis=1),
    )


def _angles(pole: Float[Array, "k 1 q"], count: int) -> tuple[Float[Array, "k mu q"], Float[Array, "k mu q"]]:
    """Nodes mu and weights of the Gauss-Legendre rule of `count` nodes or one less, whichever is further from the pole.

    Their nodes interlace, so that f(mu) - f(mu0) never cancels.
    """
    many = np.polynomial.legendre.leggauss(count)
    few = (np.append(x, 0.0) for x in np.polynomial.legendre.leggauss(count - 1))
    (mu, dmu), (mu_few, dmu_few) = (
        [jnp.asarray(x, dtype=pole.dtype)[None, :, None] for x in rule] for rule in (many, few)
    )
    distance, distance_few = (jnp.min(jnp.abs(x - pole), axis=1, keepdims=True) for x in (mu, mu_few[:, :-1]))
    further = distance > distance_few
    return jnp.where(further, mu, mu_few), jnp.where(further, dmu, dmu_few)


def _legendre_q_steps(y: Float[Array, " q"], count: int) -> Float[Array, "n q"]:
    """Q_{n+1}(y) - Q_{n-1}(y), n = 1, 3, ..., of Legendre functions of the second kind; 0 < y < `_LOGARITHMIC_BELOW`.

    The upward recurrence is unstable for y > 1, but harmless so near to 1.
    """
    y = jnp.minimum(y, _LOGARITHMIC_BELOW)
    distance = jnp.abs(1.0 - y)
    # at y = 1 the logarithm drops out of the differences
    first = 0.5 * (jnp.log1p(y) - jnp.log(jnp.where(distance == 0.0, 1.0, distance)))

    def step(last, n):
        before, here = last
        after = ((2 * n + 1) * y * here - n * before) / (n + 1)
        return (here, after), after - before

    _, steps = jax.lax.scan(step, (first, y * first - 1.0), jnp.arange(1.0, 2.0 * count, dtype=y.dtype))
    return steps[::2]


def repulsions(
    ions: tuple[IonInGas, IonInGas],
    final_squared: Float[Array, "k mu q"],
    along: Float[Array, "k mu q"],
    strengths: tuple[Float[Array, "a k"], Float[Array, "b k"]],
) -> tuple[Float[Array, "k mu q"], Float[Array, "k mu q"]]:
    """s_i = 4 pi Σ_nl (2l+1) P_l(cos) (E_k - E_nl) B_nl(k) B_nl(|k+q|) of both ions, Ry bohr^3.

    final_squared, along: |k+q|^2 and k + q mu. strengths: (E_k - E_nl) B_nl(k) per ion, E_k = k^2 + <k|W|k>.
    The sum over n is taken on the coefficients of the amplitude series, before anything meets the grid of angles. One
    half of the nodes k after the other: enough for all processors, while the compiler cannot inline s into each of the
    sums over it, and a gradient recomputes instead of storing.
    """
    channels = both(lambda ion: sorted(set(ion.core.angular_momenta)), ions)
    series = []
    for ion, strength, own in zip(ions, strengths, channels, strict=True):
        momenta = ion.core.angular_momenta
        for l in own:
            first, last = momenta.index(l), len(momenta) - momenta[::-1].index(l)
            series.append(4 * np.pi * (2 * l + 1) * ion.state.amplitude_series[:, first:last] @ strength[first:last])

    @jax.checkpoint
    def at_one_k(node):
        squared, along, coefficients = node
        radial = chebyshev_sum(coefficients[:, :, None, None], chebyshev_variable(squared)[None])
        shapes = [solid_legendre(l, along, squared) for l in range(max(map(max, channels)) + 1)]
        parts = radial[: len(channels[0])], radial[len(channels[0]) :]
        return both(lambda own, part: sum(shapes[l] * part[i] for i, l in enumerate(own)), channels, parts)

    by_k = jnp.moveaxis(jnp.stack(series, axis=1), -1, 0)
    half = max(1, len(by_k) // 2)
    return jax.lax.map(at_one_k, (final_squared, along, by_k), batch_size=half)


def solid_legendre(l: int, along: Float[Array, "*shape"], squared: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """p^l P_l(cos) from p cos and p^2, without a square root; l <= 3."""
    if l == 0:
        return jnp.ones_like(along)
    if l == 1:
        return along
    if l == 2:
        return 1.5 * along**2 - 0.5 * squared
    return along * (2.5 * along**2 - 1.5 * squared)
