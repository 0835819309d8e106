"""A fit made ready: which variables are free, how they map to the parameters, and the residuals.

The variables are those in which the model needs no root: sigma, y, ln kappa. Where epsilon itself is fixed or bounded,
or several temperatures share it, it takes the place of y. Every bound is a side of the box of one variable and is kept
exactly.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import Array, Bool, Float, Scalar, ScalarLike
from jaxalloy.fitting.least_squares import Box
from jaxalloy.fitting.model import INSTRUMENT, Measurement, Model, Parameter, Reduced, predicted_curves
from jaxalloy.numerics.checks import InputError
from jaxalloy.scattering.measured import MeasuredStructureFactor

PER_DATA_SET = ("scale", "level")


class FitProblem(eqx.Module):
    """Everything the residuals depend on. names, scales: of the free variables, in their order; fixed: the other values
    by name; box: bounds of the variables (not of the parameters) and longest steps; start: variables, shape (p,);
    noise_known: whether errors were measured."""

    model: Model
    measurements: tuple[Measurement, ...]
    fixed: dict[str, Scalar]
    start: Float[Array, " p"]
    box: Box
    noise_known: Bool[Array, ""]
    names: tuple[str, ...] = eqx.field(static=True)
    scales: tuple[str, ...] = eqx.field(static=True)
    labels: tuple[str, ...] = eqx.field(static=True)

    def values(self, u: Float[Array, " p"]) -> dict[str, Scalar]:
        """The parameters by name; those fitted as squares under NAME_squared."""
        found = dict(self.fixed)
        for name, scale, x in zip(self.names, self.scales, u, strict=True):
            found[name + "_squared" if scale == "square" else name] = jnp.exp(x) if scale == "log" else x
        return found

    def liquid(self, u: Float[Array, " p"], index: int = 0) -> Reduced:
        """The reference liquid of the data set `index`."""
        return self.model.liquid(self.values(u), self.measurements[index].alloy)

    def curves(self, u: Float[Array, " p"]) -> tuple[Float[Array, "curves q"], ...]:
        """Predicted curves of every data set."""
        values, found = self.values(u), []
        for index, measurement in enumerate(self.measurements):
            instrument = {
                "scale": values.get(f"scale{self.labels[index]}", values.get("scale", 1.0)),
                "level": values.get(f"level{self.labels[index]}", values.get("level", 1.0)),
                "softness_squared": values.get("softness_squared", 0.0),
                "resolution_squared": values.get("resolution_squared"),
            }
            liquid = self.model.liquid(values, measurement.alloy)
            found.append(predicted_curves(measurement, liquid, **instrument))
        return tuple(found)

    def residuals(self, u: Float[Array, " p"]) -> Float[Array, " n"]:
        """(model - measured)/error at every point."""
        return self.compare(self.curves(u))

    def compare(self, curves: tuple[Float[Array, "curves q"], ...]) -> Float[Array, " n"]:
        """(curve - measured)/error at every point."""
        pairs = zip(curves, self.measurements, strict=True)
        return jnp.concatenate([jnp.ravel((curve - m.values) / m.errors) for curve, m in pairs])

    @property
    def points(self) -> int:
        """Number of residuals."""
        return sum(m.values.size for m in self.measurements)

    def with_errors(self, errors: Sequence[float]) -> "FitProblem":
        """The same with one error for all points of each curve, in their order."""
        left, new = list(errors), []
        for m in self.measurements:
            own = jnp.asarray([left.pop(0) for _ in range(m.values.shape[0])])
            new.append(eqx.tree_at(lambda m: m.errors, m, jnp.broadcast_to(own[:, None], m.values.shape)))
        return eqx.tree_at(lambda p: p.measurements, self, tuple(new))


def residuals_of(u: Float[Array, " p"], problem: FitProblem) -> Float[Array, " n"]:
    """`problem.residuals(u)`, as a function that is the same object for every problem."""
    return problem.residuals(u)


def set_up(
    data: Sequence[MeasuredStructureFactor],
    model: Model,
    free: Sequence[str] | None = None,
    fix: Mapping[str, ScalarLike] | None = None,
    bounds: Mapping[str, tuple[ScalarLike, ScalarLike]] | None = None,
    start: Mapping[str, ScalarLike] | None = None,
) -> FitProblem:
    """Make a fit ready. Arguments as in `fit_structure_factor`. Raises `InputError` for what contradicts itself."""
    if not data:
        raise InputError("no data: give at least one structure factor")
    measurements = tuple(Measurement.of(one, model.alloy) for one in data)
    labels = ("",) if len(data) == 1 else tuple(f"_{i + 1}" for i in range(len(data)))
    known = _known_parameters(model, labels)
    chosen = list(default_free(data, model, fix or {}) if free is None else free)
    for name in (*chosen, *(fix or {}), *(bounds or {}), *(start or {})):
        if name not in known and name not in INSTRUMENT:
            raise InputError(f"parameter {name!r} is not one of {', '.join(known)}")
    held: dict[str, Any] = _for_each_set(fix, labels)
    limits: dict[str, Any] = _for_each_set(bounds, labels)
    begun: dict[str, Any] = _for_each_set(start, labels)
    chosen = _expanded(chosen, labels)
    for name in () if free is None else held:
        if name in chosen:
            raise InputError(f"{name} is both free and fixed: name it once")
    chosen = [name for name in chosen if name not in held]
    for one in data:
        if one.is_composite and one.probe is None:
            raise InputError(f"{one.name}: what was it measured with? give a probe, Neutrons(...) or XRays()")
    noise = {one.errors is not None for one in data}
    if len(noise) == 2:
        raise InputError("some data sets have errors and some have none: give all or none")
    if {"sigma", "eta", "epsilon", "kappa"} <= set(known):
        chosen, held, limits, begun = _reference_chart(measurements, chosen, held, limits, begun)
    for what, given in (("bounds", limits), ("start", begun)):
        for name in given:
            if name not in chosen:
                raise InputError(f"{what} of {name!r}, which is not fitted; free are {', '.join(chosen)}")
    for name in held:
        _inside(name, held[name], known[name])
    variables = [_variable(name, known[name], limits.get(name), begun.get(name)) for name in chosen]
    if not variables:
        raise InputError("nothing is free: name at least one parameter to fit")
    first, lower, upper, longest = (jnp.asarray(column) for column in zip(*variables, strict=True))
    fixed = {
        name + "_squared" if known[name].scale == "square" else name: jnp.asarray(
            value**2 if known[name].scale == "square" else 1.0 * value
        )
        for name, value in held.items()
    }
    scales = tuple(known[name].scale for name in chosen)
    box, known_noise = Box(lower, upper, longest), jnp.asarray(noise.pop())
    problem = FitProblem(model, measurements, fixed, first, box, known_noise, tuple(chosen), scales, labels)
    if problem.points <= len(chosen):
        raise InputError(f"{problem.points} points for {len(chosen)} free parameters: fix some")
    return problem


def default_free(
    data: Sequence[MeasuredStructureFactor], model: Model, fix: Mapping[str, ScalarLike] | None = None
) -> list[str]:
    """sigma, epsilon, kappa (or the core radii), and scale and level of composites; partials are absolute.

    fix: what is held; a packing fraction holds the diameter too, by way of the volume, and y the strength.
    """
    known = model.parameters()
    classical = ("sigma", "epsilon", "kappa")
    physical = [name for name in known if name in classical or name.startswith("radius_")] or list(known)
    held = {{"eta": "sigma", "y": "epsilon"}.get(name, name) for name in fix or {}}
    composite = any(one.is_composite for one in data)
    return [n for n in physical if n not in held] + (["scale", "level"] if composite else [])


def _known_parameters(model: Model, labels: tuple[str, ...]) -> dict[str, Parameter]:
    instrument = {}
    for name, parameter in INSTRUMENT.items():
        for label in labels if name in PER_DATA_SET else ("",):
            instrument[name + label] = parameter
    return model.parameters() | instrument


def _expanded(names, labels: tuple[str, ...]) -> list[str]:
    """Names with scale and level once for each data set."""
    return [n + label for n in names for label in (labels if n in PER_DATA_SET else ("",))]


def _for_each_set(values: Mapping[str, Any] | None, labels: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for given, value in (values or {}).items() for name in _expanded([given], labels)}


def _reference_chart(measurements, chosen, fix, bounds, start):
    """Choose the variables of the reference model: the size, and the order."""
    chosen, named = list(chosen), set(chosen) | set(fix)
    if {"epsilon", "y"} <= named:
        raise InputError("epsilon and y are one parameter: name one of them")
    if not named & {"sigma", "eta"}:
        raise InputError("neither sigma nor eta is free or fixed: fit or fix one of them")
    states = {(float(m.alloy.volume), float(m.alloy.temperature)) for m in measurements}
    if len({(m.alloy.symbols, float(m.alloy.concentration)) for m in measurements}) > 1:
        raise InputError("the data sets are of different compositions: epsilon is not shared between these; fit each")
    for one, other in (("sigma", "eta"), ("eta", "sigma")):
        if one in named and other not in named and other in bounds:
            bounds[one] = _intersection(bounds.get(one), _converted(one, bounds.pop(other), states), one)
    for one, other in (("sigma", "eta"), ("eta", "sigma")):
        if one in chosen and other not in named and other in start:
            start[one] = _at_all_volumes(one, start.pop(other), states).mean()
    if not named & {"epsilon", "y"}:
        if "kappa" in chosen:
            raise InputError("kappa is the range of an order that is neither free nor fixed: name epsilon too")
        fix["y"] = 0.0
        fix.setdefault("kappa", 1.0)  # of no effect
    if "kappa" not in named and named & {"epsilon", "y"}:
        raise InputError("epsilon has a range: name kappa too, free or fixed")
    single = len({temperature for _, temperature in states}) == 1 and len(states) == 1
    if "epsilon" in chosen and single and "epsilon" not in bounds and "epsilon" not in start:
        chosen[chosen.index("epsilon")] = "y"
    if "y" in named and not single:
        raise InputError("several states share epsilon, not y: fit or fix epsilon")
    return chosen, fix, bounds, start


def _converted(name: str, bounds: tuple[float, float], states) -> tuple[float, float]:
    """Bounds of eta as bounds of sigma or the reverse, so that they hold in every state."""
    lower, upper = (_at_all_volumes(name, x, states) for x in bounds)
    return float(lower.max()), float(upper.min())


def _at_all_volumes(name: str, x: float, states) -> np.ndarray:
    """sigma of a packing fraction ("sigma") or eta of a diameter ("eta") in every state."""
    volumes = np.array(sorted(volume for volume, _ in states))
    return np.cbrt(6 * x * volumes / np.pi) if name == "sigma" else np.pi * x**3 / (6 * volumes)


def _intersection(first: tuple[float, float] | None, second: tuple[float, float], name: str) -> tuple[float, float]:
    if first is None:
        return second
    lower, upper = max(first[0], second[0]), min(first[1], second[1])
    if lower >= upper:
        raise InputError(f"bounds of {name}: those of sigma and eta exclude each other at this volume")
    return lower, upper


def _inside(name: str, value: ScalarLike, parameter: Parameter) -> None:
    if not (np.isfinite(value) and parameter.lower <= value <= parameter.upper):
        raise InputError(
            f"{name} = {value:g}: it must lie between {parameter.lower:.4g} and {parameter.upper:.4g} {parameter.unit}"
        )


def _variable(name: str, p: Parameter, bounds: tuple[float, float] | None, start: float | None):
    """Start, bounds and longest step of the variable that stands for the parameter."""
    lower, upper = (p.lower, p.upper) if bounds is None else bounds
    if not lower < upper:
        raise InputError(f"bounds of {name}: {lower:g} is not below {upper:g}")
    if not (np.isfinite(lower) and np.isfinite(upper)) or (p.scale != "linear" and (lower < 0 or upper <= 0)):
        raise InputError(f"bounds of {name} = {lower:g}:{upper:g}: give finite numbers in the range of {p.meaning}")
    if bounds is not None and (upper < p.lower or lower > p.upper):
        raise InputError(f"bounds of {name} = {lower:g}:{upper:g}: the model covers {p.lower:.4g} to {p.upper:.4g}")
    if bounds is not None:  # never wider than what the model covers
        lower, upper = max(lower, p.lower), min(upper, p.upper)
    first = float(np.clip(p.start if start is None else start, lower, upper))
    if p.scale == "log":
        return np.log(first), np.log(max(lower, 1e-12)), np.log(upper), p.longest
    if p.scale == "square":
        return first**2, lower**2, upper**2, p.longest**2
    return first, lower, upper, p.longest


def as_parameter(name: str, scale: str, x: Any) -> Any:
    """The parameter that a variable stands for."""
    return jnp.exp(x) if scale == "log" else jnp.sqrt(x) if scale == "square" else x
