"""Hard spheres and the instrument's resolution against sasmodels, the kernels of SasView."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxalloy import Alloy, MeasuredStructureFactor, Neutrons
from jaxalloy.fitting.model import Measurement, Reduced, predicted_curves
from jaxalloy.reference import hard_sphere

core = pytest.importorskip("sasmodels.core", reason="peer absent: pip install sasmodels")


@pytest.fixture(scope="module")
def hard_spheres():
    """S(q) of sasmodels' compiled kernel for a diameter of one."""
    direct = pytest.importorskip("sasmodels.direct_model")

    def curve(q, eta):
        try:
            kernel = core.load_model("hardsphere", dtype="double", platform="dll").make_kernel([np.asarray(q)])
        except Exception as error:
            pytest.skip(f"peer absent: sasmodels could not compile its kernel ({type(error).__name__})")
        return direct.call_kernel(kernel, {"radius_effective": 0.5, "volfraction": eta})

    return curve


@pytest.mark.filterwarnings("ignore")  # of the peer
@pytest.mark.parametrize("eta", [0.05, 0.3, 0.45, 0.55])
def test_percus_yevick(hard_spheres, eta):
    q = np.linspace(0.05, 40.0, 300)
    found = hard_sphere.structure_factor(jnp.asarray(q), eta)
    # the kernel keeps six digits: it sums a series with that cut-off at small q
    np.testing.assert_allclose(found, hard_spheres(q, eta), rtol=2e-6)


@pytest.mark.filterwarnings("ignore")
def test_gaussian_resolution_is_a_pinhole():
    """sasmodels integrates the Gaussian over narrow bins up to five standard deviations, 6e-7 of it being beyond."""
    resolution = pytest.importorskip("sasmodels.resolution")
    alloy = Alloy.of(("Li", "Pb"), 0.2, 1000.0, 149.6)
    q, width = np.linspace(0.5, 5.0, 60), 0.05
    liquid = Reduced(*(jnp.asarray(x) for x in (4.93, 0.42, -1.97, 8.9)))

    def curve(points, dq):
        data = MeasuredStructureFactor.of(points, np.ones_like(points), 0.01, dq, probe=Neutrons({"Li": 7}))
        return np.asarray(predicted_curves(Measurement.of(data, alloy), liquid)[0])

    dense = np.linspace(0.2, 5.3, 6001)
    pinhole = resolution.Pinhole1D(q, np.full(q.size, width), q_calc=dense, nsigma=5.0)
    folded = curve(q, width)
    sharp = curve(q, None)
    np.testing.assert_allclose(folded, pinhole.apply(curve(dense, None)), atol=2e-5)
    assert np.abs(folded - sharp).max() > 0.02  # the test would see a missing resolution
