"""Empty-core interactions: anchors, sum rules, convergence, another quadrature."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

import jaxalloy as ja
from jaxalloy.electrons.empty_core import bulk_stability_radius
from jaxalloy.electrons.interactions import bhatia_thornton
from jaxalloy.elements.table import known_elements, lookup

LITHIUM_LEAD = ja.Alloy.parse("Li0.8Pb0.2", temperature=1000.0)
DISTANCES = jnp.asarray([3.0, 4.0, 4.93, 6.0, 8.0, 12.0, 20.0, 30.0])


@pytest.mark.parametrize(
    ("symbol", "radius"),
    [("Li", 1.315), ("Na", 1.723), ("Mg", 1.316), ("Al", 1.114), ("Zn", 1.072), ("Pb", 1.457)],
)
def test_bulk_stability_radii(symbol, radius):
    # physics.md 3.2, printed with four figures
    element = lookup(symbol)
    assert float(bulk_stability_radius(element.solid_rs, element.valence)) == pytest.approx(radius, abs=6e-4)


def test_every_element_has_a_radius():
    for element in known_elements().values():
        assert 0.9 < float(bulk_stability_radius(element.solid_rs, element.valence)) < 3.0


@pytest.mark.parametrize("free_path", [None, 10.0])
def test_screening_charge_holds_the_valence_and_characteristics_their_limit(free_path):
    forces = ja.interactions(LITHIUM_LEAD, ja.EmptyCore(mean_free_path=free_path))
    lowest = jnp.argsort(forces.q)[:2]
    q = forces.q[lowest]
    assert float(q[0]) < 1e-3
    np.testing.assert_allclose(forces.screening_charge[:, lowest[0]], [1.0, 4.0], rtol=1e-5)
    expected = -4 * np.pi * np.array([1.0, 4.0, 16.0])[:, None] / (149.6 * q**2)[None]
    np.testing.assert_allclose(forces.characteristics[:, lowest], expected, rtol=1e-4)


def test_pair_potentials_are_converged():
    # the demand: 1e-6 Ry out to 30 bohr, against a quadrature ten times as fine and as long
    fine = ja.interactions(LITHIUM_LEAD, ja.EmptyCore(), q_max=200.0, nodes=6000).pair_potentials(DISTANCES)
    default = ja.interactions(LITHIUM_LEAD, ja.EmptyCore()).pair_potentials(DISTANCES)
    coarse = ja.interactions(LITHIUM_LEAD, ja.EmptyCore(), nodes=320).pair_potentials(DISTANCES)
    assert float(jnp.abs(default - fine).max()) < 1e-6
    assert float(jnp.abs(coarse - fine).max()) > 10 * float(jnp.abs(default - fine).max())


def test_pair_potential_by_adaptive_quadrature():
    """The same potential written out anew in NumPy and integrated by QUADPACK."""
    k_fermi, volume, radii, valences = (
        float(LITHIUM_LEAD.fermi_wavenumber),
        149.6,
        np.array([1.3150953161, 1.4572582659]),
        np.array([1.0, 4.0]),
    )
    field = ja.IchimaruUtsumi()

    def characteristic(q):
        x = q / (2 * k_fermi)
        chi = -k_fermi / (2 * np.pi**2) * (0.5 + (1 - x**2) / (4 * x) * np.log(abs((1 + x) / (1 - x))))
        coulomb = 8 * np.pi / q**2 * (1 - float(field(jnp.asarray(q), k_fermi)))
        w = -8 * np.pi * valences / q**2 * np.cos(q * radii) / volume
        return volume / 2 * chi * w[0] * w[1] / (1 - coulomb * chi)

    R = 5.0
    kink = 2 * k_fermi
    integral = sum(
        quad(lambda q: characteristic(q) * np.sin(q * R) * q, low, high, limit=60, epsabs=1e-8)[0]
        for low, high in [(1e-8, kink), (kink, 4.0), (4.0, 14.0)]
    )
    expected = 2 * valences[0] * valences[1] / R + volume / np.pi**2 * integral / R
    ours = ja.interactions(LITHIUM_LEAD, ja.EmptyCore()).pair_potentials(jnp.asarray(R))[1]
    # cut off at 14/bohr
    assert float(ours) == pytest.approx(expected, abs=3e-6)


def test_bhatia_thornton_of_equal_and_of_opposite_potentials():
    same = bhatia_thornton(jnp.asarray([2.0, 2.0, 2.0]), 0.3)
    np.testing.assert_allclose([same.NN, same.NC, same.CC], [2.0, 0.0, 0.0], atol=1e-15)
    charges = bhatia_thornton(jnp.asarray([1.0, -1.0, 1.0]), 0.5)  # opposite charges at c = 1/2 couple to CC alone
    np.testing.assert_allclose([charges.NN, charges.NC, charges.CC], [0.0, 0.0, 1.0], atol=1e-15)


def test_lithium_lead_orders_and_weaker_than_the_paper():
    # physics.md 3.2: the empty core gives 16-55 per cent of PHH's 30.2 mRy at sigma = 4.93
    ordering = float(ja.interactions(LITHIUM_LEAD, ja.EmptyCore()).bhatia_thornton(jnp.asarray(4.93)).CC)
    assert 0.16 < ordering / 30.2e-3 < 0.55


def test_derivatives_of_the_interactions():
    def ordering(concentration, volume, radius, free_path):
        alloy = LITHIUM_LEAD.at(concentration=concentration, volume=volume)
        potential = ja.EmptyCore(radii={"Pb": radius}, mean_free_path=free_path)
        return ja.interactions(alloy, potential).bhatia_thornton(jnp.asarray(5.0)).CC

    point = (0.2, 149.6, 1.457, 20.0)
    ordering = jax.jit(ordering)
    gradient = jax.jit(jax.grad(ordering, (0, 1, 2, 3)))(*point)
    for index, (value, slope) in enumerate(zip(point, gradient, strict=True)):
        step = 1e-5 * value
        moved = [[x + sign * step * (i == index) for i, x in enumerate(point)] for sign in (1, -1)]
        difference = (ordering(*moved[0]) - ordering(*moved[1])) / (2 * step)
        assert float(slope) == pytest.approx(float(difference), rel=1e-6)


def test_interactions_map_over_states():
    volumes = jnp.asarray([145.0, 150.0, 155.0])
    potential = lambda v: (  # noqa: E731
        ja.interactions(LITHIUM_LEAD.at(volume=v), ja.EmptyCore()).pair_potentials(jnp.asarray(5.0))
    )
    np.testing.assert_allclose(
        jax.vmap(potential)(volumes), jnp.stack([potential(v) for v in volumes]), rtol=1e-9, atol=1e-14
    )


def test_bad_distances_and_radii_are_named():
    forces = ja.interactions(LITHIUM_LEAD, ja.EmptyCore())
    with pytest.raises(ja.InputError, match="distance"):
        forces.pair_potentials(jnp.asarray([1.0, -2.0]))
    with pytest.raises(ja.InputError, match="core radius of Na"):
        ja.interactions(LITHIUM_LEAD, ja.EmptyCore(radii={"Na": 1.7}))
    with pytest.raises(ja.InputError, match="core radius of Pb"):
        ja.interactions(LITHIUM_LEAD, ja.EmptyCore(radii={"Pb": -1.0}))
