"""The integrals of the bound to second order around a point, in closed form, for Newton's method.

Both structure factors are ratios N/(F_1^2 + F_2^2) of what is at most quadratic in a few variables, and the Stumpff
functions of Q = q sigma have simple slopes in ln sigma: d c_k/d ln Q = c_{k-1} - k c_k with c_0 = cos Q.
Differentiating the integrals by machine gives the same numbers with three times as many operations to compile. What is
left of the bound (entropies, electrostatic sums) costs nothing and stays as it is.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from jaxalloy._typing import Array, Float, Scalar
from jaxalloy.reference import hard_sphere, yukawa


class Expansion(NamedTuple):
    """A function of n variables to second order around a point."""

    point: Float[Array, " n"]
    value: Scalar
    slope: Float[Array, " n"]
    curvature: Float[Array, "n n"]

    def __call__(self, *variables: Scalar) -> Scalar:
        """The value at other variables."""
        step = jnp.stack(variables) - self.point
        return self.value + self.slope @ step + 0.5 * step @ self.curvature @ step

    def to_first_order(self) -> "Expansion":
        """The same, straightened: its slope at the point is all that is right about it, and all that is computed."""
        return self._replace(curvature=jnp.zeros_like(self.curvature))


class Derivatives(NamedTuple):
    """Functions of wavenumber (axis q) and, before that axis, their derivatives in n variables."""

    value: Float[Array, "*functions q"]
    first: Float[Array, "*functions n q"]
    second: Float[Array, "*functions n n q"]


class NearbyIntegrals(eqx.Module):
    """`StructureIntegrals` to second order around a packing fraction, y and Z.

    density: of S_NN, over ln sigma and Baxter's two coefficients. ordering: of S_CC, over ln sigma, y, Z. contact: of
    the band-structure part of Phi_CC(sigma)/2, over ln sigma.
    """

    density: Expansion
    ordering: Expansion
    contact: Expansion
    coulomb_density: Scalar
    coulomb_ordering: Scalar
    volume: Scalar

    def density_energy(self, eta: Scalar) -> Scalar:
        """As that of `StructureIntegrals`."""
        sigma = self.sigma(eta)
        band = self.density(jnp.log(sigma), *hard_sphere.baxter_coefficients(eta))
        return band + self.coulomb_density * hard_sphere.alpha_nn(eta) / sigma

    def ordering_energy(self, eta: Scalar, y: Scalar, Z: Scalar) -> Scalar:
        """As that of `StructureIntegrals`."""
        sigma = self.sigma(eta)
        return self.ordering(jnp.log(sigma), y, Z) + self.coulomb_ordering * yukawa.alpha_cc(y, Z) / sigma

    def contact_potential_cc(self, eta: Scalar) -> Scalar:
        """As that of `StructureIntegrals`."""
        sigma = self.sigma(eta)
        return 2 * (self.coulomb_ordering / sigma + self.contact(jnp.log(sigma)))

    def sigma(self, eta: Scalar) -> Scalar:
        """Hard-sphere diameter, bohr, at packing fraction eta."""
        return jnp.cbrt(6 * eta * self.volume / jnp.pi)

    def to_first_order(self) -> "NearbyIntegrals":
        """The same with the slopes alone."""
        straight = [part.to_first_order() for part in (self.density, self.ordering, self.contact)]
        return eqx.tree_at(lambda near: [near.density, near.ordering, near.contact], self, straight)


def density_expansion(
    weights: Float[Array, " q"], eta: Scalar, sigma: Scalar, Q: Float[Array, " q"], c: tuple[Float[Array, " q"], ...]
) -> Expansion:
    """Σ weights S_NN over ln sigma and `hard_sphere.baxter_coefficients`. c: Stumpff functions c_1 ... c_4 of Q."""
    alpha, beta = hard_sphere.baxter_coefficients(eta)
    (_, d2, d3, d4), (_, dd2, dd3, dd4) = logarithmic_slopes(Q, c)
    _, c2, c3, c4 = c
    zero = jnp.zeros_like(Q)
    # the real part is 1 + alpha c_2 - beta c_3, the imaginary one Q times alpha c_3 - beta c_4
    slope, rise = alpha * d3 - beta * d4, alpha * dd3 - beta * dd4
    imaginary = alpha * c3 - beta * c4
    functions = Derivatives(
        jnp.stack([1 + alpha * c2 - beta * c3, Q * imaginary]),
        jnp.stack(
            [jnp.stack([alpha * d2 - beta * d3, c2, -c3]), jnp.stack([Q * (imaginary + slope), Q * c3, -Q * c4])]
        ),
        jnp.stack(
            [
                _symmetric(alpha * dd2 - beta * dd3, d2, -d3, zero, zero, zero),
                _symmetric(Q * (imaginary + 2 * slope + rise), Q * (c3 + d3), -Q * (c4 + d4), zero, zero, zero),
            ]
        ),
    )
    one = Derivatives(jnp.ones_like(Q), jnp.zeros((3, 1), Q.dtype), jnp.zeros((3, 3, 1), Q.dtype))
    return _expansion(weights, (jnp.log(sigma), alpha, beta), one, functions)


def ordering_expansion(
    weights: Float[Array, " q"],
    sigma: Scalar,
    y: Scalar,
    Z: Scalar,
    Q: Float[Array, " q"],
    c: tuple[Float[Array, " q"], ...],
) -> Expansion:
    """Σ weights S_CC/(c_A c_B) over ln sigma, y and Z. c: Stumpff functions c_1 ... c_4 of Q."""
    (d1, d2, _, _), (dd1, dd2, _, _) = logarithmic_slopes(Q, c)
    c1, c2, _, _ = c
    zero, one, square = jnp.zeros_like(Q), jnp.ones_like(Q), Q * Q
    a, m = Z - y, y * (Z - 0.5 * y)  # a is also the slope of m in y, and y that in Z
    functions = Derivatives(
        jnp.stack([Q * (1 + m * c2), a - m * c1]),
        jnp.stack(
            [
                jnp.stack([Q * (1 + m * (c2 + d2)), Q * a * c2, Q * y * c2]),
                jnp.stack([-m * d1, -1 - a * c1, 1 - y * c1]),
            ]
        ),
        jnp.stack(
            [
                _symmetric(
                    Q * (1 + m * (c2 + 2 * d2 + dd2)), Q * a * (c2 + d2), Q * y * (c2 + d2), -Q * c2, Q * c2, zero
                ),
                _symmetric(-m * dd1, -a * d1, -y * d1, c1, -c1, zero),
            ]
        ),
    )
    top = Derivatives(
        square + Z * Z,
        jnp.stack([2 * square, zero, 2 * Z * one]),
        _symmetric(4 * square, zero, zero, zero, zero, 2 * one),
    )
    return _expansion(weights, (jnp.log(sigma), y, Z), top, functions)


def contact_expansion(
    weights: Float[Array, " q"], sigma: Scalar, Q: Float[Array, " q"], c: tuple[Float[Array, " q"], ...]
) -> Expansion:
    """Σ weights sin(Q)/Q over ln sigma. c: Stumpff functions c_1 ... c_4 of Q."""
    first, second = logarithmic_slopes(Q, c)
    value, slope, curvature = jnp.stack([c[0], first[0], second[0]]) @ weights
    return Expansion(jnp.log(sigma)[None], value, slope[None], curvature[None, None])


def logarithmic_slopes(
    Q: Float[Array, " q"], c: tuple[Float[Array, " q"], ...]
) -> tuple[list[Float[Array, " q"]], list[Float[Array, " q"]]]:
    """First and second derivatives of the Stumpff functions c_1 ... c_4 in ln Q; in absolute terms to a rounding."""
    square = Q * Q
    functions = [1 - square * c[1], *c]
    first = [-square * c[0], *(functions[k - 1] - k * functions[k] for k in range(1, 5))]
    return first[1:], [first[k - 1] - k * first[k] for k in range(1, 5)]


def _symmetric(*entries: Float[Array, " q"]) -> Float[Array, "3 3 q"]:
    """A symmetric matrix from its upper triangle, row by row."""
    a, b, c, d, e, f = entries
    return jnp.stack([jnp.stack(row) for row in ([a, b, c], [b, d, e], [c, e, f])])


def _expansion(
    weights: Float[Array, " q"], variables: tuple[Scalar, ...], top: Derivatives, functions: Derivatives
) -> Expansion:
    """Σ weights top/Σ_f function_f^2, where the axis f comes first in the functions."""
    (u, v), (u1, v1), (u2, v2) = functions
    inverse = 1 / (u * u + v * v)
    ratio = top.value * inverse
    squares = 2 * (u[None] * u1 + v[None] * v1)
    slope = (top.first - ratio[None] * squares) * inverse[None]
    ratio, slope, squares, inverse = jax.lax.optimization_barrier((ratio, slope, squares, inverse))
    squares_second = 2 * (u1[:, None] * u1[None] + v1[:, None] * v1[None] + u[None, None] * u2 + v[None, None] * v2)
    mixed = slope[:, None] * squares[None]
    change = top.second - mixed - jnp.swapaxes(mixed, 0, 1) - ratio[None, None] * squares_second
    curvature = change * inverse[None, None]
    return Expansion(jnp.stack(variables), ratio @ weights, slope @ weights, curvature @ weights)
