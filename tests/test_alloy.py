"""Formulas, volumes and the state of an alloy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jaxalloy as ja
from jaxalloy.alloy import parse_formula
from jaxalloy.elements.table import known_elements, lookup

SYMBOLS = sorted(known_elements())


@pytest.mark.parametrize(
    ("formula", "expected"),
    [("Li0.8Pb0.2", 0.2), ("Mg7Zn3", 0.3), ("LiPb", 0.5), ("Li80Pb20", 0.2), ("Na.25K.75", 0.75), ("MgZn2", 2 / 3)],
)
def test_formulas(formula, expected):
    assert parse_formula(formula)[1] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("Li", "1 element"),
        ("Li1Pb1Mg1", "3 elements"),
        ("Xx2Pb", "no element 'Xx'"),
        ("Li0.8Pb0.3", "add up to 1.1"),
        ("Li1.0Pb0.0", "holds no Pb"),
        ("LiLi", "names Li twice"),
        ("li0.5pb0.5", "not a formula"),
        ("Li0.8-Pb0.2", "not a formula"),
        ("Li.Pb1", "not a formula"),
        ("", "not a formula"),
    ],
)
def test_bad_formulas_are_named(formula, words):
    with pytest.raises(ja.InputError, match=words):
        ja.Alloy.parse(formula, temperature=1000.0)


@given(st.text(max_size=12))
def test_any_text_is_a_formula_or_an_input_error(text):
    try:
        _, fraction = parse_formula(text)
    except ja.InputError:
        return
    assert 0 < fraction < 1


@given(st.sampled_from(SYMBOLS), st.sampled_from(SYMBOLS), st.integers(1, 99))
def test_formula_round_trip(first, second, percent):
    if first == second:
        return
    symbols, fraction = parse_formula(f"{first}{100 - percent}{second}{percent}")
    assert symbols == (first, second)
    assert fraction == pytest.approx(percent / 100, abs=1e-12)


@pytest.mark.parametrize("temperature", [0.0, -10.0, float("nan"), float("inf")])
def test_bad_temperatures_are_named(temperature):
    with pytest.raises(ja.InputError, match="temperature"):
        ja.Alloy.parse("LiPb", temperature=temperature)


@pytest.mark.parametrize("volume", [0.0, -1.0, float("nan")])
def test_bad_volumes_are_named(volume):
    with pytest.raises(ja.InputError, match="volume"):
        ja.Alloy.parse("LiPb", temperature=1000.0, volume=volume)


def test_volume_and_density_together_are_refused():
    with pytest.raises(ja.InputError, match="one of them"):
        ja.Alloy.parse("LiPb", temperature=1000.0, volume=150.0, density=3.0)


def test_lithium_lead_has_the_volumes_of_the_paper():
    # PHH Table II
    for lithium, volume in zip(range(9, 2, -1), [156.7, 149.6, 156.6, 165.5, 176.3, 187.7, 197.5], strict=True):
        alloy = ja.Alloy.parse(f"Li{lithium}Pb{10 - lithium}", temperature=1000.0)
        assert float(alloy.volume) == pytest.approx(volume, rel=1e-12)
        assert alloy.volume_source.startswith("measured")
    turned = ja.Alloy.parse("Pb2Li8", temperature=1000.0)
    assert float(turned.volume) == pytest.approx(149.6, rel=1e-12)


def test_magnesium_zinc_has_the_density_of_the_paper():
    assert float(1 / ja.Alloy.parse("Mg7Zn3", temperature=673.0).volume) == pytest.approx(0.00649, rel=1e-4)


def test_additive_volume_is_announced_and_too_large_for_lithium_lead():
    alloy = ja.Alloy.parse("NaK", temperature=400.0)
    assert alloy.volume_source.startswith("additive")
    additive = 0.8 * lookup("Li").liquid_volume(1000.0) + 0.2 * lookup("Pb").liquid_volume(1000.0)
    assert additive == pytest.approx(181, abs=1.5)  # physics.md: additivity gives about 181 bohr^3


def test_liquid_densities_agree_with_the_handbook(measured_data):
    rows = (measured_data / "density" / "CRC_molten_densities_chemicals.tsv").read_text().splitlines()[1:]
    handbook = {row.split("\t")[1]: [float(x) for x in row.split("\t")[3:6]] for row in rows}
    names = {
        element.name.replace("aluminium", "aluminum").replace("caesium", "cesium").title(): element
        for element in known_elements().values()
    }
    compared = 0
    for name, (density, slope, melting) in handbook.items():
        element = names.get(name)
        if element is None or element.density_source != "CRC":
            continue
        assert element.liquid_density == pytest.approx(density / 1000, rel=1e-3)
        assert element.density_slope == pytest.approx(slope / 1000, abs=1e-6)
        assert element.melting_point == pytest.approx(melting, abs=0.1)
        compared += 1
    assert compared >= 16


def test_masses_agree_with_periodictable():
    import periodictable

    for element in known_elements().values():
        assert element.mass == pytest.approx(getattr(periodictable, element.symbol).mass, rel=3e-4)
    lithium7 = ja.Alloy.parse("Li0.8Pb0.2", temperature=1000.0, isotopes={"Li": 7})
    assert float(lithium7.masses[0]) == pytest.approx(7.016, abs=1e-3)
    with pytest.raises(ja.InputError, match="no isotope 99 of Li"):
        ja.Alloy.parse("LiPb", temperature=1000.0, isotopes={"Li": 99})


def test_density_and_volume_are_one():
    alloy = ja.Alloy.parse("Li0.8Pb0.2", temperature=1000.0, density=3.5)
    # 1 dalton/angstrom^3 = 1.66053907 g/cm^3
    mass = 0.8 * 6.94 + 0.2 * 207.2
    assert float(alloy.volume) == pytest.approx(mass * 1.66053907 / 3.5 / 0.529177211**3, rel=1e-7)
    assert float(alloy.mass_density) == pytest.approx(3.5, rel=1e-9)


def test_fermi_wavenumber_of_the_reference(reference_numbers):
    anchor = reference_numbers("opw_anchors")["KS-SR"]
    for name, formula, volume in [("Li80Pb20", "Li8Pb2", 149.6), ("Mg70Zn30", "Mg7Zn3", 154.083)]:
        alloy = ja.Alloy.parse(formula, temperature=1000.0, volume=volume)
        assert float(alloy.fermi_wavenumber) == pytest.approx(anchor[name]["kF"], rel=1e-6)


def test_changing_one_quantity_keeps_the_others():
    alloy = ja.Alloy.parse("Li0.8Pb0.2", temperature=1000.0)
    hotter = alloy.at(temperature=1100.0)
    assert float(hotter.volume) == float(alloy.volume)
    assert hotter.volume_source == alloy.volume_source
    richer = alloy.at(concentration=0.3).at_liquid_volume()
    assert float(richer.volume) == pytest.approx(156.6, rel=1e-12)
    with pytest.raises(ja.InputError, match="between 0 and 1"):
        alloy.at(concentration=1.2)


def test_an_alloy_maps_and_differentiates():
    fractions = jnp.linspace(0.15, 0.65, 4)

    def volume(c):
        return ja.Alloy.of(("Li", "Pb"), c, 1000.0).volume

    batched = jax.vmap(volume)(fractions)
    single = jnp.stack([volume(c) for c in fractions])
    np.testing.assert_allclose(batched, single, rtol=1e-12)
    step = 1e-5
    slope = (volume(0.42 + step) - volume(0.42 - step)) / (2 * step)
    assert float(jax.grad(volume)(0.42)) == pytest.approx(float(slope), rel=1e-6)


def test_unknown_element_is_named():
    with pytest.raises(ja.InputError, match="no element 'Fe'"):
        lookup("Fe")
