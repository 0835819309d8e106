"""A forward model without free structure: S(q) at the minimum of the free-energy bound.

Fitted are the parameters of the interactions: core radii, mean free path of the electrons, volume. The liquid follows
from them through the variational minimum, and its derivatives are implicit ones.
"""

import dataclasses
from typing import Any

import equinox as eqx
import jax.numpy as jnp

from jaxalloy._typing import Scalar
from jaxalloy.alloy import Alloy
from jaxalloy.electrons.empty_core import EmptyCore
from jaxalloy.electrons.interactions import Potential, interactions
from jaxalloy.fitting.model import Parameter, Reduced
from jaxalloy.thermodynamics.variational import Constraint, ContactConstraint, minimise

_CONTACT = ContactConstraint()


class ThroughBound(eqx.Module):
    """S(q) of the liquid that minimises the bound.

    alloy: the alloy of the measurement. potential: where the interactions come from; with `EmptyCore` the core radii
    radius_X (bohr) of its elements can be fitted, with any potential that has one the mean_free_path (bohr), and always
    the volume (bohr^3 per atom). What is not fitted or fixed stays as the potential has it.
    constraint: of the minimum. Where there is no minimum the fit goes back, as the liquid is NaN.
    Source: PHH Secs. II-IV; physics.md 6.
    """

    alloy: Alloy
    potential: Potential = EmptyCore()
    constraint: Constraint = _CONTACT

    def parameters(self) -> dict[str, Parameter]:
        """radius_A and radius_B under their symbols, mean_free_path, volume."""
        found = {}
        if isinstance(self.potential, EmptyCore):
            for symbol, radius in zip(self.alloy.symbols, self.potential.prepare(self.alloy), strict=True):
                r = float(radius)
                about = f"core radius of {symbol}"
                found[f"radius_{symbol}"] = Parameter("bohr", 0.5 * r, 1.6 * r, r, 0.05 * r, about)
        if hasattr(self.potential, "mean_free_path"):
            given = self.potential.mean_free_path
            start = 30.0 if given is None else float(given)
            about = "mean free path of the electrons"
            found["mean_free_path"] = Parameter("bohr", 2.0, 1e4, start, 0.5, about, "log")
        V = float(self.alloy.volume)
        found["volume"] = Parameter("bohr^3", 0.7 * V, 1.4 * V, V, 0.03 * V, "mean atomic volume")
        return found

    def liquid(self, values: dict[str, Scalar], alloy: Alloy) -> Reduced:
        """The liquid at the minimum of the bound."""
        if "volume" in values:
            alloy = dataclasses.replace(alloy, volume=values["volume"])
        potential: Any = self.potential
        if isinstance(potential, EmptyCore):
            named = {s: values[f"radius_{s}"] for s in alloy.symbols if f"radius_{s}" in values}
            potential = dataclasses.replace(potential, radii=dict(potential.radii) | named)
        if "mean_free_path" in values:
            potential = dataclasses.replace(potential, mean_free_path=values["mean_free_path"])
        liquid = minimise(alloy, interactions(alloy, potential), self.constraint).liquid
        return Reduced(liquid.sigma, liquid.eta, liquid.y, jnp.asarray(liquid.Z))
