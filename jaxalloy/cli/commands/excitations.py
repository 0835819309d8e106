"""`jaxalloy excitations`: dynamical concentration excitations of a cluster (EM Eqs. 1-4)."""

import argparse
import pathlib

import numpy as np

from jaxalloy.cli import exit_codes
from jaxalloy.cli.options import add_output_options
from jaxalloy.cli.report import Report
from jaxalloy.constants import BOHR_IN_ANGSTROM, MASS_UNITS_PER_DALTON, RYDBERG_IN_EV
from jaxalloy.numerics.checks import InputError, require_positive


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Add the parser of `jaxalloy excitations`."""
    parser = subparsers.add_parser(
        "excitations",
        help="concentration excitations of a cluster",
        description="Energies of the dynamical concentration excitations of a cluster, from its positions and the "
        "pair energy V = phi_AA + phi_BB - 2 phi_AB. An XYZ file may hold, after symbol x y z, each ion's "
        "displacement dx dy dz (angstrom) and its order parameter.",
    )
    parser.add_argument("cluster", type=pathlib.Path, help="XYZ file, angstrom")
    parser.add_argument("--concentration", type=float, required=True, metavar="C", help="atomic fraction")
    potential = parser.add_mutually_exclusive_group(required=True)
    potential.add_argument("--potential", type=pathlib.Path, metavar="FILE", help="columns R phi_AA phi_AB phi_BB")
    potential.add_argument(
        "--lennard-jones", type=float, nargs=2, metavar=("E", "S"), help="depth in mRy and diameter in bohr, as V"
    )
    parser.add_argument(
        "--displacement", type=float, metavar="D", help="angstrom, away from the centre, where the file has none"
    )
    parser.add_argument("--order", type=float, metavar="A", help="order parameter, where the file has none")
    parser.add_argument("--power", type=float, default=2.0, metavar="P", help="of c(1-c) in the site energy (2)")
    add_output_options(parser)
    return parser


def run(arguments: argparse.Namespace, report: Report) -> int:
    """Find the spectrum, print, draw, write."""
    report.use_folder(arguments.output)
    from jaxalloy.cli import device

    device.start(arguments.device, report, once=True)
    import equinox as eqx
    import jax.numpy as jnp

    from jaxalloy.kinetics import dce_spectrum

    symbols, positions, displacements, order = read_cluster(arguments)
    masses = jnp.asarray([atomic_mass(symbol) for symbol in symbols]) * MASS_UNITS_PER_DALTON
    energy = pair_energy(arguments, positions)
    spectrum = dce_spectrum(
        positions, masses, displacements, order, arguments.concentration, eqx.filter_jit(energy), power=arguments.power
    )
    stable = bool(spectrum.stable)
    unit = 1e3 * RYDBERG_IN_EV
    lowest, highest = float(spectrum.squared[0]), float(spectrum.squared[-1])
    unstable = int(np.sum(np.asarray(spectrum.squared) < 0))
    factor = float(spectrum.stable_up_to)
    report.table(
        f"{arguments.cluster}: {len(symbols)} ions, {'stable' if stable else 'unstable'}",
        [
            ("lowest E", f"{unit * np.sign(lowest) * abs(lowest) ** 0.5:.6g}", "meV; below zero: -|E|, unstable"),
            ("highest E", f"{unit * np.sign(highest) * abs(highest) ** 0.5:.6g}", "meV"),
            ("unstable modes", f"{unstable}", ""),
            ("stable up to", f"{factor:.4g}", "times these displacements (inf: whatever their size)"),
        ],
    )
    if not stable:
        report.warn(f"E^2 < 0: the displacements exceed their bound (EM Eq. 5); give less than {factor:.4g} of them")
    report.record(
        ions=len(symbols),
        stable=stable,
        unstable_modes=unstable,
        stable_up_to=factor,
        energies_meV=(unit * np.asarray(spectrum.energies)).tolist(),
        squared_Ry2=np.asarray(spectrum.squared).tolist(),
    )
    write_files(arguments, report, spectrum, symbols)
    report.finish()
    return exit_codes.DONE


def atomic_mass(symbol: str) -> float:
    """Relative atomic mass."""
    import periodictable

    try:
        return float(periodictable.elements.symbol(symbol).mass)
    except ValueError as error:
        raise InputError(f"no element {symbol!r}: an XYZ file begins each line with a symbol, as in Cu") from error


def read_cluster(arguments: argparse.Namespace) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Symbols, positions and displacements (bohr), order parameters."""
    from jaxalloy.kinetics import read_xyz

    path = arguments.cluster
    try:
        symbols, coordinates = read_xyz(path)
        lines = path.read_text().splitlines()[2 : 2 + len(symbols)]
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; name an XYZ file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file; name an XYZ file") from error
    positions = np.asarray(coordinates)
    widths = {len(line.split()) for line in lines}
    if widths == {8}:
        try:
            more = np.array([[float(cell) for cell in line.split()[4:]] for line in lines])
        except ValueError as error:
            raise InputError(f"{path}: {error.args[0]}; columns 5-8 are dx dy dz and the order parameter") from error
        if arguments.displacement is not None or arguments.order is not None:
            raise InputError(f"{path} holds displacements and order: leave --displacement and --order away")
        return symbols, positions, more[:, :3] / BOHR_IN_ANGSTROM, more[:, 3]
    if arguments.displacement is None or arguments.order is None:
        raise InputError(f"{path} has no columns dx dy dz and order parameter: give --displacement and --order")
    require_positive("--displacement (angstrom)", arguments.displacement)
    outward = positions - positions.mean(0)
    distance = np.linalg.norm(outward, axis=1, keepdims=True)
    if (distance < 1e-6).any():
        ion = int(np.argmin(distance)) + 1
        raise InputError(f"{path}: ion {ion} sits at the centre, where outward has no direction; give dx dy dz columns")
    displacements = outward / distance * arguments.displacement / BOHR_IN_ANGSTROM
    return symbols, positions, displacements, np.full(len(symbols), arguments.order)


