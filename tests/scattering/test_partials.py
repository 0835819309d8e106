"""Conventions of partial structure factors: there and back, limits, and the intensity they all must give."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxalloy.numerics.checks import InputError
from jaxalloy.scattering import Partials

CONCENTRATIONS = st.floats(1e-3, 1 - 1e-3)
SEEDS = st.integers(0, 2**31)
SYMBOLS = ("Li", "Pb")


def some_faber_ziman(seed):
    return [jnp.asarray(a) for a in np.random.default_rng(seed).uniform(-2.0, 4.0, size=(3, 7))]


@settings(max_examples=40, deadline=None)
@given(c=CONCENTRATIONS, seed=SEEDS)
def test_round_trips(c, seed):
    a = some_faber_ziman(seed)
    partials = Partials.from_faber_ziman(SYMBOLS, c, *a)
    # S_ij divides a difference of order one by c_i^2: rounding grows by that factor, nothing else may
    rounding = 1e-14 / min(c, 1 - c) ** 2
    for there, back in zip(a, partials.faber_ziman(), strict=True):
        np.testing.assert_allclose(back, there, rtol=0, atol=rounding)
    again = Partials.from_ashcroft_langreth(SYMBOLS, c, *partials.ashcroft_langreth())
    for name in ("number_number", "number_concentration", "concentration_concentration"):
        np.testing.assert_allclose(getattr(again, name), getattr(partials, name), rtol=0, atol=rounding)


@settings(max_examples=20, deadline=None)
@given(c=CONCENTRATIONS, seed=SEEDS)
def test_every_convention_gives_the_same_intensity(c, seed):
    """Scattered intensity per atom, in Ashcroft-Langreth form the square of amplitudes b_i sqrt(c_i)."""
    partials = Partials.from_faber_ziman(SYMBOLS, c, *some_faber_ziman(seed))
    b = np.array([-2.22, 9.4])
    c_i = np.array([1 - c, c])
    amplitude = b * np.sqrt(c_i)
    S_AA, S_AB, S_BB = partials.ashcroft_langreth()
    langreth = amplitude[0] ** 2 * S_AA + amplitude[1] ** 2 * S_BB + 2 * amplitude[0] * amplitude[1] * S_AB
    mean, contrast = (c_i * b).sum(), b[0] - b[1]
    thornton = (
        mean**2 * partials.number_number
        + 2 * mean * contrast * partials.number_concentration
        + contrast**2 * partials.concentration_concentration
    )
    a_AA, a_AB, a_BB = partials.faber_ziman()
    weights = np.outer(c_i * b, c_i * b)
    ziman = (c_i * b**2).sum() - mean**2
    ziman = ziman + weights[0, 0] * a_AA + 2 * weights[0, 1] * a_AB + weights[1, 1] * a_BB
    scale = 1e-13 * (b**2).sum() / min(c, 1 - c)
    np.testing.assert_allclose(thornton, langreth, rtol=0, atol=scale)
    np.testing.assert_allclose(ziman, langreth, rtol=0, atol=scale)


def test_no_correlation_is_the_limit_at_large_q():
    partials = Partials.from_faber_ziman(SYMBOLS, 0.2, *(jnp.ones(3),) * 3)
    np.testing.assert_allclose(partials.number_number, 1.0, rtol=1e-15)
    np.testing.assert_allclose(partials.number_concentration, 0.0, atol=1e-15)
    np.testing.assert_allclose(partials.concentration_concentration, 0.2 * 0.8, rtol=1e-15)
    for found, expected in zip(partials.ashcroft_langreth(), (1.0, 0.0, 1.0), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-14)


def test_ideal_mixture_of_alike_atoms_has_random_concentration():
    """Substitutional mixture: equal a_ij mean S_CC = c_A c_B and S_NC = 0 (Bhatia-Thornton 1970)."""
    a = jnp.linspace(0.1, 2.5, 11)
    partials = Partials.from_faber_ziman(SYMBOLS, 0.3, a, a, a)
    np.testing.assert_allclose(partials.number_number, a, rtol=1e-15)
    np.testing.assert_allclose(partials.number_concentration, 0.0, atol=1e-15)
    np.testing.assert_allclose(partials.concentration_concentration, 0.21, rtol=1e-15)


def test_measured_liquid(measured_data):
    """Fe-Co at 1800 K: Faber-Ziman partials, and Bhatia-Thornton combinations formed by others."""
    folder = measured_data / "liquid_3d_metals_measured"
    _, a_AA, a_BB, a_AB = jnp.asarray(np.loadtxt(folder / "Fe-Co.csv", delimiter=",", skiprows=1).T)
    _, S_NN, S_NC, S_CC = np.loadtxt(folder / "Fe-Co.DERIVED_BT.csv", delimiter=",").T
    partials = Partials.from_faber_ziman(("Fe", "Co"), 0.5, a_AA, a_AB, a_BB)
    rounding = 5.1e-6  # the combinations are written with five decimals
    np.testing.assert_allclose(partials.number_number, S_NN, rtol=0, atol=rounding)
    np.testing.assert_allclose(partials.number_concentration, S_NC, rtol=0, atol=rounding)
    np.testing.assert_allclose(partials.concentration_concentration, S_CC, rtol=0, atol=rounding)


@pytest.mark.parametrize("c", [0.0, 1.0, -0.1, float("nan")])
def test_concentration_outside_an_alloy(c):
    one = jnp.ones(2)
    with pytest.raises(InputError, match="concentration"):
        Partials(SYMBOLS, c, one, one, one)
