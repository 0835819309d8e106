"""Form factors of the optimised (Cohen-Heine) pseudopotential: the parts that depend on q alone, and <k|W|k>.

Omega <k+q|w_i|k> = v_i(q) + s_i(k, q), with v_i of the ion and s_i of `second_order.repulsion`.
"""

import jax.numpy as jnp

from jaxalloy._typing import Array, Float, Scalar
from jaxalloy.electrons.core_levels import core_exchange
from jaxalloy.electrons.orthogonalisation import IonInGas

_SERIES_BELOW = 0.5


def fourier_kernels(
    q: Float[Array, " q"], radius: Float[Array, " r"]
) -> tuple[Float[Array, "q r"], Float[Array, "q r"]]:
    """sin(x)/x and (1 - sin(x)/x)/x^2 at x = q r; the second from its series below x = 0.5."""
    x = q[:, None] * radius[None, :]
    small = x < _SERIES_BELOW
    square = jnp.where(small, x, 0.0) ** 2
    lost, term = jnp.zeros_like(x), jnp.full_like(x, 1.0 / 6.0)
    for n in range(1, 8):
        lost = lost + term
        term = term * (-square) / ((2 * n + 2) * (2 * n + 3))
    safe = jnp.where(small, 1.0, x)
    sinc = jnp.sin(safe) / safe
    return jnp.where(small, 1.0 - square * lost, sinc), jnp.where(small, lost, (1.0 - sinc) / safe**2)


def regular_ion_potential(
    ion: IonInGas,
    gas_density: Scalar,
    correlation: bool,
    kernels: tuple[Float[Array, "q r"], Float[Array, "q r"]],
) -> Float[Array, " q"]:
    """v_i(q) + 8 pi Z_i/q^2 = ∫ 4 pi r^2 [V_ion + 2 Z_i/r] sin(qr)/(qr) dr, Ry bohr^3.

    The Hartree part -8 pi (N_c - rho_c(q))/q^2 comes straight from the core density rho_c, without V_Hartree(r).
    """
    sinc, lost = kernels
    r, weight = ion.core.radius, ion.core.weight
    shell = 4.0 * jnp.pi * r**2 * weight
    exchange = sinc @ (shell * core_exchange(ion, gas_density, correlation))
    return exchange - 8.0 * jnp.pi * (lost @ (shell * r**2 * ion.state.density))


def regular_ion_potential_at_zero(ion: IonInGas, gas_density: Scalar, correlation: bool) -> Scalar:
    """v_i^reg(0) = ∫ 4 pi r^2 [V_ion + 2 Z_i/r] dr, Ry bohr^3."""
    r = ion.core.radius
    shell = 4.0 * jnp.pi * r**2 * ion.core.weight
    exchange = shell @ core_exchange(ion, gas_density, correlation)
    return exchange - 4.0 / 3.0 * jnp.pi * (shell @ (r**2 * ion.state.density))


def diagonal(
    ions: tuple[IonInGas, IonInGas],
    amplitudes: tuple[Float[Array, "a *shape"], Float[Array, "b *shape"]],
    levels: tuple[Float[Array, " a"], Float[Array, " b"]],
    concentrations: Float[Array, "2"],
    volume: Scalar,
    mean_potential: Scalar,
    k: Float[Array, "*shape"],
) -> Float[Array, "*shape"]:
    """<k|W|k> = {V_0 + Σ_i c_i (4 pi/Omega) Σ_nl (2l+1)(k^2 - E_nl) B_nl^2} / (1 - Σ_i c_i p_i(k)), Ry.

    mean_potential: V_0 = Σ c_i v_i^reg(0)/Omega, Ry. amplitudes: B_nl(k) per ion. levels: E_nl per ion, absolute, Ry.
    """
    raised, lost = mean_potential * jnp.ones_like(k), jnp.zeros_like(k)
    for i, (ion, amplitude, level) in enumerate(zip(ions, amplitudes, levels, strict=True)):
        share = concentrations[i] * 4.0 * jnp.pi / volume * ion.degeneracy
        norm = jnp.tensordot(share, amplitude**2, axes=1)
        lost = lost + norm
        raised = raised + k**2 * norm - jnp.tensordot(share * level, amplitude**2, axes=1)
    return raised / (1.0 - lost)
