"""One module for each command of `jaxalloy`; a module placed here is a command.

It offers `add_parser(subparsers)`, which adds a parser of the module's name, and `run(arguments, report) -> int`,
which returns an exit code. Whatever is slow to import is imported in `run`, so that `jaxalloy --help` answers at once.
"""
