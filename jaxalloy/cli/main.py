"""The command `jaxalloy`: find the commands, parse, run one, turn its errors into one line and an exit code."""

import argparse
import importlib
import importlib.metadata
import os
import pkgutil
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

from jaxalloy.cli import commands, exit_codes
from jaxalloy.cli.report import Report
from jaxalloy.numerics.checks import InputError, NoResultError


def command_modules() -> list[ModuleType]:
    """The modules of `jaxalloy.cli.commands`, by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(commands.__path__))
    return [importlib.import_module(f"{commands.__name__}.{name}") for name in names]


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """Name what is wrong, and where to look."""
        self.exit(exit_codes.BAD_INPUT, f"jaxalloy: {message} (see {self.prog} --help)\n")


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; each leaves its module in `arguments.command`."""
    codes = "\n".join(f"  {code}  {meaning}" for code, meaning in exit_codes.MEANINGS.items())
    parser = OneLineParser(
        prog="jaxalloy",
        description="Chemical short-range order in liquid and amorphous alloys.",
        epilog=f"exit codes:\n{codes}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    version = importlib.metadata.version("jaxalloy")
    parser.add_argument("--version", action="version", version=f"jaxalloy {version}")
    subparsers = parser.add_subparsers(metavar="command", required=True)
    for module in command_modules():
        module.add_parser(subparsers).set_defaults(command=module)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run `jaxalloy` with these arguments (those of the process by default); returns the exit code."""
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _let_go_of_broken_pipes()
        return exit_codes.NOBODY_READS


def _run(argv: Sequence[str] | None) -> int:
    arguments = build_parser().parse_args(argv)
    report = Report(as_json=getattr(arguments, "json", False))
    try:
        return arguments.command.run(arguments, report)
    except InputError as error:
        return _refuse(error, exit_codes.BAD_INPUT)
    except NoResultError as error:
        return _refuse(error, exit_codes.NO_RESULT)


def _let_go_of_broken_pipes() -> None:
    """Whoever read, as `head`, has left: what is still to be said goes nowhere, also when the interpreter exits."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _refuse(error: Exception, code: int) -> int:
    print(f"jaxalloy: {' '.join(str(error).split())}", file=sys.stderr)
    return code
