"""`jaxalloy fit` end to end: what it prints, writes and refuses."""

import json
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

from jaxalloy import Alloy, HardSphereYukawa, plot_fit
from jaxalloy.cli import exit_codes
from jaxalloy.cli.main import main
from jaxalloy.fitting.synthetic import empty_template, synthetic_data
from jaxalloy.scattering import Neutrons, write_structure_factor

STATE = ("--alloy", "Li0.8Pb0.2", "--temperature", "1000", "--volume", "149.6")


@pytest.fixture(scope="module")
def lithium_lead_file(tmp_path_factory):
    """Synthetic 7Li0.8Pb0.2 of PHH Table II with 1 % noise, as a file."""
    alloy = Alloy.of(("Li", "Pb"), 0.2, 1000.0, 149.6)
    eta = float(np.pi * 4.93**3 / 6 / 149.6)
    liquid = HardSphereYukawa(0.2, eta, 4.93, -0.0302, 1.8, 1000.0)
    template = empty_template(jnp.linspace(0.265, 5.29, 400), 0.01, Neutrons(isotopes={"Li": 7}))
    path = tmp_path_factory.mktemp("measured") / "lithium-lead.sq"
    write_structure_factor(path, synthetic_data(template, alloy, liquid, jax.random.key(3)))
    return path


