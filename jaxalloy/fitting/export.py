"""A fit as files: a dataset with every curve, unit and error, and a plain-text table of parameters."""

from typing import Any

import numpy as np
import xarray as xr

from jaxalloy.fitting.fit import FitResult


def fit_to_dataset(result: FitResult) -> xr.Dataset:
    """The fit as an `xarray.Dataset`: parameters with NAME_sd, measured and fitted curves of every data set i over
    q_i."""
    variables: dict[str, Any] = {}
    coordinates: dict[str, Any] = {}
    for name, estimate in result.estimates.items():
        about = {"units": estimate.unit, "long_name": estimate.meaning, "determined": int(estimate.determined)}
        variables[name] = ((), estimate.value, about | ({"note": estimate.note} if estimate.note else {}))
        variables[f"{name}_sd"] = (
            (),
            estimate.sd,
            {"units": estimate.unit, "long_name": f"standard deviation of {name}"},
        )
    for i, (data, fitted) in enumerate(zip(result.data, result.curves, strict=True), 1):
        dimension = f"q_{i}"
        coordinates[dimension] = (
            dimension,
            np.asarray(data.q),
            {"units": "1/bohr", "long_name": f"wave number, {data.name}"},
        )
        for k, curve in enumerate(data.names):
            about = {"units": "1", "long_name": f"{data.kind} {curve}, {data.name}"}
            variables[f"measured_{i}_{curve}"] = (dimension, np.asarray(data.curves[k]), about)
            variables[f"fit_{i}_{curve}"] = (
                dimension,
                fitted[k],
                about | {"long_name": f"fit of {curve}, {data.name}"},
            )
            if data.errors is not None:
                told = about | {"long_name": f"standard deviation of {curve}, {data.name}"}
                variables[f"error_{i}_{curve}"] = (dimension, np.asarray(data.errors[k]), told)
    coordinates["parameter"] = ("parameter", np.asarray(result.correlated, dtype=object).astype(str))
    coordinates["parameter_2"] = ("parameter_2", np.asarray(result.correlated, dtype=object).astype(str))
    about = {"units": "1", "long_name": "correlation of the parameters"}
    variables["correlation"] = (("parameter", "parameter_2"), result.correlation, about)
    alloy = result.problem.measurements[0].alloy
    attributes = {
        "element_A": alloy.symbols[0],
        "element_B": alloy.symbols[1],
        "concentration": float(alloy.concentration),
        "temperature_K": float(alloy.temperature),
        "volume_bohr3": float(alloy.volume),
        "chi2": np.nan if result.chi2 is None else result.chi2,
        "degrees_of_freedom": result.dof,
        "inflation": result.inflation,
        "converged": int(result.converged),
        "warnings": "; ".join(result.warnings),
    }
    return xr.Dataset(variables, coordinates, attributes)


def parameter_table(result: FitResult) -> str:
    """Parameters as tab-separated text: name, value, standard deviation, unit, fitted, at bound, determined, note."""
    lines = ["# " + "\t".join(("parameter", "value", "sd", "unit", "fitted", "at_bound", "determined", "note"))]
    for name, e in result.estimates.items():
        flags = ["yes" if flag else "no" for flag in (e.fitted, e.at_bound, e.determined)]
        lines.append("\t".join([name, f"{e.value:.8g}", f"{e.sd:.3g}", e.unit, *flags, e.note]))
    lines.append("# correlation: " + ", ".join(result.correlated))
    lines += ["# " + "\t".join(f"{x:.3f}" for x in row) for row in result.correlation]
    return "\n".join(lines) + "\n"
