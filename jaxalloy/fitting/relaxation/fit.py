"""Fit one law to one annealing curve: linear parameters eliminated, coarse grid, least squares, errors."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy.optimize import OptimizeResult, least_squares

from jaxalloy._typing import Float
from jaxalloy.fitting.relaxation.curve import AnnealingCurve
from jaxalloy.fitting.relaxation.models import Parameter, RelaxationModel

STEP = 1e-3
"""Of the central differences in the fitted coordinates, logarithms mostly."""
STARTS, EVALUATIONS = 4, 100
"""Points of the coarse grid that are refined, by at most so many evaluations each."""
UNDETERMINED = 0.5
"""A parameter is undetermined where its logarithm (theta: itself) has a larger standard deviation than this: two of
them reach zero or infinity."""
WITHIN = 3
"""Points that the shortest relaxation time allowed spans; a shorter one would fit the first point's noise."""
AT_BOUND = 1e-3
UNSEEN = 1e-4
"""Of the standard deviation of the noise: a coordinate moves by some 30 between its bounds at most, and by less than a
hundredth of this deviation the curve then."""


@dataclasses.dataclass(frozen=True)
class Scale:
    """What is known beside the shape: value(t) = start + change * progress(t). None: fitted."""

    start: float | None = None
    change: float | None = None


@dataclasses.dataclass(frozen=True)
class ModelFit:
    """One law fitted to one curve; errors are standard deviations and honour correlated residuals once rescaled.

    values, errors: by parameter name, in the units of the curve, with `start` and `change` of the property where
    they were fitted; an error is inf where the data do not bound the parameter. covariance: in the fitted
    coordinates (logarithms), names in `free`. undetermined: names. relaxed: change of the property from the first to
    the last time of the data, which is known better than `change`, the one at the end of all time. rss: weighted
    sum of squares. converged.
    """

    model: RelaxationModel
    curve: AnnealingCurve
    scale: Scale
    values: dict[str, float]
    errors: dict[str, float]
    free: tuple[str, ...]
    covariance: Float[np.ndarray, "p p"]
    undetermined: tuple[str, ...]
    relaxed: float
    relaxed_error: float
    rss: float
    converged: bool

    @property
    def at_bound(self) -> tuple[str, ...]:
        """Names of the parameters of the law that lie at the bound of what is considered."""
        return tuple(parameter.name for parameter in self.model.parameters if parameter.name not in self.free)

    @property
    def parameters(self) -> int:
        """Number of fitted parameters, start and change included."""
        linear = (self.scale.start is None) + (self.scale.change is None and bool(self.model.parameters))
        return len(self.model.parameters) + linear

    def __call__(self, times: Float[np.ndarray, " t"]) -> Float[np.ndarray, " t"]:
        """The fitted curve at these times, in the unit of the data."""
        last = self.curve.times[-1]
        shape = [self.values[p.name] * last**-p.dimension for p in self.model.parameters]
        change = self.values.get("change", 0.0)
        times = np.asarray(times, float)
        if not self.model.parameters:
            return np.full_like(times, self.values["start"])
        return self.values["start"] + change * self.model.progress(np.array(shape), times / last)

    @property
    def residuals(self) -> Float[np.ndarray, " t"]:
        """Data less curve, over the errors of the data where these are given."""
        away = self.curve.values - self(self.curve.times)
        return away if self.curve.errors is None else away / self.curve.errors


