"""`jaxalloy fit-relaxation` end to end: what it prints, writes and refuses."""

import json
import re

import numpy as np
import pytest
import xarray as xr

from jaxalloy import plot_relaxation
from jaxalloy.cli import exit_codes
from jaxalloy.cli.main import main

TIMES = np.linspace(0.0, 60.0, 81)
TAU = {600: 12.0, 620: 8.0}
BOLTZMANN = 8.617333e-5


def run(capsys, *argv):
    code = main(["fit-relaxation", *map(str, argv)])
    return code, capsys.readouterr()


@pytest.fixture
def anneals(tmp_path):
    """5 - 2 (1 - exp(-t/tau)) meV/atom with an error of 0.02, at two temperatures."""
    rng, paths = np.random.default_rng(4), []
    for temperature, tau in TAU.items():
        values = 5.0 - 2.0 * -np.expm1(-TIMES / tau) + 0.02 * rng.normal(size=TIMES.size)
        lines = [f"{t},{v},0.02" for t, v in zip(TIMES, values, strict=True)]
        path = tmp_path / f"anneal-{temperature}.csv"
        path.write_text("\n".join(["time (min),enthalpy (meV/atom),error (meV/atom)", *lines]) + "\n")
        paths.append(path)
    return paths


def test_laws_of_two_temperatures(anneals, tmp_path, capsys):
    models = ("--model", "exponential,kww,age,tnm,constant", "--temperature", 600, 620)
    code, said = run(capsys, *anneals, *models, "--json", "--output", tmp_path / "out")
    assert code == exit_codes.DONE
    found = json.loads(said.out)
    for curve, (temperature, tau) in zip(found["curves"], TAU.items(), strict=True):
        assert curve["temperature_K"] == temperature
        assert (curve["time_unit"], curve["value_unit"], curve["points"]) == ("min", "meV/atom", 81)
        assert curve["detected"] is True
        assert "exponential" in curve["indistinguishable"]
        fit = curve["models"]["exponential"]
        for name, truth in (("tau", tau), ("start", 5.0), ("change", -2.0)):
            assert abs(fit["values"][name] - truth) < 4 * fit["errors"][name], name
        worse = curve["models"]["constant"]
        assert all(worse[criterion] > fit[criterion] + 100 for criterion in ("aic", "aicc", "bic"))
        theta = curve["models"]["tnm"]
        assert abs(theta["values"]["theta"]) < 4 * theta["errors"]["theta"]  # an exponential is tnm without theta
        assert "only through theta" in curve["models"]["tnm"]["cannot_tell"]
    law = found["arrhenius"]["exponential"]
    energy = np.log(12.0 / 8.0) / (1 / (BOLTZMANN * 600) - 1 / (BOLTZMANN * 620))
    assert abs(law["energy"] - energy) < 4 * law["energy_error"]
    assert law["degrees"] == 0
    names = {"anneal-600-fit-1.nc", "anneal-600-fit-2.nc", "anneal-600-fit.png"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    with xr.open_dataset(tmp_path / "out" / "anneal-600-fit-1.nc") as dataset:
        dataset.load()
    assert dataset.attrs["temperature_K"] == 600
    assert float(dataset.exponential_tau) == found["curves"][0]["models"]["exponential"]["values"]["tau"]
    assert dataset.exponential_tau.units == "min"
    (axes,) = plot_relaxation.annealing([dataset]).axes
    assert len(axes.get_legend().get_texts()) == 5


def test_text_says_what_cannot_be_told(anneals, tmp_path, capsys):
    code, said = run(capsys, anneals[0], "--model", "em12,exponential,constant", "--output", tmp_path)
    assert code == exit_codes.DONE
    for words in (
        "81 points, worth",
        "enter the normalised eta only through x0",
        "AICc, AIC, BIC",
        "not determined",
        "verdict: ",
        "± ",
    ):
        assert words in said.out, words
    assert re.search(r"tau +1[12]\.\d+ +± 0\.\d+ min", said.out)
    assert "Arrhenius" not in said.out


def test_a_straight_line_has_no_relaxation_time(tmp_path, capsys):
    path = tmp_path / "line.csv"
    path.write_text("time (h),rho (1)\n" + "\n".join(f"{t},{3 - 0.01 * t}" for t in TIMES))
    code, said = run(capsys, path, "--model", "exponential,constant", "--no-plot", "--output", tmp_path)
    assert code == exit_codes.DONE
    assert re.search(r"tau .*not determined, at the bound of what is considered", said.out)


def test_noise_is_no_relaxation(tmp_path, capsys):
    path = tmp_path / "flat.csv"
    noise = np.random.default_rng(1).normal(size=TIMES.size)
    path.write_text("time (h),rho (1)\n" + "\n".join(f"{t},{v}" for t, v in zip(TIMES, 3 + 0.1 * noise, strict=True)))
    code, said = run(capsys, path, "--model", "exponential,kww,constant", "--no-plot", "--output", tmp_path)
    assert code == exit_codes.DONE
    assert "no relaxation detected" in said.out


ROWS = "\n".join(f"{t},{t}" for t in range(9))
BAD = {
    "absent": (None, (), "No such file"),
    "empty": ("", (), "empty"),
    "no units": (f"time,value\n{ROWS}", (), "no name with a unit"),
    "no time": (f"age (s),value (1)\n{ROWS}", (), "no column 'time'"),
    "few points": ("time (s),value (1)\n0,1\n1,2\n", (), "at least 8"),
    "order": (f"time (s),value (1)\n{ROWS}\n3,3", (), "does not exceed"),
    "word": (f"time (s),value (1)\n{ROWS}\nx,3", (), "line 11"),
    "law": (f"time (s),value (1)\n{ROWS}", ("--model", "arrow"), "'arrow' is not known"),
    "twice": (f"time (s),value (1)\n{ROWS}", ("--model", "kww,kww"), "once"),
    "temperatures": (f"time (s),value (1)\n{ROWS}", ("--temperature", 1, 2), "2 for 1 files"),
    "frequency": (f"time (s),value (1)\n{ROWS}", ("--attempt-frequency", -1), "--attempt-frequency"),
}


@pytest.mark.parametrize(("text", "more", "words"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line(tmp_path, capsys, text, more, words):
    path = tmp_path / "anneal.csv"
    if text is not None:
        path.write_text(text)
    code, said = run(capsys, path, *more, "--output", tmp_path / "out")
    assert code == exit_codes.BAD_INPUT
    assert said.err.count("\n") == 1
    assert words in said.err
