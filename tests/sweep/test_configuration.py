"""What a TOML file may say, and what is said about one that may not."""

import pathlib

import numpy as np
import pytest
from scipy.stats import qmc

from jaxalloy.numerics.checks import InputError
from jaxalloy.sweep import Configuration
from jaxalloy.sweep.configuration import QUANTITIES, from_text

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "experiments" / "sweeps"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.update(quantty="x"), "'quantty' here; did you mean 'quantity'"),
        (lambda d: d.update(quantity="predikt"), "did you mean 'predict'"),
        (lambda d: d.pop("quantity"), "quantity is missing"),
        (lambda d: d["axes"].update(kapa=[1.0]), "axes: no 'kapa' here; did you mean 'kappa'"),
        (lambda d: d["fixed"].update(temprature=1.0), "did you mean 'temperature'"),
        (lambda d: d["fixed"].pop("sigma"), "sigma is missing .hard-sphere diameter, bohr"),
        (lambda d: d["fixed"].update(kappa=1.0), "fixed.kappa: it is an axis too"),
        (lambda d: d["fixed"].update(sigma="wide"), "fixed.sigma = 'wide': a number"),
        (lambda d: d["fixed"].update(eta=0.7), "eta .1. = 0.7: a liquid"),
        (lambda d: d["options"].update(w=[1.0]), "options: no 'w' here; there are q"),
        (lambda d: d["options"].update(q={"log": [0.1, 1.0], "points": 5}), "axis 'q': no 'log' here"),
        (lambda d: d["store"].append("S_CC0"), "store: no 'S_CC0' here; did you mean 'S_CC_0'"),
        (lambda d: d.update(store=[]), "store = "),
        (lambda d: d.update(axes={}), "axes is empty"),
        (lambda d: d.update(fixed=3), "it is a table"),
        (lambda d: d.update(combine="zipp"), "did you mean 'zip'"),
        (lambda d: d.update(combine="zip"), "axes of the same length, not kappa 10, epsilon 15"),
        (lambda d: d.update(seed=-1), "seed = -1"),
        (lambda d: d["axes"].update(kappa={"linear": [1, 2], "point": 3}), "did you mean 'points'"),
        (lambda d: d["axes"].update(kappa={"linear": [1, 2]}), "points = None"),
        (lambda d: d["axes"].update(kappa={"linear": [1, 2], "log": [1, 2], "points": 2}), "name one of"),
        (lambda d: d["axes"].update(kappa={"linear": [1, 2, 3], "points": 2}), "first and the last"),
        (lambda d: d["axes"].update(kappa={"log": [0, 2], "points": 2}), "both ends must be positive"),
        (lambda d: d["axes"].update(kappa={"list": [1, 2], "points": 3}), "leave points away"),
        (lambda d: d["axes"].update(kappa=7), "axis 'kappa' = 7"),
        (lambda d: d["axes"].update(kappa=[1, "two"]), "a list of numbers"),
        (lambda d: d["axes"].update(kappa=[1.0, float("inf")]), "must be finite"),
        (lambda d: d["axes"].update(kappa=[1.0, -1.0]), "kappa .1/bohr. = -1: it must be positive"),
        (lambda d: d["axes"].update(kappa={"sobol": [1, 2], "points": 100}), "power of two, 64 or 128"),
    ],
)
def test_what_is_wrong_is_named_with_the_remedy(change, words, liquid):
    change(liquid)
    with pytest.raises(InputError, match=words):
        Configuration.of(liquid)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "options.alloy is missing"),
        ({"alloy": "LiPbX"}, "elements"),
        ({"alloy": "Li0.8Pb0.2"}, "give the composition once"),
        ({"alloy": "LiPb", "potential": "opv"}, "did you mean 'opw'"),
        ({"alloy": "LiPb", "potential": "empty-core", "hole": "core"}, "options.hole: it belongs to"),
        ({"alloy": "LiPb", "isotopes": {"Li": 9}}, "isotope Li=9"),
        ({"alloy": "LiPb", "isotopes": ["Li"]}, "write it like"),
        ({"alloy": "LiPb", "probe": "xray", "isotopes": {"Li": 7}}, "x-rays see none"),
    ],
)
def test_options_of_predict(options, words):
    given = {
        "quantity": "predict",
        "options": options,
        "fixed": {"temperature": 1000},
        "axes": {"concentration": [0.2]},
    }
    with pytest.raises(InputError, match=words):
        Configuration.of(given)