class Problem:
    """The weighted residuals of one law and one curve as functions of the fitted coordinates."""

    def __init__(self, model: RelaxationModel, curve: AnnealingCurve, scale: Scale):
        self.model, self.curve, self.scale = model, curve, scale
        self.times = curve.times / curve.times[-1]
        self.weight = np.ones_like(curve.values) if curve.errors is None else 1.0 / curve.errors
        first = self.times[self.times > 0][WITHIN - 1]
        self.bounds = np.array([bounds(parameter, first) for parameter in model.parameters]).reshape(-1, 2)

    def shapes(self, us: Float[np.ndarray, "n p"]) -> Float[np.ndarray, "n t"]:
        """The progress at rows of coordinates."""
        positive = np.array([parameter.positive for parameter in self.model.parameters], bool)
        return self.model.progresses(np.where(positive, np.exp(np.where(positive, us, 0.0)), us), self.times)

    def shape(self, u: Float[np.ndarray, " p"]) -> Float[np.ndarray, " t"]:
        """The progress at these coordinates."""
        return self.shapes(u[None, :])[0]

    def linear(self, progress: Float[np.ndarray, " t"]) -> tuple[float, float]:
        """Start and change that fit best with this progress."""
        known, columns = np.zeros_like(progress), []
        for value, column in ((self.scale.start, np.ones_like(progress)), (self.scale.change, progress)):
            if value is None:
                columns.append(column)
            else:
                known = known + value * column
        if not self.model.parameters:
            columns = columns[:1] if self.scale.start is None else []
            known = np.zeros_like(progress) + (self.scale.start or 0.0)
        solution: list[float] = []
        if columns:
            design = self.weight[:, None] * np.array(columns).T
            solution = list(np.linalg.lstsq(design, self.weight * (self.curve.values - known), rcond=1e-12)[0])
        start = solution.pop(0) if self.scale.start is None else self.scale.start
        change = solution.pop(0) if solution else (self.scale.change or 0.0)
        return float(start), float(change)

    def residuals(self, progress: Float[np.ndarray, " t"]) -> Float[np.ndarray, " t"]:
        """Weighted residuals of a progress after the linear parameters were eliminated."""
        if not np.isfinite(progress).all():
            return 1e3 * self.weight * (np.abs(self.curve.values) + np.ptp(self.curve.values))
        start, change = self.linear(progress)
        return self.weight * (start + change * progress - self.curve.values)

    def around(self, u: Float[np.ndarray, " p"]) -> Float[np.ndarray, "n t"]:
        """The progress at u, a step above it in each coordinate, and a step below."""
        steps = STEP * np.eye(len(u))
        return self.shapes(np.concatenate([u[None, :], u + steps, u - steps]))

    def start_at(self, values: dict[str, float]) -> Float[np.ndarray, " p"]:
        """Coordinates of values in the units of the curve, moved inside the bounds."""
        last = self.curve.times[-1]
        scaled = tuple(values[p.name] * last**-p.dimension for p in self.model.parameters)
        return np.clip(coordinates(self.model, scaled), self.bounds[:, 0] + 0.02, self.bounds[:, 1] - 0.02)

    def starts(self) -> list[Float[np.ndarray, " p"]]:
        """The best points of the coarse grid, none next to a better one."""
        lower, upper = self.bounds[:, 0] + 0.02, self.bounds[:, 1] - 0.02
        grid = [np.clip(coordinates(self.model, values), lower, upper) for values in self.model.grid()]
        cost = [np.sum(self.residuals(progress) ** 2) for progress in self.shapes(np.array(grid))]
        order = np.argsort(cost)
        return [grid[i] for i in order[:STARTS]]

    def solve(self, more: Sequence[Float[np.ndarray, " p"]] = ()) -> OptimizeResult:
        """The best of the refined starts, and of `more`."""
        found = [self.refine(start) for start in [*more, *self.starts()]]
        return min(found, key=lambda result: result.cost)

    def refine(self, start: Float[np.ndarray, " p"]) -> OptimizeResult:
        """The minimum next to a start. The slopes come with every residual, as curves cost little by the batch."""
        seen: dict[bytes, Float[np.ndarray, "t p"]] = {}

        def residuals(u: Float[np.ndarray, " p"]) -> Float[np.ndarray, " t"]:
            every = np.array([self.residuals(progress) for progress in self.around(u)])
            seen.clear()
            seen[u.tobytes()] = central_differences(every)
            return every[0]

        def slopes(u: Float[np.ndarray, " p"]) -> Float[np.ndarray, "t p"]:
            if u.tobytes() not in seen:
                residuals(u)
            return seen[u.tobytes()]

        box = self.bounds[:, 0], self.bounds[:, 1]
        return least_squares(
            residuals, start, slopes, box, x_scale=1.0, xtol=1e-7, ftol=1e-7, gtol=1e-12, max_nfev=EVALUATIONS
        )


def central_differences(around: Float[np.ndarray, "n t"]) -> Float[np.ndarray, "t p"]:
    """Derivatives by the coordinates from values at the centre, a step above and a step below."""
    above, below = np.split(around[1:], 2)
    return (above - below).T / (2 * STEP)


def coordinates(model: RelaxationModel, values: tuple[float, ...]) -> Float[np.ndarray, " p"]:
    """The fitted coordinates of values in units of T: logarithms of what is positive."""
    return np.array([np.log(v) if p.positive else v for p, v in zip(model.parameters, values, strict=True)])


def bounds(parameter: Parameter, first: float) -> tuple[float, float]:
    """Bounds of a coordinate; `first` is a short time over the last one."""
    lower = parameter.lower * (first if parameter.dimension == 1 else 1.0)
    upper = parameter.upper / (first if parameter.dimension == -1 else 1.0)
    return (float(np.log(lower)), float(np.log(upper))) if parameter.positive else (lower, upper)


def fit_model(
    model: RelaxationModel, curve: AnnealingCurve, scale: Scale | None = None, near: dict[str, float] | None = None
) -> ModelFit:
    """Fit start + change * progress(t) to a curve by weighted least squares.

    Start and change are eliminated (variable projection), the rest is refined from the best points of a coarse grid.
    near: values by name to start from as well, as those of a narrower law. Errors here take the residuals as
    independent; `compare` rescales them to the effective number of points.
    """
    problem = Problem(model, curve, Scale() if scale is None else scale)
    if not model.parameters:
        u, converged = np.zeros(0), True
    else:
        solution = problem.solve([] if near is None else [problem.start_at(near)])
        u, converged = solution.x, bool(solution.status > 0 and np.isfinite(problem.shape(solution.x)).all())
    return describe(problem, u, converged)


