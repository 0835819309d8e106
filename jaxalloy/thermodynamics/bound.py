"""The Gibbs-Bogoliubov bound to the free energy of a liquid alloy, term by term.

    F = E_FE + E_BS + E_es + (3/2) k_B T - T (S_gas + S_mix + S_HS + dS_ord)

per atom, in Ry, on the hard-sphere-Yukawa reference liquid; by quadrature over wavenumbers (PHH Eqs. 19-21, the
electrostatic part in closed form) and, as a second route to the same number, over distances (PHH Eqs. 22-23).
"""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Float, Scalar
from jaxalloy.alloy import Alloy
from jaxalloy.constants import BOLTZMANN_RY_PER_K, MASS_UNITS_PER_DALTON
from jaxalloy.electrons.interactions import Interactions
from jaxalloy.numerics.checks import InputError, is_traced
from jaxalloy.numerics.special import stumpff
from jaxalloy.reference import hard_sphere, yukawa
from jaxalloy.reference.mixture import HardSphereYukawa
from jaxalloy.thermodynamics.nearby import (
    NearbyIntegrals,
    contact_expansion,
    density_expansion,
    ordering_expansion,
)


class Entropy(eqx.Module):
    """Entropy of the alloy by origin, in k_B per atom, shape () each.

    gas: ideal gas of the mean mass, without mixing. mixing: ideal. hard_sphere: packing. ordering: chemical order.
    """

    gas: Scalar
    mixing: Scalar
    hard_sphere: Scalar
    ordering: Scalar

    @property
    def total(self) -> Scalar:
        """Sum of the four."""
        return self.gas + self.mixing + self.hard_sphere + self.ordering


class FreeEnergy(eqx.Module):
    """The bound by terms, Ry per atom, shape () each.

    volume: E_FE. band_structure: E_BS. electrostatic: E_es. thermal: (3/2) k_B T. entropy: -T S.
    Source: PHH Eq. 19.
    """

    volume: Scalar
    band_structure: Scalar
    electrostatic: Scalar
    thermal: Scalar
    entropy: Scalar

    @property
    def energy(self) -> Scalar:
        """Internal energy; at the negligible pressure of a liquid metal also the enthalpy."""
        return self.volume + self.band_structure + self.electrostatic + self.thermal

    @property
    def total(self) -> Scalar:
        """The bound itself."""
        return self.energy + self.entropy


class Waves(NamedTuple):
    """At one packing fraction: diameter sigma (bohr), Q = q sigma and the Stumpff functions c_1 ... c_4 of Q."""

    eta: Scalar
    sigma: Scalar
    Q: Float[Array, " q"]
    c: tuple[Float[Array, " q"], Float[Array, " q"], Float[Array, " q"], Float[Array, " q"]]


