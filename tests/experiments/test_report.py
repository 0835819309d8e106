"""Verdicts, the runner on one cheap experiment and on failing ones, and the page it makes."""

import importlib.util
import pathlib
import re
import sys
import types

import numpy as np
import pytest

import experiments
from experiments import __main__ as runner
from experiments import data, index, report
from experiments.report import Row

FOLDER = pathlib.Path(experiments.__file__).parent


@pytest.fixture
def out(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "OUT", tmp_path)
    monkeypatch.setattr(index, "OUT", tmp_path)
    return tmp_path


@pytest.fixture
def experiment(monkeypatch):
    """Make `rows` a module that the runner finds as experiments.chapter.made."""

    def make(rows, draw=lambda path: path.write_bytes(b"picture")):
        module = types.ModuleType("experiments.chapter.made", "What it shows.\n\nWhy & how.")
        module.TITLE, module.rows, module.draw = "Fig. 0: made", rows, draw
        monkeypatch.setitem(sys.modules, "experiments.chapter", types.ModuleType("experiments.chapter"))
        monkeypatch.setitem(sys.modules, "experiments.chapter.made", module)
        monkeypatch.setattr(index, "CHAPTERS", {"A chapter": ["chapter.made", "chapter.other"]})
        return report.perform("chapter.made")

    return make


@pytest.mark.parametrize(
    ("row", "verdict", "deviation"),
    [
        (Row("eta", "0.42", 0.4249), "agrees", "+0.0049"),
        (Row("eta", "0.42", 0.4251), "near", "+0.0051"),
        (Row("eta", "0.42", 0.4651), "MISS", "+0.0451"),
        (Row("eta", "0.42", 0.4651, slack=0.05), "agrees", "+0.0451"),
        (Row("epsilon", "-30.2", -27.2), "near", "+3"),
        (Row("epsilon", "-30.2", 30.2), "MISS", "+60.4"),
        (Row("claim", "yes", True), "agrees", ""),
        (Row("claim", "yes", np.bool_(False)), "MISS", ""),
        (Row("ours alone", "", 1.5), "finding", ""),
        (Row("heat", "-3.7", None), "not run: data absent", ""),
        (Row("eta", "0.42", float("nan")), "MISS", ""),
    ],
)
def test_verdicts(row, verdict, deviation):
    assert row.verdict == verdict
    assert row.texts[3:5] == (deviation, verdict)


def test_a_cheap_experiment_from_rows_to_page(out, monkeypatch):
    result = report.perform("pasturel1985.table2_entropies")
    assert not result.error
    assert len(result.rows) == 21
    assert sum(result.counts.values()) == 21
    assert (out / "pasturel1985.table2_entropies.png").read_bytes().startswith(b"\x89PNG")
    assert report.load("pasturel1985.table2_entropies") == result
    index.write()
    page = (out / "index.html").read_text()
    assert "data:image/png;base64," in page
    assert not re.search(r'(src|href)="(?!data:|#)', page)  # nothing outside the file is needed
    assert "misprint" in page  # reasons stand beside the misses
    assert "not run yet" in page  # the others


def test_the_page_is_whole_while_an_experiment_is_repeated(out, experiment):
    pages = []

    def look():
        index.write()
        pages.append("data:image/png;base64," in (out / "index.html").read_text())

    def draw(path):
        look()
        path.write_bytes(b"another picture")

    for _ in range(2):
        result = experiment(lambda: [Row("ours alone", "", 1.5)], draw)
    assert not result.error
    look()
    assert pages == [False, True, True]
    assert (out / "chapter.made.png").read_bytes() == b"another picture"


def test_a_failure_is_shown_and_takes_nothing_down(out, experiment, capsys):
    result = experiment(lambda: 1 / 0)
    assert "ZeroDivisionError" in result.error
    assert result.summary.startswith("failed: ZeroDivisionError")
    index.write()
    page = (out / "index.html").read_text()
    assert "failed: ZeroDivisionError" in page
    assert "Traceback" in page
    assert "Why &amp; how." in page


def test_a_picture_that_fails_keeps_the_rows(out, experiment):
    def draw(path):
        raise RuntimeError("no ink")

    result = experiment(lambda: [Row("eta", "0.42", 0.42)], draw)
    assert result.rows[0][4] == "agrees"
    assert "no ink" in result.error
    assert not result.picture


def test_absent_data_are_named_and_no_failure(out, experiment, monkeypatch, tmp_path):
    monkeypatch.setenv("JAXALLOY_DATA", str(tmp_path / "nowhere"))
    result = experiment(lambda: [Row("heat", "-3.7", float(data.data("heats.csv").read_text()))])
    assert not result.error
    assert result.rows[0][4] == "not run: data absent"
    assert "nowhere" in result.rows[0][5]


def test_the_runner_makes_the_page_and_refuses_what_it_does_not_know(out, experiment, capsys):
    experiment(lambda: [Row("eta", "0.42", 0.5)])
    assert runner.main(["--list"]) == 0
    assert "pasturel1985.table2_entropies" in capsys.readouterr().out
    with pytest.raises(SystemExit) as refused:
        runner.main(["pasturel1985.table9"])
    assert refused.value.code == 2
    assert "pasturel1985.table9" in capsys.readouterr().err


def test_every_script_is_on_the_page_and_in_the_guide():
    guide = (FOLDER / "README.md").read_text(encoding="utf-8")
    named = [name for names in experiments.CHAPTERS.values() for name in names]
    found = {
        f"{p.parent.name}.{p.stem}"
        for chapter in {n.split(".")[0] for n in named}
        for p in FOLDER.glob(f"{chapter}/*.py")
    }
    assert {name for name in found if not name.endswith("__init__")} == set(named)
    for name in named:
        assert f"`{name}`" in guide, name
        path = FOLDER / (name.replace(".", "/") + ".py")
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 150, name  # the library does the work
        assert importlib.util.find_spec(f"experiments.{name}") is not None
