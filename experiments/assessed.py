"""Assessed functions of mixing of liquid alloys (COST 507), read from the data folder."""

import csv

import numpy as np

from experiments.data import data


def assessment(system, temperature):
    """x (of the second element), dG, dH (kJ/mol), dS (J/mol K) and S_CC(0) of a system such as "Li-Mg".

    Linear in temperature between the two tabulated ones next to it. Raises `DataAbsentError`.
    """
    path = data("thermodynamics", "DERIVED_liquid_mixing_functions.csv")
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    found = [row for row in csv.DictReader(lines) if row["system"] == f"{system} (COST507_pycalphad.tdb)"]
    kelvins = sorted({float(row["T_K"]) for row in found})
    columns = ("dG_mix_J_mol", "dH_mix_J_mol", "dS_mix_J_molK", "Scc0")

    def at(kelvin):
        return np.array(
            [[float(row[name]) for name in ("x_B", *columns)] for row in found if float(row["T_K"]) == kelvin]
        ).T

    below = max(kelvin for kelvin in kelvins if kelvin <= temperature)
    above = min(kelvin for kelvin in kelvins if kelvin >= temperature)
    share = 0.0 if above == below else (temperature - below) / (above - below)
    x, free, heat, entropy, fluctuations = (1 - share) * at(below) + share * at(above)
    return x, free / 1e3, heat / 1e3, entropy, fluctuations