class StructureIntegrals(eqx.Module):
    """What the structure-dependent part of the bound needs, integrated over: arrays only, cheap to evaluate often.

    q: wavenumbers, 1/bohr. density, ordering: (Omega/2 pi^2) w q^2 times F_NN, and times c_A c_B (F_AA+F_BB-2F_AB),
    Ry. coulomb_density, coulomb_ordering: (Zbar*)^2 and c_A c_B (dZ*)^2. volume: bohr^3.
    """

    q: Float[Array, " q"]
    density: Float[Array, " q"]
    ordering: Float[Array, " q"]
    coulomb_density: Scalar
    coulomb_ordering: Scalar
    volume: Scalar

    @classmethod
    def of(cls, interactions: Interactions) -> "StructureIntegrals":
        """The integrals of one set of interactions."""
        measure = interactions.volume / (2 * jnp.pi**2) * interactions.weights * interactions.q**2
        z_a, z_b = interactions.effective_valences
        c_b = interactions.concentration
        mean = (1 - c_b) * z_a + c_b * z_b
        return cls(
            q=interactions.q,
            density=measure * interactions.characteristics_nn(),
            ordering=measure * interactions.characteristics_cc(),
            coulomb_density=mean**2,
            coulomb_ordering=c_b * (1 - c_b) * (z_a - z_b) ** 2,
            volume=interactions.volume,
        )

    def sigma(self, eta: Scalar) -> Scalar:
        """Hard-sphere diameter, bohr, at packing fraction eta."""
        return jnp.cbrt(6 * eta * self.volume / jnp.pi)

    def waves(self, eta: Scalar) -> Waves:
        """All that the integrals need of a packing fraction."""
        sigma = self.sigma(eta)
        Q = self.q * sigma
        return Waves(eta, sigma, Q, stumpff(Q))

    def band_structure(self, eta: Scalar, y: Scalar, Z: Scalar) -> Scalar:
        """E_BS, Ry per atom. Source: PHH Eq. 20b."""
        waves = self.waves(eta)
        return self._density_band(waves) + self._ordering_band(waves, y, Z)

    def electrostatic(self, eta: Scalar, y: Scalar, Z: Scalar) -> Scalar:
        """E_es, Ry per atom, in closed form. Source: PHH Eqs. 21b, 24, 25, corrected."""
        density = self.coulomb_density * hard_sphere.alpha_nn(eta)
        return (density + self.coulomb_ordering * yukawa.alpha_cc(y, Z)) / self.sigma(eta)

    def density_energy(self, eta: Scalar) -> Scalar:
        """E_NN: the part of E_BS + E_es that goes with S_NN, Ry per atom."""
        return self.density_energy_of(self.waves(eta))

    def ordering_energy(self, eta: Scalar, y: Scalar, Z: Scalar) -> Scalar:
        """E_CC: the part of E_BS + E_es that goes with S_CC, Ry per atom."""
        return self.ordering_energy_of(self.waves(eta), y, Z)

    def density_energy_of(self, waves: Waves) -> Scalar:
        """`density_energy` from the waves of a packing fraction."""
        return self._density_band(waves) + self.coulomb_density * hard_sphere.alpha_nn(waves.eta) / waves.sigma

    def ordering_energy_of(self, waves: Waves, y: Scalar, Z: Scalar) -> Scalar:
        """`ordering_energy` from the waves of a packing fraction."""
        return self._ordering_band(waves, y, Z) + self.coulomb_ordering * yukawa.alpha_cc(y, Z) / waves.sigma

    def contact_potential_cc(self, eta: Scalar) -> Scalar:
        """Phi_CC(sigma), Ry: the pair potential at the diameter, from the integrals at hand."""
        return self.contact_potential_cc_of(self.waves(eta))

    def contact_potential_cc_of(self, waves: Waves) -> Scalar:
        """`contact_potential_cc` from the waves of a packing fraction."""
        return 2 * (self.coulomb_ordering / waves.sigma + self.ordering @ waves.c[0])

    def near(self, waves: Waves, y: Scalar, Z: Scalar) -> NearbyIntegrals:
        """These integrals to second order around a packing fraction, y and Z."""
        eta, sigma, Q, c = waves
        return NearbyIntegrals(
            density=density_expansion(self.density, eta, sigma, Q, c),
            ordering=ordering_expansion(self.ordering, sigma, y, Z, Q, c),
            contact=contact_expansion(self.ordering, sigma, Q, c),
            coulomb_density=self.coulomb_density,
            coulomb_ordering=self.coulomb_ordering,
            volume=self.volume,
        )

    def _density_band(self, waves: Waves) -> Scalar:
        return self.density @ hard_sphere.structure_factor_of_waves(waves.Q, waves.c, waves.eta)

    def _ordering_band(self, waves: Waves, y: Scalar, Z: Scalar) -> Scalar:
        return self.ordering @ yukawa.structure_factor_cc_of_waves(waves.Q, waves.c, y, Z)


def gas_entropy(alloy: Alloy) -> Scalar:
    """Entropy of the ideal gas, k_B per atom: 5/2 + sum c_i ln[Omega (m_i k_B T/2 pi)^(3/2)].

    Without the entropy of mixing, as in PHH Table II. Source: physics.md 2.4.
    """
    momentum_squared = MASS_UNITS_PER_DALTON * alloy.masses * BOLTZMANN_RY_PER_K * alloy.temperature / (2 * jnp.pi)
    return 2.5 + alloy.concentrations @ (jnp.log(alloy.volume) + 1.5 * jnp.log(momentum_squared))


def mixing_entropy(alloy: Alloy) -> Scalar:
    """Ideal entropy of mixing, -sum c_i ln c_i, k_B per atom; none for an element with itself."""
    if alloy.symbols[0] == alloy.symbols[1]:
        return jnp.zeros_like(alloy.concentration)
    return -alloy.concentrations @ jnp.log(alloy.concentrations)


def entropy_of(alloy: Alloy, eta: Scalar, y: Scalar, Z: Scalar) -> Entropy:
    """Entropy of `alloy` on the reference liquid (eta, y, Z), by origin. Source: PHH Eqs. 16, 27."""
    return Entropy(
        gas=gas_entropy(alloy),
        mixing=mixing_entropy(alloy),
        hard_sphere=hard_sphere.excess_entropy(eta),
        ordering=yukawa.ordering_entropy(eta, y, Z),
    )


def free_energy_bound(alloy: Alloy, interactions: Interactions, liquid: HardSphereYukawa) -> FreeEnergy:
    """The bound for one reference liquid, by quadrature over wavenumbers.

    liquid: its packing fraction and diameter must belong to the volume of the alloy.
    Returns the terms by name and their `.total`, Ry per atom.
    Raises `InputError` where alloy, interactions and liquid do not belong together. Source: PHH Eqs. 19-21.
    """
    check_consistent(alloy, interactions, liquid)
    integrals = StructureIntegrals.of(interactions)
    reduced = (liquid.eta, liquid.y, liquid.Z)
    return assemble(
        alloy,
        interactions,
        entropy_of(alloy, *reduced),
        integrals.band_structure(*reduced),
        integrals.electrostatic(*reduced),
    )


