"""The self-consistent core-level shift: every ion in the potential of its own screening cloud and hole.

    V_i(r) = (4/pi) ∫ [rho_i(q) + dn_i(q)] sin(qr)/(qr) dq,     vb = -(1/Omega) ∫_{r<R_a} Σ c_j [V_j - 2 Z_j/r] d^3r
    E_nl = <T + V_ion + V_i>_nl + vb

Neighbours are neutral pseudo-atoms. rho_i depends on the levels, so the shift is a fixed point: damped iteration,
differentiated implicitly.
"""

import jax
import jax.numpy as jnp
import optimistix as optx

from jaxalloy._typing import Array, Bool, Float, Scalar, ScalarLike
from jaxalloy.electrons.core_levels import average_shift, sphere_radius
from jaxalloy.electrons.form_factors import fourier_kernels
from jaxalloy.electrons.interactions import wavenumber_grid
from jaxalloy.electrons.opw_response import IonsInGas, Levels, respond
from jaxalloy.electrons.orthogonalisation import spherical_bessel
from jaxalloy.electrons.screening import LocalField

_MIXING = 0.7
_TOLERANCE = 1e-9
_MAX_STEPS = 80
_Q_MAX, _Q_NODES = 20.0, 160


def screened_levels(
    alloy: IonsInGas, zero: Scalar, local_field: LocalField, mean_free_path: ScalarLike | None
) -> tuple[Levels, Bool[Array, ""]]:
    """Core levels (absolute, Ry) in the "screened" convention, and whether the iteration converged.

    zero: added to every level. Source: physics.md 3.4.
    """
    q, weight = wavenumber_grid(alloy.fermi_wavenumber, _Q_MAX, _Q_NODES)
    sinc, _ = fourier_kernels(q, alloy.ions[0].core.radius)
    holes = alloy.holes(sinc)
    shapes = [sinc @ (ion.core.weight[:, None] * ion.state.orbitals**2) for ion in alloy.ions]
    radius = sphere_radius(alloy.mean_valence, alloy.gas_density)
    x = q * radius
    sphere = 4.0 * jnp.pi * radius**3 * spherical_bessel(1, x)[1] / x  # ∫_{r<R} sin(qr)/(qr) d^3r
    ions_in_sphere = 4.0 * jnp.pi * radius**2 * alloy.mean_valence  # ∫_{r<R} Σ c_j 2 Z_j/r d^3r

    def levels_of(shifts: Levels) -> Levels:
        return tuple(level + shift + zero for level, shift in zip(alloy.ionic_levels, shifts, strict=True))

    def shifts_from(shifts: Levels, _) -> Levels:
        answer = respond(alloy, levels_of(shifts), q, local_field, mean_free_path)
        clouds = 4.0 / jnp.pi * weight[None] * (answer.screening_charge + holes)
        background = (ions_in_sphere - alloy.concentrations @ (clouds @ sphere)) / alloy.volume
        new = [cloud @ shape + background for cloud, shape in zip(clouds, shapes, strict=True)]
        return tuple(old + _MIXING * (n - old) for old, n in zip(shifts, new, strict=True))

    start = tuple(average_shift(ion, alloy.mean_valence, alloy.gas_density) for ion in alloy.ions)
    solution = optx.fixed_point(
        shifts_from,
        optx.FixedPointIteration(rtol=_TOLERANCE, atol=_TOLERANCE),
        jax.lax.stop_gradient(start),
        max_steps=_MAX_STEPS,
        throw=False,
    )
    return levels_of(solution.value), solution.result == optx.RESULTS.successful
