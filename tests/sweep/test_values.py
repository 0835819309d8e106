"""What is stored is what the library says of the same state, and what theory says where it is known."""

import jax.numpy as jnp
import numpy as np
import pytest

import jaxalloy as ja
from jaxalloy.kinetics import arrival_times, critical_gain
from jaxalloy.sweep import Configuration, make_plan
from jaxalloy.sweep.evaluate import Evaluator
from jaxalloy.sweep.liquid import STRUCTURE_FACTOR
from jaxalloy.sweep.quantity import NOT_FINITE, checked_status, peak


def computed(**description):
    """The outputs of a small sweep, and the names of its statuses."""
    configuration = Configuration.of(description)
    plan = make_plan(configuration, chunk=1000)
    assert plan.chunks == 1
    return Evaluator(plan)(0), np.array(configuration.quantity.all_statuses)


def test_reference_liquid():
    q = np.linspace(0.02, 6.0, 300)
    found, words = computed(
        quantity="structure-factor",
        store=["S_CC", "S_NN", "S_CC_0", "S_NN_0", "S_CC_peak", "q_CC_peak", "entropy_ordering", "g_AB_contact"],
        fixed={"concentration": 0.3, "eta": 0.42, "sigma": 5.0, "temperature": 1000, "kappa": 1.1},
        axes={"epsilon": [0.02, -0.02, 0.0]},
    )
    assert words[found["status"]].tolist() == ["beyond the spinodal", "converged", "converged"]
    assert all(np.isnan(values[0]).all() for name, values in found.items() if name != "status")
    liquid = ja.HardSphereYukawa(0.3, 0.42, 5.0, -0.02, 1.1, 1000.0)
    np.testing.assert_allclose(found["S_CC"][1], liquid.structure_factor_cc(q), rtol=1e-10)
    np.testing.assert_allclose(found["S_NN"][1], liquid.structure_factor_nn(q), rtol=1e-10)
    np.testing.assert_allclose(found["entropy_ordering"][1], liquid.ordering_entropy, rtol=1e-10)
    np.testing.assert_allclose(found["g_AB_contact"][1], liquid.contact_values.g_AB, rtol=1e-10)
    # hard spheres without order: S_CC = c_A c_B at every q; S_NN(0) is the Percus-Yevick compressibility
    np.testing.assert_allclose(found["S_CC"][2], 0.21, rtol=1e-12)
    np.testing.assert_allclose(found["S_NN_0"], [np.nan] + 2 * [(1 - 0.42) ** 4 / (1 + 2 * 0.42) ** 2], rtol=1e-12)
    # the peak is where the curve is highest, between two points of the grid
    top = found["S_CC"][1].argmax()
    assert abs(found["q_CC_peak"][1] - q[top]) < 0.02
    assert 0 <= found["S_CC_peak"][1] - found["S_CC"][1][top] / 0.21 < 0.02


def test_peak_by_a_parabola():
    """q^2 exp(-q^2/s^2) is highest at q = s, s^2/e high; the error of the height falls with the cube of the step."""
    errors = []
    for points in (51, 101, 201):
        q = jnp.linspace(0.013, 3.0, points)
        position, height = peak(q, q**2 * jnp.exp(-(q**2) / 1.1**2))
        errors.append(abs(float(height) - 1.1**2 / np.e))
        assert abs(float(position) - 1.1) < (q[1] - q[0]) ** 2
    assert errors[2] < 1e-5
    assert errors[0] > 16 * errors[2]
    for curve, end in ((jnp.exp(q), 3.0), (jnp.exp(-q), 0.013)):
        assert float(peak(q, curve)[0]) == end


def test_alloy():
    found, words = computed(
        quantity="predict",
        store=["eta", "epsilon", "entropy_ordering", "free_energy", "S_CC_0", "S", "S_peak", "atomic_volume"],
        combine="zip",
        options={"alloy": "LiPb", "potential": "empty-core", "isotopes": {"Li": 7}},
        axes={"concentration": [0.2, 0.5], "temperature": [1000.0, 1000.0]},
    )
    assert words[found["status"]].tolist() == ["converged", "no minimum (kappa leaves the range searched)"]
    assert np.isnan(found["eta"][1])
    alloy = ja.Alloy.parse("Li0.8Pb0.2", temperature=1000.0)
    state = ja.minimise(alloy, ja.interactions(alloy, ja.EmptyCore()))
    q = jnp.linspace(0.02, 6.0, 300)
    expected = {
        "eta": state.eta,
        "epsilon": state.epsilon,
        "entropy_ordering": state.entropy.ordering,
        "free_energy": state.free_energy.total,
        "S_CC_0": state.liquid.structure_factor_cc(0.0),
        "S": ja.structure_factor(state, q, ja.Neutrons({"Li": 7})),
        "atomic_volume": alloy.volume,
    }
    for name, value in expected.items():
        # two roots of Newton's method to 1e-10
        np.testing.assert_allclose(found[name][0], value, rtol=1e-8, err_msg=name)
    assert found["S_peak"][0] >= np.max(found["S"][0])


