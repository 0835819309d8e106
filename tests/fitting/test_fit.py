"""Fits of the reference model: recovery, bounds, verdicts, joint fits, against SciPy's optimiser."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from jaxalloy.fitting import diagnostics, uncertainty
from jaxalloy.fitting.fit import fit_structure_factor
from jaxalloy.fitting.model import ReferenceModel
from jaxalloy.fitting.problem import set_up
from jaxalloy.fitting.sample import sample, volume_of_number_density
from jaxalloy.fitting.synthetic import synthetic_data
from jaxalloy.numerics.checks import InputError, NoResultError
from jaxalloy.reference import hard_sphere, yukawa
from jaxalloy.scattering import XRays, read_structure_factor

FIVE = ("sigma", "epsilon", "kappa", "scale", "level")


@pytest.fixture(scope="module")
def strong(lithium_lead):
    """Li0.8Pb0.2 with its data and the fit of them, with a profile."""
    state = lithium_lead(0.8)
    data = state.data(1, scale=1.03, level=0.98)
    return state, data, fit_structure_factor(data, ReferenceModel(state.alloy))


def deviation(result, name, truth):
    return (result[name].value - truth) / result[name].sd


def test_truth_is_recovered_within_the_errors(strong):
    """Three standard deviations: one in 370 data sets misses by more, and the seed is fixed."""
    state, _, result = strong
    truth = dict(zip(FIVE, (4.93, -0.0302, 1.8, 1.03, 0.98), strict=True))
    assert result.converged
    for name, value in truth.items():
        assert abs(deviation(result, name, value)) < 3, name
        assert result[name].determined
        assert not result[name].at_bound
    assert result["eta"].value == pytest.approx(float(state.liquid.eta), abs=3 * result["eta"].sd)
    assert result["offset"].value == pytest.approx(result["level"].value - result["scale"].value)
    assert abs(result.score.z) < 3
    assert not result.correlation_of_residuals.significant
    assert result.inflation == 1.0


def test_errors_are_those_of_the_measured_study(strong):
    """physics.md 6, at 1 %: sd(sigma) .003-.004 bohr, sd(epsilon) 0.4-2.2 %, sd(kappa) 0.9-2.8 %, r -.5 to -.9."""
    _, _, result = strong
    assert 0.002 < result["sigma"].sd < 0.005
    assert 0.004 < result["epsilon"].sd / 0.0302 < 0.022
    assert 0.008 < result["kappa"].sd / 1.8 < 0.028
    names = list(result.correlated)
    assert -0.9 < result.correlation[names.index("epsilon"), names.index("kappa")] < -0.5


def test_minimum_and_covariance_agree_with_scipy(strong):
    """MINPACK on the same residuals, with derivatives by differences: same minimum, same J^T J."""
    _, _, result = strong
    residuals = eqx.filter_jit(result.problem.residuals)
    other = scipy.optimize.least_squares(
        lambda u: np.asarray(residuals(jnp.asarray(u))), np.asarray(result.problem.start), method="lm", x_scale="jac"
    )
    assert result.chi2 == pytest.approx(2 * other.cost, abs=1e-4)
    expected = np.linalg.inv(other.jac.T @ other.jac)
    # forward differences of MINPACK are good to 1e-6
    np.testing.assert_allclose(np.sqrt(np.diag(result.covariance)), np.sqrt(np.diag(expected)), rtol=1e-4)


def test_derived_quantities_and_their_errors(strong):
    """Values against the liquid's own methods; errors against a Monte Carlo over the covariance."""
    _, _, result = strong
    eta, y, Z = (result[name].value for name in ("eta", "y", "Z"))
    assert result["epsilon"].value == pytest.approx(
        6.333623618e-6 * 1000 * float(yukawa.coupling_from_y(eta, y, Z)), rel=1e-12
    )
    g_AB = float(hard_sphere.contact_value(eta) - yukawa.contact_value_cc(eta, y, Z))
    assert result["g_AB_contact"].value == pytest.approx(g_AB)
    draws = np.random.default_rng(2).multivariate_normal(result.u, result.covariance, 400)
    sampled = jax.vmap(lambda u: uncertainty.derived(result.problem, u))(jnp.asarray(draws))
    for name in uncertainty.DERIVED:
        # 400 draws know a standard deviation to 3.5 %
        assert result[name].sd == pytest.approx(float(np.std(sampled[name])), rel=0.15), name


