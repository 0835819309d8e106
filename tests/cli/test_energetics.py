"""`jaxalloy predict --mixing --equation-of-state`: its numbers by another route, and what it refuses."""

import json

import numpy as np
import pytest

import jaxalloy as ja
from jaxalloy.cli import exit_codes
from jaxalloy.cli.main import main
from jaxalloy.constants import RYDBERG_PER_BOHR3_IN_GPA

VOLUME = 154.083
ALLOY = ("Mg7Zn3", "--temperature", "673", "--potential", "empty-core", "--constraint", "none", "--no-plot", "--json")


def predicted(capsys, folder, volume, *options):
    assert main(["predict", *ALLOY, "--volume", str(volume), "--output", str(folder), *options]) == exit_codes.DONE
    return json.loads(capsys.readouterr().out)


def test_pressure_and_heat_are_differences_of_what_predict_prints(tmp_path, capsys):
    found = predicted(capsys, tmp_path, VOLUME, "--mixing", "--equation-of-state")
    step = 0.5
    below, above = (predicted(capsys, tmp_path, VOLUME + change)["free_energy_Ry"] for change in (-step, step))
    pressure = -RYDBERG_PER_BOHR3_IN_GPA * (above - below) / (2 * step)
    # the third-order term of the difference: (step/volume)^2, a few times over
    assert found["pressure_GPa"] == pytest.approx(pressure, rel=1e-4)
    curvature = (above - 2 * found["free_energy_Ry"] + below) / step**2
    # the same order, and the series through ten volumes differentiated twice
    assert found["bulk_modulus_GPa"] == pytest.approx(RYDBERG_PER_BOHR3_IN_GPA * VOLUME * curvature, rel=1e-3)
    pure = [ja.Alloy.of((symbol, symbol), 0.5, 673.0) for symbol in ("Mg", "Zn")]
    states = [ja.minimise(metal, ja.interactions(metal, ja.EmptyCore()), ja.HardSpheres()) for metal in pure]
    magnesium, zinc = (float(state.enthalpy) for state in states)
    heat = 1312.7497 * (found["enthalpy_Ry"] - 0.7 * magnesium - 0.3 * zinc)
    assert found["heat_of_mixing_kJ_per_mol"] == pytest.approx(heat, rel=1e-6)
    assert found["heat_of_mixing_uncertainty_kJ_per_mol"] == 20
    ideal = -8.314462618 * (0.7 * np.log(0.7) + 0.3 * np.log(0.3))
    assert abs(found["entropy_of_mixing_J_per_mol_K"] - ideal) < ideal  # packing and order take part of it, not all


def test_a_table_of_potentials_has_no_volume_energy(tmp_path, capsys):
    R = np.linspace(4.0, 20.0, 60)
    file = tmp_path / "phi.dat"
    rows = np.stack([R, *(np.exp(-(R - 5) * 2) + np.zeros(60) for _ in range(3))], axis=1)
    np.savetxt(file, rows, header="units: bohr Ry")
    arguments = ["predict", "Mg7Zn3", "--temperature", "673", "--potential", str(file), "--mixing"]
    assert main([*arguments, "--output", str(tmp_path)]) == exit_codes.BAD_INPUT
    assert "volume energy" in capsys.readouterr().err
