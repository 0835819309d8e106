"""`jaxalloy plot`: draw a variable of a sweep's store."""

import argparse
import pathlib

from jaxalloy.cli import exit_codes
from jaxalloy.cli.options import assignment
from jaxalloy.cli.report import Report
from jaxalloy.numerics.checks import InputError


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Add the parser of `jaxalloy plot`."""
    parser = subparsers.add_parser(
        "plot",
        help="draw a map that `jaxalloy sweep` wrote",
        description="A heat map with cuts, a curve or a sample of one variable of a store, finished or not; states "
        "that did not converge are hatched.",
    )
    parser.add_argument("store", type=pathlib.Path, help="a Zarr store that `jaxalloy sweep` wrote")
    parser.add_argument("--quantity", required=True, metavar="NAME", help="the variable, as in S_CC_0")
    parser.add_argument(
        "--at",
        type=_number,
        action="append",
        default=[],
        metavar="AXIS=VALUE",
        help="hold an axis at the computed value nearest to this one; may be repeated",
    )
    parser.add_argument("--cuts", metavar="AXIS", help="the axis that the cuts run along (the last)")
    parser.add_argument(
        "--output", type=pathlib.Path, default=pathlib.Path(), metavar="DIR", help="folder for the figure (here)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    return parser


def _number(text: str) -> tuple[str, float]:
    name, value = assignment(text)
    try:
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: write it as AXIS=VALUE, as in temperature=1000") from None


def run(arguments: argparse.Namespace, report: Report) -> int:
    """Open, draw, write."""
    import xarray as xr

    from jaxalloy import plot_sweep
    from jaxalloy.sweep.store import read_attributes

    read_attributes(arguments.store)
    report.use_folder(arguments.output)
    dataset = xr.open_zarr(arguments.store, chunks=None)
    status = dataset.status.values
    waiting = int((status < 0).sum())
    if waiting == status.size:
        raise InputError(f"{arguments.store} holds no result yet: continue it with jaxalloy sweep ... --resume")
    if waiting:
        report.warn(f"{waiting} of {status.size} states are not computed yet")
    figure = plot_sweep.sweep(dataset, arguments.quantity, dict(arguments.at), arguments.cuts)
    path = arguments.output / f"{arguments.store.stem}-{arguments.quantity}.png"
    report.write(path, lambda path: figure.savefig(path, dpi=150))
    report.record(not_computed=waiting)
    report.finish()
    return exit_codes.DONE
