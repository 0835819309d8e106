"""Shapes and types of every public signature are checked while the tests run."""

import json
import os
import pathlib

from jaxtyping import install_import_hook

with install_import_hook("jaxalloy", "beartype.beartype"):
    import jaxalloy

    for name in dir(jaxalloy):  # also what is otherwise imported when it is first asked for
        getattr(jaxalloy, name)

import jax
import pytest

jax.config.update("jax_numpy_rank_promotion", "raise")

CHECKOUT = pathlib.Path(__file__).resolve().parents[1]
REFERENCE = pathlib.Path(os.environ.get("JAXALLOY_REFERENCE", pathlib.Path(__file__).parent / "reference_numbers"))
DATA = pathlib.Path(os.environ.get("JAXALLOY_DATA", CHECKOUT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def reference_numbers():
    """Load a file of independently computed numbers by name; they lie in tests/reference_numbers/."""
    return lambda name: json.loads((REFERENCE / f"{name}.json").read_text())


@pytest.fixture(scope="session")
def measured_data():
    """The folder of measurements named by JAXALLOY_DATA; the test is skipped where it is absent."""
    if not DATA.is_dir():
        pytest.skip(f"measured data absent: no folder {DATA} (set JAXALLOY_DATA)")
    return DATA
