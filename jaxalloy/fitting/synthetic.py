"""Synthetic measurements, for tests of the fit and for planning an experiment."""

import dataclasses

import jax
import jax.numpy as jnp

from jaxalloy._typing import Array, Float
from jaxalloy.fitting.model import Measurement, Reduced, predicted_curves
from jaxalloy.reference.mixture import HardSphereYukawa
from jaxalloy.scattering.measured import MeasuredStructureFactor


def synthetic_data(
    template: MeasuredStructureFactor,
    alloy,
    liquid: HardSphereYukawa,
    key: Array,
    *,
    scale: float = 1.0,
    level: float = 1.0,
    softness: float = 0.0,
) -> MeasuredStructureFactor:
    """What `template` (its q, errors, kind and probe) would show of `liquid`, with Gaussian noise of its errors.

    softness: bohr. key: of `jax.random`.
    """
    measurement = Measurement.of(template, alloy)
    exact = _exact(measurement, liquid, jnp.asarray([scale, level, softness**2]))
    noise: Float[Array, "curves q"] = measurement.errors * jax.random.normal(key, exact.shape, exact.dtype)
    return dataclasses.replace(template, curves=exact + (0 if template.errors is None else 1) * noise)


@jax.jit
def _exact(measurement, liquid, instrument):
    reduced = Reduced(liquid.sigma, liquid.eta, liquid.y, liquid.Z)
    return predicted_curves(measurement, reduced, *instrument)


def empty_template(q, error: float | None, probe=None, kind: str = "S") -> MeasuredStructureFactor:
    """A composite still to be measured: wave numbers in 1/bohr, shape (q,), one error for all points, and a probe."""
    q = jnp.asarray(q)
    errors = None if error is None else jnp.full((1, q.size), error)
    return MeasuredStructureFactor(q, jnp.ones((1, q.size)), errors, None, kind, ("S",), probe)
