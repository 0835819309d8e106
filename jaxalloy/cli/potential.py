"""The options that choose a potential, shared by the commands that need interactions."""

import argparse

from jaxalloy.cli.report import Report
from jaxalloy.numerics.checks import InputError

CORES = ("scalar-relativistic", "non-relativistic", "hartree-fock")
HOLES = ("exact", "core")
CORE_SHIFTS = ("average", "neutral-spheres", "screened")
CORE_ZEROS = ("consistent", "without-gas-xc")
LOCAL_FIELDS = ("ichimaru-utsumi", "vashishta-singwi", "none")


def add_potential_options(parser: argparse.ArgumentParser) -> None:
    """--potential, --mean-free-path, and the choices within the optimised OPW method."""
    group = parser.add_argument_group("potential")
    group.add_argument(
        "--potential",
        default="auto",
        metavar="auto|opw|empty-core|FILE",
        help="where the interactions come from: the best there is for both elements (auto), or a file with "
        "columns R phi_AA phi_AB phi_BB",
    )
    group.add_argument("--mean-free-path", type=float, metavar="L", help="of the electrons, in bohr (infinite)")
    group.add_argument(
        "--local-field", choices=LOCAL_FIELDS, default="ichimaru-utsumi", help="of the electron gas (ichimaru-utsumi)"
    )
    opw = parser.add_argument_group("optimised OPW potential")
    opw.add_argument("--preset", choices=("default", "paper"), help="paper: Hartree-Fock cores, hole like the core")
    opw.add_argument("--cores", choices=CORES, help="how the cores were solved (scalar-relativistic)")
    opw.add_argument("--hole", choices=HOLES, help="shape of the orthogonalisation hole (exact)")
    opw.add_argument(
        "--core-shift", choices=CORE_SHIFTS, help="reference of the core levels, the largest uncertainty (average)"
    )
    opw.add_argument("--core-zero", choices=CORE_ZEROS, help="zero of the core levels (consistent)")


def choose_potential(arguments: argparse.Namespace, symbols: tuple[str, str]):
    """The potential asked for; "auto" is first-principles cores where both elements have them.

    Raises `InputError` for options that the potential does not have.
    """
    from jaxalloy.electrons.empty_core import EmptyCore
    from jaxalloy.electrons.opw import OptimisedOPW
    from jaxalloy.elements.cores import elements_with_cores
    from jaxalloy.numerics.checks import require_positive

    if arguments.mean_free_path is not None:
        require_positive("--mean-free-path (bohr)", arguments.mean_free_path)
    name = arguments.potential
    choices = {key: getattr(arguments, key) for key in ("cores", "hole", "core_shift", "core_zero")}
    choices = {key: value for key, value in choices.items() if value is not None}
    if name == "auto":
        covered = set(symbols) <= set(elements_with_cores())
        name = "opw" if covered or choices or arguments.preset else "empty-core"
    if name != "opw" and (choices or arguments.preset):
        option = next(iter(choices), "preset").replace("_", "-")
        raise InputError(
            f"--{option}: it belongs to the optimised OPW potential; use --potential opw, or leave it away"
        )
    electrons = {"local_field": _local_field(arguments.local_field), "mean_free_path": arguments.mean_free_path}
    if name == "opw":
        make = OptimisedOPW.paper if arguments.preset == "paper" else OptimisedOPW
        return make(**choices, **electrons)
    if name == "empty-core":
        return EmptyCore(**electrons)
    if arguments.mean_free_path is not None or arguments.local_field != "ichimaru-utsumi":
        option = "--local-field" if arguments.mean_free_path is None else "--mean-free-path"
        raise InputError(f"{option}: tabulated potentials hold their own screening; leave it away")
    from jaxalloy.electrons.tabulated import TabulatedPotential

    return TabulatedPotential.read(name)


def warn_of_potential(report: Report, asked: str, potential, alloy) -> None:
    """What the potential, and the way it was chosen, mean for the result. asked: --potential."""
    from jaxalloy.electrons.empty_core import EmptyCore
    from jaxalloy.electrons.opw import OptimisedOPW
    from jaxalloy.elements.cores import elements_with_cores

    if isinstance(potential, OptimisedOPW):
        for caveat in potential.caveats(alloy):
            report.warn(caveat)
    elif isinstance(potential, EmptyCore) and asked == "auto":
        without = " and ".join(symbol for symbol in alloy.symbols if symbol not in elements_with_cores())
        report.warn(f"there are no frozen cores for {without}; empty cores find a fraction of the ordering strength")


def _local_field(name: str):
    from jaxalloy.electrons import screening

    fields = {
        "ichimaru-utsumi": screening.IchimaruUtsumi,
        "vashishta-singwi": screening.VashishtaSingwi,
        "none": screening.NoLocalField,
    }
    return fields[name]()