def describe(problem: Problem, u: Float[np.ndarray, " p"], converged: bool) -> ModelFit:
    """Values, errors and what is not determined, at the solution."""
    model, curve, scale = problem.model, problem.curve, problem.scale
    start, change = problem.linear(problem.shape(u))
    rss = float(np.sum(problem.residuals(problem.shape(u)) ** 2))
    inside = (u - problem.bounds[:, 0] > AT_BOUND) & (problem.bounds[:, 1] - u > AT_BOUND)
    free, columns = _columns(problem, u, inside, change)
    covariance = _covariance(problem, columns, rss)
    seen = np.isfinite(np.diag(covariance))
    across = columns[-1, seen] - columns[0, seen]
    progress = problem.shape(u)
    deviation = dict(zip(free, np.sqrt(np.diag(covariance)), strict=True))
    values, errors = {}, {}
    for parameter, x in zip(model.parameters, u, strict=True):
        sd = float(deviation.get(parameter.name, np.inf))
        value = float(np.exp(x)) if parameter.positive else float(x)
        scaled = value * curve.times[-1] ** parameter.dimension
        values[parameter.name] = float(scaled)
        errors[parameter.name] = float(sd * (scaled if parameter.positive else 1.0))
    values["start"], errors["start"] = start, float(deviation.get("start", 0.0))
    if model.parameters:
        values["change"], errors["change"] = change, float(deviation.get("change", 0.0))
        timed = np.array([parameter.dimension != 0 for parameter in model.parameters])
        if scale.change is None and bool(np.any(timed & ~inside)):
            errors["change"] = float("inf")  # without a time scale only the part within the data is known
    return ModelFit(
        model=model,
        curve=curve,
        scale=scale,
        values=values,
        errors=errors,
        free=tuple(free),
        covariance=covariance,
        undetermined=not_determined(model, values, errors),
        relaxed=float(change * (progress[-1] - progress[0])),
        relaxed_error=float(np.sqrt(max(across @ covariance[np.ix_(seen, seen)] @ across, 0.0))),
        rss=rss,
        converged=converged,
    )


def not_determined(model: RelaxationModel, values: dict[str, float], errors: dict[str, float]) -> tuple[str, ...]:
    """Names of the parameters, and of the change, that the data do not bound."""
    names = [(parameter.name, parameter.positive) for parameter in model.parameters]
    names += [("change", True)] if names else []
    return tuple(
        name
        for name, positive in names
        if not errors[name] < UNDETERMINED * (abs(values[name]) if positive else 1.0) and errors[name] > 0
    )


def _columns(
    problem: Problem, u: Float[np.ndarray, " p"], inside: np.ndarray, change: float
) -> tuple[list[str], Float[np.ndarray, "t n"]]:
    """Derivatives of the curve by the parameters off their bounds, and by start and change, where fitted."""
    names: list[str] = []
    columns = []
    if problem.model.parameters:
        slopes = change * central_differences(problem.around(u))
        for parameter, column, kept in zip(problem.model.parameters, slopes.T, inside, strict=True):
            if kept:
                names.append(parameter.name)
                columns.append(column)
    if problem.scale.start is None:
        names.append("start")
        columns.append(np.ones_like(problem.times))
    if problem.scale.change is None and problem.model.parameters:
        names.append("change")
        columns.append(problem.shape(u))
    return names, np.array(columns).reshape(len(names), len(problem.times)).T


def _covariance(problem: Problem, columns: Float[np.ndarray, "t n"], rss: float) -> Float[np.ndarray, "n n"]:
    """Of least squares; what moves the curve by less than `UNSEEN` of the noise has an infinite variance.

    Its column is the rounding of the integrator, which would pass for a direction of its own. Combinations that the
    data do not see get a huge variance instead of a failure.
    """
    if columns.shape[1] == 0:
        return np.zeros((0, 0))
    variance = rss / max(len(problem.times) - columns.shape[1], 1)
    if problem.curve.errors is not None:
        variance = max(variance, 1.0)
    design = problem.weight[:, None] * columns
    norm = np.linalg.norm(design, axis=0)
    seen = norm > max(UNSEEN * np.sqrt(variance), 1e-150)
    _, singular, rotation = np.linalg.svd(design[:, seen] / norm[seen], full_matrices=False)
    spread = rotation.T / np.maximum(singular, 1e-12) / norm[seen, None]
    covariance = np.diag(np.where(seen, 0.0, np.inf))
    covariance[np.ix_(seen, seen)] = variance * (spread @ spread.T)
    return covariance
