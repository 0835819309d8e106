"""Local model pseudopotential: an ion without its core (Ashcroft).

v(q) = -(8 pi Z/q^2) cos(q r_c). The radius is not fitted: it is the one at which the solid element has zero pressure
at its measured density, in the structureless ("bulk stability") approximation.
"""

import equinox as eqx
import jax
import jax.numpy as jnp

from jaxalloy._typing import Array, Float, Scalar, ScalarLike
from jaxalloy.alloy import Alloy
from jaxalloy.electrons.gas import correlation_energy
from jaxalloy.electrons.interactions import Interactions, free_electron_energy, wavenumber_grid
from jaxalloy.electrons.screening import IchimaruUtsumi, LocalField, response, screened_coulomb
from jaxalloy.elements.table import lookup
from jaxalloy.numerics.checks import InputError, require


def bulk_stability_radius(solid_rs: ScalarLike, valence: ScalarLike) -> Scalar:
    """Core radius r_c, bohr, of an element whose solid has electron-density parameter solid_rs (bohr).

    r_c^2 = (rs^4/4.5)[-2.2099/rs^3 + 0.45817/rs^2 + d e_c/d rs + 0.9 Z^(2/3)/rs^2], energies in hartree.
    Source: physics.md 3.2.
    """
    rs = 1.0 * jnp.asarray(solid_rs)
    correlation_slope = jax.grad(lambda x: correlation_energy(3 / (4 * jnp.pi * x**3)) / 2)(rs)
    ions = 0.9 * jnp.cbrt(1.0 * jnp.asarray(valence)) ** 2
    bracket = -2.2099 / rs**3 + (0.45817 + ions) / rs**2 + correlation_slope
    return jnp.sqrt(rs**4 / 4.5 * bracket)


class EmptyCore(eqx.Module):
    """Empty-core pseudopotential of the alloy's two elements.

    radii: core radii by element symbol, bohr, e.g. {"Li": 1.3}; those not named come from `bulk_stability_radius`.
    local_field: G(q). mean_free_path: of the electrons, bohr; None for infinite.
    """

    radii: dict[str, ScalarLike] = eqx.field(default_factory=dict)
    local_field: LocalField = IchimaruUtsumi()
    mean_free_path: ScalarLike | None = None

    def core_radii(self, alloy: Alloy) -> Float[Array, "2"]:
        """r_c of A and B, bohr. Raises `InputError` for a radius that is not positive or of an absent element."""
        for symbol, radius in self.radii.items():
            if symbol not in alloy.symbols:
                raise InputError(f"core radius of {symbol}: the alloy holds {' and '.join(alloy.symbols)}")
            require(f"core radius of {symbol} (bohr)", radius, lambda r: r >= 0, "it must not be negative")
        return jnp.stack(
            [
                1.0 * jnp.asarray(self.radii[symbol])
                if symbol in self.radii
                else bulk_stability_radius(lookup(symbol).solid_rs, lookup(symbol).valence)
                for symbol in alloy.symbols
            ]
        )

    def interactions(self, alloy: Alloy, q_max: float = 40.0, nodes: int = 640) -> Interactions:
        """Energy-wavenumber characteristics F_ij = (Omega/2) chi w_i w_j/eps_el of the alloy, w = v/Omega.

        q_max: 1/bohr; nodes: of the quadrature over q.
        Source: physics.md 3.2; the free-electron energy is (V4') of physics.md 4.2.
        """
        k_fermi = alloy.fermi_wavenumber
        radii = self.core_radii(alloy)
        q, weights = wavenumber_grid(k_fermi, q_max, nodes)
        chi = response(q, k_fermi, self.mean_free_path)
        coulomb = screened_coulomb(q, self.local_field(q, k_fermi))
        form = -8 * jnp.pi * alloy.valences[:, None] * jnp.cos(q[None] * radii[:, None]) / q[None] ** 2
        screened = chi / (1 - coulomb * chi) / (2 * alloy.volume)
        pairs = jnp.stack([form[0] * form[0], form[0] * form[1], form[1] * form[1]])
        first_order = alloy.concentrations @ (4 * jnp.pi * alloy.valences * radii**2)
        return Interactions(
            concentration=alloy.concentration,
            volume=alloy.volume,
            q=q,
            weights=weights,
            characteristics=pairs * screened[None],
            effective_valences=alloy.valences,
            volume_energy=free_electron_energy(alloy) | {"first_order": alloy.electron_density * first_order},
            screening_charge=form * (chi / (1 - coulomb * chi))[None],
            potential="empty core",
        )
