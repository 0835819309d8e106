"""The examples in public docstrings run and print what they say."""

import doctest
import importlib
import pathlib

import pytest

import jaxalloy

PACKAGE = pathlib.Path(jaxalloy.__file__).parent
WITH_EXAMPLES = [path for path in sorted(PACKAGE.rglob("*.py")) if ">>> " in path.read_text(encoding="utf-8")]
NAMES = [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in WITH_EXAMPLES]


def test_the_main_functions_have_examples():
    rooms = {name.split(".")[1] for name in NAMES}
    assert rooms >= {"alloy", "electrons", "fitting", "kinetics", "reference", "scattering", "thermodynamics"}


@pytest.mark.parametrize("name", NAMES)
def test_examples(name):
    outcome = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert outcome.attempted > 0  # an example that doctest does not find is none
    assert outcome.failed == 0
