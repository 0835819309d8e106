"""The methods of a search find the same minimum; a general loss shrugs off what ruins least squares."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optimistix
import pytest
import scipy.optimize

from jaxalloy.fitting.fit import fit_structure_factor
from jaxalloy.fitting.model import ReferenceModel
from jaxalloy.fitting.search import GeneralLoss, huber
from jaxalloy.numerics.checks import InputError


@pytest.fixture(scope="module")
def measured(lithium_lead):
    state = lithium_lead(0.8)
    return state.data(1), ReferenceModel(state.alloy)


@pytest.fixture(scope="module")
def squares(measured):
    return fit_structure_factor(*measured)


@pytest.mark.parametrize("bounds", [None, {"sigma": (4.96, 5.5)}], ids=["free", "at a bound"])
def test_levenberg_marquardt_of_optimistix_finds_the_same_minimum(measured, bounds):
    own = fit_structure_factor(*measured, bounds=bounds)
    other = fit_structure_factor(*measured, bounds=bounds, method=optimistix.LevenbergMarquardt(rtol=1e-10, atol=1e-10))
    assert own.converged
    assert other.converged
    # both stop where less than 1e-8 of chi^2/dof is left to gain; the angles of the bounds make that 1e-7
    assert other.chi2 == pytest.approx(own.chi2, abs=1e-6)
    assert own["sigma"].at_bound == other["sigma"].at_bound == (bounds is not None)
    for name in ("sigma", "epsilon", "kappa"):
        assert abs(other[name].value - own[name].value) <= 1e-3 * own[name].sd + 1e-12, name


def test_huber_loss_survives_outliers_that_ruin_least_squares(measured, squares):
    """Four points 100 standard deviations off."""
    data, model = measured
    curves = np.array(data.curves)
    curves[0, [50, 120, 200, 300]] += 1.0
    spoilt = dataclasses.replace(data, curves=jnp.asarray(curves))
    ruined, robust = fit_structure_factor(spoilt, model), fit_structure_factor(spoilt, model, method=GeneralLoss())
    assert robust.converged
    assert robust.score.z < 3
    for name, truth in (("sigma", 4.93), ("epsilon", -0.0302), ("kappa", 1.8)):
        assert abs(ruined[name].value - truth) > 3 * squares[name].sd, name
        assert abs(robust[name].value - truth) < 3 * robust[name].sd, name
        # its efficiency is 95 %: standard deviations are 1.026 times larger; 400 residuals know theirs to 4 %
        assert robust[name].sd == pytest.approx(1.026 * squares[name].sd, rel=0.12), name
    residuals = eqx.filter_jit(robust.problem.residuals)
    other = scipy.optimize.least_squares(
        lambda u: np.asarray(residuals(jnp.asarray(u))), robust.u, loss="huber", f_scale=1.345, x_scale="jac"
    )
    own = float(jnp.sum(jax.vmap(huber)(residuals(jnp.asarray(robust.u)))))
    # what is left to gain by the tolerance of the slope, 400 points (1e-7)^2, is far below
    assert own == pytest.approx(other.cost, abs=1e-6)
    short = fit_structure_factor(spoilt, model, method=GeneralLoss(max_steps=3))
    assert not short.converged


def test_a_general_loss_needs_errors(measured):
    data, model = measured
    with pytest.raises(InputError, match="give data with errors"):
        fit_structure_factor(dataclasses.replace(data, errors=None), model, method=GeneralLoss())
