"""Options that several commands share, each added by one call."""

import argparse
import pathlib


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """--output, --no-plot, --json, --device: the same in every command that computes something."""
    group = parser.add_argument_group("output")
    group.add_argument(
        "--output", type=pathlib.Path, default=pathlib.Path(), metavar="DIR", help="folder for the files (here)"
    )
    group.add_argument("--no-plot", action="store_true", help="draw no figure")
    group.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    group.add_argument("--device", choices=("cpu", "gpu"), help="where to compute (a GPU if JAX sees one)")


def assignment(text: str) -> tuple[str, str]:
    """Split NAME=VALUE, as in Li=7."""
    name, separator, value = text.partition("=")
    if not (name and separator and value):
        raise argparse.ArgumentTypeError(f"{text!r}: write it as NAME=VALUE, as in Li=7")
    return name, value


def isotope(text: str) -> tuple[str, int]:
    """An element and the mass number of its isotope, as in Li=7."""
    symbol, number = assignment(text)
    if not number.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r}: the mass number must be a whole number, as in Li=7")
    return symbol, int(number)
