"""Energy of the homogeneous electron gas, Rydberg atomic units.

Exchange e_x = -2 (3/4)(3 n/pi)^(1/3) Ry and the Perdew-Zunger parametrisation (Phys. Rev. B 23, 5048, 1981) of the
Ceperley-Alder correlation energy of the unpolarised gas.
"""

import jax
import jax.numpy as jnp

from jaxalloy._typing import Array, Float

_HIGH_DENSITY = (0.0311, -0.048, 0.0020, -0.0116)  # A, B, C, D for rs < 1, hartree
_LOW_DENSITY = (-0.1423, 1.0529, 0.3334)  # gamma, beta_1, beta_2 for rs >= 1, hartree


def density_parameter(density: Float[Array, "..."]) -> Float[Array, "..."]:
    """r_s = (3/4 pi n)^(1/3), bohr, of an electron density n, bohr^-3."""
    return jnp.cbrt(3 / (4 * jnp.pi * density))


def kinetic_energy(density: Float[Array, "..."]) -> Float[Array, "..."]:
    """(3/5) k_F^2, Ry per electron, of an electron density, bohr^-3."""
    return 0.6 * jnp.cbrt(3 * jnp.pi**2 * density) ** 2


def exchange_energy(density: Float[Array, "..."]) -> Float[Array, "..."]:
    """-(3/2)(3 n/pi)^(1/3), Ry per electron, of an electron density n, bohr^-3."""
    return -1.5 * jnp.cbrt(3 * density / jnp.pi)


@jax.jit
def correlation_energy(density: Float[Array, "..."]) -> Float[Array, "..."]:
    """Perdew-Zunger correlation energy, Ry per electron, of an electron density, bohr^-3.

    Source: Perdew & Zunger, Phys. Rev. B 23, 5048 (1981), Appendix C.
    """
    rs = density_parameter(density)
    a, b, c, d = _HIGH_DENSITY
    gamma, beta1, beta2 = _LOW_DENSITY
    dense = jnp.minimum(rs, 1.0)  # keeps the unused branch away from where it overflows
    dilute = jnp.maximum(rs, 1.0)
    high = a * jnp.log(dense) + b + c * dense * jnp.log(dense) + d * dense
    low = gamma / (1 + beta1 * jnp.sqrt(dilute) + beta2 * dilute)
    return 2 * jnp.where(rs < 1, high, low)


def exchange_correlation_energy(density: Float[Array, "..."]) -> Float[Array, "..."]:
    """Exchange and correlation energy eps_xc, Ry per electron, of an electron density, bohr^-3."""
    return exchange_energy(density) + correlation_energy(density)


def exchange_correlation_potential(density: Float[Array, "..."]) -> Float[Array, "..."]:
    """v_xc = d(n eps_xc)/dn, Ry, of an electron density, bohr^-3."""
    _, slope = jax.jvp(lambda n: n * exchange_correlation_energy(n), (density,), (jnp.ones_like(density),))
    return slope