@pytest.fixture(scope="module")
def fitted(lithium_lead_file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fit")
    options = ["--probe", "neutron", "--isotope", "Li=7", "--json", "--output", str(folder)]
    with pytest.MonkeyPatch.context() as patch:
        printed = []
        patch.setattr("builtins.print", lambda *text, file=None, **_: printed.append((file, *text)))
        assert main(["fit", str(lithium_lead_file), *STATE, *options]) == exit_codes.DONE
    (document,) = [text for file, text in printed if file is None]
    return json.loads(document), folder, "\n".join(text for file, text in printed if file is not None)


def run(capsys, *argv):
    code = main(["fit", *map(str, argv)])
    return code, capsys.readouterr()


def test_json_holds_what_was_promised(fitted):
    found, _, _ = fitted
    truth = {"sigma_bohr": 4.93, "epsilon_mRy": -30.2, "kappa_per_bohr": 1.8, "scale": 1.0, "level": 1.0, "offset": 0.0}
    for name, value in truth.items():
        entry = found["parameters"][name]
        assert abs(entry["value"] - value) < 3 * entry["sd"], name
        assert entry["determined"] is True
    assert {"eta", "h_cc_contact", "ordering_entropy", "coordination"} <= set(found["parameters"])
    assert found["converged"] is True
    assert 0.8 < found["chi2"] / found["dof"] < 1.2
    assert {"warnings", "autocorrelation", "soft_core_test", "correlation"} <= set(found)


def test_text_tells_the_reader_what_was_read_and_found(fitted):
    _, _, text = fitted
    for words in ("149.60 bohr^3", "400", "errors given", "neutrons, 7Li", "mean at large q", "parameter | value"):
        assert words in text
    for words in ("epsilon", "mRy, determined", "correlations", "chi^2/dof", "autocorrelation", "soft-core test"):
        assert words in text


def test_files(fitted):
    found, folder, text = fitted
    names = {"lithium-lead-fit.nc", "lithium-lead-fit.txt", "lithium-lead-fit.png"}
    assert {path.name for path in folder.iterdir()} == names
    assert all(f"wrote {folder / name}" in text for name in names)
    with xr.open_dataset(folder / "lithium-lead-fit.nc") as dataset:
        dataset.load()
    assert float(dataset.epsilon) * 1e3 == pytest.approx(found["parameters"]["epsilon_mRy"]["value"], rel=1e-12)
    residual = (dataset.measured_1_S - dataset.fit_1_S) / dataset.error_1_S
    assert float((residual**2).sum()) == pytest.approx(found["chi2"])
    assert all(variable.attrs.get("units") for variable in dataset.data_vars.values())
    table = [line.split("\t") for line in (folder / "lithium-lead-fit.txt").read_text().splitlines() if line[0] != "#"]
    assert {row[0] for row in table} >= {"sigma", "epsilon", "kappa", "scale"}
    assert (folder / "lithium-lead-fit.png").read_bytes().startswith(b"\x89PNG")
    figure = plot_fit.fit(dataset)
    assert [axes.get_ylabel() for axes in figure.axes] == ["structure factor", "measured - fit"]


def test_options_reach_the_fit(lithium_lead_file, tmp_path, capsys):
    options = ["--probe", "neutron", "--scattering-length", "Li=-2.22", "--scattering-length", "Pb=9.405"]
    options += ["--q-range", "0.6:9", "--fix", "kappa=1.8", "--bounds", "epsilon=-28:-10", "--json", "--no-plot"]
    code, said = run(capsys, lithium_lead_file, *STATE, *options, "--output", tmp_path)
    assert code == exit_codes.DONE
    found = json.loads(said.out)
    assert found["parameters"]["kappa_per_bohr"]["value"] == pytest.approx(1.8)
    assert found["parameters"]["epsilon_mRy"]["value"] == pytest.approx(-28.0)
    assert found["parameters"]["epsilon_mRy"]["at_bound"] is True
    assert found["data"][0]["points"] < 400
    assert "AT BOUND" in said.err
    assert "b(Pb) = 9.405 fm" in said.err


def test_measured_iron_cobalt(measured_data, tmp_path, capsys):
    path = measured_data / "liquid_3d_metals_measured" / "Fe-Co.csv"
    options = ["--alloy", "Fe0.5Co0.5", "--temperature", 1800, "--density", 7.0, "--unit", "1/angstrom"]
    options += ["--free", "sigma,eta,epsilon", "--fix", "kappa=1", "--softness", "--no-plot", "--json"]
    code, said = run(capsys, path, *options, "--output", tmp_path)
    assert code == exit_codes.DONE
    found = json.loads(said.out)
    assert found["rms"] <= 0.035
    assert found["null_alloy"]["epsilon_mRy_below"][0] < 3
    assert found["parameters"]["epsilon_mRy"]["determined"] is False
    assert "no chemical order is detected" in said.err


BAD = {
    "no alloy": ({"--alloy": None}, "which alloy"),
    "no temperature": ({"--temperature": None}, "--temperature"),
    "no probe": ({"--probe": None}, "what was it measured with"),
    "other probe": ({"--probe": "muon"}, "muon"),
    "isotope of another element": ({"--isotope": "Na=23"}, "Na.*Li and Pb"),
    "isotope": ({"--isotope": "Li=x"}, "mass number"),
    "length": ({"--scattering-length": "Li=far"}, "far"),
    "range": ({"--q-range": "0.5"}, "MIN:MAX"),
    "empty range": ({"--q-range": "20:30"}, "0 points"),
    "fix": ({"--fix": "kappa=much"}, "much"),
    "bounds": ({"--bounds": "sigma=6:4"}, "not below"),
    "parameter": ({"--free": "sigma,colour"}, "colour"),
    "file": ({"--probe": "2:neutron"}, "1 files"),
    "unit": ({"--unit": "1/nm"}, "2 pi/d"),
    "quantity": ({"--quantity": "I"}, "'I'"),
    "volume": ({"--volume": -1}, "volume"),
    "volume in words": ({"--volume": "1:much"}, "--volume.*much"),
    "isotopes of x-rays": ({"--probe": "xray", "--isotope": "Li=7"}, "for neutrons"),
    "order without range": ({"--free": "sigma,epsilon"}, "name kappa too"),
    "start of a fixed one": ({"--fix": "kappa=1", "--start": "kappa=2"}, "start of 'kappa'"),
    "potential": ({"--model": "bound", "--potential": "absent.dat"}, "absent.dat"),
}


@pytest.mark.parametrize(("changes", "words"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line(lithium_lead_file, tmp_path, capsys, changes, words):
    options = dict(zip(STATE[::2], STATE[1::2], strict=True)) | {"--probe": "neutron", "--output": tmp_path} | changes
    argv = [part for option, value in options.items() if value is not None for part in (option, value)]
    code, said = run(capsys, lithium_lead_file, *argv)
    assert code == exit_codes.BAD_INPUT
    assert said.err.count("\n") == 1
    assert re.search(words, said.err), said.err
    assert list(tmp_path.iterdir()) == []


def test_absent_file(tmp_path, capsys):
    code, said = run(capsys, tmp_path / "absent.sq", *STATE, "--output", tmp_path)
    assert code == exit_codes.BAD_INPUT
    assert "absent.sq" in said.err
