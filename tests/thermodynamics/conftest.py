"""Alloys and their interactions, made once."""

import pytest

import jaxalloy as ja

FORMULAS = {"Li0.8Pb0.2": 1000.0, "Li0.5Mg0.5": 940.0, "Mg7Zn3": 673.0, "Na0.5K0.5": 400.0}


@pytest.fixture(scope="session")
def alloys():
    return {formula: ja.Alloy.parse(formula, temperature=temperature) for formula, temperature in FORMULAS.items()}


@pytest.fixture(scope="session")
def forces(alloys):
    return {formula: ja.interactions(alloy, ja.EmptyCore()) for formula, alloy in alloys.items()}