def pair_energy(arguments: argparse.Namespace, positions: np.ndarray):
    """V(R) in Ry of a distance in bohr."""
    import jax.numpy as jnp

    if arguments.lennard_jones is not None:
        depth, diameter = arguments.lennard_jones
        require_positive("--lennard-jones diameter (bohr)", diameter)
        return lambda r: 4e-3 * depth * ((diameter / r) ** 12 - (diameter / r) ** 6)
    from jaxalloy.electrons.tabulated import TabulatedPotential
    from jaxalloy.numerics.interpolation import interpolate

    table = TabulatedPotential.read(arguments.potential)
    apart = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    apart = apart[apart > 0]
    first, last = float(table.R[0]), float(table.R[-1])
    if apart.size and (apart.min() < first or apart.max() > last):
        raise InputError(
            f"{arguments.potential}: distances {apart.min():.3g} to {apart.max():.3g} bohr occur, the table has "
            f"{first:.3g} to {last:.3g}; extend it"
        )
    values = table.phi_AA + table.phi_BB - 2.0 * table.phi_AB
    return lambda r: interpolate(jnp.clip(r, first, last), table.R, values, "cubic2")


def write_files(arguments: argparse.Namespace, report: Report, spectrum, symbols: list[str]) -> None:
    """The netCDF file, and the figure drawn from it."""
    from jaxalloy.dataset_relaxation import excitations_dataset

    dataset = excitations_dataset(spectrum, symbols)
    report.write(arguments.output / "excitations.nc", lambda path: dataset.to_netcdf(path, engine="h5netcdf"))
    if not arguments.no_plot:
        from jaxalloy import plot_relaxation

        figure = plot_relaxation.excitations(dataset)
        report.write(arguments.output / "excitations.png", lambda path: figure.savefig(path, dpi=150))
