"""`jaxalloy predict` end to end: what it prints, writes and refuses."""

import json
import math
import re

import jax
import numpy as np
import pytest
import xarray as xr

from jaxalloy import plot
from jaxalloy.cli import exit_codes
from jaxalloy.cli.main import main


def run(capsys, *argv):
    code = main(["predict", *map(str, argv)])
    return code, capsys.readouterr()


@pytest.fixture(scope="module")
def lithium_lead(tmp_path_factory):
    """Li0.8Pb0.2 at 1000 K with 7Li, as a machine reads it."""
    folder = tmp_path_factory.mktemp("lithium-lead")
    arguments = ["--temperature", "1000", "--isotope", "Li=7", "--json", "--output", str(folder)]
    with pytest.MonkeyPatch.context() as patch:
        printed = []
        patch.setattr("builtins.print", lambda *text, file=None, **_: printed.append((file, *text)))
        assert main(["predict", "Li0.8Pb0.2", *arguments]) == exit_codes.DONE
    (document,) = [text for file, text in printed if file is None]
    return json.loads(document), folder, [text for file, text in printed if file is not None]


def test_json_holds_what_was_promised(lithium_lead):
    found, _, _ = lithium_lead
    promised = (
        "formula temperature_K volume_bohr3 eta sigma_bohr kappa_per_bohr epsilon_mRy entropy enthalpy_Ry "
        "free_energy_Ry constraint reading potential status converged"
    )
    assert set(promised.split()) <= set(found)
    assert {"gas", "hard_sphere", "ordering", "mixing"} <= set(found["entropy"])
    assert found["converged"] is True
    assert (found["constraint"], found["reading"]) == ("contact", "ordering")
    assert found["potential"].startswith("optimised OPW")  # the best there is for both elements


def test_numbers_that_do_not_depend_on_the_potential(lithium_lead):
    """PHH Table II, c_Li = 0.8: volume and ideal-gas entropy; and exact relations between the rest."""
    found, _, _ = lithium_lead
    assert found["volume_bohr3"] == pytest.approx(149.6, rel=1e-3)
    assert found["entropy"]["gas"] == pytest.approx(11.319, abs=2e-3)  # printed with three decimals
    assert found["entropy"]["mixing"] == pytest.approx(-0.8 * math.log(0.8) - 0.2 * math.log(0.2))
    assert found["eta"] == pytest.approx(math.pi * found["sigma_bohr"] ** 3 / (6 * found["volume_bohr3"]))
    thermal = 6.333623618e-6 * 1000
    assert found["free_energy_Ry"] == pytest.approx(found["enthalpy_Ry"] - thermal * found["entropy"]["total"])


def test_lithium_lead_is_heterocoordinated_and_says_that_it_fell_back(lithium_lead):
    """PHH Sec. V: no free minimum for Li-Pb; eps < 0 is a preference for unlike neighbours."""
    found, _, lines = lithium_lead
    assert found["epsilon_mRy"] < 0
    assert found["entropy"]["ordering"] < 0
    (fell_back,) = [line for line in lines if "falling back on the contact constraint" in line]
    assert "no minimum" in fell_back


def test_files(lithium_lead):
    found, folder, lines = lithium_lead
    assert [f"wrote {path}" in lines for path in found["files"]] == [True, True]
    with xr.open_dataset(folder / "Li0.8Pb0.2-1000K.nc") as dataset:
        dataset.load()
    for name, variable in dataset.variables.items():
        assert variable.attrs.get("units"), name
        assert variable.attrs.get("long_name"), name
        assert np.isfinite(variable).all() or name == "phi_CC_reference", name
    for name in ("eta", "sigma_bohr", "kappa_per_bohr", "enthalpy_Ry"):
        assert float(dataset[name.partition("_")[0]]) == pytest.approx(found[name], rel=1e-12)
    assert dataset.attrs["probe"] == "neutrons, 7Li"
    assert (folder / "Li0.8Pb0.2-1000K.png").read_bytes().startswith(b"\x89PNG")


def test_curves_of_the_file_satisfy_their_definitions(lithium_lead):
    found, folder, _ = lithium_lead
    with xr.open_dataset(folder / "Li0.8Pb0.2-1000K.nc") as dataset:
        dataset.load()
    c, sigma = 0.2, found["sigma_bohr"]
    combined = (1 - c) * c * (dataset.phi_AA + dataset.phi_BB - 2 * dataset.phi_AB)
    np.testing.assert_allclose(combined, dataset.phi_CC, atol=1e-12)
    # the contact constraint: both ordering potentials are -epsilon at sigma; linear between nodes 0.025 bohr apart
    assert float(dataset.phi_CC.interp(R=sigma)) == pytest.approx(-1e-3 * found["epsilon_mRy"], rel=1e-3)
    outside = dataset.R > sigma
    mean = (1 - c) ** 2 * dataset.g_AA + c**2 * dataset.g_BB + 2 * c * (1 - c) * dataset.g_AB
    assert float(abs(mean.where(outside)[-1] - 1)) < 0.02
    assert float(abs(dataset.g_AB.where(~outside)).max()) == 0
    # 7Li0.8Pb0.2 is nearly a zero alloy: S is S_CC/(c_A c_B)
    np.testing.assert_allclose(dataset.S, dataset.S_CC / (c * (1 - c)), atol=0.02)


