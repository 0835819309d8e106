"""Simulated anneals of Cu50Zr50: nothing at 500 K; a weak exponential at 700 K and no more."""

import dataclasses

import pytest

from experiments.egorushkin1993.copper_zirconium import read_hold
from jaxalloy.fitting.relaxation import compare

LAWS = ("kww", "age", "exponential", "constant")


@pytest.fixture(scope="module")
def holds(measured_data):
    folder = measured_data / "cu50zr50_anneal_simulated"
    if not folder.is_dir():
        pytest.skip(f"measured data absent: no folder {folder}")
    return {temperature: read_hold(temperature) for temperature in (500, 700)}


def test_no_relaxation_at_500_K(holds):
    found = compare(holds[500], LAWS)
    assert found.detected is False
    assert found.preferred == "constant"
    assert abs(found.fits["exponential"].relaxed) < 2 * found.fits["exponential"].relaxed_error


def test_a_weak_exponential_at_700_K_and_no_more(holds):
    found = compare(holds[700], LAWS)
    assert found.detected is True
    assert found.preferred == "exponential"
    assert set(found.indistinguishable) == {"exponential", "kww", "age"}
    assert found.effective_points < 0.6 * len(holds[700].times)  # the lag-1 correlation is 0.56
    fit = found.fits["exponential"]
    # expected 1.2 +- 0.4 meV/atom by another choice of hold and thermal correction: within both errors
    assert -fit.relaxed == pytest.approx(1.2, abs=(0.4**2 + fit.relaxed_error**2) ** 0.5)
    assert -fit.relaxed > 3 * fit.relaxed_error
    assert "tau" in fit.undetermined


def test_every_tenth_point_says_the_same(holds):
    """Thinned, the residuals are independent, and the estimated number of points is nearly all of them."""
    curve = holds[700]
    thin = dataclasses.replace(curve, times=curve.times[::10], values=curve.values[::10])
    found = compare(thin, ("exponential", "constant"))
    assert found.effective_points > 0.6 * len(thin.times)
    full = compare(curve, ("exponential", "constant"))
    one, other = found.fits["exponential"], full.fits["exponential"]
    assert one.relaxed == pytest.approx(other.relaxed, abs=2 * one.relaxed_error)
