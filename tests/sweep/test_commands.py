"""`jaxalloy sweep` and `jaxalloy plot` as a user types them."""

import json

import jax
import pytest

from jaxalloy.cli import exit_codes
from jaxalloy.cli.main import main

SMALL = """
quantity = "structure-factor"
store = ["S_CC_0", "S_CC"]
[options]
q = { linear = [0.1, 4.0], points = 9 }
[fixed]
concentration = 0.4
eta = 0.42
sigma = 5.0
[axes]
temperature = [800, 1000]
kappa = { linear = [0.5, 3.0], points = 7 }
epsilon = { linear = [-0.03, 0.012], points = 5 }
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """An empty folder, and JAX as it was afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JAXALLOY_CACHE", "")
    names = ("jax_default_device", "jax_disable_most_optimizations")
    before = {name: jax.config.values[name] for name in names}
    yield tmp_path
    for name, value in before.items():
        jax.config.update(name, value)


def write(folder, text=SMALL):
    (folder / "map.toml").write_text(text)


def test_sweep_resume_and_plot(here, capsys):
    write(here)
    assert main(["sweep", "map.toml", "--chunk", "10"]) == exit_codes.DONE
    said = capsys.readouterr().out
    assert "70/70 states" in said
    assert "structure-factor: 70 states, temperature 2 x kappa 7 x epsilon 5" in said
    assert "beyond the spinodal" in said
    assert "wrote map.zarr" in said

    assert main(["sweep", "map.toml"]) == exit_codes.BAD_INPUT
    assert "map.zarr exists: continue it with --resume" in capsys.readouterr().err

    assert main(["sweep", "map.toml", "--resume", "--json"]) == exit_codes.DONE
    told = json.loads(capsys.readouterr().out)
    assert (told["states"], told["computed"], told["damaged_chunks"]) == (70, 0, 0)

    draw = ["plot", "map.zarr", "--quantity"]
    for options in (["S_CC_0", "--at", "temperature=990"], ["S_CC", "--at", "temperature=800", "--at", "kappa=1"]):
        assert main([*draw, *options, "--json"]) == exit_codes.DONE
        (file,) = json.loads(capsys.readouterr().out)["files"]
        assert (here / file).stat().st_size > 10_000
    for options, words in (
        (["S_CC_0"], "has the axes temperature, kappa, epsilon: hold all but one or two"),
        (["S_CC0"], "the store holds S_CC, S_CC_0"),
        (["S_CC_0", "--at", "pressure=1"], "the axes of S_CC_0 are temperature, kappa, epsilon"),
        (["S_CC_0", "--at", "temperature=800", "--cuts", "q"], "the axes drawn are kappa and epsilon"),
    ):
        assert main([*draw, *options]) == exit_codes.BAD_INPUT
        assert words in capsys.readouterr().err


def test_plan_without_computing(here, capsys):
    write(here)
    assert main(["sweep", "map.toml", "--dry-run", "--chunk", "10", "--json"]) == exit_codes.DONE
    told = json.loads(capsys.readouterr().out)
    assert (told["states"], told["chunks"], told["chunk_shape"]) == (70, 8, [1, 2, 5])
    assert told["memory_bytes"] > 0
    assert told["disk_bytes"] == 70 * (8 + 9 * 8 + 1)
    assert told["predicted_s"] > 0
    assert not (here / "map.zarr").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["absent.toml"], "absent.toml: No such file"),
        (["map.toml", "--chunk", "0"], "--chunk 0: give a positive number"),
        (["map.toml", "--process", "0/2"], "--coordinator"),
        (["map.toml", "--scheduler", "local:1", "--dry-run"], "leave --coordinator and --dry-run away"),
    ],
)
def test_bad_input_is_one_line(arguments, words, here, capsys):
    write(here)
    assert main(["sweep", *arguments]) == exit_codes.BAD_INPUT
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert not (here / "map.zarr").exists()


def test_a_typo_in_the_file(here, capsys):
    write(here, SMALL.replace("kappa", "kapa"))
    assert main(["sweep", "map.toml"]) == exit_codes.BAD_INPUT
    assert "map.toml: axes: no 'kapa' here; did you mean 'kappa'?" in capsys.readouterr().err


def test_no_state_with_a_result(here, capsys):
    write(here, SMALL.replace("[-0.03, 0.012], points = 5", "[0.5, 0.6], points = 2"))
    assert main(["sweep", "map.toml"]) == exit_codes.NO_RESULT
    assert "no state has a result" in capsys.readouterr().err
    assert main(["plot", "map.zarr", "--quantity", "S_CC_0", "--at", "temperature=800"]) == exit_codes.BAD_INPUT
    assert "none of the states drawn has a result" in capsys.readouterr().err


def test_interrupted_with_control_c(here, capsys, monkeypatch):
    write(here)
    monkeypatch.setattr(
        "jaxalloy.cli.commands.sweep._Meter.__call__", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    assert main(["sweep", "map.toml", "--chunk", "10"]) == 130
    assert "continue with --resume" in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.chdir(here)
    assert main(["plot", "map.zarr", "--quantity", "S_CC_0", "--at", "temperature=800"]) == exit_codes.DONE
    assert "states are not computed yet" in capsys.readouterr().out
    assert main(["sweep", "map.toml", "--resume", "--json"]) == exit_codes.DONE
    assert json.loads(capsys.readouterr().out)["computed"] < 70
