"""The optimised orthogonalised-plane-wave pseudopotential: interatomic forces from the elements alone.

Frozen cores in the electron gas of the alloy give the form factors (Cohen-Heine smoothest pseudopotential), the
orthogonalisation holes and, in second order, the energy-wavenumber characteristics

    F_ij = (Omega/2) { X[u_i u_j]/Omega^2 + v_c n_i n_j/eps_el },   n_i = X[u_i]/Omega,   u_i = Omega w_i + v_OH,i.

No parameter is fitted. Source: PHH Sec. II; Harrison, Pseudopotentials in the Theory of Metals (1966), Ch. 8.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Bool, Float, Scalar, ScalarLike
from jaxalloy.alloy import Alloy
from jaxalloy.electrons.core_levels import (
    CORE_SHIFTS,
    CORE_ZEROS,
    average_shift,
    neutral_sphere_shift,
    sphere_radius,
    zero_shift,
)
from jaxalloy.electrons.interactions import Interactions, wavenumber_grid
from jaxalloy.electrons.opw_response import (
    IonsInGas,
    Levels,
    fermi_form_factors,
    ions_in_gas,
    respond,
    screened_pairs,
)
from jaxalloy.electrons.opw_volume_energy import volume_energy
from jaxalloy.electrons.orthogonalisation import IonInGas, both
from jaxalloy.electrons.screened_shift import screened_levels
from jaxalloy.electrons.screening import IchimaruUtsumi, LocalField
from jaxalloy.elements.cores import KINDS, LARGEST_WAVENUMBER, FrozenCore, frozen_core
from jaxalloy.numerics.checks import InputError, is_traced, require, require_positive
from jaxalloy.numerics.programs import program

HOLES = ("exact", "core")
HOLE_NORMS = ("omitted", "kept")
GAS_DENSITIES = (5e-4, 0.05)
"""Electron densities (a0^-3) between which the method makes sense: thinner than caesium, denser than aluminium."""
LARGEST_OVERLAP = 0.1
"""Charge of a core orbital that may lie outside the mean atomic sphere."""


class OptimisedOPW(eqx.Module):
    """Choices within the optimised OPW method; `OptimisedOPW.paper()` are those of the article.

    cores: "scalar-relativistic", "non-relativistic" (both Kohn-Sham, in the gas) or "hartree-fock" (free ion; always
    non-relativistic, with exchange alone in the ion's potential). hole: shape of the orthogonalisation hole, "exact" or
    that of the "core". hole_norm: whether it has the norm 1/(1 - p) of the orthogonalised waves; "omitted" gives the
    holes of PHH Table I, "kept" is consistent with the volume energy and wanted for pressures. core_shift: where
    the core levels lie relative to the band, "average", "neutral-spheres" or "screened": the largest uncertainty of the
    method, it changes the ordering potential by factors of 2 to 5.
    core_zero: "consistent", or "without-gas-xc" for levels lowered by |v_xc(n0)|, which is not gauge-consistent.
    local_field: G(q) of the electron gas. mean_free_path: of the electrons, bohr; None for infinite.

    Raises InputError for a choice that does not exist.
    """

    cores: str = eqx.field(static=True, default="scalar-relativistic")
    hole: str = eqx.field(static=True, default="exact")
    hole_norm: str = eqx.field(static=True, default="omitted")
    core_shift: str = eqx.field(static=True, default="average")
    core_zero: str = eqx.field(static=True, default="consistent")
    local_field: LocalField = IchimaruUtsumi()
    mean_free_path: ScalarLike | None = None

    def __check_init__(self):
        choices = {
            "cores": KINDS,
            "hole": HOLES,
            "hole_norm": HOLE_NORMS,
            "core_shift": CORE_SHIFTS,
            "core_zero": CORE_ZEROS,
        }
        for name, allowed in choices.items():
            value = getattr(self, name)
            if value not in allowed:
                raise InputError(f"{name} = {value!r}: use one of {', '.join(map(repr, allowed))}")
        if self.mean_free_path is not None:
            require_positive("mean_free_path (bohr)", self.mean_free_path)

    @classmethod
    def paper(cls, **changes) -> "OptimisedOPW":
        """The choices of PHH: non-relativistic Hartree-Fock cores, a hole with the shape of the core."""
        return cls(**{"cores": "hartree-fock", "hole": "core", **changes})

    @property
    def correlation(self) -> bool:
        """Whether the ions' local potential has correlation; with Hartree-Fock cores it is exchange alone."""
        return self.cores != "hartree-fock"

    def frozen_cores(self, symbols: tuple[str, str]) -> tuple[FrozenCore, FrozenCore]:
        """The cores of two elements; raises InputError naming the elements that have them."""
        return frozen_core(symbols[0], self.cores), frozen_core(symbols[1], self.cores)

    def prepare(self, alloy: Alloy) -> tuple[FrozenCore, FrozenCore]:
        """The frozen cores of the alloy's elements.

        Raises InputError for an element without cores and for a volume at which the cores overlap.
        """
        cores = self.frozen_cores(alloy.symbols)
        check_density(alloy, cores)
        return cores

    def caveats(self, alloy: Alloy) -> list[str]:
        """What a reader should know before believing numbers from these choices for this alloy; traced values pass."""
        found = []
        if self.core_zero == "without-gas-xc":
            found.append(
                "core zero without-gas-xc is not gauge-consistent: for Li-Pb it makes sigma .04 to .40 bohr too large"
            )
        if is_traced((alloy.concentrations, alloy.volume)):
            return found
        density = float(np.asarray(alloy.mean_valence / alloy.volume))
        for symbol, core in zip(alloy.symbols, self.frozen_cores(alloy.symbols), strict=True):
            low, high = np.asarray(core.density_range)
            if not low <= density <= high:
                solved = f"the core of {symbol} was solved in {low:g} to {high:g} electrons per bohr^3"
                found.append(f"{solved}; at {density:.4g} it is that of the nearest density")
        return found

    def interactions(
        self, alloy: Alloy, cores: tuple[FrozenCore, FrozenCore], q_max: float = 20.0, nodes: int = 384
    ) -> Interactions:
        """F_ij(q), screening charges and volume energy of the alloy on the usual grid of q.

        q_max: 1/bohr; nodes: of the quadrature over q. The defaults of all grids leave an error of 2e-7 Ry in the pair
        potentials of Li0.8Pb0.2 from 4.5 bohr: the core's radii 1.5e-7, the end of q 8e-8, angles 3e-8, k 7e-9, q 2e-9.
        Source: PHH Sec. II; the volume energy is (V1) of physics.md 4.2.
        """
        q, weights = wavenumber_grid(alloy.fermi_wavenumber, q_max, nodes)
        state = (alloy.concentrations, alloy.volume, alloy.valences)
        found = wavenumber_characteristics(self, *state, *cores, q)
        return Interactions(
            concentration=alloy.concentration,
            volume=alloy.volume,
            q=q,
            weights=weights,
            characteristics=found.F,
            effective_valences=found.effective_valences,
            volume_energy=found.volume_energy,
            screening_charge=found.screening_charge,
            potential=self.describe(),
        )

    def describe(self) -> str:
        """The choices in words, for reports."""
        words = [f"optimised OPW, {self.cores} cores, {self.hole} hole, core shift {self.core_shift}"]
        if self.core_zero != "consistent":
            words.append(f"core zero {self.core_zero}")
        if self.hole_norm != "omitted":
            words.append(f"hole norm {self.hole_norm}")
        if self.mean_free_path is not None:
            words.append("finite electron mean free path")
        return ", ".join(words)


class WavenumberCharacteristics(eqx.Module):
    """F_ij(q) of an alloy and what it is made of. Species come as A, B; pairs as AA, AB, BB."""

    q: Float[Array, " q"]
    F: Float[Array, "3 q"]
    """Energy-wavenumber characteristics, Ry."""
    effective_valences: Float[Array, "2"]
    """Z*_i: Z_i plus the charge of the orthogonalisation hole."""
    hole_charges: Float[Array, "2"]
    """n_OH,i, electrons (PHH Table I)."""
    screening_charge: Float[Array, "2 q"]
    """rho_i(q) = X[u_i]/eps_el, electrons; Z*_i at q -> 0."""
    form_factors: Float[Array, "2 q"]
    """Screened form factors on the Fermi sphere, Ry."""
    core_levels: Levels
    """E_nl per ion relative to the bottom of the band, Ry, in the order of `FrozenCore.angular_momenta`."""
    volume_energy: dict[str, Scalar]
    """Terms of E_FE, Ry per atom (PHH Eqs. 19-22)."""
    cores_self_consistent: Bool[Array, "2"]
    """Whether each core was solved at this electron density; else its orbitals are those of the nearest one solved."""
    shift_converged: Bool[Array, ""]
    """Whether the "screened" core shift converged; True where there is nothing to iterate."""


def wavenumber_characteristics(
    potential: OptimisedOPW,
    concentrations: Float[Array, "2"],
    volume: Scalar,
    valences: Float[Array, "2"],
    cores_a: FrozenCore,
    cores_b: FrozenCore,
    q: Float[Array, " q"],
) -> WavenumberCharacteristics:
    """F_ij(q) of the alloy of two frozen cores.

    concentrations: c_A, c_B. volume: Omega, bohr^3 per atom. valences: Z_A, Z_B. q: wavenumbers > 0, 1/bohr.
    Composes under jit, vmap, jvp and vjp in concentrations, volume, valences, q and the mean free path.
    Raises InputError for q beyond the cores' amplitude series.
    Source: PHH Sec. II A-B; physics.md 3.3.
    """
    require(
        "q (1/bohr)", q, lambda x: (x > 0) & (x < 0.9 * LARGEST_WAVENUMBER), f"use 0 < q < {0.9 * LARGEST_WAVENUMBER}"
    )
    choices = (potential.hole, potential.hole_norm, potential.correlation)
    alloy = ions_in_gas((cores_a, cores_b), concentrations, volume, valences, *choices)
    levels, converged = core_levels(potential, alloy)
    answer = respond(alloy, levels, q, potential.local_field, potential.mean_free_path)
    return WavenumberCharacteristics(
        q=q,
        F=screened_pairs(answer, volume),
        effective_valences=alloy.effective_valences,
        hole_charges=alloy.hole_charges,
        screening_charge=answer.screening_charge,
        form_factors=fermi_form_factors(alloy, levels, answer, q),
        core_levels=levels,
        volume_energy=volume_energy(alloy),
        cores_self_consistent=jnp.stack([core.holds(alloy.gas_density) for core in (cores_a, cores_b)]),
        shift_converged=converged,
    )


def core_levels(potential: OptimisedOPW, alloy: IonsInGas) -> tuple[Levels, Bool[Array, ""]]:
    """Core levels (absolute, Ry) by the potential's convention, and whether their iteration converged."""
    density = alloy.gas_density
    zero = zero_shift(potential.core_zero, density, alloy.correlation)
    if potential.core_shift == "screened":
        return screened_levels(alloy, zero, potential.local_field, potential.mean_free_path)

    def level(ion: IonInGas, ionic: Float[Array, " orbital"]) -> Float[Array, " orbital"]:
        if potential.core_shift == "average":
            return ionic + zero + average_shift(ion, alloy.mean_valence, density)
        return ionic + zero + neutral_sphere_shift(ion, alloy.concentrations, alloy.valences, density)

    return both(level, alloy.ions, alloy.ionic_levels), jnp.asarray(True)


def check_density(alloy: Alloy, cores: tuple[FrozenCore, FrozenCore]) -> None:
    """Raise InputError where the electron gas is outside `GAS_DENSITIES` or the cores overlap; traced values pass."""
    if is_traced((alloy.concentration, alloy.volume, alloy.valences)):
        return
    c, valences = np.asarray(alloy.concentration), np.asarray(alloy.valences)
    mean_valence = (1 - c) * valences[0] + c * valences[1]
    density = mean_valence / np.asarray(alloy.volume)
    low, high = GAS_DENSITIES
    remedy = f"the method is for {low} to {high} electrons per bohr^3; check the volume (bohr^3 per atom)"
    require("electron density (bohr^-3)", density, lambda n: (n > low) & (n < high), remedy)
    require(
        "core charge outside the mean atomic sphere",
        _overlap(jax.device_put(mean_valence), jax.device_put(density), cores),
        lambda x: x < LARGEST_OVERLAP,
        "the cores overlap at this volume; frozen cores need a larger one",
    )


@program
def _overlap(mean_valence: Scalar, density: Scalar, cores: tuple[FrozenCore, FrozenCore]) -> Scalar:
    """Largest charge of a core orbital outside the mean atomic sphere."""
    radius = sphere_radius(mean_valence, density)

    def outside(core: FrozenCore) -> Scalar:
        return jnp.max(jnp.where(core.radius > radius, core.weight, 0.0) @ core.at(density).orbitals ** 2)

    return jnp.maximum(*both(outside, cores))
