"""Fit measured structure factors; the result carries error bars, diagnostics and what the data do not determine."""

import dataclasses
from collections.abc import Mapping, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from jaxalloy._typing import ScalarLike
from jaxalloy.fitting import diagnostics, uncertainty
from jaxalloy.fitting.estimates import Estimate, NullOrder, correlation_matrix, estimate_all
from jaxalloy.fitting.least_squares import Iterate, Marquardt
from jaxalloy.fitting.model import Model
from jaxalloy.fitting.problem import FitProblem, set_up
from jaxalloy.fitting.search import GeneralLoss, Method, search, solve_all
from jaxalloy.numerics.checks import InputError, NoResultError
from jaxalloy.reference import yukawa
from jaxalloy.scattering.measured import MeasuredStructureFactor

LARGEST_FULL_FIT = 20000
"""Points; more are averaged into bins unless the fit is asked to take them in full."""

_BINS = 4000


@dataclasses.dataclass(frozen=True)
class FitResult:
    """What `fit_structure_factor` found.

    estimates: by name, parameters first. covariance: of the variables `problem.names`, with `inflation` in it;
    correlation: matrix of `correlated`, the parameters an author would print. chi2: sum of squared residuals over the
    errors, None where there were no errors; noise: then estimated from the residuals, one for each curve.
    rms: of the first curve. correlation_of_residuals, inflation: independent points are worth `inflation` times less;
    standard deviations are sqrt(inflation) times those of independent points. score: test for a soft core, None where
    the softness was fitted. null: limits, for an alloy without detectable order. starts: how many were tried.
    """

    problem: FitProblem
    data: tuple[MeasuredStructureFactor, ...]
    u: np.ndarray
    at: uncertainty.Evaluation
    covariance: np.ndarray
    estimates: dict[str, Estimate]
    correlated: tuple[str, ...]
    correlation: np.ndarray
    chi2: float | None
    dof: int
    noise: tuple[float, ...] | None
    rms: float
    correlation_of_residuals: uncertainty.Correlation
    inflation: float
    score: diagnostics.Score | None
    null: NullOrder | None
    converged: bool
    steps: int
    starts: int
    warnings: tuple[str, ...]

    def __getitem__(self, name: str) -> Estimate:
        return self.estimates[name]

    @property
    def curves(self) -> tuple[np.ndarray, ...]:
        """Fitted curves of every data set, shape (curves, q) each."""
        return tuple(np.asarray(curve) for curve in self.at.curves)

    def require_converged(self) -> "FitResult":
        """The result itself; raises `NoResultError` where the search did not converge."""
        if not self.converged:
            raise NoResultError(
                f"the fit of {', '.join(self.problem.names)} did not converge in {self.steps} steps from {self.starts} "
                "starts; fix a parameter, or narrow the bounds"
            )
        return self

    def profile(self, name: str, points: int = 25) -> uncertainty.Profile:
        """Profile likelihood of a fitted parameter (kappa where its error is above 20 %).

        name: of a variable of the fit; epsilon is one where it has a start or bounds of its own, else y stands for it.
        """
        if name not in self.problem.names:
            remedy = "; give epsilon a start, and it takes the place of y" if name == "epsilon" else ""
            known = ", ".join(self.problem.names)
            raise InputError(f"no profile of {name!r}: the variables of this fit are {known}{remedy}")
        index = self.problem.names.index(name)
        sd = float(np.sqrt(self.covariance[index, index]))
        box = self.problem.box
        widest = float(box.upper[index] - box.lower[index])
        half = min(4 * sd, widest) if np.isfinite(sd) and sd > 0 else widest
        best = float(np.sum(np.asarray(self.at.residuals) ** 2))
        return uncertainty.profile_variable(self.problem, self.u, name, half, best, self.inflation, points)


