"""Arrhenius' law through the rates found at several annealing temperatures, and energies from single times."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from jaxalloy._typing import Float
from jaxalloy.constants import BOLTZMANN_RY_PER_K, RYDBERG_IN_EV
from jaxalloy.fitting.relaxation.compare import Comparison
from jaxalloy.fitting.relaxation.fit import ModelFit
from jaxalloy.numerics.checks import InputError, require_positive

BOLTZMANN_EV_PER_K = BOLTZMANN_RY_PER_K * RYDBERG_IN_EV
ATTEMPT_FREQUENCY = 1e13
"""1/s, the scale of atomic vibrations; assumed wherever an energy is read off a single temperature."""


@dataclasses.dataclass(frozen=True)
class ArrheniusLaw:
    """ln k = ln k0 - E/(k_B T). energy: E, eV. log_prefactor: ln k0, k0 in the unit of the rates.

    correlation: of E and ln k0. chi_squared: of `degrees` degrees of freedom, with the errors given.
    """

    energy: float
    energy_error: float
    log_prefactor: float
    log_prefactor_error: float
    correlation: float
    chi_squared: float
    degrees: int


def arrhenius(
    temperatures: Float[np.ndarray, " n"], rates: Float[np.ndarray, " n"], relative_errors: Float[np.ndarray, " n"]
) -> ArrheniusLaw:
    """Weighted straight line of ln k against 1/T; errors are widened where chi^2 exceeds its degrees of freedom.

    temperatures: K. relative_errors: standard deviations of ln k. Raises `InputError` for fewer than two
    temperatures.
    """
    require_positive("temperature (K)", temperatures)
    require_positive("rate", rates)
    require_positive("relative error of the rate", relative_errors)
    if len(np.unique(temperatures)) < 2:
        raise InputError("Arrhenius' law needs rates at two temperatures at least")
    slope = -1.0 / (BOLTZMANN_EV_PER_K * temperatures)
    middle = slope.mean()
    design = np.stack([slope - middle, np.ones_like(slope)], 1) / relative_errors[:, None]
    target = np.log(rates) / relative_errors
    (energy, level), *_ = np.linalg.lstsq(design, target, rcond=None)
    covariance = np.linalg.inv(design.T @ design)
    chi_squared, degrees = float(np.sum((design @ [energy, level] - target) ** 2)), len(rates) - 2
    if degrees > 0:
        covariance = covariance * max(chi_squared / degrees, 1.0)
    shift = np.array([[1.0, 0.0], [-middle, 1.0]])
    covariance = shift @ covariance @ shift.T
    deviation = np.sqrt(np.diag(covariance))
    return ArrheniusLaw(
        energy=float(energy),
        energy_error=float(deviation[0]),
        log_prefactor=float(level - middle * energy),
        log_prefactor_error=float(deviation[1]),
        correlation=float(covariance[0, 1] / (deviation[0] * deviation[1])),
        chi_squared=chi_squared,
        degrees=degrees,
    )


def rate_of(fit: ModelFit) -> tuple[float, float] | None:
    """The rate of a fitted law and its relative error; None where it has none or it is undetermined."""
    name = fit.model.rate
    if name is None or name in fit.undetermined:
        return None
    value, relative = fit.values[name], fit.errors[name] / fit.values[name]
    (dimension,) = [parameter.dimension for parameter in fit.model.parameters if parameter.name == name]
    return (value if dimension == -1 else 1.0 / value), relative


def arrhenius_laws(comparisons: Sequence[Comparison]) -> dict[str, ArrheniusLaw]:
    """The law of every model whose rate is determined at two temperatures or more.

    Raises `InputError` where the curves have different units of time.
    """
    units = {comparison.curve.time_unit for comparison in comparisons}
    if len(units) > 1:
        raise InputError(f"times in {', '.join(sorted(units))}: Arrhenius' law needs one unit; convert the files")
    points: dict[str, list[tuple[float, float, float]]] = {}
    for comparison in comparisons:
        for name, fit in comparison.fits.items():
            rate = rate_of(fit)
            if rate is not None and comparison.curve.temperature is not None:
                points.setdefault(name, []).append((comparison.curve.temperature, *rate))
    return {
        name: arrhenius(*np.array(rows).T)
        for name, rows in points.items()
        if len({temperature for temperature, *_ in rows}) > 1
    }


def activation_energies(fit: ModelFit, attempt_frequency: float = ATTEMPT_FREQUENCY) -> dict[str, float] | None:
    """Energy (eV) of tau by tau = exp(E/kT)/nu0, and the width of the spectrum; None for laws without spectrum.

    None also where the curve has no temperature or an unknown unit of time. attempt_frequency: nu0, 1/s.
    """
    seconds, temperature = fit.curve.seconds, fit.curve.temperature
    if "width" not in fit.values or seconds is None or temperature is None:
        return None
    thermal = BOLTZMANN_EV_PER_K * temperature
    energy = thermal * np.log(attempt_frequency * seconds * fit.values["tau"])
    return {"energy_eV": float(energy), "width_eV": float(thermal * fit.values["width"])}
