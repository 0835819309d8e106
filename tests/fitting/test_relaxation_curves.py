"""Reading annealing curves: units, temperatures, and everything that can be wrong with a file."""

import numpy as np
import pytest

from jaxalloy.fitting.relaxation import AnnealingCurve, read_annealing_curves
from jaxalloy.numerics.checks import InputError

ROWS = "\n".join(f"{t},{2.0 - 0.1 * t}" for t in range(9))


@pytest.fixture
def write(tmp_path):
    def save(text):
        path = tmp_path / "anneal.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return save


def test_units_and_values(write):
    (curve,) = read_annealing_curves(write(f"# made up\nTime (min), Enthalpy [meV/atom]\n\n{ROWS}\n"))
    assert (curve.time_unit, curve.value_unit, curve.quantity) == ("min", "meV/atom", "enthalpy")
    assert curve.seconds == 60.0
    assert curve.errors is None
    assert curve.temperature is None
    np.testing.assert_array_equal(curve.times, np.arange(9.0))
    np.testing.assert_allclose(curve.values, 2.0 - 0.1 * np.arange(9))


def test_errors_and_temperatures(write):
    rows = [f"{T},{t},{t * T},0.5" for T in (700, 650) for t in range(8)]
    text = "temperature (K),time (h),R (nOhm),error (nOhm)\n" + "\n".join(rows)
    cold, hot = read_annealing_curves(write(text))
    assert (cold.temperature, hot.temperature) == (650.0, 700.0)
    np.testing.assert_array_equal(hot.values, 700.0 * np.arange(8))
    np.testing.assert_array_equal(hot.errors, 0.5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("# only a comment\n", "is empty"),
        (f"time,value\n{ROWS}", "has no name with a unit"),
        (f"time (),value (1)\n{ROWS}", "has no name with a unit"),
        (ROWS, "has no name with a unit"),
        (f"t (s),value (1)\n{ROWS}", "no column 'time'"),
        (f"time (s),time (s)\n{ROWS}", "two columns of the same name"),
        (f"time (s),error (1)\n{ROWS}", "one column of values is needed, found none"),
        ("time (s),a (1),b (1)\n0,1,2", "found a, b"),
        ("time (s),a (eV),error (meV)\n0,1,2", "error in meV, a in eV"),
        ("time (s),a (1),temperature (C)\n0,1,2", "temperature in C: give it in K"),
        ("time (s),a (1)\n0,1\n1", "line 3: 1 columns, the header has 2"),
        ("time (s),a (1)\n0,1\n\n1,x", "line 4: could not convert string to float: 'x'"),
        ("time (s),a (1)\n0,1", "1 points; give at least 8"),
        ("time (s),a (1)", "0 points; give at least 8"),
        (f"time (s),a (1)\n{ROWS}\n8,1", "time 8 does not exceed the time before"),
        (f"time (s),a (1)\n{ROWS}\n7.5,1", "time 7.5 does not exceed"),
        (f"time (s),a (1)\n-1,1\n{ROWS}", "times count from the start of the anneal"),
        (f"time (s),a (1)\n{ROWS}\n9,nan", "finite"),
        (f"time (s),a (1)\n{ROWS}\ninf,1", "finite"),
        ("time (s),a (1),error (1)\n" + "\n".join(f"{t},1,0" for t in range(9)), "an error must be positive"),
        (b"\xff\xfe\x00time", "not a text file"),
    ],
)
def test_malformed_files_are_refused_by_name(write, text, said):
    path = write(text)
    with pytest.raises(InputError) as refused:
        read_annealing_curves(path)
    assert said in str(refused.value)
    assert str(path) in str(refused.value)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"No such file.*name a CSV file"):
        read_annealing_curves(tmp_path / "none.csv")
    with pytest.raises(InputError, match="Is a directory"):
        read_annealing_curves(tmp_path)


def test_unknown_unit_of_time_is_kept():
    curve = AnnealingCurve(np.arange(8.0), np.zeros(8), time_unit="steps")
    assert curve.seconds is None
    with pytest.raises(InputError, match="temperature"):
        AnnealingCurve(np.arange(8.0), np.zeros(8), temperature=-3.0)
