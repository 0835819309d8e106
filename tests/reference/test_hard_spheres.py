"""Percus-Yevick hard spheres against tabulated numbers, exact slopes and second routes."""

import csv

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxalloy.reference import hard_sphere


def test_against_tabulated_percus_yevick(measured_data):
    with open(measured_data / "hard_sphere" / "hard_sphere_PY_VW_LiquidsStructure.csv") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    rows = [row for row in rows if row["approximation"] == "PY"]
    assert len(rows) > 10
    for row in rows:
        Q = {"0": 0.0, "pi/2": np.pi / 2, "pi": np.pi, "2pi": 2 * np.pi}[row["k_sigma"]]
        found = hard_sphere.structure_factor(jnp.asarray(Q), float(row["eta"]))
        # The table gives 16 digits but is itself computed in double precision, with cancellations at small k.
        assert float(found) == pytest.approx(float(row["S"]), rel=1e-12), row


PRODUCT = jax.jit(lambda x, eta: jax.jvp(lambda r: r * hard_sphere.pair_correlation(r, eta), (x,), (1.0,)))


@pytest.mark.parametrize("eta", [0.1, 0.36, 0.45, 0.58])
def test_contact_value_and_slope(eta):
    contact = (1 + eta / 2) / (1 - eta) ** 2
    assert float(hard_sphere.contact_value(eta)) == pytest.approx(contact, rel=1e-14)
    value, tangent = PRODUCT(1.0, eta)
    assert float(value) == pytest.approx(contact, rel=1e-12)
    slope = (1 + 2 * eta - 6 * eta * (1 - eta) * contact) / (1 - eta) ** 2
    # The derivative of a 32-term Chebyshev series loses a factor n^2 = 1000 of precision at the end point.
    assert float(tangent) == pytest.approx(slope, rel=1e-10)
    assert float(hard_sphere.pair_correlation(1.0 - 1e-9, eta)) == 0.0


def test_density_electrostatics_is_the_integral_of_the_structure():
    # (2/pi) int [S - 1] dQ = 24 eta int x h dx; the integrals by scipy over S(q) are slow and less exact.
    nodes, weights = np.polynomial.legendre.leggauss(24)
    x = (np.arange(1, 30)[:, None] + (nodes + 1) / 2).ravel()
    w = np.tile(weights / 2, 29)
    for eta in (0.1, 0.25, 0.4):
        h = np.asarray(hard_sphere.pair_correlation(x, eta)) - 1
        expected = 24 * eta * (-0.5 + np.sum(w * x * h))
        assert float(hard_sphere.alpha_nn(eta)) == pytest.approx(expected, rel=1e-9)


def test_entropy_integrates_the_carnahan_starling_pressure():
    def pressure(eta):
        return (1 + eta + eta**2 - eta**3) / (1 - eta) ** 3

    eta = 0.42
    nodes, weights = np.polynomial.legendre.leggauss(40)
    t = eta * (nodes + 1) / 2
    expected = -np.sum(weights * eta / 2 * (pressure(t) - 1) / t)
    assert float(hard_sphere.excess_entropy(eta)) == pytest.approx(expected, rel=1e-12)
