"""Functions of mixing: an alloy against its pure liquid metals at the same temperature."""

import equinox as eqx
import jax.numpy as jnp

from jaxalloy._typing import Scalar
from jaxalloy.alloy import Alloy
from jaxalloy.constants import BOLTZMANN_RY_PER_K, RYDBERG_IN_KJ_PER_MOL
from jaxalloy.electrons.interactions import Potential, interactions
from jaxalloy.thermodynamics.variational import HardSpheres, VariationalState, minimise

HEAT_UNCERTAINTY_KJ_PER_MOL = 20.0
"""What a computed heat of mixing of a heterovalent alloy may be off by. Source: physics.md 4.2."""


class Mixing(eqx.Module):
    """Functions of mixing per atom, shape () each, and the three states they come from.

    enthalpy, free_energy: Ry; entropy: k_B; excess_entropy: without the ideal entropy of mixing, k_B.
    concentration_fluctuations: S_CC(q = 0) of the reference liquid.
    """

    enthalpy: Scalar
    entropy: Scalar
    excess_entropy: Scalar
    free_energy: Scalar
    concentration_fluctuations: Scalar
    alloy: VariationalState
    pure: tuple[VariationalState, VariationalState]

    @property
    def enthalpy_uncertainty(self) -> float:
        """What the enthalpy may be off by, Ry per atom: `HEAT_UNCERTAINTY_KJ_PER_MOL`, more than most heats."""
        return HEAT_UNCERTAINTY_KJ_PER_MOL / RYDBERG_IN_KJ_PER_MOL


def mixing(state: VariationalState, potential: Potential) -> Mixing:
    """Enthalpy, entropy and free energy of mixing of a minimised alloy, at the densities of the element tables.

    potential: that of the alloy, applied to both pure liquids (hard spheres without chemical order). Heats are
    uncertain by `HEAT_UNCERTAINTY_KJ_PER_MOL` for a heterovalent alloy; entropies are far better.
    Source: PHH Sec. IV, Fig. 12.
    """
    temperature = state.alloy.temperature
    pure_alloys = [Alloy.pure(symbol, temperature) for symbol in state.alloy.symbols]
    first, second = (minimise(pure, interactions(pure, potential), HardSpheres()) for pure in pure_alloys)
    c_a, c_b = state.alloy.concentrations
    entropy = state.entropy.total - c_a * first.entropy.total - c_b * second.entropy.total
    enthalpy = state.enthalpy - c_a * first.enthalpy - c_b * second.enthalpy
    return Mixing(
        enthalpy=enthalpy,
        entropy=entropy,
        excess_entropy=entropy - state.entropy.mixing,
        free_energy=enthalpy - BOLTZMANN_RY_PER_K * temperature * entropy,
        concentration_fluctuations=state.liquid.structure_factor_cc(jnp.zeros(())),
        alloy=state,
        pure=(first, second),
    )
