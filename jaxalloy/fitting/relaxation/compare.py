"""Several laws on one curve: which of them the data prefer, and whether anything relaxes at all."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from jaxalloy._typing import Float
from jaxalloy.fitting.relaxation.curve import AnnealingCurve
from jaxalloy.fitting.relaxation.electronic import em9_model, em12_model
from jaxalloy.fitting.relaxation.fit import ModelFit, Scale, fit_model, not_determined
from jaxalloy.fitting.relaxation.models import AGE, AGE_NORMAL, CONSTANT, EXPONENTIAL, KWW, TNM, RelaxationModel
from jaxalloy.numerics.checks import InputError

NAMES = ("em12", "em9", "kww", "age", "age-normal", "tnm", "exponential", "constant")
CLOSE = 4.0
"""Laws whose AICc lies within this of the best cannot be told from it."""


def relaxation_model(name: str, power: int = 1) -> RelaxationModel:
    """The law of that name. power: 1 where the property follows eta, 2 where it follows eta^2 (em12 and em9 only)."""
    if power not in (1, 2):
        raise InputError(f"power = {power}: the property follows eta (1) or eta^2 (2)")
    if name == "em12":
        return em12_model(power)
    if name == "em9":
        return em9_model(power)
    known = {model.name: model for model in (KWW, AGE, AGE_NORMAL, TNM, EXPONENTIAL, CONSTANT)}
    if name not in known:
        raise InputError(f"model {name!r} is not known: choose from {', '.join(NAMES)}")
    return known[name]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Laws fitted to one curve, on the same likelihood.

    fits: in the order asked for, errors rescaled. effective_points: independent points that the correlated
    residuals are worth. aic, aicc, bic: by name, smaller is better. weights: exp(-AICc/2) over its sum.
    """

    curve: AnnealingCurve
    fits: dict[str, ModelFit]
    effective_points: float
    aic: dict[str, float]
    aicc: dict[str, float]
    bic: dict[str, float]
    weights: dict[str, float]

    @property
    def preferred(self) -> str:
        """The law of least AICc."""
        return min(self.aicc, key=lambda name: self.aicc[name])

    @property
    def indistinguishable(self) -> list[str]:
        """The laws, the preferred one first, whose AICc is within 4 of its."""
        order = sorted(self.aicc, key=lambda name: self.aicc[name])
        return [name for name in order if self.aicc[name] - self.aicc[order[0]] < CLOSE]

    @property
    def detected(self) -> bool | None:
        """Whether the best law beats the constant by more than 4 in AICc; None where no constant was fitted."""
        if "constant" not in self.fits:
            return None
        return "constant" not in self.indistinguishable

    @property
    def verdict(self) -> str:
        """What the data say, in a sentence."""
        others = [name for name in self.indistinguishable[1:] if name != "constant"]
        if self.detected is False:
            return "no relaxation detected: a constant describes the data as well as any law"
        if others:
            return f"{self.preferred} preferred; not told apart from it: {', '.join(others)}"
        return f"{self.preferred} preferred; every other law is further than {CLOSE:g} in AICc"