def test_first_shell_agrees_with_the_exact_pair_correlations():
    """Quadrature of `pair_correlation` and `total_correlation_cc`, which are tested on their own."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    x = jnp.asarray(1 + 0.3 * (nodes + 1))
    for eta, y, Z in ((0.42, -1.97, 8.9), (0.30, -5.0, 0.3), (0.45, 0.3, 3.0), (0.42, -0.1, 60.0)):
        measure = 24 * eta * x**2 * 0.3 * weights
        found = uncertainty.first_shell(*(jnp.asarray(v) for v in (eta, y, Z)))
        np.testing.assert_allclose(found[0], measure @ hard_sphere.pair_correlation(x, eta, 3), rtol=1e-10)
        np.testing.assert_allclose(found[1], measure @ yukawa.total_correlation_cc(x, eta, y, Z, 3), rtol=1e-8)


def test_profile_of_a_well_determined_parameter_is_its_error(strong):
    _, _, result = strong
    found = result.profile("kappa")
    kappa = result["kappa"]
    # the likelihood is Gaussian to a few per cent of the error here
    assert found.low == pytest.approx(kappa.value - kappa.sd, abs=0.15 * kappa.sd)
    assert found.high == pytest.approx(kappa.value + kappa.sd, abs=0.15 * kappa.sd)
    assert found.low_95 < found.low < kappa.value < found.high < found.high_95
    with pytest.raises(InputError, match="no profile of 'epsilon'"):
        result.profile("epsilon")


def test_a_bound_is_kept_and_reported(strong):
    state, data, _ = strong
    result = fit_structure_factor(data, ReferenceModel(state.alloy), bounds={"epsilon": (-0.025, 0.0)})
    assert result["epsilon"].value == pytest.approx(-0.025, rel=1e-12)
    assert result["epsilon"].at_bound
    assert not result["epsilon"].determined
    assert any("epsilon ended at its bound" in warning for warning in result.warnings)
    assert result.chi2 / result.dof > 1.2


def test_bounds_of_eta_hold_through_the_volume(strong):
    state, data, _ = strong
    result = fit_structure_factor(data, ReferenceModel(state.alloy), bounds={"eta": (0.43, 0.5)})
    assert result["eta"].value >= 0.43 - 1e-12
    assert any("sigma ended at its bound" in warning for warning in result.warnings)


def test_fixed_parameters_stay_and_have_no_error(strong):
    state, data, free = strong
    result = fit_structure_factor(data, ReferenceModel(state.alloy), fix={"epsilon": -0.0302, "kappa": 1.8})
    assert result["epsilon"].value == pytest.approx(-0.0302, rel=1e-9)
    assert (result["kappa"].value, result["kappa"].sd) == (pytest.approx(1.8), 0.0)
    assert result["epsilon"].note == result["kappa"].note == "fixed"
    assert result["sigma"].sd < free["sigma"].sd  # knowing more cannot make it worse
    problem = set_up([data], ReferenceModel(state.alloy), fix={"eta": 0.42}, free=("epsilon", "kappa"))
    liquid = problem.liquid(problem.start)
    assert float(liquid.eta) == pytest.approx(0.42)
    assert float(liquid.sigma) == pytest.approx(float(np.cbrt(6 * 0.42 * 149.6 / np.pi)))


def test_neutrons_and_x_rays_in_one_fit(lithium_lead, strong):
    state, data, alone = strong
    xray = lithium_lead(0.8, probe=XRays()).data(2)
    result = fit_structure_factor([data, xray], ReferenceModel(state.alloy))
    assert result.converged
    for name, truth in (("sigma", 4.93), ("epsilon", -0.0302), ("kappa", 1.8), ("scale_1", 1.03), ("level_2", 1.0)):
        assert abs(deviation(result, name, truth)) < 3, name
    assert result["sigma"].sd < alone["sigma"].sd / 1.1  # x-rays see S_NN, which 7Li-Pb nearly hides from neutrons


def test_two_temperatures_share_epsilon(lithium_lead):
    cold, hot = lithium_lead(0.8, temperature=900.0), lithium_lead(0.8, temperature=1300.0)
    data = [dataclasses.replace(s.data(i), alloy=s.alloy) for i, s in enumerate((cold, hot))]
    result = fit_structure_factor(data, ReferenceModel(cold.alloy))
    assert result.converged
    for name, truth in (("sigma", 4.93), ("epsilon", -0.0302), ("kappa", 1.8)):
        assert abs(deviation(result, name, truth)) < 3, name


def test_softness_is_fitted_and_its_absence_detected(lithium_lead):
    state = lithium_lead(0.8)
    data = state.data(5, softness=0.15)
    hard = fit_structure_factor(data, ReferenceModel(state.alloy))
    assert hard.score.z > 5
    assert any("soft-core test" in warning for warning in hard.warnings)
    soft = fit_structure_factor(data, ReferenceModel(state.alloy), (*FIVE, "softness"))
    assert soft.score is None
    assert abs(deviation(soft, "softness", 0.15)) < 3
    assert abs(deviation(soft, "epsilon", -0.0302)) < 3


def test_resolution_of_the_points_is_folded_in(lithium_lead):
    """Data made with the folded model and a fit that knows dq; without it the peaks look damped."""
    state = lithium_lead(0.8)
    template = dataclasses.replace(state.template, dq=jnp.full_like(state.template.q, 0.05))
    data = synthetic_data(template, state.alloy, state.liquid, jax.random.key(0))
    known = fit_structure_factor(data, ReferenceModel(state.alloy))
    assert abs(deviation(known, "epsilon", -0.0302)) < 3
    blind = fit_structure_factor(dataclasses.replace(data, dq=None), ReferenceModel(state.alloy))
    assert abs(blind["epsilon"].value + 0.0302) > 2.5 * known["epsilon"].sd
    found = fit_structure_factor(dataclasses.replace(data, dq=None), ReferenceModel(state.alloy), (*FIVE, "resolution"))
    assert abs(deviation(found, "resolution", 0.05)) < 3


def test_null_alloy_gets_limits_and_no_kappa(lithium_lead):
    state = lithium_lead(0.5, epsilon=0.0, probe=XRays())
    result = fit_structure_factor(state.data(7), ReferenceModel(state.alloy))
    assert result.null is not None
    assert not result["kappa"].determined
    assert not result["epsilon"].determined
    assert "no order is detected" in result["epsilon"].note
    assert 0 < result.null.h_cc_contact < 0.2
    assert result["sigma"].sd < np.inf


def test_data_without_structure_say_so(lithium_lead):
    """A zero alloy without order scatters nothing but a constant."""
    state = lithium_lead(0.8, epsilon=0.0)
    result = fit_structure_factor(state.data(7), ReferenceModel(state.alloy))
    assert any("no structure" in warning for warning in result.warnings)
    assert not result["kappa"].determined


def test_noise_is_estimated_where_no_errors_are_given(strong):
    state, data, with_errors = strong
    result = fit_structure_factor(dataclasses.replace(data, errors=None), ReferenceModel(state.alloy))
    assert result.chi2 is None
    assert result.noise[0] == pytest.approx(0.01, rel=0.1)  # 400 points know it to 3.5 %
    assert result["sigma"].sd == pytest.approx(with_errors["sigma"].sd, rel=0.1)
    assert any("noise was estimated" in warning for warning in result.warnings)


def test_correlated_residuals_widen_the_errors(strong):
    """Noise smoothed over 9 points has an integrated correlation time near 9."""
    state, data, with_errors = strong
    noise = np.random.default_rng(3).normal(size=408)
    smooth = np.convolve(noise, np.ones(9) / 3, "valid")
    correlated = dataclasses.replace(data, curves=state.exact()[None] + 0.01 * smooth[None])
    result = fit_structure_factor(correlated, ReferenceModel(state.alloy))
    assert result.correlation_of_residuals.significant
    assert 4 < result.correlation_of_residuals.time < 14
    assert result["sigma"].sd > 1.8 * with_errors["sigma"].sd


def test_a_million_points_are_binned_with_a_notice(lithium_lead, monkeypatch):
    monkeypatch.setattr("jaxalloy.fitting.fit._BINS", 400)  # for which the fit is compiled already
    q = np.linspace(0.26, 5.3, 1_000_000)
    state = lithium_lead(0.8, q=q, noise=0.3)
    result = fit_structure_factor(state.data(8), ReferenceModel(state.alloy))
    assert any("1000000 points averaged" in warning for warning in result.warnings)
    # bins of 0.013 1/bohr are far narrower than any peak
    assert abs(deviation(result, "epsilon", -0.0302)) < 3


def test_data_that_begin_beyond_the_prepeak_are_warned_about(lithium_lead):
    state = lithium_lead(0.8)
    for first, warned in ((0.85, True), (0.3, False)):
        problem = set_up([state.data(9).between(first, 5.3)], ReferenceModel(state.alloy))
        at = uncertainty.Evaluation((), None, None, {"sigma": 4.93}, {})
        assert any("prepeak" in words for words in diagnostics.covered_range(problem, at)) == warned


def test_zero_alloy_does_not_tell_sigma_from_eta(strong):
    state, data, result = strong
    problem = set_up([data], ReferenceModel(state.alloy), ("sigma", "eta", *FIVE[1:]))
    at = uncertainty.Evaluation((), None, None, {"sigma": 4.93}, {})
    assert any("zero alloy" in words for words in diagnostics.covered_range(problem, at))
    # and the covariance says so too: sigma and eta are far worse known than sigma alone
    u = jnp.asarray([4.93, float(state.liquid.eta), float(state.liquid.y), np.log(1.8), 1.0, 1.0])
    slopes = np.asarray(jax.jacfwd(problem.residuals)(u))
    apart = uncertainty.covariance(slopes, np.zeros(6, bool))
    assert apart[1, 1] > 100 * (3 * 0.42 * result["sigma"].sd / 4.93) ** 2


def test_measured_liquid_iron_alloys_have_no_detectable_order(measured_data):
    """rms of S_NN, unscaled: .049/.076 with hard spheres, .035/.055 with the softness; |epsilon| < 2-3 mRy."""
    hard_limit, soft_limit = {"Fe-Co": 0.049, "Fe-Cr": 0.076}, {"Fe-Co": 0.035, "Fe-Cr": 0.055}
    for name, temperature, density in (("Fe-Co", 1800.0, 7.0), ("Fe-Cr", 1944.0, 6.6)):
        alloy = sample(name.replace("-", "0.5") + "0.5", temperature, density=density)
        path = measured_data / "liquid_3d_metals_measured" / f"{name}.csv"
        data = read_structure_factor(path, unit="1/angstrom").bhatia_thornton(alloy)
        hard = fit_structure_factor(data.only("NN"), ReferenceModel(alloy), ("sigma", "eta"))
        assert hard.rms <= hard_limit[name]
        result = fit_structure_factor(
            data.only("NN", "CC"), ReferenceModel(alloy), ("sigma", "eta", "epsilon", "softness"), fix={"kappa": 1.0}
        )
        assert result.rms <= soft_limit[name]
        assert 0.08 < result["softness"].value * 0.529177 < 0.14  # angstrom; physics.md: 0.10-0.12
        assert result.null is not None
        assert result.null.epsilon < 0.003
        assert result.correlation_of_residuals.lag_one > 0.85


def test_a_fixed_packing_fraction_fixes_the_diameter(strong):
    """At a known volume they are one parameter; both apart only where both are named."""
    state, data, _ = strong
    problem = set_up([data], ReferenceModel(state.alloy), fix={"eta": 0.42})
    assert problem.names == ("y", "kappa", "scale", "level")
    assert float(problem.liquid(problem.start).sigma) == pytest.approx(float(np.cbrt(6 * 0.42 * 149.6 / np.pi)))
    apart = set_up([data], ReferenceModel(state.alloy), ("sigma", "epsilon", "kappa"), fix={"eta": 0.42})
    assert apart.names == ("sigma", "y", "kappa")
    begun = set_up([data], ReferenceModel(state.alloy), start={"eta": 0.40})
    assert float(begun.liquid(begun.start).eta) == pytest.approx(0.40)


def test_volumes_of_several_temperatures(lithium_lead):
    """Each state has its own packing fraction from the shared diameter."""
    cold = lithium_lead(0.8, temperature=900.0)
    hot = dataclasses.replace(cold.alloy, temperature=jnp.asarray(1300.0), volume=jnp.asarray(160.0))
    data = [dataclasses.replace(cold.data(0), alloy=a) for a in (cold.alloy, hot)]
    problem = set_up(data, ReferenceModel(cold.alloy))
    for index, volume in enumerate((149.6, 160.0)):
        liquid = problem.liquid(problem.start, index)
        assert float(liquid.eta) == pytest.approx(np.pi * float(liquid.sigma) ** 3 / (6 * volume))


MISTAKES = {
    "unknown parameter": ({"free": ("sigma", "colour")}, "colour"),
    "unknown bound": ({"bounds": {"colour": (0, 1)}}, "colour"),
    "bound of a fixed one": ({"fix": {"kappa": 1.0}, "bounds": {"kappa": (0.5, 2.0)}}, "kappa.*not fitted"),
    "empty bound": ({"bounds": {"sigma": (6.0, 4.0)}}, "sigma: 6 is not below 4"),
    "impossible bound": ({"bounds": {"sigma": (50.0, 60.0)}}, "covers"),
    "negative bound": ({"bounds": {"kappa": (-1.0, 2.0)}}, "kappa"),
    "excluding bounds": ({"bounds": {"sigma": (4.0, 4.2), "eta": (0.4, 0.5)}}, "exclude"),
    "fixed out of range": ({"fix": {"eta": 0.9}}, "eta = 0.9"),
    "no size": ({"free": ("epsilon", "kappa")}, "neither sigma nor eta"),
    "nothing free": ({"free": (), "fix": {"sigma": 4.9}}, "nothing is free"),
    "no range": ({"free": ("sigma", "epsilon")}, "name kappa too"),
    "range of nothing": ({"free": ("sigma", "kappa")}, "name epsilon too"),
    "free and fixed": ({"free": FIVE, "fix": {"kappa": 1.0}}, "both free and fixed"),
    "start of a fixed one": ({"fix": {"kappa": 1.0}, "start": {"kappa": 2.0}}, "start of 'kappa'"),
    "order twice": ({"free": ("sigma", "epsilon", "y")}, "one parameter"),
}


@pytest.mark.parametrize(("options", "words"), MISTAKES.values(), ids=MISTAKES.keys())
def test_contradictions_are_refused(strong, options, words):
    state, data, _ = strong
    with pytest.raises(InputError, match=words):
        set_up([data], ReferenceModel(state.alloy), **options)


def test_wrong_unit_mixed_errors_and_other_compositions_are_refused(strong, lithium_lead):
    state, data, _ = strong
    with pytest.raises(InputError, match="2 pi/d"):
        fit_structure_factor(dataclasses.replace(data, q=10 * data.q), ReferenceModel(state.alloy))
    with pytest.raises(InputError, match="give all or none"):
        set_up([data, dataclasses.replace(data, errors=None)], ReferenceModel(state.alloy))
    other = lithium_lead(0.5)
    with pytest.raises(InputError, match="different compositions"):
        set_up([data, dataclasses.replace(other.data(0), alloy=other.alloy)], ReferenceModel(state.alloy))
    with pytest.raises(InputError, match="no data"):
        set_up([], ReferenceModel(state.alloy))
    with pytest.raises(InputError, match="what was it measured with"):
        set_up([dataclasses.replace(data, probe=None)], ReferenceModel(state.alloy))


def test_a_search_cut_short_says_so(strong):
    from jaxalloy.fitting.least_squares import Marquardt

    state, data, _ = strong
    result = fit_structure_factor(data, ReferenceModel(state.alloy), method=Marquardt(max_steps=2))
    assert not result.converged
    with pytest.raises(NoResultError, match="did not converge"):
        result.require_converged()


def test_number_densities_have_a_unit():
    """0.0427 atoms in a cubic angstrom are a volume of 158.04 cubic bohr each."""
    for text in ("0.0427 1/angstrom^3", "0.0427 atoms/Å^3", "42.7 1/nm^3", "0.0427 /A3"):
        assert volume_of_number_density(text) == pytest.approx(1 / 0.0427 / 0.529177210903**3, rel=1e-9)
    for text in ("0.0427", "0.0427 1/ft^3", "-1 1/nm^3", "many 1/nm^3"):
        with pytest.raises(InputError, match="number density"):
            volume_of_number_density(text)


def test_samples_of_elements_without_a_potential():
    alloy = sample("Fe0.5Co0.5", 1800.0, density=7.0)
    assert alloy.symbols == ("Fe", "Co")
    assert float(alloy.mass_density) == pytest.approx(7.0)
    assert float(sample("Li0.8Pb0.2", 1000.0, 149.6).valences[1]) == 4
    for formula, words in (("Fe0.5Co0.5", "no density of Fe and Co"), ("Fe0.5Xx0.5", "Xx"), ("Fe0.5Co0.6", "add up")):
        with pytest.raises(InputError, match=words):
            sample(formula, 1800.0, None if words.startswith("no density") else 90.0)
