import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxalloy as ja
from jaxalloy.constants import MASS_UNITS_PER_DALTON
from jaxalloy.kinetics import FreeRelaxation, bare_energy, couplings, relax
from jaxalloy.numerics.checks import InputError


@pytest.fixture(scope="module")
def alloy():
    return ja.Alloy.parse("Li0.8Pb0.2", 1000.0)


@pytest.fixture(scope="module", params=[ja.EmptyCore(), ja.OptimisedOPW()], ids=["empty core", "optimised OPW"])
def pseudo(alloy, request):
    return ja.interactions(alloy, request.param)


@pytest.fixture(scope="module")
def found(alloy, pseudo):
    return couplings(alloy, pseudo)


def test_ordering_energy_is_the_real_space_integral(alloy, pseudo, found):
    sigma = jnp.cbrt(6 * 0.45 * alloy.volume / jnp.pi)
    liquid = ja.HardSphereYukawa(alloy.concentration, 0.45, sigma, 0.0, 1.0, alloy.temperature)
    end, count = 100.0, 8001
    R = np.linspace(float(sigma), end, count)
    middle, step = 0.5 * (R[1:] + R[:-1]), R[1] - R[0]
    c_a, c_b = np.asarray(alloy.concentrations)
    energy = np.asarray(pseudo.bhatia_thornton(jnp.asarray(middle)).CC) / (c_a * c_b)
    pairs = np.where(middle < 8 * sigma, liquid.pair_correlations(jnp.minimum(middle, 8 * sigma)).g_NN, 1.0)
    window = np.where(middle < end / 2, 1.0, np.cos(np.pi * (middle - end / 2) / end) ** 2)
    for index in (60, 100, int(found.softest)):
        q = float(found.q[index])
        direct = 4 * np.pi * step * np.sum(energy * pairs * middle * np.sin(q * middle) / q * window) / alloy.volume
        # The midpoint rule at 0.012 bohr and the window over the Friedel oscillations leave about 1e-4 of max|W|.
        assert float(found.ordering_energy[index]) == pytest.approx(float(direct), abs=1e-4)


def test_ordering_alloy_is_softest_at_a_wave_vector_of_its_own(alloy, found):
    # Li-Pb orders: not at q = 0 (that would be segregation) but at the prepeak, below the main peak near 2 k_F.
    assert float(found.ordering_energy[found.softest]) < 0
    assert 0.6 < float(found.q[found.softest]) < 2 * float(alloy.fermi_wavenumber)
    assert bool(jnp.all(jnp.diff(found.q) > 0))


def test_form_difference_has_the_screened_limit(alloy, pseudo, found):
    # A screened ion of valence Z in a gas of Zbar electrons per ion: w(0) = -(2/3) E_F Z/Zbar. The electrons screen
    # the orthogonalisation hole of the OPW as well, so that Z is the effective valence there.
    fermi = alloy.fermi_wavenumber**2
    valence = pseudo.effective_valences
    expected = 2 / 3 * fermi * (valence[1] - valence[0]) / alloy.mean_valence
    assert float(found.form_difference[0]) == pytest.approx(float(expected), rel=1e-3)
    c = alloy.concentration
    np.testing.assert_allclose(found.coupling, 0.5 * jnp.sqrt(c * (1 - c)) * jnp.abs(found.form_difference))


def test_excitations_soften_where_the_order_sets_in(alloy, found):
    energy = found.excitation_energy(0.05)
    assert int(jnp.argmin(energy)) == int(found.softest)
    assert bool(jnp.all(found.stable(0.05)))
    c = alloy.concentration
    critical = -0.5 * c * (1 - c) * found.ordering_energy[found.softest]
    assert not bool(found.stable(0.99 * critical)[found.softest])
    assert float(found.excitation_energy(0.99 * critical)[found.softest]) == 0.0
    mass = MASS_UNITS_PER_DALTON * float(alloy.concentrations @ alloy.masses)
    assert float(bare_energy(alloy, 0.5, 0.3)) == pytest.approx(1 / (0.16**2 * mass * 0.25 * 0.3))


def test_one_alloy_feeds_both_papers(found):
    index = int(found.softest)
    delta = found.coupling[index]
    out = relax(FreeRelaxation(delta, 1.0, 1e-3, delta, 5.0 / delta), jnp.linspace(0.0, 10.0, 41) / delta)
    assert bool(out.converged)
    assert float(out.eta[0]) < 1.0


def test_couplings_are_differentiable(alloy, pseudo, found):
    def softest(order):
        return couplings(alloy, pseudo, order=order).coupling[found.softest]

    assert float(jax.grad(softest)(0.5)) == pytest.approx(float(softest(0.5)), rel=1e-12)  # Delta ~ sqrt|alpha|


def test_a_table_needs_a_form_difference(alloy, pseudo):
    R = jnp.linspace(2.0, 40.0, 400)
    phi = pseudo.pair_potentials(R) * jnp.exp(-((R / 15.0) ** 2))[None, :]
    table = ja.interactions(alloy, ja.TabulatedPotential(R, *phi))
    with pytest.raises(InputError, match="form_difference"):
        couplings(alloy, table)
    q = jnp.sort(table.q)[jnp.sort(table.q) <= 3 * alloy.fermi_wavenumber]
    assert couplings(alloy, table, form_difference=jnp.ones_like(q)).coupling.shape == q.shape
    with pytest.raises(InputError, match="order"):
        couplings(alloy, pseudo, order=-1.0)