def test_one_of_two_parameters_is_needed():
    axes = {"dephasing": [1.0]}
    for fixed in ({}, {"x": 2.0, "inversion": 4.0}):
        with pytest.raises(InputError, match="one of inversion and x"):
            Configuration.of({"quantity": "relax", "fixed": fixed, "axes": axes})


def test_file_errors_name_the_file(tmp_path):
    with pytest.raises(InputError, match=r"absent.toml: No such file"):
        Configuration.read(tmp_path / "absent.toml")
    (tmp_path / "bad.toml").write_text("quantity = ")
    with pytest.raises(InputError, match=r"bad.toml is not TOML"):
        Configuration.read(tmp_path / "bad.toml")
    (tmp_path / "wrong.toml").write_text("quantity = 'predict'\ntwo = 2")
    with pytest.raises(InputError, match=r"wrong.toml: top level"):
        Configuration.read(tmp_path / "wrong.toml")


def test_hash_is_of_the_meaning(liquid):
    first = Configuration.of(liquid)
    liquid["fixed"] = dict(reversed(liquid["fixed"].items())) | {"temperature": 1000}
    liquid["combine"] = "cartesian"
    assert Configuration.of(liquid).digest() == first.digest()
    liquid["fixed"]["temperature"] = 1001.0
    assert Configuration.of(liquid).digest() != first.digest()


def test_states_of_all_combinations_and_of_their_blocks(liquid):
    states = Configuration.of(liquid).states
    kappa, epsilon = np.meshgrid(np.linspace(0.5, 3.0, 10), np.linspace(-0.03, 0.012, 15), indexing="ij")
    block = states.block((slice(2, 5), slice(4, 15)))
    np.testing.assert_array_equal(block["kappa"], kappa[2:5, 4:].ravel())
    np.testing.assert_array_equal(block["epsilon"], epsilon[2:5, 4:].ravel())
    np.testing.assert_array_equal(block["sigma"], np.full(33, 5.0))


def test_axes_that_run_together(liquid):
    liquid |= {"combine": "zip", "axes": {"kappa": {"log": [0.1, 10], "points": 3}, "epsilon": [-3e-2, -2e-2, -1e-2]}}
    states = Configuration.of(liquid).states
    assert states.sizes == {"state": 3}
    block = states.block((slice(1, 3),))
    np.testing.assert_allclose(block["kappa"], [1.0, 10.0], rtol=1e-15)
    np.testing.assert_array_equal(block["epsilon"], [-2e-2, -1e-2])


def test_sobol_axes_are_one_sequence_of_low_discrepancy(liquid):
    liquid["axes"] = {"kappa": {"sobol": [1, 3], "points": 64}, "epsilon": {"sobol": [-0.03, -0.01], "points": 64}}
    states = Configuration.of(liquid).states
    assert states.sizes == {"sample": 64}
    block = states.block((slice(None),))
    unit = np.stack([(block["kappa"] - 1) / 2, (block["epsilon"] + 0.03) / 0.02], axis=1)
    # the balance of a Sobol sequence, kept by scrambling: one point in each of the 8 x 8 boxes
    boxes = np.floor(8 * unit).astype(int)
    assert len({tuple(box) for box in boxes}) == 64
    assert qmc.discrepancy(unit) < 0.2 * qmc.discrepancy(np.random.default_rng(0).random((64, 2)))
    again = Configuration.of(liquid | {"seed": 1}).states.block((slice(None),))
    assert not np.array_equal(again["kappa"], block["kappa"])


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the checkout's examples are not here")
def test_shipped_examples_are_valid_and_survive_being_sent():
    files = sorted(EXAMPLES.glob("*.toml"))
    assert len(files) >= 3
    for file in files:
        configuration = Configuration.read(file)
        assert from_text(configuration.text()).digest() == configuration.digest()


@pytest.mark.parametrize("quantity", QUANTITIES.values(), ids=QUANTITIES.keys())
def test_what_is_stored_by_default_exists(quantity):
    assert set(quantity.stored) <= set(quantity.outputs)
    assert len(set(quantity.all_statuses)) == len(quantity.all_statuses)
