"""Fits of synthetic anneals with known truth: recovery, calibration of the errors, choice of the law."""

import dataclasses

import numpy as np
import pytest

from jaxalloy.constants import BOLTZMANN_RY_PER_K, RYDBERG_IN_EV
from jaxalloy.fitting.relaxation import (
    AnnealingCurve,
    Scale,
    activation_energies,
    arrhenius,
    arrhenius_laws,
    compare,
    fit_model,
    relaxation_model,
)
from jaxalloy.fitting.relaxation.compare import correlation_time
from jaxalloy.fitting.relaxation.fit import Problem, describe
from jaxalloy.numerics.checks import InputError

TIMES = np.linspace(0.0, 60.0, 121)[1:]
CHEAP = ("kww", "age", "tnm", "exponential", "constant")
TRUTH = {
    "em12": {"x0": 150.0, "nu": 4.0, "gamma": 0.12},
    "em9": {"x0": 100.0, "nu": 5.0, "gamma": 0.13, "seed": 1e-3},
    "kww": {"tau": 12.0, "beta": 0.6},
    "age": {"tau": 8.0, "width": 5.0},
    "age-normal": {"tau": 8.0, "width": 1.5},
    "tnm": {"tau": 12.0, "beta": 0.8, "theta": 2.5},
    "exponential": {"tau": 15.0},
}


def synthetic(name, noise, rho=0.0, seed=0, times=TIMES, errors=False, **truth):
    """2 + 3 progress(t), with noise of lag-1 correlation rho. Times in minutes."""
    model, rng = relaxation_model(name), np.random.default_rng(seed)
    values = TRUTH.get(name, {}) | truth
    scaled = np.array([values[p.name] * times[-1] ** -p.dimension for p in model.parameters])
    white = rng.normal(size=len(times))
    noises = white.copy()
    for i in range(1, len(times)):
        noises[i] = rho * noises[i - 1] + np.sqrt(1 - rho**2) * white[i]
    exact = 2.0 + 3.0 * model.progress(scaled, times / times[-1])
    sd = np.full(len(times), noise) if errors else None
    return AnnealingCurve(times, exact + noise * noises, sd, time_unit="min")


@pytest.mark.parametrize("name", list(TRUTH))
def test_truth_is_recovered(name):
    fit = fit_model(relaxation_model(name), synthetic(name, noise=1e-4))
    assert fit.converged
    assert fit.undetermined == ()
    for key, value in (TRUTH[name] | {"start": 2.0, "change": 3.0}).items():
        # 4.5 standard deviations, and the interpolation of tnm (2e-5 of the change)
        assert abs(fit.values[key] - value) < 4.5 * fit.errors[key] + 2e-4 * abs(value), key
    assert fit.relaxed == pytest.approx(np.diff(fit(TIMES[[0, -1]]))[0], abs=1e-6)
    assert np.std(fit.residuals) == pytest.approx(1e-4, rel=0.25)


@pytest.mark.parametrize("rho", [0.0, 0.7])
def test_errors_cover_the_truth_whether_or_not_the_residuals_are_correlated(rho):
    """Pulls of 120 exponential fits: unit variance, although the correlation is estimated from each curve."""
    pulls = []
    for seed in range(120):
        fit = compare(synthetic("exponential", 0.1, rho, seed), ["exponential"]).fits["exponential"]
        pulls.append([(fit.values[key] - value) / fit.errors[key] for key, value in (("tau", 15.0), ("change", 3.0))])
    # 120 pulls of unit variance scatter by 0.065, and an estimated N_eff of 20 widens them by some 0.1
    assert np.all((np.std(pulls, axis=0) > 0.8) & (np.std(pulls, axis=0) < 1.3))
    assert np.all(np.abs(np.mean(pulls, axis=0)) < 0.3)


def test_correlation_time_of_a_first_order_process():
    rng = np.random.default_rng(5)
    noise = rng.normal(size=40_000)
    for i in range(1, len(noise)):
        noise[i] += 0.6 * noise[i - 1]
    assert correlation_time(noise) == pytest.approx((1 + 0.6) / (1 - 0.6), rel=0.1)
    assert correlation_time(rng.normal(size=40_000)) == pytest.approx(1.0, abs=0.1)
    assert correlation_time(np.zeros(20)) == 1.0


