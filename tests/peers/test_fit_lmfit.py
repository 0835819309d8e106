"""The covariance and the profile of a fit against lmfit, which crystallographers and spectroscopists use."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxalloy import Alloy, HardSphereYukawa, Neutrons, ReferenceModel, fit_structure_factor
from jaxalloy.fitting.synthetic import empty_template, synthetic_data

lmfit = pytest.importorskip("lmfit", reason="peer absent: pip install lmfit")


@pytest.fixture(scope="module")
def both():
    """7Li0.8Pb0.2 of PHH Table II with 1 % noise: our fit, and lmfit's minimiser with its result."""
    alloy = Alloy.of(("Li", "Pb"), 0.2, 1000.0, 149.6)
    liquid = HardSphereYukawa(0.2, np.pi * 4.93**3 / 6 / 149.6, 4.93, -0.0302, 1.8, 1000.0)
    template = empty_template(np.linspace(0.265, 5.29, 400), 0.01, Neutrons({"Li": 7}))
    own = fit_structure_factor(synthetic_data(template, alloy, liquid, jax.random.key(1)), ReferenceModel(alloy))
    residuals = eqx.filter_jit(own.problem.residuals)
    parameters = lmfit.Parameters()
    for name, start in zip(own.problem.names, np.asarray(own.problem.start), strict=True):
        parameters.add(name, start)

    def standardised(p):
        return np.asarray(residuals(jnp.asarray([p[name].value for name in own.problem.names])))

    other = lmfit.Minimizer(standardised, parameters, scale_covar=False)
    return own, other, other.leastsq()


def test_minimum_errors_and_correlations(both):
    own, _, other = both
    assert own.chi2 == pytest.approx(other.chisqr, abs=1e-4)
    assert own.dof == other.nfree
    sd = np.sqrt(np.diag(own.covariance))
    # lmfit differentiates by differences: a covariance good to 1e-4
    np.testing.assert_allclose(sd, [other.params[name].stderr for name in own.problem.names], rtol=1e-3)
    np.testing.assert_allclose(own.covariance, other.covar, atol=1e-3 * sd.max() * sd.min(), rtol=2e-3)


def test_profile_of_kappa_is_the_confidence_interval(both):
    """lmfit's F test puts the limit where chi^2 has risen by about chi^2/dof; ours, for known errors, by 1."""
    own, minimiser, other = both
    (interval,) = lmfit.conf_interval(minimiser, other, p_names=["kappa"], sigmas=[1]).values()
    low, high = interval[0][1], interval[-1][1]
    profile, best, sd = own.profile("kappa"), np.log(own["kappa"].value), own["kappa"].sd / own["kappa"].value
    width = np.sqrt(own.chi2 / own.dof)
    # steps of a third of a standard deviation, interpolated as a parabola; F(1, 395) is 1.003
    assert width * (np.log(profile.low) - best) == pytest.approx(low - best, abs=0.03 * sd)
    assert width * (np.log(profile.high) - best) == pytest.approx(high - best, abs=0.03 * sd)