def fit_structure_factor(
    data: MeasuredStructureFactor | Sequence[MeasuredStructureFactor],
    model: Model,
    free: Sequence[str] | None = None,
    bounds: Mapping[str, tuple[ScalarLike, ScalarLike]] | None = None,
    *,
    fix: Mapping[str, ScalarLike] | None = None,
    start: Mapping[str, ScalarLike] | None = None,
    method: Method | None = None,
    full: bool = False,
) -> FitResult:
    """Fit one or several structure factors with shared parameters, by least squares unless `method` says otherwise.

    data: from `read_structure_factor`. model: `ReferenceModel(alloy)` or `ThroughBound(...)`. free: all parameters to
    fit, by name; by default sigma, epsilon, kappa and, for composites, scale and level. bounds: {name: (lower, upper)}
    of free parameters, kept exactly; one that is hit is reported. fix: {name: value}. start: {name: value}.
    Units: bohr, Ry, 1/bohr. method: `Marquardt(...)` (default), a least-squares solver of optimistix such as
    `optimistix.LevenbergMarquardt(rtol, atol)`, or `GeneralLoss(...)` against outliers. full: do not average more than
    `LARGEST_FULL_FIT` points.
    Returns a `FitResult`; `converged` is data on it. Raises `InputError` for data or options that contradict.

    >>> import jax
    >>> import jax.numpy as jnp
    >>> import jaxalloy as ja
    >>> from jaxalloy.fitting.model import ReferenceModel
    >>> from jaxalloy.fitting.synthetic import empty_template, synthetic_data
    >>> alloy = ja.Alloy.parse("Li0.8Pb0.2", temperature=1000.0)
    >>> liquid = ja.HardSphereYukawa(0.2, 0.4194, 4.93, -0.0302, 1.8, 1000.0)
    >>> template = empty_template(jnp.linspace(0.3, 5.0, 200), 0.01, ja.Neutrons(isotopes={"Li": 7}))
    >>> fit = fit_structure_factor(synthetic_data(template, alloy, liquid, jax.random.key(0)), ReferenceModel(alloy))
    >>> bool(fit.converged), abs(fit["epsilon"].value + 0.0302) < 3 * fit["epsilon"].sd
    (True, True)
    """
    method = Marquardt() if method is None else method
    given = (data,) if isinstance(data, MeasuredStructureFactor) else tuple(data)
    given = tuple(one if full or one.q.size <= LARGEST_FULL_FIT else one.binned(_BINS) for one in given)
    for one in given:
        diagnostics.check_unit_of_q(one, model.alloy)
    problem = set_up(given, model, free, fix, bounds, start)
    if isinstance(method, GeneralLoss) and not problem.noise_known:
        raise InputError("a general loss weighs residuals by their errors: give data with errors")
    problem = _with_starting_levels(problem, start or {})
    found, tried = search(problem, method)
    noise = None
    if not problem.noise_known:
        noise = _noise(problem, found.u)
        problem = problem.with_errors(noise)
        if len(noise) > 1 and min(noise) > 0:  # the noise weighs the curves against each other
            problem = eqx.tree_at(lambda p: p.start, problem, found.u)
            found, _ = search(problem, method)
    return _assess(problem, given, found, tried, noise, method)


