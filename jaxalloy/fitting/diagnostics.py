"""Is the fit to be believed? Normalisation of the data, softness of the core, what the data cannot tell."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxalloy.alloy import Alloy
from jaxalloy.constants import BOHR_IN_ANGSTROM
from jaxalloy.fitting.problem import FitProblem
from jaxalloy.fitting.uncertainty import Evaluation
from jaxalloy.numerics.checks import InputError
from jaxalloy.scattering.measured import MeasuredStructureFactor

SMALL_NN_WEIGHT = 0.02
"""Below this weight of S_NN the composite says nothing about the packing: sigma and eta cannot both be free."""

NULL_ORDER = 3.0
"""An alloy whose |y| is below this many standard deviations has no detectable order."""


class Score(NamedTuple):
    """Test for a softness that was left out. b_squared: the damping the residuals ask for, bohr^2; sd: its error;
    z: their ratio (above 3 the core is softer than hard spheres; infinite without noise)."""

    b_squared: float
    sd: float
    z: float


def soft_core_score(problem: FitProblem, u, at: Evaluation, unit_chi2: float) -> Score:
    """Regress the residuals on d model/d b^2 = -q^2 (model - level), projected off the Jacobian.

    at: the evaluation of the problem at u. unit_chi2: what one squared standardised residual is worth; 1 where the
    errors were given, since what the test looks for must not widen its own error. Source: physics.md 6.
    """
    values, direction = problem.values(jnp.asarray(u)), []
    for index, (curve, m) in enumerate(zip(at.curves, problem.measurements, strict=True)):
        level = values.get(f"level{problem.labels[index]}", values.get("level", 1.0))
        base = m.nominal[:, None] + (level - 1)
        direction.append(np.ravel(-(m.q**2)[None] * (curve - base) / m.errors))
    step = np.concatenate(direction)
    residuals, slopes = -np.asarray(at.residuals), np.asarray(at.jacobian)  # measured - model
    size = np.linalg.norm(slopes, axis=0)
    basis, _ = np.linalg.qr(slopes / np.where(size > 0, size, 1.0))
    step = step - basis @ (basis.T @ step)
    length = float(step @ step)
    if length == 0:
        return Score(0.0, float("inf"), 0.0)
    b_squared, sd = float(step @ residuals) / length, float(np.sqrt(unit_chi2 / length))
    return Score(b_squared, sd, b_squared / sd if sd > 0 else float("inf"))


class Normalisation(NamedTuple):
    """Checks of the first curve. large_q: its mean over the top fifth of q, over the nominal value (1 when normalised).
    density_ratio: number density implied by the small-R transform over the one of the alloy (1 when normalised;
    truncation allows about 30 %), NaN where the curve hardly sees the density. core_level: rms of the transform inside
    the core beyond what the density makes there, over its highest peak (0 when normalised). peak: q of the highest
    point, 1/bohr."""

    large_q: float
    density_ratio: float
    core_level: float
    peak: float


def normalisation(data: MeasuredStructureFactor, alloy: Alloy) -> Normalisation:
    """Check the normalisation of a data set before it is fitted.

    Inside the core h_NN = -1 and h_CC = 0, so that (2/pi) int q (S - nominal) sin(qR) dq = -4 pi n w_NN R.
    """
    alloy = alloy if data.alloy is None else data.alloy
    q, S = np.asarray(data.q), np.asarray(data.curves[0])
    weight, _, nominal = data.weights(alloy)
    large = float(S[-max(q.size // 5, 1) :].mean() - nominal[0] + 1)
    slope = -4 * np.pi * float(np.mean(weight[0])) / float(alloy.volume)
    grid = np.concatenate([np.linspace(0, q[0], 8)[:-1], q])
    excess = np.concatenate([np.full(7, S[0]), S]) - float(nominal[0])
    window = np.sinc(grid / grid[-1])  # takes off the ripple of the cut
    diameter = float(jnp.cbrt(6 * 0.42 * alloy.volume / jnp.pi))
    inside, outside = np.linspace(0.25, 0.6, 36) * diameter, np.linspace(0.9, 1.5, 40) * diameter
    core, shell = (
        2 / np.pi * np.trapezoid(grid * excess * window * np.sin(grid * R[:, None]), grid, axis=1)
        for R in (inside, outside)
    )
    seen = abs(float(np.mean(weight[0]))) > SMALL_NN_WEIGHT
    ratio = float((inside @ core) / (inside @ inside) / slope) if seen else float("nan")
    level = float(np.sqrt(np.mean((core - slope * inside) ** 2)) / max(np.abs(shell).max(), 1e-300))
    return Normalisation(large, ratio, level, float(q[np.argmax(S)]))


def check_unit_of_q(data: MeasuredStructureFactor, alloy: Alloy) -> None:
    """Raise `InputError` where the highest peak is far from 2 pi/d, d = Omega^(1/3): a wrong unit or density.

    The main peak lies at 7.5/d and a prepeak of chemical order at 4.3/d.
    """
    alloy = alloy if data.alloy is None else data.alloy
    q = np.asarray(data.q)
    highest = int(np.argmax(np.asarray(data.curves[0])))
    expected = 2 * np.pi / float(jnp.cbrt(alloy.volume))
    ratio = float(q[highest]) / expected
    if not 0.5 < ratio < 1.9:
        raise InputError(
            f"{data.name}: the highest point lies at q = {q[highest]:.4g} 1/bohr ({q[highest] / BOHR_IN_ANGSTROM:.4g} "
            f"1/angstrom), but 2 pi/d = {expected:.4g} 1/bohr for the volume of {float(alloy.volume):.4g} bohr^3; "
            "check the unit of q, the volume, and whether the range holds the first peak"
        )


def covered_range(problem: FitProblem, at: Evaluation) -> list[str]:
    """Warnings about the range of q, about what a zero alloy cannot tell, and about data without structure."""
    found = []
    flat = [m.values - jnp.mean(m.values, axis=1, keepdims=True) for m in problem.measurements]
    chi2 = sum(float(jnp.sum((x / m.errors) ** 2)) for x, m in zip(flat, problem.measurements, strict=True))
    if problem.noise_known and chi2 < problem.points + 3 * np.sqrt(2 * problem.points):
        found.append("the data are a constant within their errors: there is no structure to fit")
    first = min(float(m.q[0]) for m in problem.measurements)
    prepeak = 4.4 / float(at.values["sigma"])
    if first > 0.8 * prepeak:
        found.append(
            f"the data begin at q = {first:.3g} 1/bohr, beyond 0.8 of the prepeak at about {prepeak:.3g}: the error of "
            "epsilon is some five times that of data which begin before it"
        )
    weight = max(float(jnp.max(jnp.abs(m.weight_nn))) for m in problem.measurements)
    if weight < SMALL_NN_WEIGHT and {"sigma", "eta"} <= set(problem.names):
        found.append(f"w_NN = {weight:.3g}: a zero alloy cannot tell sigma and eta apart; take eta from the volume")
    return found


def rms_of_first_curve(problem: FitProblem, at: Evaluation) -> float:
    """Root mean square of measured - model of the first curve of the first data set."""
    return float(np.sqrt(np.mean((np.asarray(at.curves[0][0]) - np.asarray(problem.measurements[0].values[0])) ** 2)))
