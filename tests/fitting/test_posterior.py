"""The sampled posterior of a nearly Gaussian fit is its covariance; skipped without the extra."""

import numpy as np
import pytest

from jaxalloy.fitting.fit import fit_structure_factor
from jaxalloy.fitting.model import ReferenceModel
from jaxalloy.numerics.checks import InputError

pytest.importorskip("numpyro", reason="jaxalloy[posterior] is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")


def test_posterior_agrees_with_the_covariance(lithium_lead):
    from jaxalloy.fitting.posterior import posterior

    state = lithium_lead(0.8)
    result = fit_structure_factor(state.data(1), ReferenceModel(state.alloy))
    found = posterior(result, draws=250, warmup=200)
    assert found.divergences == 0
    for name in ("sigma", "epsilon", "kappa", "h_cc_contact", "y", "scale", "level", "ordering_entropy"):
        row = found[name]
        assert row.r_hat < 1.01, name
        assert row.ess > 400, name
        # 400 effective samples: mean to .05 sd, sd to 3.5 %; kappa is skewed a little
        assert row.mean == pytest.approx(result[name].value, abs=0.15 * result[name].sd), name
        assert row.sd == pytest.approx(result[name].sd, rel=0.11), name
        assert row.low_95 < result[name].value < row.high_95
    pytest.importorskip("arviz_base", reason="jaxalloy[posterior] is not installed")
    exported = found.inference_data()
    np.testing.assert_array_equal(exported["posterior"]["sigma"].values, found.samples["sigma"])


def test_a_fit_at_a_bound_has_no_posterior(lithium_lead):
    from jaxalloy.fitting.posterior import posterior

    state = lithium_lead(0.8)
    result = fit_structure_factor(state.data(1), ReferenceModel(state.alloy), bounds={"epsilon": (-0.025, 0.0)})
    with pytest.raises(InputError, match="at a bound"):
        posterior(result)
