"""Where the measured and assessed data lie: the folder named by JAXALLOY_DATA, ../shared/data beside the checkout."""

import os
import pathlib

ABSENT = "not run: data absent"


class DataAbsentError(Exception):
    """The folder or file is not there."""


def data(*parts: str) -> pathlib.Path:
    """A file or folder of the data; raises `DataAbsentError` naming it where it is absent."""
    default = pathlib.Path(__file__).resolve().parents[2] / "shared" / "data"
    path = pathlib.Path(os.environ.get("JAXALLOY_DATA", default)).joinpath(*parts)
    if not path.exists():
        raise DataAbsentError(f"no {path}; JAXALLOY_DATA names the folder")
    return path
