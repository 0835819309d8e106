"""The bound: two routes to one number, check values, entropies of the paper, consistency."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxalloy as ja
from jaxalloy.constants import BOLTZMANN_RY_PER_K
from jaxalloy.thermodynamics.bound import gas_entropy, mixing_entropy


def liquid_for(alloy, eta, epsilon, kappa):
    sigma = float(np.cbrt(6 * eta * float(alloy.volume) / np.pi))
    return ja.HardSphereYukawa(alloy.concentration, eta, sigma, epsilon, kappa, alloy.temperature)


@eqx.filter_jit
def both_routes(alloy, forces, liquid):
    bound = ja.free_energy_bound(alloy, forces, liquid)
    return bound.energy - bound.thermal, ja.real_space_energy(forces, liquid, shells=24).total


@pytest.mark.parametrize(
    ("formula", "eta", "epsilon", "kappa"),
    [
        ("Li0.8Pb0.2", 0.42, -30.2e-3, 1.8),
        ("Li0.8Pb0.2", 0.30, -2e-3, 0.3),
        ("Li0.5Mg0.5", 0.45, -2e-3, 1.2),
        ("Li0.5Mg0.5", 0.40, 0.5e-3, 2.0),
        ("Mg7Zn3", 0.51, -2.6e-3, 2.3),
        ("Na0.5K0.5", 0.36, -0.2e-3, 4.0),
    ],
)
def test_quadrature_over_wavenumbers_and_over_distances_agree(alloys, formula, eta, epsilon, kappa):
    # the demand is 1e-7 Ry; they share neither integrals nor the closed forms of the electrostatic energy
    alloy = alloys[formula]
    forces = ja.interactions(alloy, ja.EmptyCore(), nodes=1500)
    wavenumbers, distances = both_routes(alloy, forces, liquid_for(alloy, eta, epsilon, kappa))
    assert float(distances) == pytest.approx(float(wavenumbers), abs=1e-8)


def test_both_routes_agree_with_a_finite_mean_free_path(alloys):
    alloy = alloys["Li0.8Pb0.2"]
    forces = ja.interactions(alloy, ja.EmptyCore(mean_free_path=8.0), nodes=1500)
    wavenumbers, distances = both_routes(alloy, forces, liquid_for(alloy, 0.42, -20e-3, 1.5))
    assert float(distances) == pytest.approx(float(wavenumbers), abs=1e-8)


@pytest.mark.parametrize(
    ("formula", "volume", "radii", "epsilon", "kappa", "expected"),
    [
        ("Li0.5Mg0.5", 150.0, {"Li": 1.315, "Mg": 1.316}, -2e-3, 1.2, -1.34272333885),
        ("Li0.8Pb0.2", 149.6, {"Li": 1.315, "Pb": 1.457}, -30.2e-3, 1.8, -1.944761577),
    ],
)
def test_check_values(formula, volume, radii, epsilon, kappa, expected):
    # physics.md 4.2, computed by a prototype with the rounded radii and cut at 40/bohr; its quadrature is good to 1e-7
    alloy = ja.Alloy.parse(formula, temperature=1000.0 if "Pb" in formula else 940.0, volume=volume)
    forces = ja.interactions(alloy, ja.EmptyCore(radii=radii), nodes=1500)
    bound = ja.free_energy_bound(alloy, forces, liquid_for(alloy, 0.42, epsilon, kappa))
    assert float(bound.band_structure + bound.electrostatic) == pytest.approx(expected, abs=1e-7)


def test_truncation_of_the_band_structure_energy():
    # physics.md 4.2: -.242534, -.242558, -.242561 at q_max 20, 40, 80
    alloy = ja.Alloy.parse("Li0.8Pb0.2", temperature=1000.0)
    liquid = liquid_for(alloy, 0.42, -30.2e-3, 1.8)
    potential = ja.EmptyCore(radii={"Li": 1.315, "Pb": 1.457})
    energies = [
        float(
            ja.free_energy_bound(alloy, ja.interactions(alloy, potential, q_max=q, nodes=1000), liquid).band_structure
        )
        for q in (20.0, 40.0, 80.0)
    ]
    np.testing.assert_allclose(energies, [-0.242534, -0.242558, -0.242561], atol=6e-7)


def test_gas_entropy_of_the_paper():
    # PHH Table II with 7Li; 11.872 at .7, where the table misprints 11.76 (physics.md 2.4)
    expected = [10.857, 11.319, 11.872, 12.435, 13.006, 13.577, 14.136]
    for lithium, entropy in zip(range(9, 2, -1), expected, strict=True):
        formula = f"Li{lithium}Pb{10 - lithium}"
        alloy = ja.Alloy.parse(formula, temperature=1000.0, isotopes={"Li": 7})
        assert float(gas_entropy(alloy)) == pytest.approx(entropy, abs=1e-3)
        c = (10 - lithium) / 10
        assert float(mixing_entropy(alloy)) == pytest.approx(-c * np.log(c) - (1 - c) * np.log(1 - c), rel=1e-12)


def test_gas_entropy_is_sackur_tetrode():
    """Argon at 298.15 K and 1 bar: 154.846 J/(mol K) (CODATA key values)."""
    volume = 1.380649e-23 * 298.15 / 1e5 / (0.529177210903e-10) ** 3
    gas = ja.Alloy(("Na", "Na"), 0.5, volume, 298.15, jnp.ones(2), jnp.full(2, 39.948))
    assert float(gas_entropy(gas)) * 8.314462618 == pytest.approx(154.846, abs=0.003)


def test_terms_add_up_and_differentiate_in_temperature(alloys, forces):
    alloy = alloys["Li0.8Pb0.2"]
    liquid = liquid_for(alloy, 0.42, -20e-3, 1.8)
    bound = ja.free_energy_bound(alloy, forces["Li0.8Pb0.2"], liquid)
    parts = bound.volume + bound.band_structure + bound.electrostatic + bound.thermal + bound.entropy
    assert float(bound.total) == pytest.approx(float(parts), rel=1e-14)
    assert float(bound.thermal) == pytest.approx(1.5 * 1000 * BOLTZMANN_RY_PER_K, rel=1e-12)
    assert float(bound.energy - bound.total) > 0


def test_pressure_of_a_pure_metal_is_that_of_its_empty_core_theory():
    """With the bulk-stability radius the structureless solid has no pressure at its density (no fit, by construction).

    E/Z of a uniform gas with point ions in spheres (-0.9 Z^(2/3)/rs hartree) and the empty-core repulsion.
    """
    from jaxalloy.electrons.empty_core import bulk_stability_radius
    from jaxalloy.electrons.gas import correlation_energy
    from jaxalloy.elements.table import lookup

    for symbol in ("Li", "Na", "Mg", "Al", "Pb"):
        element = lookup(symbol)
        radius = bulk_stability_radius(element.solid_rs, element.valence)

        def energy(rs, element=element, radius=radius):  # hartree per electron
            return (
                1.10495 / rs**2
                - 0.45817 / rs
                + correlation_energy(3 / (4 * jnp.pi * rs**3)) / 2
                - 0.9 * element.valence ** (2 / 3) / rs
                + 1.5 * radius**2 / rs**3
            )

        assert abs(float(jax.grad(energy)(element.solid_rs))) < 1e-6


def test_mismatched_parts_are_named(alloys, forces):
    alloy = alloys["Li0.8Pb0.2"]
    with pytest.raises(ja.InputError, match="volume of the interactions"):
        ja.minimise(alloy.at(volume=160.0), forces["Li0.8Pb0.2"])
    liquid = ja.HardSphereYukawa(0.2, 0.40, 4.0, -0.02, 1.8, 1000.0)
    with pytest.raises(ja.InputError, match="volume of the reference liquid"):
        ja.free_energy_bound(alloy, forces["Li0.8Pb0.2"], liquid)
