"""Programs kept between processes: used only where nothing has changed, and never trusted when damaged."""

import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest

from jaxalloy.cli.main import main
from jaxalloy.numerics import programs

traced = []


@programs.program
def power(x, exponent):
    """x^n and a word, for a static n."""
    traced.append(exponent)
    return {"value": x**exponent, "word": "power"}


@programs.kept_table
def table(name):
    """A made-up table."""
    traced.append(name)
    return {"row": np.arange(3.0)}


@pytest.fixture
def folder(tmp_path):
    before = programs._on, programs._folder
    traced.clear()
    programs.run_once(True, tmp_path)
    yield tmp_path
    programs.run_once(*before)


def again(folder):
    """As in another process."""
    programs.run_once(True, folder)


def test_a_second_process_does_not_trace(folder):
    x = jnp.arange(4.0)
    for _ in range(2):
        found = power(x, 3)
        np.testing.assert_array_equal(found["value"], np.arange(4.0) ** 3)
        assert found["word"] == "power"
        again(folder)
    assert traced == [3]


def test_other_arguments_are_other_programs(folder):
    power(jnp.arange(4.0), 3)
    np.testing.assert_array_equal(power(jnp.arange(4.0), 2)["value"], np.arange(4.0) ** 2)
    np.testing.assert_array_equal(power(jnp.arange(5.0), 3)["value"], np.arange(5.0) ** 3)
    np.testing.assert_array_equal(power(jnp.arange(4.0, dtype="float32"), 3)["value"], np.arange(4.0) ** 3)
    assert len(traced) == 4
    again(folder)
    assert len(list(folder.iterdir())) == 4


def test_other_sources_are_other_programs(folder, monkeypatch):
    power(jnp.arange(4.0), 3)
    again(folder)
    monkeypatch.setattr(programs, "_surroundings", lambda: "another version")
    power(jnp.arange(4.0), 3)
    assert traced == [3, 3]


@pytest.mark.parametrize("damage", [lambda text: text[: len(text) // 2], lambda text: text[:-1] + b"?", lambda _: b""])
def test_a_damaged_file_is_made_anew(folder, damage):
    power(jnp.arange(4.0), 3)
    again(folder)
    (file,) = folder.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    again(folder)
    np.testing.assert_array_equal(power(jnp.arange(4.0), 3)["value"], np.arange(4.0) ** 3)
    assert traced == [3, 3]


def test_a_table_is_read_once(folder):
    np.testing.assert_array_equal(table("a")["row"], np.arange(3.0))
    np.testing.assert_array_equal(table("a")["row"], np.arange(3.0))
    assert traced == ["a"]


def test_a_rehearsal_traces_and_the_run_does_not(folder):
    """Of programs that feed one another, each from the shapes of the one before."""
    x = jnp.arange(4.0)
    with programs.rehearsal():
        shape = power(power(x, 3)["value"], 2)["value"]
    assert (shape.shape, shape.dtype) == (x.shape, x.dtype)
    np.testing.assert_array_equal(power(power(x, 3)["value"], 2)["value"], np.arange(4.0) ** 6)
    assert traced == [3, 2]
    again(folder)
    with programs.rehearsal():
        assert power(x, 3)["value"] == shape
    np.testing.assert_array_equal(power(x, 3)["value"], np.arange(4.0) ** 3)
    assert traced == [3, 2]


def test_what_goes_wrong_in_the_background_is_raised_by_the_call(folder, monkeypatch):
    def fail(lowered):
        raise MemoryError("compiler")

    monkeypatch.setattr(programs, "_compile", fail)
    with programs.rehearsal():
        power(jnp.arange(4.0), 3)
    with pytest.raises(MemoryError, match="compiler"):
        power(jnp.arange(4.0), 3)


def test_a_rehearsal_of_a_library_user_computes(folder):
    programs.run_once(False)
    with programs.rehearsal():
        np.testing.assert_array_equal(power(jnp.arange(4.0), 3)["value"], np.arange(4.0) ** 3)


def test_every_program_of_predict_is_kept(folder, tmp_path, monkeypatch):
    """XLA cannot write everything it compiles (a sort, for one): a second run would compile that again."""
    monkeypatch.setenv("JAXALLOY_CACHE", str(folder / "cache"))
    command = ["predict", "Li0.8Pb0.2", "--temperature", "1000", "--output", str(tmp_path / "out"), "--no-plot"]
    assert main(command) == 0
    made = set(programs._ready)
    programs.run_once(False)
    assert made
    assert made <= {path.name for path in folder.glob("cache/*/*")}


LAPACK = """
import sys, pathlib, jax.numpy as jnp, jaxalloy
from jaxalloy.numerics import programs
programs.run_once(True, pathlib.Path(sys.argv[1]))

@programs.program
def lowest(matrix):
    print("traced")
    return jnp.linalg.eigvalsh(matrix)[0]

print(float(lowest(jnp.diag(jnp.asarray([3.0, 2.0, 5.0])))))
"""


def test_a_loaded_program_finds_lapack(tmp_path):
    said = [
        subprocess.run([sys.executable, "-c", LAPACK, str(tmp_path)], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert [text.split() for text in said] == [["traced", "2.0"], ["2.0"]]


UPGRADED = """
import sys, pathlib, jax, jax.numpy as jnp, jaxalloy
from jaxalloy.numerics import programs
jax.config.update("jax_compilation_cache_dir", sys.argv[1])
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
programs.run_once(True, pathlib.Path(sys.argv[1]))
programs._surroundings = lambda: sys.argv[2]

@programs.program
def curve(x):
    print("traced")
    return jnp.linspace(0.0, 1.0, 7) + jnp.cbrt(x[0]) + jnp.exp(x[:7]).sum()

curve(jnp.linspace(0.5, 1.5, 4000))
"""


def test_a_program_in_the_cache_of_jax_outlives_an_upgrade(tmp_path):
    """What JAX read from its own cache cannot be written again: XLA leaves the functions out."""
    said = [
        subprocess.run(
            [sys.executable, "-c", UPGRADED, str(tmp_path), version], capture_output=True, text=True, check=True
        ).stdout.split()
        for version in ("old", "new", "new")
    ]
    assert said == [["traced"], ["traced"], []]
