"""Relaxations, stationary states, spectra and fits as xarray datasets: every variable with its unit and meaning."""

import numpy as np
import xarray as xr

from jaxalloy._typing import Array, Float
from jaxalloy.fitting.relaxation import Comparison
from jaxalloy.kinetics import ExponentialRelaxation, Relaxation
from jaxalloy.kinetics.excitations import ExcitationSpectrum
from jaxalloy.kinetics.stationary import Stability, StationaryState, Threshold

INVERSE = "1/rate"


def variable(dimensions: tuple[str, ...] | str, values, units: str, meaning: str) -> tuple:
    """A variable in the form that `xarray.Dataset` takes, complex numbers excluded."""
    return (dimensions, np.asarray(values), {"units": units, "long_name": meaning})


def relaxation_dataset(relaxation: Relaxation, closed: Relaxation | None = None) -> xr.Dataset:
    """One relaxation; closed: the exponential approximation of the same system at the same times."""
    d, b = relaxation.polarisation, relaxation.field
    variables = {
        "eta": variable("time", relaxation.eta, "1", "order parameter, |b| over its last value"),
        "eta_rate": variable("time", relaxation.rate, "rate", "rate of the order parameter"),
        "field_real": variable("time", b.real, "1", "real part of the amplitude b"),
        "field_imag": variable("time", b.imag, "1", "imaginary part of the amplitude b"),
        "polarisation_real": variable(("time", "state"), d.real, "1", "real part of d_k"),
        "polarisation_imag": variable(("time", "state"), d.imag, "1", "imaginary part of d_k"),
        "inversion": variable(("time", "state"), relaxation.inversion, "1", "inversion sigma_k"),
        "reached": variable("time", np.asarray(relaxation.reached).astype(int), "1", "whether it was reached"),
    }
    if closed is not None:
        variables["eta_closed"] = variable("time", closed.eta, "1", "order parameter, EM Eq. 12")
    coordinates = {"time": variable("time", relaxation.times, INVERSE, "time")}
    attributes = {"solver": relaxation.solver, "steps": int(relaxation.steps)}
    return xr.Dataset(variables, coordinates, attributes)


def figure1_dataset(
    systems: list[ExponentialRelaxation], closed: list[Relaxation], full: list[list[Relaxation]], seeds: list[float]
) -> xr.Dataset:
    """EM Fig. 1: curve by curve the closed form, and Eq. 9 for every seed. gamma = 1."""
    x = [float(system.coupling * np.sqrt(system.inversion)) for system in systems]
    variables = {
        "x": variable("curve", x, "1", "Delta sqrt(sigma0)/gamma"),
        "dephasing": variable("curve", [float(system.dephasing) for system in systems], "gamma", "Gamma"),
        "eta_closed": variable(("curve", "time"), [run.eta for run in closed], "1", "order parameter, EM Eq. 12"),
        "eta": variable(
            ("curve", "seed", "time"),
            [[run.eta for run in runs] for runs in full],
            "1",
            "order parameter, EM Eq. 9, |b| over its last value",
        ),
    }
    coordinates = {
        "time": variable("time", closed[0].times, "1/gamma", "time"),
        "seed": variable("seed", seeds, "1", "polarisation d0 at the start"),
        "curve": variable("curve", np.arange(1, len(systems) + 1), "1", "curve of EM Fig. 1"),
    }
    return xr.Dataset(variables, coordinates)


