"""The forward model: from a reference liquid and an instrument to the points of a measurement.

    curve = nominal + (level - 1) + scale [w_NN (S_NN - 1) + w_CC (S_CC/(c_A c_B) - 1)] exp(-(softness q)^2)

folded with a Gaussian in q of standard deviation `resolution`. Scale and level are fitted, since scale and offset
(= level - scale) are correlated to -0.99. The softness stands for what hard spheres lack (physics.md 6).
"""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Float, Scalar
from jaxalloy.alloy import Alloy
from jaxalloy.constants import BOLTZMANN_RY_PER_K
from jaxalloy.reference import hard_sphere, yukawa
from jaxalloy.scattering.measured import MeasuredStructureFactor

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)


class Reduced(NamedTuple):
    """The reference liquid in the variables in which nothing needs a root: sigma (bohr), eta, y, Z = kappa sigma."""

    sigma: Scalar
    eta: Scalar
    y: Scalar
    Z: Scalar


class Parameter(NamedTuple):
    """A quantity that a fit may vary: its unit, range searched, start, longest step of a search, and what it is.

    scale: the variable fitted is the quantity itself ("linear"), its logarithm ("log") or its square ("square");
    limits, start and step are given of the quantity, the step of a "log" one of the logarithm.
    """

    unit: str
    lower: float
    upper: float
    start: float
    longest: float
    meaning: str
    scale: str = "linear"


@runtime_checkable
class Model(Protocol):
    """What a fit needs of a model: its alloy, its parameters by name, and the liquid they make."""

    alloy: Alloy

    def parameters(self) -> dict[str, Parameter]:
        """The physical parameters that can be fitted."""
        ...

    def liquid(self, values: dict[str, Scalar], alloy: Alloy) -> Reduced:
        """The reference liquid in the state `alloy` for these values."""
        ...


INSTRUMENT = {
    "scale": Parameter("1", 1e-3, 1e3, 1.0, 0.5, "factor on the structure"),
    "level": Parameter("1", -1e3, 1e3, 1.0, 0.5, "value at large q, relative to the nominal one of 1"),
    "softness": Parameter("bohr", 0.0, 1.0, 0.1, 0.5, "damping length b in exp(-(b q)^2)", "square"),
    "resolution": Parameter("1/bohr", 1e-4, 0.5, 0.02, 0.2, "standard deviation of q", "square"),
}


class ReferenceModel(eqx.Module):
    """The hard-sphere-Yukawa liquid with free parameters sigma (or eta), epsilon, kappa.

    alloy: symbols, composition, volume and temperature. With its volume sigma and eta are one parameter; a fit in which
    both are named frees them from each other.
    """

    alloy: Alloy

    def parameters(self) -> dict[str, Parameter]:
        """sigma, eta, epsilon, kappa, and y in place of epsilon."""
        diameter = float(jnp.cbrt(6 * self.alloy.volume / jnp.pi))
        lower, upper, start = (diameter * eta ** (1 / 3) for eta in (0.05, 0.62, 0.42))
        return {
            "sigma": Parameter("bohr", lower, upper, start, 0.05 * diameter, "hard-sphere diameter"),
            "eta": Parameter("1", 0.05, 0.62, 0.42, 0.05, "packing fraction"),
            "epsilon": Parameter("Ry", -1.0, 1.0, -0.01, 0.01, "ordering potential at contact is -epsilon"),
            "y": Parameter("1", -100.0, 1.0, -1.5, 2.0, "order parameter of the closed forms"),
            "kappa": Parameter("1/bohr", 0.003, 40.0, 8.0 / start, 1.0, "inverse range of the order", "log"),
        }

    def liquid(self, values: dict[str, Scalar], alloy: Alloy) -> Reduced:
        """The liquid; NaN beyond the spinodal, where the closed forms still give a plausible structure factor."""
        if "sigma" in values:
            sigma = values["sigma"]
            eta = values.get("eta", jnp.pi * sigma**3 / (6 * alloy.volume))
        else:
            eta = values["eta"]
            sigma = jnp.cbrt(6 * eta * alloy.volume / jnp.pi)
        Z = values["kappa"] * sigma
        if "y" in values:
            y = jnp.where(values["y"] < yukawa.spinodal_y(Z), values["y"], jnp.nan)
        else:
            y, _ = yukawa.solve_order_parameter(eta, values["epsilon"] / thermal_energy(alloy), Z)
        return Reduced(sigma, eta, y, Z)


def thermal_energy(alloy: Alloy) -> Scalar:
    """k_B T, Ry."""
    return BOLTZMANN_RY_PER_K * alloy.temperature


class Measurement(eqx.Module):
    """A data set as the forward model sees it. q, dq: 1/bohr, shape (q,); values, errors, weights: shape (curves, q);
    nominal: shape (curves,). errors are ones where none were measured."""

    q: Float[Array, " q"]
    dq: Float[Array, " q"] | None
    values: Float[Array, "curves q"]
    errors: Float[Array, "curves q"]
    weight_nn: Float[Array, "curves q"]
    weight_cc: Float[Array, "curves q"]
    nominal: Float[Array, " curves"]
    alloy: Alloy

    @classmethod
    def of(cls, data: MeasuredStructureFactor, alloy: Alloy) -> "Measurement":
        """The data set `data`, taken in the state `alloy` unless it names its own."""
        alloy = alloy if data.alloy is None else data.alloy
        errors = jnp.ones_like(data.curves) if data.errors is None else data.errors
        return cls(data.q, data.dq, data.curves, errors, *data.weights(alloy), alloy)


def predicted_curves(
    measurement: Measurement,
    liquid: Reduced,
    scale: Any = 1.0,
    level: Any = 1.0,
    softness_squared: Any = 0.0,
    resolution_squared: Any = None,
) -> Float[Array, "curves q"]:
    """What the measurement should show of this liquid, shape (curves, q).

    softness_squared: bohr^2. resolution_squared: 1/bohr^2, or None; added to the squared dq of the points. The weights
    are taken at the nominal q, as they vary slowly.
    """
    q = measurement.q
    width = measurement.dq
    if resolution_squared is not None:
        width = jnp.sqrt(resolution_squared + (jnp.zeros_like(q) if width is None else width**2))
    if width is None:
        nn, cc = _structure(q, liquid, softness_squared)
    else:
        spread = jnp.abs(q[:, None] + width[:, None] * jnp.asarray(_NODES, q.dtype)[None, :])
        weights = jnp.asarray(_WEIGHTS / _WEIGHTS.sum(), q.dtype)
        nn, cc = (channel @ weights for channel in _structure(spread, liquid, softness_squared))
    structure = measurement.weight_nn * nn[None] + measurement.weight_cc * cc[None]
    return measurement.nominal[:, None] + (level - 1) + scale * structure


def _structure(
    q: Float[Array, "*shape"], liquid: Reduced, softness_squared: Any
) -> tuple[Float[Array, "*shape"], Float[Array, "*shape"]]:
    """S_NN - 1 and S_CC/(c_A c_B) - 1, damped."""
    Q = q * liquid.sigma
    damping = jnp.exp(-softness_squared * q**2)
    nn = hard_sphere.structure_factor(Q, liquid.eta) - 1
    cc = yukawa.structure_factor_cc(Q, liquid.y, liquid.Z) - 1
    return damping * nn, damping * cc
