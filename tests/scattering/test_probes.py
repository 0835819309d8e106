"""Scattering lengths, weights and composites, against tables, limits and periodictable's own functions."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import periodictable
import pytest

from jaxalloy._typing import Array
from jaxalloy.constants import BOHR_IN_ANGSTROM
from jaxalloy.numerics.checks import InputError
from jaxalloy.scattering import Neutrons, Partials, XRays, form_factor, structure_factor

LITHIUM_7 = Neutrons(isotopes={"Li": 7})
Q = jnp.linspace(0.1, 5.0, 50)


class Mixture(eqx.Module):
    symbols: tuple[str, str] = eqx.field(static=True)
    concentration: float


class Liquid(eqx.Module):
    """Any two channels will do: the weights are under test, not the liquid."""

    concentration: float

    def structure_factor_nn(self, q: Array) -> Array:
        return 1 - jnp.exp(-(q**2))

    def structure_factor_cc(self, q: Array) -> Array:
        return self.concentration * (1 - self.concentration) * (1 + jnp.sin(4 * q) / (4 * q))


class State(eqx.Module):
    alloy: Mixture
    liquid: Liquid


def state(A, B, c):
    return State(Mixture((A, B), c), Liquid(c))


def normalised_cc(liquid):
    return liquid.structure_factor_cc(Q) / (liquid.concentration * (1 - liquid.concentration))


def test_lithium_7_has_a_negative_length():
    # -2.22 +- 0.02 fm (Sears 1992); periodictable keeps a later -2.28
    assert LITHIUM_7.length("Li") == pytest.approx(-2.22, abs=0.1)
    assert Neutrons().length("Li") == pytest.approx(-1.90, abs=0.05)
    assert Neutrons().length("Pb") == pytest.approx(9.405, abs=0.005)
    assert Neutrons().length("Mg") == pytest.approx(5.375, abs=0.005)


def test_zero_alloy_shows_only_chemical_order():
    """7Li0.7Mg0.3 is the zero alloy of PHH Fig. 11, with b_Li = -0.2337, b_Mg = 0.52 as they are printed."""
    alloy = state("Li", "Mg", 0.3)
    found = structure_factor(alloy, Q, LITHIUM_7)
    weights = LITHIUM_7.weights(("Li", "Mg"), 0.3, Q)
    assert float(weights.number_number[0]) < 1e-3
    # the density channel, at most 1, is seen with a weight below 1e-3
    np.testing.assert_allclose(found, normalised_cc(alloy.liquid), atol=1e-3)
    printed = Neutrons(lengths_fm={"Li": -2.337, "Mg": 5.2})
    assert float(printed.weights(("Li", "Mg"), 0.3, Q).number_number[0]) < 5e-4


def test_lithium_lead_is_close_to_its_zero_alloy():
    """PHH Fig. 13: 7Li0.8Pb0.2 shows essentially S_CC, a growing share of S_NN beyond."""
    shares = [float(LITHIUM_7.weights(("Li", "Pb"), c, Q).number_number[0]) for c in (0.2, 0.5, 0.7)]
    assert shares[0] < 0.01
    assert shares[0] < shares[1] < shares[2]
    exact = -LITHIUM_7.length("Li") / (LITHIUM_7.length("Pb") - LITHIUM_7.length("Li"))
    assert exact == pytest.approx(0.2, abs=0.01)
    assert float(LITHIUM_7.weights(("Li", "Pb"), exact, Q).number_number[0]) < 1e-30


@pytest.mark.parametrize("probe", [Neutrons(), LITHIUM_7, XRays()])
def test_weights_sum_to_one_and_the_composite_tends_to_one(probe):
    weights = probe.weights(("Li", "Pb"), 0.35, Q)
    np.testing.assert_allclose(weights.number_number + weights.concentration_concentration, 1.0, rtol=1e-14)
    far = jnp.array([30.0])
    # the liquid's own tail at this q is 1/(4 q) = 0.008
    np.testing.assert_allclose(structure_factor(state("Li", "Pb", 0.35), far, probe), 1.0, atol=0.01)


def test_share_of_order_in_x_rays_of_magnesium_zinc():
    """PHH p. 5018: S_CC contributes 18 % to the x-ray composite of Mg7Zn3 (forward direction)."""
    weights = XRays().weights(("Mg", "Zn"), 0.3, jnp.array([0.0]))
    assert float(weights.concentration_concentration[0]) == pytest.approx(0.18, abs=0.01)


def test_partials_with_a_cross_term():
    """The definition <|sum_i b_i exp(iqR)|^2>/<b^2> on Faber-Ziman partials."""
    c, a_AA, a_AB, a_BB = 0.4, 1 + jnp.sin(Q), 1 - 0.5 * jnp.cos(Q), 1 + 0.2 * jnp.sin(3 * Q)
    b_A, b_B = LITHIUM_7.length("Li"), LITHIUM_7.length("Pb")
    mean_square = (1 - c) * b_A**2 + c * b_B**2
    expected = (
        1
        + (((1 - c) * b_A) ** 2 * (a_AA - 1) + (c * b_B) ** 2 * (a_BB - 1) + 2 * (1 - c) * c * b_A * b_B * (a_AB - 1))
        / mean_square
    )
    partials = Partials.from_faber_ziman(("Li", "Pb"), c, a_AA, a_AB, a_BB)
    np.testing.assert_allclose(structure_factor(partials, Q, LITHIUM_7), expected, rtol=1e-12)


@pytest.mark.parametrize("symbol", ["Li", "Mg", "Zn", "Pb"])
def test_form_factor(symbol):
    number = periodictable.elements.symbol(symbol).number
    # the fit reaches Z to a few 1e-4 of it (Waasmaier & Kirfel, Table 1)
    assert float(form_factor(symbol, jnp.array([0.0]))[0]) == pytest.approx(number, rel=1e-3)
    peer = periodictable.elements.symbol(symbol).xray.f0(np.asarray(Q) / BOHR_IN_ANGSTROM)
    np.testing.assert_allclose(form_factor(symbol, Q), peer, rtol=1e-13)
    slope = jax.vmap(jax.grad(lambda q: form_factor(symbol, q[None])[0]))(Q)
    by_difference = (form_factor(symbol, Q + 1e-5) - form_factor(symbol, Q - 1e-5)) / 2e-5
    np.testing.assert_allclose(slope, by_difference, atol=1e-7)


@pytest.mark.parametrize("probe", [LITHIUM_7, XRays()])
def test_transforms_and_single_precision(probe):
    alloy = state("Li", "Pb", 0.2)
    eager = structure_factor(alloy, Q, probe)
    np.testing.assert_allclose(jax.jit(structure_factor)(alloy, Q, probe), eager, rtol=1e-13)
    single = structure_factor(alloy, Q.astype(jnp.float32), probe)
    assert single.dtype == jnp.float32
    np.testing.assert_allclose(single, eager, rtol=1e-5)

    def peak(c):
        return structure_factor(state("Li", "Pb", c), Q, probe).sum()

    np.testing.assert_allclose(jax.grad(peak)(0.2), (peak(0.2 + 1e-6) - peak(0.2 - 1e-6)) / 2e-6, rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Neutrons(isotopes={"Li": 5}), r"Li=5.*6, 7"),
        (lambda: Neutrons(isotopes={"Xx": 7}), r"'Xx'.*no such element"),
        (lambda: Neutrons(lengths_fm={"Li": float("nan")}), r"Li.*fm"),
        (lambda: Neutrons().length("Po"), r"Po.*lengths_fm"),
        (lambda: form_factor("Xx", Q), r"'Xx'.*no such element"),
        (lambda: form_factor("Li", jnp.array([50.0])), r"q = 50.*39\.7"),
    ],
)
def test_bad_input_names_the_value_and_the_remedy(make, words):
    with pytest.raises(InputError, match=words):
        make()
