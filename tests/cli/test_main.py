"""The frame of all commands: help, version, one-line errors, exit codes, the report."""

import json
import os
import subprocess
import sys

import pytest

from jaxalloy.cli import device, exit_codes
from jaxalloy.cli.main import command_modules, main
from jaxalloy.cli.report import Report
from jaxalloy.numerics.checks import InputError, NoResultError

RATES = {"coupling": 1, "inversion": 4, "polarisation": 0.01, "dephasing": 1, "population-time": 1, "until": 5}
RELAX = [f"--{name}={value}" for name, value in RATES.items()] + ["--no-plot"]


def test_version_and_help_of_the_process():
    version = subprocess.run([sys.executable, "-m", "jaxalloy", "--version"], capture_output=True, text=True)
    assert version.returncode == exit_codes.DONE
    assert version.stdout.split()[0] == "jaxalloy"
    text = subprocess.run([sys.executable, "-m", "jaxalloy", "--help"], capture_output=True, text=True).stdout
    for module in command_modules():
        assert module.__name__.rsplit(".", 1)[1].replace("_", "-") in text
    for code, meaning in exit_codes.MEANINGS.items():
        assert f"{code}  {meaning}" in text


@pytest.mark.parametrize(
    ("argv", "unbuffered"), [(["--help"], ""), (["relax", *RELAX], "1"), (["relax", *RELAX, "--json"], "")]
)
def test_a_reader_that_leaves_ends_it_quietly(tmp_path, argv, unbuffered):
    """As `jaxalloy ... | head`: the pipe closes before the first line, or the whole buffer, is written."""
    reading, writing = os.pipe()
    os.close(reading)
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    command = [sys.executable, "-m", "jaxalloy", *argv]
    with os.fdopen(writing) as nobody:
        done = subprocess.run(command, cwd=tmp_path, stdout=nobody, stderr=subprocess.PIPE, text=True, env=environment)
    assert done.returncode == exit_codes.NOBODY_READS
    assert "Error" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("argv", [[], ["predict"], ["bake"], ["predict", "LiPb", "--temperature", "warm"]])
def test_usage_errors_are_one_line(argv, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(argv)
    assert stopped.value.code == exit_codes.BAD_INPUT
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "--help" in said.err


@pytest.mark.parametrize(
    ("error", "code"),
    [(InputError("c = 2:\n give less"), exit_codes.BAD_INPUT), (NoResultError("no root"), exit_codes.NO_RESULT)],
)
def test_errors_of_the_library_become_exit_codes(error, code, monkeypatch, capsys):
    def fail(arguments, report):
        raise error

    monkeypatch.setattr("jaxalloy.cli.commands.predict.run", fail)
    assert main(["predict", "LiPb", "--temperature", "1000"]) == code
    assert capsys.readouterr().err == f"jaxalloy: {' '.join(str(error).split())}\n"


def test_report_for_a_reader(tmp_path, capsys):
    report = Report()
    report.table("state", [("eta", "0.4200", "packing fraction"), ("epsilon", "-20.0", "mRy")])
    report.write(tmp_path / "a.txt", lambda path: path.write_text("1"))
    report.write(tmp_path / "a.txt", lambda path: path.write_text("2"))
    report.finish()
    assert capsys.readouterr().out.splitlines() == [
        "state",
        "  eta      0.4200  packing fraction",
        "  epsilon   -20.0  mRy",
        f"wrote {tmp_path / 'a.txt'}",
        f"replaced {tmp_path / 'a.txt'}",
    ]


def test_report_for_a_machine(tmp_path, capsys):
    report = Report(as_json=True)
    report.line("for the reader")
    report.record(eta=float("nan"), entropy={"gas": 11.0})
    report.write(tmp_path / "a.txt", lambda path: path.write_text("1"))
    report.finish()
    said = capsys.readouterr()
    assert json.loads(said.out) == {"files": [str(tmp_path / "a.txt")], "eta": None, "entropy": {"gas": 11.0}}
    assert "for the reader" in said.err


def test_a_folder_that_cannot_be_one(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"--output .*file"):
        Report().use_folder(tmp_path / "file")
    with pytest.raises(InputError, match=r"cannot write .*absent.*--output"):
        Report().write(tmp_path / "absent" / "a.txt", lambda path: path.write_text("1"))


def test_where_compiled_code_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("JAXALLOY_CACHE", str(tmp_path / "chosen"))
    assert device.cache_folder().parent == tmp_path / "chosen"
    monkeypatch.setenv("JAXALLOY_CACHE", "")
    assert device.cache_folder() is None
    monkeypatch.delenv("JAXALLOY_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert device.cache_folder().parent == tmp_path / "jaxalloy"