def stationary_dataset(
    limit: Threshold, state: StationaryState, stability: Stability, scales: Float[np.ndarray, " s"], quanta: Array
) -> xr.Dataset:
    """A driven condensate, and its quanta against the pump over the threshold."""
    eigenvalues = np.asarray(stability.eigenvalues)
    scalars = {
        "threshold": (limit.inversion, "1", "sum of the threshold inversions"),
        "ratio": (limit.ratio, "1", "pump over threshold"),
        "boundary": (stability.boundary, "1", "pump over threshold at which the condensate becomes unstable"),
        "quanta": (state.quanta, "1", "excitations N in the condensate"),
        "frequency": (state.frequency, "rate", "pulling of the frequency"),
        "growth_rate": (stability.growth_rate, "rate", "largest real part of the eigenvalues"),
    }
    variables = {name: variable((), value, unit, meaning) for name, (value, unit, meaning) in scalars.items()}
    variables |= {
        "inversion": variable("state", state.inversion, "1", "stationary inversion sigma_k"),
        "eigenvalue_real": variable("eigenvalue", eigenvalues.real, "rate", "real part"),
        "eigenvalue_imag": variable("eigenvalue", eigenvalues.imag, "rate", "imaginary part"),
        "quanta_of_pump": variable("pump_ratio", quanta, "1", "excitations N in the condensate"),
    }
    return xr.Dataset(variables, {"pump_ratio": variable("pump_ratio", scales, "1", "pump over threshold")})


def excitations_dataset(spectrum: ExcitationSpectrum, symbols: list[str]) -> xr.Dataset:
    """The excitations of a cluster."""
    variables = {
        "squared_energy": variable("mode", spectrum.squared, "Ry^2", "E^2, negative where unstable"),
        "energy": variable("mode", spectrum.energies, "Ry", "energy, zero where unstable"),
        "amplitude": variable(("site", "mode"), spectrum.modes, "1", "eigenvector"),
        "site_energy": variable("site", spectrum.site_energies, "Ry", "A_I"),
    }
    return xr.Dataset(variables, {"symbol": ("site", symbols)}, {"stable": int(bool(spectrum.stable))})


def annealing_dataset(comparison: Comparison) -> xr.Dataset:
    """The data of one anneal with every fitted law, its parameters and criteria; errors that are inf are absent."""
    curve, fits = comparison.curve, comparison.fits
    names = list(fits)
    fine = np.unique(np.concatenate([curve.times, np.linspace(curve.times[0], curve.times[-1], 201)]))
    variables = {
        "value": variable("time", curve.values, curve.value_unit, curve.quantity),
        "fit": variable(("model", "fine_time"), [fits[name](fine) for name in names], curve.value_unit, "fitted law"),
        "aic": variable("model", [comparison.aic[name] for name in names], "1", "AIC"),
        "aicc": variable("model", [comparison.aicc[name] for name in names], "1", "AIC, corrected for few points"),
        "bic": variable("model", [comparison.bic[name] for name in names], "1", "BIC"),
    }
    if curve.errors is not None:
        variables["error"] = variable("time", curve.errors, curve.value_unit, f"error of the {curve.quantity}")
    for name, fit in fits.items():
        for key, value in fit.values.items():
            label = f"{name}_{key}".replace("-", "_")
            unit = unit_of(key, fit)
            variables[label] = variable((), value, unit, f"{key} of {name}")
            if np.isfinite(fit.errors[key]):
                variables[f"{label}_error"] = variable((), fit.errors[key], unit, f"standard deviation of {key}")
    coordinates = {
        "time": variable("time", curve.times, curve.time_unit, "time of the anneal"),
        "fine_time": variable("fine_time", fine, curve.time_unit, "time of the anneal"),
        "model": ("model", names),
    }
    attributes = {
        "source": curve.source,
        "preferred": comparison.preferred,
        "verdict": comparison.verdict,
        "effective_points": comparison.effective_points,
    }
    if curve.temperature is not None:
        attributes["temperature_K"] = curve.temperature
    return xr.Dataset(variables, coordinates, attributes)


def unit_of(name: str, fit) -> str:
    """The unit of a fitted value."""
    if name in ("start", "change"):
        return fit.curve.value_unit
    (dimension,) = [parameter.dimension for parameter in fit.model.parameters if parameter.name == name]
    return {0: "1", 1: fit.curve.time_unit, -1: f"1/{fit.curve.time_unit}"}[dimension]