def test_figure_has_every_curve_and_every_unit(lithium_lead):
    _, folder, _ = lithium_lead
    with xr.open_dataset(folder / "Li0.8Pb0.2-1000K.nc") as dataset:
        figure = plot.prediction(dataset.load())
    potentials, structure, correlations = figure.axes
    assert [len(axes.get_legend().get_texts()) for axes in figure.axes] == [4, 3, 3]
    assert potentials.get_xlabel() == correlations.get_xlabel() == "R (bohr)"
    assert potentials.get_ylabel() == "pair potential (mRy)"
    assert structure.get_xlabel() == "q (1/bohr)"


def test_text_for_a_reader_names_the_assumptions(tmp_path, capsys):
    """Al-Mg orders weakly: it has a free minimum; and volumes that must be added."""
    options = ("--temperature", 1000, "--probe", "xray", "--no-plot", "--output", tmp_path)
    code, said = run(capsys, "Al0.5Mg0.5", *options)
    assert code == exit_codes.DONE
    for words in ("cpu", "float64", "additive", "warning: volumes were added", "x-rays", "optimised OPW", "valences"):
        assert words in said.out
    assert "free minimum: converged" in said.out
    for quantity in ("eta", "sigma", "kappa", "epsilon", "entropy, ordering", "free energy", "PHH Eq. 28", "time:"):
        assert quantity in said.out
    assert [path.name for path in tmp_path.iterdir()] == ["Al0.5Mg0.5-1000K.nc"]


def test_no_free_minimum_is_no_result(tmp_path, capsys):
    options = ("--temperature", 1000, "--constraint", "none", "--json", "--output", tmp_path)
    code, said = run(capsys, "Li0.8Pb0.2", *options)
    assert code == exit_codes.NO_RESULT
    found = json.loads(said.out)
    assert (found["converged"], found["status"], found["eta"]) == (False, "no minimum", None)
    sentence = said.err.splitlines()[-1]
    assert "free-energy bound" in sentence
    assert "contact constraint" in sentence
    assert list(tmp_path.iterdir()) == []


BAD = {
    "unknown element": ("Li0.8Xx0.2", {}, "Xx"),
    "pure metal": ("Li1.0Pb0.0", {}, "Pb"),
    "ternary": ("Li0.5Mg0.3Zn0.2", {}, "3 elements"),
    "no formula": ("lithium", {}, "lithium"),
    "fractions": ("Li0.8Pb0.3", {}, "1.1"),
    "zero temperature": ("LiPb", {"--temperature": 0}, "temperature.* 0"),
    "negative temperature": ("LiPb", {"--temperature": -5}, "temperature.* -5"),
    "no temperature": ("LiPb", {"--temperature": "nan"}, "temperature.* nan"),
    "volume": ("LiPb", {"--volume": -3}, "volume.* -3"),
    "density": ("LiPb", {"--density": 0}, "density.* 0"),
    "isotope": ("LiPb", {"--isotope": "Li=99"}, "99.*known|99.*6, 7"),
    "isotope of another element": ("LiPb", {"--isotope": "Na=23"}, "Na=23.*Li and Pb"),
    "q-max": ("LiPb", {"--q-max": 0}, "q-max.* 0"),
    "q-max of x-rays": ("LiPb", {"--q-max": 100, "--probe": "xray"}, "39.7"),
    "mean free path": ("LiPb", {"--mean-free-path": 0}, "mean-free-path.* 0"),
    "not a file": ("LiPb", {"--potential": "absent.dat"}, "absent.dat"),
}


@pytest.mark.parametrize(("formula", "options", "words"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line(formula, options, words, tmp_path, capsys):
    options = {"--temperature": 1000, "--output": tmp_path} | options
    code, said = run(capsys, formula, *(part for option in options.items() for part in option))
    assert code == exit_codes.BAD_INPUT
    assert said.err.startswith("jaxalloy: ")
    assert said.err.count("\n") == 1
    assert re.search(words, said.err), said.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="there is a GPU here")
def test_absent_device(tmp_path, capsys):
    code, said = run(capsys, "LiPb", "--temperature", 1000, "--device", "gpu", "--output", tmp_path)
    assert code == exit_codes.BAD_INPUT
    assert "--device cpu" in said.err


def test_folder_that_is_a_file(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    code, said = run(capsys, "LiPb", "--temperature", 1000, "--output", tmp_path / "file")
    assert code == exit_codes.BAD_INPUT
    assert "--output" in said.err


def test_a_table_of_pair_potentials_in_place_of_a_pseudopotential(tmp_path, capsys):
    """Every number in the table is read, and a bad one is refused with its column."""
    rows = [f"{2 + 0.1 * i:.1f} {math.exp(-0.1 * i):.6f} 0.1 0.1" for i in range(40)]
    table = tmp_path / "pairs.txt"
    options = ("--temperature", 1000, "--potential", table, "--output", tmp_path / "out")
    for text, words in {
        "\n".join(rows): "units header",
        "\n".join(["# units: bohr Ry", *rows[:20], rows[20].replace("0.1", "nan"), *rows[21:]]): "nan",
        "\n".join(["# units: bohr Ry", "2.0 0.1 0.1"]): "line 2.*four",
        "# units: bohr Ry": "no data rows",
    }.items():
        table.write_text(text)
        code, said = run(capsys, "LiPb", *options)
        assert code == exit_codes.BAD_INPUT
        assert re.search(words, said.err), said.err
        assert said.err.count("\n") == 1
    code, said = run(capsys, "LiPb", *options, "--mean-free-path", 10)
    assert code == exit_codes.BAD_INPUT
    assert "--mean-free-path" in said.err