@pytest.mark.slow  # it compiles the first-principles forces
def test_density_beyond_the_potential_is_a_status():
    found, words = computed(
        quantity="predict",
        store=["eta", "atomic_volume"],
        options={"alloy": "Li0.8Pb0.2", "potential": "opw", "constraint": "hard-spheres"},
        fixed={"temperature": 1000.0},
        axes={"volume": [150.0, 20.0]},
    )
    assert words[found["status"]].tolist() == ["converged", "density beyond the potential"]
    assert 0.3 < found["eta"][0] < 0.6
    np.testing.assert_array_equal(found["atomic_volume"], [150.0, 20.0])


def test_relaxation():
    times = np.linspace(0.0, 20.0, 401)
    found, words = computed(
        quantity="relax",
        store=["t10", "t50", "t90", "field_end", "eta", "gain_ratio", "t_steepest"],
        options={"times": {"linear": [0, 20], "points": 401}},
        combine="zip",
        axes={"x": [6.0, 30.0], "dephasing": [5.0, 0.3]},
    )
    assert words[found["status"]].tolist() == ["converged", "not settled"]
    assert np.isnan(found["t50"][1])
    system = ja.FreeRelaxation(1.0, 36.0, 1e-4, 5.0, 1.0)
    alone = ja.relax(system, times, ja.Adaptive(rtol=1e-11))
    # Taylor at 1e-9 against Dopri8 at 1e-11
    np.testing.assert_allclose(found["eta"][0], alone.eta, atol=1e-7)
    np.testing.assert_allclose(found["field_end"][0], np.abs(alone.field[-1]), rtol=1e-7)
    np.testing.assert_allclose(
        [found[name][0] for name in ("t10", "t50", "t90")], arrival_times(alone).times, rtol=1e-6
    )
    np.testing.assert_allclose(found["gain_ratio"][0], 36.0 / critical_gain(5.0), rtol=1e-10)
    assert found["t_steepest"][0] > 0


def test_stationary_condensate():
    """EM Eqs. 16, 17 at resonance: threshold kappa Gamma/Delta^2 alpha, N = Gamma (r - 1)/(4 t_sigma Delta^2)."""
    damping, pump = 0.5, np.array([0.4, 2.0, 12.0, -2.0])
    found, words = computed(
        quantity="stationary",
        fixed={"coupling": 2.0, "dephasing": 3.0, "field_damping": damping, "population_time": 0.7},
        axes={"pump": pump.tolist()},
    )
    assert words[found["status"]].tolist() == [*3 * ["converged"], "no threshold for this pump"]
    assert np.isnan(found["threshold"][3])
    found, pump = {name: values[:3] for name, values in found.items()}, pump[:3]
    threshold = damping * 3.0 / 4.0
    np.testing.assert_allclose(found["threshold"], threshold, rtol=1e-12)
    np.testing.assert_allclose(found["ratio"], pump / threshold, rtol=1e-12)
    expected = 3.0 * np.maximum(pump / threshold - 1, 0) / (4 * 0.7 * 4.0)
    np.testing.assert_allclose(found["quanta"], expected, rtol=1e-9, atol=1e-12)
    assert found["stable"].tolist() == [1, 1, 1]


def test_a_number_that_is_not_finite_is_never_silent():
    outputs = {"S_CC_0": jnp.array([1.0, jnp.nan, jnp.nan]), "status": jnp.array([0, 0, 1])}
    status = checked_status(STRUCTURE_FACTOR, outputs)["status"]
    words = [STRUCTURE_FACTOR.all_statuses[code] for code in status]
    assert words == ["converged", NOT_FINITE, "beyond the spinodal"]
