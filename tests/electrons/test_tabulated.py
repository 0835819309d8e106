"""Pair potentials from a file."""

import jax.numpy as jnp
import numpy as np
import pytest

import jaxalloy as ja

LITHIUM_LEAD = ja.Alloy.parse("Li0.8Pb0.2", temperature=1000.0)


@pytest.fixture(scope="module")
def table():
    """The empty-core potentials of Li0.8Pb0.2, tabulated."""
    R = jnp.linspace(3.5, 40.0, 1200)
    return R, ja.interactions(LITHIUM_LEAD, ja.EmptyCore()).pair_potentials(R)


def write(path, rows, header="# units: bohr Ry"):
    path.write_text("\n".join([header, *(" ".join(f"{x:.12e}" for x in row) for row in rows)]) + "\n")
    return path


def test_table_gives_back_the_potentials_and_the_contact_state(table):
    R, potentials = table
    forces = ja.interactions(LITHIUM_LEAD, ja.TabulatedPotential(R, *potentials))
    between = jnp.linspace(4.01, 15.0, 57)
    exact = ja.interactions(LITHIUM_LEAD, ja.EmptyCore())
    # 0.03 bohr steps of a cubic spline on the steep wall
    np.testing.assert_allclose(forces.pair_potentials(between), exact.pair_potentials(between), atol=2e-6)
    ours, theirs = ja.minimise(LITHIUM_LEAD, forces), ja.minimise(LITHIUM_LEAD, exact)
    # the table ends at 40 bohr, where the potentials are about 1e-6 Ry
    assert float(ours.eta) == pytest.approx(float(theirs.eta), abs=2e-4)
    assert float(ours.epsilon) == pytest.approx(float(theirs.epsilon), rel=2e-3)


def test_both_routes_to_the_pair_energy_agree(table):
    R, potentials = table
    forces = ja.interactions(LITHIUM_LEAD, ja.TabulatedPotential(R, *potentials), q_max=60.0, nodes=2000)
    liquid = ja.HardSphereYukawa(0.2, 0.42, float(np.cbrt(6 * 0.42 * 149.6 / np.pi)), -0.02, 1.8, 1000.0)
    bound = ja.free_energy_bound(LITHIUM_LEAD, forces, liquid)
    # the continuation into the core has a kink, which takes many nodes
    real = ja.real_space_energy(forces, liquid, shells=9, nodes_per_shell=400)
    assert float(bound.energy - bound.thermal) == pytest.approx(float(real.total), abs=1e-7)


@pytest.mark.parametrize(("units", "length", "energy"), [("angstrom eV", 0.529177210903, 13.605693122994)])
def test_units_are_converted(tmp_path, table, units, length, energy):
    R, potentials = table
    rows = np.column_stack([np.asarray(R) * length, (np.asarray(potentials) * energy).T])
    read = ja.TabulatedPotential.read(write(tmp_path / "table.txt", rows, f"# units: {units}"))
    np.testing.assert_allclose(read.R, R, rtol=1e-10)
    np.testing.assert_allclose(read.phi_AB, potentials[1], rtol=1e-9, atol=1e-15)


GOOD = [[3.0 + 0.2 * i, 0.1, 0.05, 0.2] for i in range(20)]


@pytest.mark.parametrize(
    ("rows", "header", "words"),
    [
        (GOOD, "# no such line", "units header"),
        (GOOD, "# units: furlong Ry", "units furlong"),
        (GOOD[:4], "# units: bohr Ry", "at least 8"),
        (GOOD[::-1], "# units: bohr Ry", "rise from row to row"),
        ([*GOOD, [9.0, float("nan"), 0.0, 0.0]], "# units: bohr Ry", "phi_AA"),
        ([*GOOD, [9.0, 0.0, 0.0]], "# units: bohr Ry", "line 22: 3 columns"),
        ([[-1.0, 0.1, 0.1, 0.1], *GOOD], "# units: bohr Ry", "positive"),
        ([], "# units: bohr Ry", "no data rows"),
    ],
)
def test_bad_tables_are_named(tmp_path, rows, header, words):
    with pytest.raises(ja.InputError, match=words):
        ja.TabulatedPotential.read(write(tmp_path / "bad.txt", rows, header))


def test_missing_text_and_binary_files_are_named(tmp_path):
    with pytest.raises(ja.InputError, match="not a file"):
        ja.TabulatedPotential.read(tmp_path / "absent.txt")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(ja.InputError, match="not a text file"):
        ja.TabulatedPotential.read(tmp_path / "binary")
    (tmp_path / "words.txt").write_text("# units: bohr Ry\na b c d\n")
    with pytest.raises(ja.InputError, match="holds text"):
        ja.TabulatedPotential.read(tmp_path / "words.txt")
