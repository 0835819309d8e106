"""Levels of the cores inside the alloy: where they lie relative to the conduction band.

E_nl = <T + V_ion>_nl + <V_cell>_nl + zero, on frozen orbitals. The reference potential V_cell and the zero are the
method's largest uncertainty: they change the ordering potential by factors of 2 to 5.

"average"          V_cell of the mean cell (Zbar, R_a), zero 0.6 Zbar/R_a
"neutral-spheres"  V_cell of the ion's own neutral sphere (Z_i, R_i), zero 0.6 Σ c_i Z_i^2/R_i / Zbar
"screened"         the Hartree potential of the ion's own screening cloud and hole; self-consistent, see `opw`
"""

import jax.numpy as jnp

from jaxalloy._typing import Array, Float, Scalar
from jaxalloy.electrons.gas import (
    exchange_correlation_energy,
    exchange_correlation_potential,
    exchange_energy,
)
from jaxalloy.electrons.orthogonalisation import IonInGas

CORE_SHIFTS = ("average", "neutral-spheres", "screened")
CORE_ZEROS = ("consistent", "without-gas-xc")


def sphere_radius(charge: Float[Array, "*shape"], density: Scalar) -> Float[Array, "*shape"]:
    """Radius (bohr) of the sphere of the gas (a0^-3) that holds `charge` electrons."""
    return jnp.cbrt(3.0 * charge / (4.0 * jnp.pi * density))


def cell_potential(r: Float[Array, " r"], charge: Scalar, radius: Scalar) -> Float[Array, " r"]:
    """V_cell = Z (3 - r^2/R^2)/R inside R, 2 Z/r outside: a uniform sphere of Z electrons, Ry."""
    return jnp.where(r < radius, charge * (3.0 - (r / radius) ** 2) / radius, 2.0 * charge / r)


def local_potential(density: Float[Array, "*shape"], correlation: bool) -> Float[Array, "*shape"]:
    """v_xc (Ry) of an electron density (a0^-3), or exchange alone."""
    return exchange_correlation_potential(density) if correlation else 4.0 / 3.0 * exchange_energy(density)


def local_energy(density: Float[Array, "*shape"], correlation: bool) -> Float[Array, "*shape"]:
    """eps_xc (Ry per electron) of an electron density (a0^-3), or exchange alone."""
    return exchange_correlation_energy(density) if correlation else exchange_energy(density)


def core_exchange(ion: IonInGas, gas_density: Scalar, correlation: bool) -> Float[Array, " r"]:
    """v_xc(rho_c + n0) - v_xc(n0) on the core's radii, Ry."""
    both = local_potential(ion.state.density + gas_density, correlation)
    return both - local_potential(gas_density, correlation)


def ionic_levels(ion: IonInGas, gas_density: Scalar, correlation: bool) -> Float[Array, " orbital"]:
    """<T + V_ion>_nl, Ry; V_ion includes v_xc(rho_c + n0) - v_xc(n0)."""
    return ion.state.ionic_levels + ion.expectation(core_exchange(ion, gas_density, correlation))


def average_shift(ion: IonInGas, mean_valence: Scalar, gas_density: Scalar) -> Float[Array, " orbital"]:
    """<V_cell(Zbar, R_a)>_nl + 0.6 Zbar/R_a, Ry."""
    radius = sphere_radius(mean_valence, gas_density)
    cell = cell_potential(ion.core.radius, mean_valence, radius)
    return ion.expectation(cell) + 0.6 * mean_valence / radius


def neutral_sphere_shift(
    ion: IonInGas,
    concentrations: Float[Array, "2"],
    valences: Float[Array, "2"],
    gas_density: Scalar,
) -> Float[Array, " orbital"]:
    """<V_cell(Z_i, R_i)>_nl + 0.6 Σ c_j Z_j^2/R_j / Zbar, Ry."""
    cell = cell_potential(ion.core.radius, ion.valence, sphere_radius(ion.valence, gas_density))
    spheres = valences**2 / sphere_radius(valences, gas_density)
    return ion.expectation(cell) + 0.6 * (concentrations @ spheres) / (concentrations @ valences)


def zero_shift(zero: str, gas_density: Scalar, correlation: bool) -> Scalar:
    """0 for "consistent"; -|v_xc(n0)| for "without-gas-xc"."""
    if zero == "consistent":
        return jnp.zeros_like(gas_density)
    return local_potential(gas_density, correlation)