def _with_starting_levels(problem: FitProblem, start: Mapping[str, ScalarLike]) -> FitProblem:
    """Start every level from the mean of the top fifth of q."""
    u = np.array(problem.start)
    for label, m in zip(problem.labels, problem.measurements, strict=True):
        if f"level{label}" in problem.names and not {"level", f"level{label}"} & set(start):
            top = max(m.q.size // 5, 1)
            offset = np.asarray(m.values[:, -top:]) - np.asarray(m.nominal)[:, None]
            u[problem.names.index(f"level{label}")] = 1 + offset.mean()
    return eqx.tree_at(lambda p: p.start, problem, jnp.asarray(u))


def _at_bound(problem: FitProblem, found: Iterate) -> np.ndarray:
    u, lower, upper = (np.asarray(x) for x in (found.u, problem.box.lower, problem.box.upper))
    near = 1e-9 * (upper - lower)
    return (u <= lower + near) | (u >= upper - near)


def _noise(problem: FitProblem, u) -> tuple[float, ...]:
    """Standard deviation of the residuals of every curve."""
    share = problem.points / (problem.points - len(problem.names))
    pairs = zip(uncertainty.evaluate(problem, u).curves, problem.measurements, strict=True)
    squares = [np.mean((np.asarray(curve) - np.asarray(m.values)) ** 2, axis=1) for curve, m in pairs]
    return tuple(float(x) for row in squares for x in np.sqrt(share * row))


def _assess(problem, data, found, tried, noise, method) -> FitResult:
    """Error bars, verdicts and warnings for the minimum that was found."""
    u, held = np.asarray(found.u), _at_bound(problem, found)
    at = uncertainty.evaluate(problem, found.u)
    residuals = np.asarray(at.residuals)
    chi2, dof = float(residuals @ residuals), problem.points - u.size
    robust = isinstance(method, GeneralLoss)
    weighed = method.pseudo_residuals(residuals) if robust else residuals
    chance = uncertainty.residual_correlation(_rows(problem, weighed))
    believed = not robust and problem.noise_known and chi2 / dof < 1 + 5 * np.sqrt(2 / dof) and not chance.significant
    inflation = 1.0 if believed else max(chi2 / dof, 1.0 if problem.noise_known else 0.0)
    if robust:
        inflation = float(weighed @ weighed) / dof
    inflation *= chance.time if chance.significant else 1.0
    matrix = _scaled(uncertainty.covariance(np.asarray(at.jacobian), held), inflation)
    spinodal = _near_spinodal(at)
    warnings = [note for one in data for note in one.notes] + diagnostics.covered_range(problem, at)
    if not bool(found.converged):
        warnings.append("the search has not converged: the errors mean nothing")
    for name, bound in zip(problem.names, held, strict=True):
        if bound:
            warnings.append(f"{name} ended at its bound; the other errors hold for that value of it")
    if spinodal:
        warnings.append("the fit ended at the spinodal, beyond which there is no homogeneous liquid")
    if not problem.noise_known:
        warnings.append(f"the noise was estimated from the residuals: {', '.join(f'{x:.3g}' for x in noise)}")
    elif not (robust or believed) and chi2 / dof >= 1 + 5 * np.sqrt(2 / dof):
        warnings.append(f"chi^2/dof = {chi2 / dof:.3g}: the model does not describe the data within the errors given")
    if chance.significant:
        warnings.append(
            f"neighbouring residuals are correlated ({chance.lag_one:.2f}): {problem.points} points count as "
            f"{problem.points / chance.time:.0f}, and errors are {np.sqrt(chance.time):.1f} times those of "
            "independent ones"
        )
    score = None
    if "softness" not in problem.names:
        unit = 1.0 if problem.noise_known and not robust else inflation
        score = diagnostics.soft_core_score(problem, u, at._replace(residuals=jnp.asarray(weighed)), unit)
        if score.z > 3:
            warnings.append(
                f"soft-core test: the residuals ask for a damping b = {np.sqrt(score.b_squared):.3g} bohr "
                f"({score.z:.1f} standard deviations); fit the softness, or epsilon and eta are biased"
            )
    null = _null_order(problem, found, matrix, method)
    estimates = estimate_all(problem, u, at, held, matrix, null)
    names, correlation = correlation_matrix(problem, at, matrix)
    return FitResult(
        problem, data, u, at, matrix, estimates, names, correlation,
        chi2 if problem.noise_known else None, dof, noise, diagnostics.rms_of_first_curve(problem, at), chance,
        inflation, score, null, bool(found.converged) and not spinodal, int(found.steps), tried, tuple(warnings),
    )  # fmt: skip


def _scaled(matrix: np.ndarray, factor: float) -> np.ndarray:
    return np.where(np.isfinite(matrix), matrix * factor, matrix)


def _near_spinodal(at: uncertainty.Evaluation) -> bool:
    return not float(at.values["y"]) < 0.9999 * float(yukawa.spinodal_y(at.values["Z"]))


def _rows(problem: FitProblem, residuals: np.ndarray) -> list[np.ndarray]:
    """Residuals of each curve, in order of q."""
    rows, first = [], 0
    for m in problem.measurements:
        curves, q = m.values.shape
        rows += list(residuals[first : first + curves * q].reshape(curves, q))
        first += curves * q
    return rows


def _null_order(problem, found, matrix, method) -> NullOrder | None:
    """Upper limits where the order is below detection, from fits with kappa fixed (there is none to be found)."""
    order = next((name for name in ("y", "epsilon") if name in problem.names), None)
    if order is None:
        return None
    sd = np.sqrt(matrix[problem.names.index(order), problem.names.index(order)])
    value = float(found.u[problem.names.index(order)])
    if np.isfinite(sd) and abs(value) > diagnostics.NULL_ORDER * sd:
        return None
    kappas = (0.5, 1.0, 2.0) if "kappa" in problem.names else (float(problem.fixed["kappa"]),)
    limits = []
    for kappa in kappas:
        fixed = _without_kappa(problem, kappa)
        best = jax.tree.map(lambda leaf: leaf[0], solve_all(fixed, fixed.start[None], method))
        at = uncertainty.evaluate(fixed, best.u)
        residuals = np.asarray(at.residuals)
        chance = uncertainty.residual_correlation(_rows(fixed, residuals))
        scale = residuals @ residuals / (residuals.size - fixed.start.size)
        scale = max(scale, 1.0) * (chance.time if chance.significant else 1.0)
        inverse = uncertainty.covariance(np.asarray(at.jacobian), _at_bound(fixed, best))
        spread = uncertainty.propagate(at, _scaled(inverse, scale))
        limits.append([abs(v) + 1.96 * s for v, s in (spread[n] for n in ("y", "h_cc_contact", "epsilon"))])
    y, contact, epsilon = (max(column) for column in zip(*limits, strict=True))
    return NullOrder(y, contact, epsilon, tuple(kappas), tuple(row[2] for row in limits))


def _without_kappa(problem: FitProblem, kappa: float) -> FitProblem:
    """The same fit with kappa fixed, started from no order."""
    keep = [i for i, name in enumerate(problem.names) if name != "kappa"]
    start = np.array(problem.start)
    for name in ("y", "epsilon"):
        if name in problem.names:
            start[problem.names.index(name)] = 0.0
    index = jnp.asarray(keep)
    return dataclasses.replace(
        problem,
        fixed=problem.fixed | {"kappa": jnp.asarray(kappa)},
        start=jnp.asarray(start)[index],
        box=jax.tree.map(lambda leaf: leaf[index], problem.box),
        names=tuple(problem.names[i] for i in keep),
        scales=tuple(problem.scales[i] for i in keep),
    )
