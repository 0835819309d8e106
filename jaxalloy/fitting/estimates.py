"""What a fit tells about each quantity: value, error, verdict; and the limits for an alloy without detectable order."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxalloy.fitting import uncertainty
from jaxalloy.fitting.model import INSTRUMENT
from jaxalloy.fitting.problem import FitProblem, as_parameter

_SHOWN = ("sigma", "eta", "epsilon", "kappa", "h_cc_contact")


class Estimate(NamedTuple):
    """One parameter or derived quantity. sd: standard deviation, 0 of a fixed one, infinite where there is none.
    fitted: whether it was varied. at_bound: whether it ended at a bound. determined: whether the data determine it;
    note: why not, or the limit that they set instead."""

    value: float
    sd: float
    unit: str
    meaning: str
    fitted: bool
    at_bound: bool
    determined: bool
    note: str = ""


class NullOrder(NamedTuple):
    """An alloy without detectable order: 95 % upper limits on |y|, |h_CC| at contact and |epsilon| (Ry), the largest
    over the screening constants `kappas` (1/bohr), and those at each of them."""

    y: float
    h_cc_contact: float
    epsilon: float
    kappas: tuple[float, ...]
    epsilon_at: tuple[float, ...]


def estimate_all(problem, u, at, held, matrix, null) -> dict[str, Estimate]:
    """Every parameter and derived quantity with its error and verdict."""
    found: dict[str, Estimate] = {}
    fitted, bound = set(problem.names), {n for n, h in zip(problem.names, held, strict=True) if h}
    if "y" in fitted:
        fitted.add("epsilon")
    lost = {"epsilon", "y"} if null is not None else set()
    lost |= {"kappa", "Z"} if null is not None and "kappa" in fitted else set()
    for name, (value, sd) in uncertainty.propagate(at, matrix).items():
        sd = 0.0 if sd < 1e-12 * abs(value) else sd  # a fixed one, up to rounding
        unit, meaning = uncertainty.DERIVED[name]
        at_bound = name in bound
        determined = np.isfinite(sd) and not at_bound and name not in lost
        note = "at its bound" if at_bound else "" if determined else "the data do not determine it"
        if name in lost & {"kappa", "Z"}:
            note = "no order is detected: the data say nothing about its range"
        if null is not None and name in ("y", "h_cc_contact", "epsilon"):
            limit = {"y": null.y, "h_cc_contact": null.h_cc_contact, "epsilon": null.epsilon}[name]
            note = f"no order is detected: below {limit:.3g} in size (95 %)"
            determined = False
        elif name == "kappa" and determined and sd > 0.2 * abs(value):
            note = "error above 20 %: take its profile, the interval is not symmetric"
            determined = sd < 0.5 * abs(value)
        found[name] = Estimate(value, sd, unit, meaning, name in fitted, at_bound, bool(determined), note)
    _add_instrument(found, problem, u, held, matrix)
    _add_fixed(found, problem)
    return found


def _add_instrument(found: dict[str, Estimate], problem: FitProblem, u, held, matrix) -> None:
    """Variables of the fit that are no quantities of the liquid, and the offset."""
    known = problem.model.parameters()
    for name, scale, x, h in zip(problem.names, problem.scales, u, held, strict=True):
        if name in found:
            continue
        parameter = known.get(name) or INSTRUMENT[name.split("_")[0]]
        value = float(as_parameter(name, scale, x))
        index = problem.names.index(name)
        sd = float(np.sqrt(matrix[index, index]))
        sd = sd * value if scale == "log" else sd / (2 * value) if scale == "square" and value > 0 else sd
        note = "at its bound" if h else "" if np.isfinite(sd) else "the data do not determine it"
        found[name] = Estimate(value, sd, parameter.unit, parameter.meaning, True, bool(h), not note, note)
    for label in problem.labels:
        names = f"scale{label}", f"level{label}"
        if set(names) <= set(problem.names):
            a, b = (problem.names.index(name) for name in names)
            slope = np.zeros(u.size)
            slope[a], slope[b] = -1.0, 1.0
            sd = uncertainty.spread(slope, matrix)
            found[f"offset{label}"] = Estimate(float(u[b] - u[a]), sd, "1", "level - scale", False, False, True)


def _add_fixed(found: dict[str, Estimate], problem: FitProblem) -> None:
    """Parameters that were held."""
    known = problem.model.parameters()
    for name, value in problem.fixed.items():
        plain = name.removesuffix("_squared")
        if plain not in found:
            number = float(jnp.sqrt(value)) if name != plain else float(value)
            parameter = known.get(plain) or INSTRUMENT[plain.split("_")[0]]
            found[plain] = Estimate(number, 0.0, parameter.unit, parameter.meaning, False, False, True, "fixed")
        elif found[plain].sd == 0:
            found[plain] = found[plain]._replace(note="fixed")


def correlation_matrix(problem, at, matrix) -> tuple[tuple[str, ...], np.ndarray]:
    """Correlation matrix of the quantities an author prints."""
    slopes = at.slopes
    names = list(_SHOWN) + [n for n in problem.names if n not in (*_SHOWN, "y")]
    rows = []
    for name in names:
        if name in slopes:
            rows.append(np.asarray(slopes[name]))
        else:
            rows.append(np.eye(len(problem.names))[problem.names.index(name)])
    gradient = np.stack(rows)
    if not np.isfinite(matrix).all():
        return tuple(names), np.full((len(names), len(names)), np.nan)
    covariance = gradient @ matrix @ gradient.T
    sd = np.sqrt(np.diagonal(covariance))
    used = sd > 1e-12 * np.abs(gradient).max(axis=1, initial=0) * np.sqrt(np.diagonal(matrix).max())
    names = [name for name, keep in zip(names, used, strict=True) if keep]
    return tuple(names), (covariance / np.outer(np.where(used, sd, 1), np.where(used, sd, 1)))[np.ix_(used, used)]
