"""The simple rule for the effective diameter: where two atoms of mean thermal energy turn back."""

import jax.numpy as jnp

from jaxalloy._typing import Scalar, ScalarLike
from jaxalloy.constants import BOLTZMANN_RY_PER_K
from jaxalloy.electrons.interactions import Interactions
from jaxalloy.numerics.newton import newton_root
from jaxalloy.numerics.programs import program

_REACH = 1.45  # a first minimum of Phi_NN lies near 1.15 Omega^(1/3), the second near 1.8 Omega^(1/3)


def density_minimum_rule(interactions: Interactions, temperature: ScalarLike) -> Scalar:
    """Diameter sigma, bohr, with Phi_NN(sigma) - min Phi_NN = (3/2) k_B T, on the wall of the first minimum.

    temperature: K. NaN where Phi_NN has no first minimum (in Pb-rich alloys it is a shoulder): the rule is undefined
    there. Source: PHH Eq. 28; physics.md 4.1.
    """
    return _minimum_rule(interactions, jnp.asarray(temperature, dtype=jnp.result_type(float, temperature)))


@program
def _minimum_rule(interactions: Interactions, temperature: Scalar) -> Scalar:
    spacing = jnp.cbrt(interactions.volume)
    R = spacing * jnp.linspace(0.5, _REACH, 400)
    density = interactions.bhatia_thornton(R).NN
    wall = (density[1:-1] < density[:-2]) & (density[1:-1] <= density[2:])
    bottom = 1 + jnp.argmax(wall)
    level = density[bottom] + 1.5 * BOLTZMANN_RY_PER_K * temperature
    above = (density >= level) & (jnp.arange(R.size) < bottom)
    turning = R.size - 1 - jnp.argmax(above[::-1])
    exists = jnp.any(wall) & jnp.any(above)

    def conditions(unknowns, parameters):
        """The point on the wall, and the bottom: Phi_NN there is stationary."""
        interactions, temperature = parameters
        minimum = unknowns[1]
        potential = interactions.bhatia_thornton(unknowns).NN
        step = 1e-3 * jnp.cbrt(interactions.volume)
        slope = interactions.bhatia_thornton(jnp.stack([minimum - step, minimum + step])).NN
        rise = potential[0] - potential[1] - 1.5 * BOLTZMANN_RY_PER_K * temperature
        return jnp.stack([rise, slope[1] - slope[0]])

    start = jnp.stack([R[turning], R[bottom]])
    root = newton_root(conditions, start, (interactions, temperature), 1e-9, 30, wanted=exists)
    return jnp.where(exists & root.converged, root.value[0], jnp.nan)
