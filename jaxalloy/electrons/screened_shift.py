"""The self-consistent core-level shift: every ion in the potential of its own screening cloud and hole.

    V_i(r) = (4/pi) ∫ [rho_i(q) + dn_i(q)] sin(qr)/(qr) dq,     vb = -(1/Omega) ∫_{r<R_a} Σ c_j [V_j - 2 Z_j/r] d^3r
    E_nl = <T + V_ion + V_i>_nl + vb

Neighbours are neutral pseudo-atoms. rho_i depends on the levels, so the shift is a fixed point: damped iteration,
differentiated implicitly.
"""

import jax
import jax.numpy as jnp

from jaxalloy._typing import Array, Bool, Scalar, ScalarLike
from jaxalloy.electrons.core_levels import average_shift, sphere_radius
from jaxalloy.electrons.form_factors import fourier_kernels
from jaxalloy.electrons.interactions import wavenumber_grid
from jaxalloy.electrons.opw_response import IonsInGas, Levels, respond
from jaxalloy.electrons.orthogonalisation import both, spherical_bessel
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
    shapes = both(lambda ion: sinc @ (ion.core.weight[:, None] * ion.state.orbitals**2), alloy.ions)
    radius = sphere_radius(alloy.mean_valence, alloy.gas_density)
    x = q * radius
    sphere = 4.0 * jnp.pi * radius**3 * spherical_bessel(1, x)[1] / x  # ∫_{r<R} sin(qr)/(qr) d^3r
    ions_in_sphere = 4.0 * jnp.pi * radius**2 * alloy.mean_valence  # ∫_{r<R} Σ c_j 2 Z_j/r d^3r

    def levels_of(shifts: Levels) -> Levels:
        return both(lambda level, shift: level + shift + zero, alloy.ionic_levels, shifts)

    def shifts_from(shifts: Levels, _) -> Levels:
        answer = respond(alloy, levels_of(shifts), q, local_field, mean_free_path)
        clouds = 4.0 / jnp.pi * weight[None] * (answer.screening_charge + holes)
        background = (ions_in_sphere - alloy.concentrations @ (clouds @ sphere)) / alloy.volume
        return both(
            lambda old, cloud, shape: old + _MIXING * (cloud @ shape + background - old),
            shifts,
            (clouds[0], clouds[1]),
            shapes,
        )

    import optimistix as optx  # slow to import, and only this convention iterates

    start = both(lambda ion: average_shift(ion, alloy.mean_valence, alloy.gas_density), alloy.ions)
    solution: optx.Solution = optx.fixed_point(
        shifts_from,
        optx.FixedPointIteration(rtol=_TOLERANCE, atol=_TOLERANCE),
        jax.lax.stop_gradient(start),
        max_steps=_MAX_STEPS,
        throw=False,
    )
    return levels_of(solution.value), jnp.asarray(solution.result == optx.RESULTS.successful)
