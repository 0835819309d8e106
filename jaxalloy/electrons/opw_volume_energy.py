"""Structure-independent energy of a metal of frozen ions, to first order in the pseudopotential.

E_FE = Zbar [(3/5) k_F^2 + eps_xc(n0)] + (Omega/pi^2) ∫_0^kF k^2 <k|W|k>_0 dk + E_hole + D_xc        (V1)

<k|W|k>_0 is taken with E_nl = <T + V_ion>_nl - (Zbar/R_a^3) <r^2>_nl (V2): the shift of the levels by the neighbours is
already in the electrostatic energy of the effective valences Z*.
"""

import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Float, Scalar
from jaxalloy.electrons.core_levels import local_energy, local_potential, sphere_radius
from jaxalloy.electrons.form_factors import diagonal, fourier_kernels
from jaxalloy.electrons.gas import exchange_correlation_energy, kinetic_energy
from jaxalloy.electrons.opw_response import IonsInGas
from jaxalloy.electrons.orthogonalisation import IonInGas, fermi_sphere

_HOLE_Q_MAX, _HOLE_NODES = 40.0, 96


def volume_energy(alloy: IonsInGas) -> dict[str, Scalar]:
    """The terms of E_FE by name, Ry per atom; they do not depend on the choice of core shift.

    Source: PHH Eqs. 19-22; physics.md (V1)-(V4).
    """
    holes = jnp.stack([hole_self_energy(alloy, i) for i in range(2)])
    exchange = jnp.stack(
        [core_exchange_correlation(ion, alloy.gas_density, alloy.correlation) for ion in alloy.ions]
    )
    return {
        "kinetic": alloy.mean_valence * kinetic_energy(alloy.gas_density),
        "exchange_correlation": alloy.mean_valence * exchange_correlation_energy(alloy.gas_density),
        "first_order": first_order(alloy),
        "hole": alloy.concentrations @ holes,
        "core_exchange_correlation": alloy.concentrations @ exchange,
    }


def first_order(alloy: IonsInGas) -> Scalar:
    """(Omega/pi^2) ∫_0^kF k^2 <k|W|k>_0 dk, Ry per atom."""
    radius = sphere_radius(alloy.mean_valence, alloy.gas_density)
    levels = tuple(
        level - alloy.mean_valence / radius**3 * ion.expectation(ion.core.radius**2)
        for level, ion in zip(alloy.ionic_levels, alloy.ions, strict=True)
    )
    k, weight = fermi_sphere(alloy.fermi_wavenumber)
    amplitudes = tuple(ion.amplitudes(k) for ion in alloy.ions)
    potential = diagonal(
        alloy.ions, amplitudes, levels, alloy.concentrations, alloy.volume, alloy.mean_potential, k
    )
    return alloy.volume * (weight @ potential)


def hole_self_energy(alloy: IonsInGas, species: int) -> Scalar:
    """(2/pi) ∫ dn_i(q)^2 dq, Ry: the electrostatic energy of one orthogonalisation hole (V3)."""
    x, w = np.polynomial.legendre.leggauss(_HOLE_NODES)
    radius, weight = alloy.ions[0].core.radius, alloy.ions[0].core.weight
    # quadratic map: most of the hole's charge is smooth, its q dependence is slow at large q
    q = _HOLE_Q_MAX * jnp.asarray(((1.0 + x) / 2.0) ** 2, dtype=radius.dtype)
    dq = _HOLE_Q_MAX * jnp.asarray((1.0 + x) * w / 2.0, dtype=radius.dtype)
    sinc, _ = fourier_kernels(q, radius)
    charge = sinc @ (weight * alloy.hole_densities[species])
    return 2.0 / jnp.pi * (dq @ charge**2)


def core_exchange_correlation(ion: IonInGas, gas_density: Scalar, correlation: bool) -> Scalar:
    """D_xc = ∫ d^3r {e(rho+n0) - e(rho) - e(n0) - n0 [v_xc(rho+n0) - v_xc(n0)]}, Ry, e(n) = n eps_xc(n) (V4)."""

    def energy(density: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        return density * local_energy(density, correlation)

    core = jnp.maximum(ion.state.density, 1e-25)  # an empty tail, where e vanishes but eps_xc would not be finite
    both = core + gas_density
    potential = local_potential(both, correlation) - local_potential(gas_density, correlation)
    integrand = energy(both) - energy(core) - energy(gas_density) - gas_density * potential
    return ion.core.weight @ (4.0 * jnp.pi * ion.core.radius**2 * integrand)