@pytest.mark.parametrize("name", ["kww", "age", "exponential"])
def test_the_true_law_is_among_those_not_excluded(name):
    found = compare(synthetic(name, 0.01), CHEAP)
    assert name in found.indistinguishable
    assert found.detected is True
    assert {"exponential", "constant"} - {name} <= set(CHEAP) - set(found.indistinguishable)
    assert sum(found.weights.values()) == pytest.approx(1.0)


def test_an_s_shaped_relaxation_is_told_from_every_spectrum():
    """At 1 % noise; only em12 and the flexible kww and tnm can start slowly, and these not as em12 does."""
    found = compare(synthetic("em12", 0.01), ("em12", *CHEAP))
    assert found.preferred == "em12"
    assert not set(found.indistinguishable) & {"age", "exponential", "constant", "kww"}


def test_an_overshoot_is_told_from_the_closed_form():
    found = compare(synthetic("em9", 0.03), ("em9", "em12", "kww"))
    assert found.indistinguishable == ["em9"]


@pytest.mark.parametrize("rho", [0.0, 0.7])
def test_noise_alone_is_no_relaxation(rho):
    """Of 40 constants with noise few may pass for a relaxation; ignoring the correlation most would."""
    false_alarms = 0
    for seed in range(40):
        found = compare(synthetic("constant", 0.1, rho, seed), ("exponential", "kww", "constant"))
        false_alarms += bool(found.detected)
    assert false_alarms <= 5


def test_what_the_data_cannot_tell_is_named():
    """A fiftieth of a relaxation time is a straight line: rate and change are one product."""
    found = compare(synthetic("exponential", 0.01, tau=3000.0), ["exponential", "kww", "constant"])
    fit = found.fits["exponential"]
    assert fit.undetermined == ("tau", "change")
    assert fit.relaxed == pytest.approx(3 * -np.expm1(-59.5 / 3000.0), abs=4 * fit.relaxed_error)
    assert fit.relaxed_error < 0.1 * fit.relaxed < fit.errors["change"]
    assert "only through x0" in relaxation_model("em12").shape_only


def test_a_parameter_that_moves_nothing_leaves_the_errors_of_the_others_alone():
    """Where no overshoot asks for a seed, em9 with a tiny one is em12: the same curve with the same errors."""
    curve = synthetic("kww", 0.01)
    narrow = fit_model(relaxation_model("em12"), curve)
    problem = Problem(relaxation_model("em9"), curve, Scale())
    wide = describe(problem, problem.start_at({**narrow.values, "seed": 1e-12}), converged=True)
    assert "seed" in wide.free
    assert wide.errors["seed"] == np.inf
    assert wide.undetermined == ("seed",)
    more = ((len(TIMES) - 5) / (len(TIMES) - 6)) ** 0.5  # one degree of freedom less
    for key in ("x0", "nu", "gamma", "change"):
        assert wide.errors[key] == pytest.approx(narrow.errors[key] * more, rel=1e-6), key
    assert wide.relaxed_error == pytest.approx(narrow.relaxed_error * more, rel=1e-6)


def test_known_start_and_change():
    curve = synthetic("exponential", 1e-3)
    free = fit_model(relaxation_model("exponential"), curve)
    fixed = fit_model(relaxation_model("exponential"), curve, Scale(start=2.0, change=3.0))
    assert (free.parameters, fixed.parameters) == (3, 1)
    assert (fixed.values["start"], fixed.values["change"]) == (2.0, 3.0)
    assert (fixed.errors["start"], fixed.errors["change"]) == (0.0, 0.0)
    assert fixed.errors["tau"] < free.errors["tau"]
    assert fixed.values["tau"] == pytest.approx(15.0, abs=4 * fixed.errors["tau"])
    level = fit_model(relaxation_model("constant"), curve, Scale(start=1.5))
    assert level.values == {"start": 1.5}
    assert level.parameters == 0


def test_given_errors_make_the_likelihood_absolute():
    told = compare(synthetic("exponential", 0.05, errors=True), ["exponential", "constant"])
    estimated = compare(synthetic("exponential", 0.05), ["exponential", "constant"])
    assert told.fits["exponential"].errors["tau"] == pytest.approx(estimated.fits["exponential"].errors["tau"], rel=0.3)
    assert told.fits["exponential"].rss / 117 == pytest.approx(1.0, abs=0.4)  # chi^2 per degree of freedom
    assert told.preferred == estimated.preferred == "exponential"


