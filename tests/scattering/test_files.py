"""Reading and writing measured structure factors: what is understood, what is asked for, what is refused."""

import math

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jaxalloy import Alloy
from jaxalloy.constants import BOHR_IN_ANGSTROM
from jaxalloy.numerics.checks import InputError
from jaxalloy.scattering import MeasuredStructureFactor, Neutrons, Partials, XRays
from jaxalloy.scattering.files import read_structure_factor, write_structure_factor

ROWS = [(0.5 + 0.1 * i, 1 + 0.1 * math.sin(i), 0.01, 0.002) for i in range(12)]
HEADER = "# quantity: S            (composite, PHH Eq. 29)\n# unit: 1/angstrom\n"


def body(columns=3, separator=" ", rows=ROWS):
    return "".join(separator.join(f"{x:.6f}" for x in row[:columns]) + "\n" for row in rows)


def written(folder, text, name="a.sq"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(folder, text, name="a.sq", **options):
    return read_structure_factor(written(folder, text, name), **options)


@pytest.mark.parametrize("separator", [" ", "\t", ",", ", ", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends_mean_the_same(tmp_path, separator, end):
    text = (HEADER + "# q   S   dS\n" + body(3, separator)).replace("\n", end)
    data = read(tmp_path, text)
    np.testing.assert_allclose(data.q, [row[0] * BOHR_IN_ANGSTROM for row in ROWS], rtol=1e-6)
    np.testing.assert_allclose(data.curves[0], [row[1] for row in ROWS], atol=1e-6)
    np.testing.assert_allclose(data.errors, 0.01)
    assert (data.kind, data.names, data.dq) == ("S", ("S",), None)


@pytest.mark.parametrize(
    ("unit", "size"), [("1/nm", 0.1 * BOHR_IN_ANGSTROM), ("1/bohr", 1.0), ("1/Å", BOHR_IN_ANGSTROM)]
)
def test_units_and_resolution(tmp_path, unit, size):
    data = read(tmp_path, f"# unit: {unit}\n# quantity: S\n" + body(4), "a.dat")
    assert float(data.q[0]) == pytest.approx(0.5 * size)
    assert float(data.dq[0]) == pytest.approx(0.002 * size)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_encodings(tmp_path, encoding):
    data = read(tmp_path, ("# unit: 1/Å\n# quantity: S\n" + body()).encode(encoding))
    assert data.q.size == len(ROWS)


def test_options_overrule_the_header_and_columns_are_named(tmp_path):
    text = "q_invA,S\n" + body(2, ",")
    assert read(tmp_path, text, quantity="S").q.size == 12
    assert float(read(tmp_path, text, quantity="S", unit="1/bohr").q[0]) == 0.5
    assert dict(read(tmp_path, "# probe: neutron\n" + text, quantity="S").header)["probe"] == "neutron"


def test_reduced_structure_function(tmp_path):
    """F(q) = q (S_FZ - 1) in the file's unit; back to S_FZ exactly."""
    rows = [(q, q * (S - 1), q * dS, 0.0) for q, S, dS, _ in ROWS]
    data = read(tmp_path, "# quantity: F(q)\n# unit: 1/angstrom\n" + body(3, rows=rows), "a.fq")
    assert data.kind == "S_FZ"
    np.testing.assert_allclose(data.curves[0], [row[1] for row in ROWS], atol=3e-6)  # six digits were written
    np.testing.assert_allclose(data.errors, 0.01, rtol=1e-3)


PDFGETX3 = """[DEFAULT]

version = pdfgetx3 2.0
inputfile = lipb.chi
bgscale = 1.0
outputtype = {kind}
qmin = 0.5
qmax = 12.0
rmax = 30.0

# End of config --------------------------------------------------------------
#### start data

#S 1
#L {labels}
"""
LABELS = {
    "sq": "Q($\\AA^{-1}$)  S",
    "fq": "Q($\\AA^{-1}$)  F($\\AA^{-1}$)",
    "gr": "r($\\AA$)  G($\\AA^{-2}$)",
}


@pytest.mark.parametrize("kind", ["sq", "fq"])
def test_files_of_pdfgetx3(tmp_path, kind):
    rows = ROWS if kind == "sq" else [(q, q * (S - 1)) for q, S, *_ in ROWS]
    data = read(tmp_path, PDFGETX3.format(kind=kind, labels=LABELS[kind]) + body(2, rows=rows), f"a.{kind}")
    assert data.kind == "S_FZ"
    np.testing.assert_allclose(data.q, [row[0] * BOHR_IN_ANGSTROM for row in ROWS], rtol=1e-6)
    np.testing.assert_allclose(data.curves[0], [row[1] for row in ROWS], atol=3e-6)


def test_pair_distribution_function_is_transformed_back(tmp_path):
    """G = A r exp(-r^2/2s^2) belongs to S = 1 + A s^3 sqrt(pi/2) exp(-q^2 s^2/2)."""
    A, s = -3.0, 0.8
    r = 0.01 * np.arange(2001)
    rows = np.stack([r, A * r * np.exp(-(r**2) / (2 * s**2))], axis=1)
    text = PDFGETX3.format(kind="gr", labels=LABELS["gr"]) + "".join(f"{x:.2f} {G:.10f}\n" for x, G in rows)
    data = read(tmp_path, text, "a.gr")
    q = np.asarray(data.q) / BOHR_IN_ANGSTROM
    assert q[0] >= 0.5
    assert q[-1] <= 12
    np.testing.assert_allclose(np.diff(q), np.pi / 20, rtol=1e-9)
    # ten digits were written
    np.testing.assert_allclose(
        data.curves[0] - 1, A * s**3 * np.sqrt(np.pi / 2) * np.exp(-((q * s) ** 2) / 2), atol=1e-8
    )
    assert data.errors is None
    assert "transform of G(r)" in data.notes[0]


def test_header_of_fit2d(tmp_path):
    rows = [(10 * q, S) for q, S, *_ in ROWS]
    text = "lipb_sum.tif: azimuthal integration\nQ (Inverse Nanometres)\nIntensity\n     12\n" + body(2, rows=rows)
    data = read(tmp_path, text, "a.chi", quantity="S")
    np.testing.assert_allclose(data.q, [row[0] * BOHR_IN_ANGSTROM for row in ROWS], rtol=1e-6)
    with pytest.raises(InputError, match="second column"):
        read(tmp_path, text, "a.chi")
    with pytest.raises(InputError, match="an angle"):
        read(tmp_path, text.replace("Q (Inverse Nanometres)", "2-Theta Angle (Degrees)"), "a.chi", quantity="S")


def test_the_header_names_the_probe(tmp_path):
    seen = read(tmp_path, "# probe: neutrons\n# isotope: 7Li, Pb=208\n" + HEADER + body()).probe
    assert seen == Neutrons({"Li": 7, "Pb": 208})
    assert read(tmp_path, "# probe: X-ray\n" + HEADER + body()).probe == XRays()
    assert read(tmp_path, HEADER + body()).probe is None
    given = read(tmp_path, "# probe: muons\n" + HEADER + body(), probe=XRays())
    assert given.probe == XRays()


def test_measured_partials_of_fe_co(measured_data):
    """Faber-Ziman partials by default; the independently combined Bhatia-Thornton file agrees to its last digit."""
    folder = measured_data / "liquid_3d_metals_measured"
    for name in ("Fe-Co", "Fe-Cr"):
        alloy = iron("Co")
        data = read_structure_factor(folder / f"{name}.csv", unit="1/angstrom")
        assert (data.kind, set(data.names)) == ("FZ", {"AA", "AB", "BB"})
        combined = data.bhatia_thornton(alloy)
        other = np.loadtxt(folder / f"{name}.DERIVED_BT.csv", delimiter=",")
        np.testing.assert_allclose(combined.curves, other[:, 1:].T, atol=1.1e-5)


def iron(other, c=0.5):
    return Alloy(("Fe", other), c, 90.0, 1800.0, jnp.full(2, jnp.nan), jnp.ones(2))


def test_weights_of_partials_agree_with_their_definitions():
    """The two-channel form of every convention against `Partials`."""
    alloy = iron("Co", 0.3)
    q = jnp.linspace(0.5, 5.0, 20)
    S_NN, S_CC = 1 + 0.3 * jnp.sin(3 * q), 0.21 * (1 + 0.2 * jnp.cos(2 * q))
    exact = Partials(("Fe", "Co"), 0.3, S_NN, 0 * q, S_CC)
    for kind, curves in (
        ("FZ", exact.faber_ziman()),
        ("AL", exact.ashcroft_langreth()),
        ("BT", (S_NN, 0 * q, S_CC)),
    ):
        data = MeasuredStructureFactor.of(q, np.stack(curves), kind=kind)
        nn, cc, nominal = data.weights(alloy)
        built = nominal[:, None] + nn * (S_NN - 1)[None] + cc * (S_CC / 0.21 - 1)[None]
        np.testing.assert_allclose(built, data.curves, atol=1e-14)
        back = data.bhatia_thornton(alloy)
        np.testing.assert_allclose(back.curves, np.stack([S_NN, 0 * q, S_CC]), atol=1e-14)


def test_composite_of_faber_and_ziman_is_the_other_one_rescaled():
    alloy, q = iron("Co"), jnp.linspace(0.5, 5.0, 20)
    S = MeasuredStructureFactor.of(q, jnp.ones(20), probe=XRays())
    FZ = MeasuredStructureFactor.of(q, jnp.ones(20), kind="S_FZ", probe=XRays())
    (nn, cc, _), (nn_FZ, cc_FZ, _) = S.weights(alloy), FZ.weights(alloy)
    np.testing.assert_allclose(nn + cc, 1, rtol=1e-14)
    np.testing.assert_allclose(nn_FZ, 1)
    np.testing.assert_allclose(cc_FZ * nn, cc, rtol=1e-13)


@pytest.mark.parametrize("errors", [None, 0.01])
@pytest.mark.parametrize(("kind", "count"), [("S", 1), ("S_FZ", 1), ("FZ", 3), ("AL", 3), ("BT", 3)])
def test_what_is_written_is_read_back(tmp_path, kind, count, errors):
    q = np.linspace(0.3, 5.0, 20)
    curves = 1 + 0.1 * np.random.default_rng(1).normal(size=(count, 20))
    data = MeasuredStructureFactor.of(q, curves, errors, None if errors is None else 0.02 * q, kind=kind)
    write_structure_factor(tmp_path / "a.sq", data)
    back = read_structure_factor(tmp_path / "a.sq")
    np.testing.assert_allclose(back.q, data.q, rtol=1e-15)
    np.testing.assert_array_equal(back.curves, data.curves)
    assert (back.kind, back.names) == (data.kind, data.names)
    if errors is not None:
        np.testing.assert_array_equal(back.errors, data.errors)
        np.testing.assert_allclose(back.dq, data.dq, rtol=1e-15)


def test_bins_keep_the_mean_and_sharpen_the_error():
    q = np.linspace(0.3, 5.0, 10000)
    data = MeasuredStructureFactor.of(q, 1 + 0.01 * q, 0.01).binned(100)
    assert data.q.size == 100
    np.testing.assert_allclose(data.curves[0], 1 + 0.01 * data.q, atol=1e-6)  # a straight line bins to itself
    np.testing.assert_allclose(data.errors, 0.001, rtol=0.01)
    assert "10000 points averaged" in data.notes[0]


def changed(index, column, value):
    rows = [list(row) for row in ROWS]
    rows[index][column] = value
    return HEADER + body(3, rows=rows)


BAD = {
    "empty": ("", "no numbers"),
    "only a header": (HEADER, "no numbers"),
    "one point": (HEADER + body(rows=ROWS[:1]), "1 points"),
    "NaN": (changed(3, 1, math.nan), r"point 4 \(q = 0.8 1/angstrom\): S is not a finite number"),
    "infinite": (changed(3, 1, math.inf), "point 4.*finite"),
    "negative q": (changed(0, 0, -0.5), "point 1.*negative"),
    "zero q": (changed(0, 0, 0.0), "point 1.*zero"),
    "unsorted": (changed(2, 0, 9.0), "point 4.*sort"),
    "duplicate": (changed(2, 0, 0.6), "point 3.*twice"),
    "zero error": (changed(5, 2, 0.0), "point 6.*error"),
    "negative error": (changed(5, 2, -1.0), "point 6.*error"),
    "words": (HEADER + "0.5 high 0.01\n" + body(), "line 3.*'high'"),
    "ragged": (HEADER + body() + "9.0 1.0\n", "line 15: 2 columns"),
    "decimal commas": (HEADER + body().replace(".", ","), "is not a number"),
    "binary": (b"\x00\x01\x02\xff" * 100, "not readable text"),
    "no unit": ("# quantity: S\n" + body(), "unit of q"),
    "unknown unit": ("# unit: 1/furlong\n# quantity: S\n" + body(), "furlong"),
    "no quantity": ("# unit: 1/angstrom\n" + body(), "second column"),
    "unknown quantity": ("# quantity: I(q)\n# unit: 1/nm\n" + body(), r"I\(q\)"),
    "five columns": (HEADER + "".join("1 2 3 4 5\n" for _ in range(9)), "5 columns without names"),
    "unknown column": (HEADER + "q, S, colour\n" + body(3, ","), "colour"),
    "partial of errors": ("# unit: 1/nm\nq,S11,S22,dS11\n" + body(4, ","), "all errors or none"),
    "unknown probe": ("# probe: muons\n" + HEADER + body(), "'muons'"),
    "unknown isotope": ("# probe: neutron\n# isotope: lithium\n" + HEADER + body(), "Li=7"),
    "isotopes of x-rays": ("# probe: xray\n# isotope: Li=7\n" + HEADER + body(), "for neutrons"),
    "G without limit": ("# quantity: G(r)\n# unit: angstrom\n" + body(2), "up to which q"),
    "G from the middle": ("# quantity: G(r)\n# unit: angstrom\n# qmax: 9\n" + body(2), "rise from r = 0"),
    "G too coarse": (
        "# quantity: G(r)\n# unit: angstrom\n# qmax: 99\n" + body(2, rows=[(0.1 * i, 1.0) for i in range(40)]),
        "too wide",
    ),
    "G without unit": ("# quantity: G(r)\n# qmax: 9\n" + body(2), "unit"),
    "function of distance": ("# unit: 1/nm\nr,g\n" + body(2, ","), "function of distance"),
}


@pytest.mark.parametrize(("text", "words"), BAD.values(), ids=BAD.keys())
def test_bad_files_are_one_clear_line(tmp_path, text, words):
    with pytest.raises(InputError, match=words) as refused:
        read(tmp_path, text)
    assert str(refused.value).startswith("a.sq: ")
    assert "\n" not in str(refused.value)


def test_absent_file_and_wrong_arguments(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_structure_factor(tmp_path / "absent.sq")
    with pytest.raises(InputError, match="choose one of"):
        MeasuredStructureFactor.of(np.ones(9), np.ones(9), kind="I")
    with pytest.raises(InputError, match="S needs one value"):
        MeasuredStructureFactor.of(np.arange(1.0, 10.0), np.ones(8))
    data = MeasuredStructureFactor.of(np.arange(1.0, 10.0), np.ones(9), probe=Neutrons())
    with pytest.raises(InputError, match="0 points between"):
        data.between(20.0, 30.0)
    with pytest.raises(InputError, match="all three partials"):
        data.bhatia_thornton(iron("Co"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(st.binary(max_size=300), st.text(max_size=300), st.text("0123456789.,;-+eE# \tqSdn\n\r:", max_size=300)),
    st.sampled_from(["a.sq", "a.chi", "a.gr"]),
    st.sampled_from(
        [HEADER, "", "# quantity: G(r)\n# unit: nm\n# qmax: ", "[DEFAULT]\noutputtype = fq\n", "q_nm, S11, dS11\n"]
    ),
)
def test_any_bytes_are_read_or_refused_in_one_line(tmp_path, content, name, header):
    """Whatever the file holds: data with finite numbers, or one line; never another exception."""
    raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    written(tmp_path, header.encode() + raw, name)
    data, complaint = read_or_complaint(tmp_path / name)
    assert (data is None) == bool(complaint)
    assert "\n" not in complaint
    assert data is None or (np.isfinite(data.curves).all() and (np.diff(data.q) > 0).all())


def read_or_complaint(path):
    try:
        return read_structure_factor(path), ""
    except InputError as error:
        return None, str(error)


NUMBERS = st.one_of(
    st.floats(), st.floats(0, 10, width=32), st.integers(-3, 9), st.sampled_from(["nan", "inf", "x", ""])
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(NUMBERS, min_size=2, max_size=4), min_size=8, max_size=12), st.sampled_from([" ", ",", "\t"]))
def test_any_table_of_numbers_is_read_or_refused_in_one_line(tmp_path, rows, separator):
    text = HEADER + "\n".join(separator.join(str(x) for x in row) for row in rows) + "\n"
    written(tmp_path, text)
    data, complaint = read_or_complaint(tmp_path / "a.sq")
    assert (data is None) == bool(complaint)
    assert "\n" not in complaint
    if data is not None:
        assert np.isfinite(data.curves).all()
        assert (np.asarray(data.q) > 0).all()
        assert data.errors is None or (np.asarray(data.errors) > 0).all()
