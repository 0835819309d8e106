"""CSV files of electron states: one row for each k, columns named in the first line."""

import csv
import pathlib
from collections.abc import Sequence

import numpy as np

from jaxalloy.numerics.checks import InputError


def read_states(path: pathlib.Path, needed: Sequence[str], optional: Sequence[str]) -> dict[str, np.ndarray]:
    """The columns of a file, each with one number per state; `optional` ones only where they are there.

    Raises `InputError` naming the file, the line and what it should hold.
    """
    example = f"the first line names the columns: {', '.join(needed)}[, {', '.join(optional)}]"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file in UTF-8; save it as CSV") from error
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; {example}") from error
    rows = [(number, row) for number, row in enumerate(csv.reader(text.splitlines()), 1) if any(row)]
    if not rows:
        raise InputError(f"{path}: the file is empty; {example}")
    names = [cell.strip().lower() for cell in rows[0][1]]
    missing = [name for name in needed if name not in names]
    strange = [name for name in names if name not in (*needed, *optional)]
    if missing or strange or len(set(names)) < len(names):
        wrong = f"no column {missing[0]}" if missing else f"column {strange[0]!r}" if strange else "a column twice"
        raise InputError(f"{path}, line {rows[0][0]}: {wrong}; {example}")
    if len(rows) == 1:
        raise InputError(f"{path}: no states; give one row for each k")
    numbers = []
    for line, row in rows[1:]:
        if len(row) != len(names):
            raise InputError(f"{path}, line {line}: {len(row)} columns, the first line has {len(names)}")
        try:
            numbers.append([float(cell) for cell in row])
        except ValueError as error:
            raise InputError(f"{path}, line {line}: {error.args[0]}; every cell must be a number") from error
    return dict(zip(names, np.array(numbers).T, strict=True))
