"""The hard-sphere diameter that the density potential alone suggests, to compare the variational one with."""

import jax
import jax.numpy as jnp

from jaxalloy._typing import Scalar, ScalarLike
from jaxalloy.constants import BOLTZMANN_RY_PER_K
from jaxalloy.electrons.interactions import Interactions

_NEAR, _FAR = 0.5, 1.5  # of Omega^(1/3): nearest neighbours sit at 1.1, the second minimum of Phi_NN beyond 1.7
_POINTS = 301


def density_minimum_rule(interactions: Interactions, temperature: ScalarLike) -> Scalar:
    """Diameter sigma, bohr, at which Phi_NN has risen by (3/2) k_B T above its first minimum.

    Phi_NN(sigma) - Phi_NN,min = (3/2) k_B T. NaN where Phi_NN has no minimum at nearest-neighbour distances, only a
    shoulder, as in Pb-rich alloys: the rule would jump to the second minimum and is undefined there.

    temperature: K, shape (). Derivatives are the implicit ones. Source: PHH Eq. 28.
    """

    def density_potential(R: Scalar) -> Scalar:
        return interactions.bhatia_thornton(R).NN

    scale = jax.lax.stop_gradient(jnp.cbrt(interactions.volume))
    R = scale * jnp.linspace(_NEAR, _FAR, _POINTS, dtype=scale.dtype)
    phi = jax.lax.stop_gradient(interactions.bhatia_thornton(R).NN)
    lowest = (phi[1:-1] < phi[:-2]) & (phi[1:-1] <= phi[2:])
    index = 1 + jnp.argmax(lowest)
    left, centre, right = phi[index - 1], phi[index], phi[index + 1]
    step = R[1] - R[0]
    bottom = R[index] + step * (left - right) / (2 * (left + right - 2 * centre))
    # the derivative of the minimum value is that at fixed R; its error is of fourth order in the step
    target = density_potential(bottom) + 1.5 * BOLTZMANN_RY_PER_K * temperature

    inside = jnp.arange(_POINTS) < index
    outermost = jnp.max(jnp.where(inside & (phi > jax.lax.stop_gradient(target)), jnp.arange(_POINTS), -1))
    sigma = R[outermost]
    for _ in range(4):  # convex and falling: Newton from the left converges monotonically; only the last step has slope
        value, slope = jax.value_and_grad(density_potential)(jax.lax.stop_gradient(sigma))
        sigma = jax.lax.stop_gradient(sigma) - (value - target) / slope
    return jnp.where(jnp.any(lowest) & (outermost >= 0), sigma, jnp.nan)