def test_units_of_time_do_not_matter():
    curve = synthetic("kww", 0.01)
    hours = dataclasses.replace(curve, times=curve.times / 60.0, time_unit="h")
    one, other = (fit_model(relaxation_model("kww"), c) for c in (curve, hours))
    assert one.values["tau"] == pytest.approx(60 * other.values["tau"], rel=1e-9)
    assert one.values["beta"] == pytest.approx(other.values["beta"], rel=1e-9)


def test_eta_squared():
    times = TIMES
    eta = fit_model(relaxation_model("em12"), synthetic("em12", 1e-5))
    squared = AnnealingCurve(times, 2 + 3 * ((eta(times) - 2) / 3) ** 2 + 1e-5 * np.sin(37 * times))
    fit = fit_model(relaxation_model("em12", power=2), squared)
    for key, value in TRUTH["em12"].items():
        assert fit.values[key] == pytest.approx(value, rel=0.02), key


def test_arrhenius_law_is_exact_on_exact_rates():
    T = np.array([600.0, 650.0, 700.0])
    boltzmann = BOLTZMANN_RY_PER_K * RYDBERG_IN_EV
    law = arrhenius(T, 1e12 * np.exp(-1.7 / (boltzmann * T)), np.array([0.1, 0.2, 0.1]))
    assert law.energy == pytest.approx(1.7, rel=1e-10)
    assert law.log_prefactor == pytest.approx(np.log(1e12), rel=1e-10)
    # two ends of error 0.1 and a middle next to their mean: sd(E) = 0.1 sqrt(2)/|1/kT1 - 1/kT2|
    assert law.energy_error == pytest.approx(0.1 * 2**0.5 / (1 / 600 - 1 / 700) * boltzmann, rel=0.01)
    assert law.correlation > 0.99
    with pytest.raises(InputError, match="two temperatures"):
        arrhenius(np.full(2, 600.0), np.ones(2), np.ones(2))


def test_arrhenius_law_and_energies_of_fitted_curves():
    """tau = 1e-13 s exp(1.9 eV/kT): the law of three anneals, and the energy of each by the same frequency."""
    boltzmann = BOLTZMANN_RY_PER_K * RYDBERG_IN_EV
    found = []
    for i, T in enumerate((590.0, 600.0, 610.0)):
        tau = 1e-13 * np.exp(1.9 / (boltzmann * T)) / 60.0
        curve = synthetic("age", 0.003, seed=i, times=np.geomspace(0.05, 3000.0, 80), tau=tau, width=4.0)
        found.append(compare(dataclasses.replace(curve, temperature=T), ["age", "constant"]))
    law = arrhenius_laws(found)["age"]
    assert law.energy == pytest.approx(1.9, abs=4 * law.energy_error)
    assert law.log_prefactor - np.log(60.0) == pytest.approx(np.log(1e13), abs=4 * law.log_prefactor_error)
    energies = activation_energies(found[1].fits["age"])
    assert energies["energy_eV"] == pytest.approx(1.9, abs=0.005)
    assert energies["width_eV"] == pytest.approx(4.0 * boltzmann * 600.0, rel=0.05)
    assert activation_energies(found[1].fits["constant"]) is None
    mixed = [found[0], dataclasses.replace(found[1], curve=dataclasses.replace(found[1].curve, time_unit="h"))]
    with pytest.raises(InputError, match="one unit"):
        arrhenius_laws(mixed)


@pytest.mark.parametrize(
    ("names", "said"),
    [(["kww", "kww"], "once"), ([], "once"), (["arrow"], "not known")],
)
def test_bad_choices_of_laws(names, said):
    with pytest.raises(InputError, match=said):
        compare(synthetic("kww", 0.01), names)


def test_a_law_with_as_many_parameters_as_points_is_never_preferred():
    """Eight points: em9 has six parameters beside the noise, and AICc is infinite."""
    times = np.arange(8.0)
    curve = AnnealingCurve(times, np.exp(-times / 3) + 0.01 * np.cos(9 * times))
    found = compare(curve, ["em9", "exponential"])
    assert found.aicc["em9"] == np.inf
    assert found.preferred == "exponential"
