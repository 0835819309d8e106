"""`jaxalloy potentials`: interatomic potentials, screening charges and orthogonalisation holes of an alloy."""

import argparse

import numpy as np

from jaxalloy.cli import exit_codes
from jaxalloy.cli.clock import Clock
from jaxalloy.cli.options import add_output_options
from jaxalloy.cli.potential import CORE_SHIFTS, add_potential_options, choose_potential, warn_of_potential
from jaxalloy.cli.report import Report


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Add the parser of `jaxalloy potentials`."""
    parser = subparsers.add_parser(
        "potentials",
        help="pair potentials and screening charges of an alloy",
        description="Pair potentials, energy-wavenumber characteristics, screening charges, orthogonalisation holes.",
    )
    parser.add_argument("formula", help="a binary alloy, as in Li0.5Mg0.5")
    parser.add_argument(
        "--temperature", type=float, default=1000.0, metavar="K", help="for a volume from the tables (1000)"
    )
    density = parser.add_mutually_exclusive_group()
    density.add_argument("--volume", type=float, metavar="V", help="bohr^3 per atom (from tables if not given)")
    density.add_argument("--density", type=float, metavar="D", help="mass density in g/cm^3, instead of a volume")
    add_potential_options(parser)
    add_output_options(parser)
    return parser


def run(arguments: argparse.Namespace, report: Report) -> int:
    """Compute, print, draw, write."""
    report.use_folder(arguments.output)
    clock = Clock()
    from jaxalloy.alloy import Alloy
    from jaxalloy.cli import device
    from jaxalloy.dataset import interactions_dataset
    from jaxalloy.electrons.interactions import interactions

    device.start(arguments.device, report, once=True)
    alloy = Alloy.parse(arguments.formula, arguments.temperature, arguments.volume, arguments.density)
    potential = choose_potential(arguments, alloy.symbols)
    forces = interactions(alloy, potential)
    dataset = interactions_dataset(alloy, forces)
    clock.lap("interactions", forces)
    show(report, alloy, dataset)
    warn_of_potential(report, arguments.potential, potential, alloy)
    compare_core_shifts(report, alloy, potential, dataset)
    stem = f"{arguments.formula}-potentials"
    report.write(arguments.output / f"{stem}.nc", lambda path: dataset.to_netcdf(path, engine="h5netcdf"))
    if not arguments.no_plot:
        from jaxalloy import plot

        figure = plot.interactions(dataset)
        report.write(arguments.output / f"{stem}.png", lambda path: figure.savefig(path, dpi=150))
    clock.lap("the rest")
    report.line("time: " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in clock.laps.items()))
    report.record(time_s=clock.laps)
    report.finish()
    return exit_codes.DONE


def show(report: Report, alloy, dataset) -> None:
    """The table: the gas, the ions, and the first well of every potential."""
    A, B = alloy.symbols
    ions = {
        symbol: {
            "valence": float(dataset[f"valence_{name}"]),
            "effective_valence": float(dataset[f"effective_valence_{name}"]),
            "hole_charge": float(dataset[f"effective_valence_{name}"] - dataset[f"valence_{name}"]),
        }
        for name, symbol in (("A", A), ("B", B))
    }
    wells = {}
    for name, label in (("AA", f"{A}-{A}"), ("AB", f"{A}-{B}"), ("BB", f"{B}-{B}"), ("NN", "NN"), ("CC", "CC")):
        wells[label] = first_well(dataset.R.values, 1e3 * dataset[f"phi_{name}"].values)
    report.table(
        f"{alloy.symbols[0]}-{alloy.symbols[1]} at c = {float(alloy.concentration):.4g}",
        [
            ("volume", f"{float(alloy.volume):.2f}", f"bohr^3 per atom ({alloy.volume_source})"),
            ("potential", "", dataset.attrs["potential"]),
            ("k_F", f"{float(alloy.fermi_wavenumber):.4f}", "1/bohr"),
            *(
                (
                    f"{symbol}: Z, Z*, hole",
                    f"{ion['valence']:g}, {ion['effective_valence']:.4f}, {ion['hole_charge']:.4f}",
                    "",
                )
                for symbol, ion in ions.items()
            ),
            *(
                (
                    f"first well of {label}",
                    f"{well[1]:.3f}" if well else "-",
                    f"mRy at {well[0]:.2f} bohr" if well else "none",
                )
                for label, well in wells.items()
            ),
        ],
    )
    report.record(
        concentration=float(alloy.concentration),
        volume_bohr3=float(alloy.volume),
        fermi_wavenumber_per_bohr=float(alloy.fermi_wavenumber),
        potential=dataset.attrs["potential"],
        ions=ions,
        first_wells={label: {"R_bohr": well[0], "phi_mRy": well[1]} if well else None for label, well in wells.items()},
    )


def first_well(R: np.ndarray, phi: np.ndarray) -> tuple[float, float] | None:
    """Distance (bohr) and depth of the first minimum outside 3.5 bohr; None without one."""
    inside = (phi[1:-1] < phi[:-2]) & (phi[1:-1] <= phi[2:]) & (R[1:-1] > 3.5)
    if not inside.any():
        return None
    index = 1 + int(np.argmax(inside))
    return float(R[index]), float(phi[index])


def compare_core_shifts(report: Report, alloy, potential, dataset) -> None:
    """What the reference of the core levels, the method's largest uncertainty, does to the ordering potential."""
    import dataclasses

    import jax.numpy as jnp

    from jaxalloy.electrons.interactions import interactions
    from jaxalloy.electrons.opw import OptimisedOPW

    if not isinstance(potential, OptimisedOPW):
        return
    R = jnp.asarray(0.93 * float(alloy.volume) ** (1 / 3))  # about contact in the liquid
    values = {}
    for shift in CORE_SHIFTS:
        forces = interactions(alloy, dataclasses.replace(potential, core_shift=shift))
        values[shift] = 1e3 * float(forces.bhatia_thornton(R).CC)
    report.table(
        f"Phi_CC at {float(R):.2f} bohr by the reference of the core levels (the method's largest uncertainty)",
        [
            (shift, f"{value:.2f}", "mRy" + " (used)" * (shift == potential.core_shift))
            for shift, value in values.items()
        ],
    )
    report.record(phi_cc_by_core_shift_mRy=values, phi_cc_distance_bohr=float(R))