def compare(
    curve: AnnealingCurve, models: Sequence[str] | Sequence[RelaxationModel], scale: Scale | None = None, power: int = 1
) -> Comparison:
    """Fit every law and compare them by the likelihood of the effective number of points.

    -2 ln L = (N_eff/N) RSS/s^2 with given errors (s^2 the reduced RSS of the best fit, at least 1), otherwise
    N_eff ln(RSS/N), the noise being one more parameter. N_eff = N/(1 + 2 sum_k rho_k), see `correlation_time`,
    from the residuals of the best fit, so that the misfit of a wrong law does not count as correlation.
    Raises `InputError` for an unknown or repeated law.
    """
    laws = [relaxation_model(model, power) if isinstance(model, str) else model for model in models]
    names = [law.name for law in laws]
    if not laws or len(set(names)) < len(names):
        raise InputError(f"models {', '.join(names) or 'none'}: name each law once")
    points = len(curve.times)
    fits: dict[str, ModelFit] = {}
    for law in laws:
        near = {**fits["em12"].values, "seed": 1e-8} if law.name == "em9" and "em12" in fits else None
        fits[law.name] = fit_model(law, curve, scale, near)
    best = min(fits.values(), key=lambda fit: fit.rss)
    effective = points / correlation_time(best.residuals, best.parameters)
    reduced = max(best.rss / (points - best.parameters), 1.0)
    aic, aicc, bic = {}, {}, {}
    for name, fit in fits.items():
        unknown = fit.parameters + (curve.errors is None)
        if curve.errors is None:
            deviance = effective * np.log(max(fit.rss, 1e-300) / points)
        else:
            deviance = effective / points * fit.rss / reduced
        spare = effective - unknown - 1
        aic[name] = float(deviance + 2 * unknown)
        aicc[name] = float(aic[name] + 2 * unknown * (unknown + 1) / spare) if spare > 0 else float("inf")
        bic[name] = float(deviance + unknown * np.log(effective))
    ranked = np.array(list(aicc.values()))
    lowest = ranked.min() if np.isfinite(ranked.min()) else 0.0
    raw = np.exp(-0.5 * (ranked - lowest))
    weights = dict(zip(fits, (raw / max(raw.sum(), 1e-300)).tolist(), strict=True))
    fits = {name: _rescaled(fit, effective) for name, fit in fits.items()}
    return Comparison(curve, fits, float(effective), aic, aicc, bic, weights)


def correlation_time(residuals: Float[np.ndarray, " t"], fitted: int = 1) -> float:
    """The number of neighbouring residuals that are worth one, 1 + 2 sum_k rho_k; at least 1.

    From an autoregression r_t = sum_j phi_j r_{t-j} + e_t, whose order AICc chooses (none: 1), by its spectrum at
    frequency zero, (1 + 2 sum_k rho_k) = var(e)/var(r)/(1 - sum phi)^2. A fit of n parameters takes the slowest
    part of the noise away; sum phi is raised by what this does to a first-order process, (n + (n + 2) phi)/N.
    """
    away = residuals - residuals.mean()
    points, variance = len(away), float(np.mean(away**2))
    if variance <= 1e-28 * float(np.mean(residuals**2) + 1e-300):
        return 1.0
    highest = min(8, points // 8)
    best, time = points * np.log(variance) + 2, 1.0
    for order in range(1, highest + 1):
        lags = np.array([away[order - j : points - j] for j in range(1, order + 1)]).T
        weights, *_ = np.linalg.lstsq(lags, away[order:], rcond=None)
        noise = float(np.mean((away[order:] - lags @ weights) ** 2))
        unknown = order + 1
        criterion = points * np.log(max(noise, 1e-300)) + 2 * unknown * points / (points - unknown - 1)
        if criterion < best:
            total = float(weights.sum())
            total = min(total + max(fitted + (fitted + 2) * total, 0.0) / points, 1 - 2 / points)
            best, time = criterion, noise / variance / (1 - total) ** 2
    return float(np.clip(time, 1.0, points / 4))


def _rescaled(fit: ModelFit, effective: float) -> ModelFit:
    """The same fit with errors for the effective number of points, and what these leave undetermined.

    The variance of the noise is RSS/N divided by 1 - n/N_eff for n parameters.
    """
    points, spent = len(fit.curve.times), fit.parameters
    inflation = points / effective
    if fit.curve.errors is None:
        inflation *= (1 - spent / points) / max(1 - spent / effective, 0.1)
    factor = float(np.sqrt(inflation))
    errors = {name: factor * error for name, error in fit.errors.items()}
    return dataclasses.replace(
        fit,
        errors=errors,
        covariance=inflation * fit.covariance,
        undetermined=not_determined(fit.model, fit.values, errors),
        relaxed_error=factor * fit.relaxed_error,
    )