class RealSpaceEnergy(eqx.Module):
    """E_0 and E_p of PHH Eqs. 22-23, Ry per atom; E_0 + E_p = E_FE + E_BS + E_es."""

    self_consistent: Scalar
    pair: Scalar

    @property
    def total(self) -> Scalar:
        """E_0 + E_p."""
        return self.self_consistent + self.pair


def real_space_energy(
    interactions: Interactions, liquid: HardSphereYukawa, shells: int = 16, nodes_per_shell: int = 48
) -> RealSpaceEnergy:
    """The energy of the bound by quadrature over distances: a route that shares no integral with the other one.

    E_p = (2 pi/Omega) int [g_NN Phi_NN + h_CC Phi_CC] R^2 dR; the part of it that is independent of g_NN - 1 is
    Phi_NN(q -> 0)/(2 Omega), which E_0 takes off again. Exact pair correlations, integrated shell by shell (each a
    diameter wide, since the correlations are smooth only between multiples of sigma) out to `shells` diameters.
    Source: PHH Eqs. 22-23; physics.md (V7).
    """
    unit, weights = np.polynomial.legendre.leggauss(nodes_per_shell)
    edges = np.arange(shells)[:, None]
    x = jnp.asarray((edges + (unit + 1) / 2).ravel())
    measure = jnp.asarray(np.tile(weights / 2, shells)) * liquid.sigma
    R = x * liquid.sigma
    correlations = liquid.pair_correlations(R)
    potential = interactions.bhatia_thornton(R)
    integrand = (correlations.g_NN - 1) * potential.NN + correlations.h_CC * potential.CC
    fluctuation = 2 * jnp.pi / interactions.volume * (measure * R**2) @ integrand
    mean = mean_potential(interactions) / (2 * interactions.volume)
    volume_energy = jnp.sum(jnp.stack(list(interactions.volume_energy.values())))
    return RealSpaceEnergy(
        self_consistent=volume_energy + interactions.self_energy() - mean,
        pair=fluctuation + mean,
    )


def mean_potential(interactions: Interactions) -> Scalar:
    """Phi_NN(q -> 0) = int Phi_NN d^3R, Ry bohr^3: the limit of 8 pi Zbar*^2/q^2 + 2 Omega F_NN.

    Extrapolated in q^2 from the lower end of the grid, where the two terms cancel.
    """
    c_b = interactions.concentration
    z_a, z_b = interactions.effective_valences
    mean_valence = (1 - c_b) * z_a + c_b * z_b
    order = jnp.argsort(interactions.q)
    q = interactions.q[order]
    picks = jnp.searchsorted(q, jnp.asarray([0.04, 0.08, 0.12, 0.16, 0.20], dtype=q.dtype))
    q_low = q[picks]
    characteristics = interactions.characteristics_nn()[order][picks]
    values = 8 * jnp.pi * mean_valence**2 / q_low**2 + 2 * interactions.volume * characteristics
    vandermonde = q_low[:, None] ** (2 * jnp.arange(5)[None, :])
    return jnp.linalg.solve(vandermonde, values)[0]


def assemble(
    alloy: Alloy, interactions: Interactions, entropy: Entropy, band_structure: Scalar, electrostatic: Scalar
) -> FreeEnergy:
    """The terms of the bound from the parts that depend on the reference liquid. Source: PHH Eq. 19."""
    thermal = BOLTZMANN_RY_PER_K * alloy.temperature
    return FreeEnergy(
        volume=jnp.sum(jnp.stack(list(interactions.volume_energy.values()))),
        band_structure=band_structure,
        electrostatic=electrostatic,
        thermal=1.5 * thermal,
        entropy=-thermal * entropy.total,
    )


def check_consistent(alloy: Alloy, interactions: Interactions, liquid: HardSphereYukawa | None = None) -> None:
    """Raise `InputError` unless interactions and liquid were made for this composition and volume."""
    pairs = [
        ("volume of the interactions (bohr^3)", interactions.volume, alloy.volume),
        ("concentration of the interactions", interactions.concentration, alloy.concentration),
    ]
    if liquid is not None:
        pairs += [
            ("volume of the reference liquid (bohr^3)", liquid.volume, alloy.volume),
            ("concentration of the reference liquid", liquid.concentration, alloy.concentration),
            ("temperature of the reference liquid (K)", liquid.temperature, alloy.temperature),
        ]
    for name, value, expected in pairs:
        if not is_traced((value, expected)) and not np.allclose(value, expected, rtol=1e-6):
            raise InputError(
                f"{name} = {np.asarray(value):.6g}: the alloy has {np.asarray(expected):.6g}; make both for one alloy"
            )
