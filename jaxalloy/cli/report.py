"""What a command says: lines, tables with units, and the files it wrote; or one JSON object instead.

With `as_json` standard output holds the object alone and everything else goes to standard error.
"""

import json
import math
import pathlib
import sys
from collections.abc import Callable
from typing import Any

from jaxalloy.numerics.checks import InputError


class Report:
    """Collects what one run of a command has to say. as_json: whether standard output is for a machine."""

    def __init__(self, as_json: bool = False):
        self.as_json = as_json
        self.values: dict[str, Any] = {"files": []}

    def line(self, text: str = "") -> None:
        """One line for the reader."""
        print(text, file=sys.stderr if self.as_json else sys.stdout)

    def warn(self, text: str) -> None:
        """Something the reader should know before believing the result."""
        self.line(f"warning: {text}")

    def record(self, **values: Any) -> None:
        """Values for the JSON object; a number that is not finite becomes null."""
        self.values.update(values)

    def table(self, title: str, rows: list[tuple[str, str, str]]) -> None:
        """Rows of (quantity, value, unit or remark), aligned."""
        self.line(title)
        name, value = (max((len(row[column]) for row in rows), default=0) for column in (0, 1))
        for row in rows:
            self.line(f"  {row[0]:<{name}}  {row[1]:>{value}}  {row[2]}".rstrip())

    def use_folder(self, folder: pathlib.Path) -> None:
        """Make the folder the files will go to, so that a bad one is refused before anything is computed."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"--output {folder}: {error.strerror}; name a folder that can be written") from error

    def write(self, path: pathlib.Path, save: Callable[[pathlib.Path], Any]) -> None:
        """Let `save(path)` write a file, and say that it was written or replaced."""
        try:
            existed = path.exists()
            save(path)
        except OSError as error:
            reason = error.strerror or error
            raise InputError(f"cannot write {path}: {reason}; name another folder with --output") from error
        self.values["files"].append(str(path))
        self.line(f"{'replaced' if existed else 'wrote'} {path}")

    def finish(self) -> None:
        """Print the JSON object, if that was asked for."""
        if self.as_json:
            print(json.dumps(_finite(self.values), indent=2, ensure_ascii=False))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
