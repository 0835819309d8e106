"""`jaxalloy predict`: from a formula and a temperature to interactions, the minimised bound and S(q)."""

import argparse
import math
import threading
from typing import Any

from jaxalloy.cli import exit_codes
from jaxalloy.cli.clock import Clock
from jaxalloy.cli.energetics import require_volume_energy, show_energetics
from jaxalloy.cli.options import add_output_options, isotope
from jaxalloy.cli.potential import add_potential_options, choose_potential, warn_of_potential
from jaxalloy.cli.report import Report
from jaxalloy.numerics.checks import InputError

READINGS = ("ordering", "density", "substituted", "literal")


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Add the parser of `jaxalloy predict`."""
    parser = subparsers.add_parser(
        "predict",
        help="predict a liquid binary alloy",
        description="Interatomic potentials, the minimised free-energy bound, entropies and the structure factor.",
    )
    parser.add_argument("formula", help="a binary alloy, as in Li0.8Pb0.2 or Mg7Zn3")
    parser.add_argument("--temperature", type=float, required=True, metavar="K", help="temperature in kelvin")
    density = parser.add_mutually_exclusive_group()
    density.add_argument("--volume", type=float, metavar="V", help="bohr^3 per atom (from tables if not given)")
    density.add_argument("--density", type=float, metavar="D", help="mass density in g/cm^3, instead of a volume")
    parser.add_argument(
        "--constraint",
        choices=("auto", "none", "contact"),
        default="auto",
        help="the free minimum (none), the one with Phi_CC(sigma) = -epsilon (contact), or the first that exists",
    )
    parser.add_argument(
        "--reading", choices=READINGS, default="ordering", help="which derivatives the contact constraint keeps"
    )
    parser.add_argument("--probe", choices=("neutron", "xray"), default="neutron", help="what S(q) is seen with")
    parser.add_argument(
        "--isotope",
        type=isotope,
        action="append",
        default=[],
        metavar="Li=7",
        help="use an isotope's mass and neutron length; may be repeated",
    )
    parser.add_argument(
        "--mixing", action="store_true", help="heat and entropy of mixing too, against the pure liquids"
    )
    parser.add_argument(
        "--equation-of-state",
        action="store_true",
        help="pressure, bulk modulus and the volume that minimises the free energy too",
    )
    parser.add_argument("--q-max", type=float, default=6.0, metavar="Q", help="largest q, in 1/bohr (6)")
    add_potential_options(parser)
    add_output_options(parser)
    return parser


def run(arguments: argparse.Namespace, report: Report) -> int:
    """Predict, print, draw, write."""
    report.use_folder(arguments.output)
    clock = Clock()
    import jax
    import numpy as np

    from jaxalloy.alloy import Alloy
    from jaxalloy.cli import device
    from jaxalloy.electrons.interactions import interactions
    from jaxalloy.numerics.checks import require_positive

    device.start(arguments.device, report, once=True)
    isotopes = dict(arguments.isotope)
    alloy = Alloy.parse(
        arguments.formula, arguments.temperature, arguments.volume, arguments.density, isotopes=isotopes
    )
    require_positive("--q-max (1/bohr)", arguments.q_max)
    q = jax.device_put(np.linspace(arguments.q_max / 400, arguments.q_max, 400))
    probe = choose_probe(arguments.probe, isotopes, alloy.symbols)
    probe.lengths(alloy.symbols, q)  # an element or a q that the probe has no length for is refused here
    potential = choose_potential(arguments, alloy.symbols)
    require_volume_energy(potential, arguments.mixing, arguments.equation_of_state)
    potential.prepare(alloy)  # and here an element, or a density, that the potential does not cover
    clock.lap("start")
    rehearse(arguments, alloy, potential, probe, q)
    clock.lap("tracing")
    threading.Thread(target=import_what_writes, args=(not arguments.no_plot,), daemon=True).start()
    forces = interactions(alloy, potential)
    clock.lap("interactions", forces)
    say_assumptions(report, arguments, alloy, forces, probe)
    warn_of_potential(report, arguments.potential, potential, alloy)
    state = minimise_as_asked(arguments, alloy, forces, report)
    clock.lap("minimisation", state)
    report.record(**results(state), constraint=name_of(state.constraint), reading=reading_of(state.constraint))
    if state.status != "converged":
        report.finish()
        state.require_converged()
    show(report, state)
    write_files(arguments, report, state, probe, q)
    clock.lap("curves and files")
    if arguments.mixing or arguments.equation_of_state:
        show_energetics(report, state, potential, arguments.mixing, arguments.equation_of_state)
        clock.lap("energetics")
    report.line("time: " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in clock.laps.items()))
    report.record(time_s=clock.laps)
    report.finish()
    return exit_codes.DONE


def import_what_writes(figure: bool) -> None:
    """Import what writing the results needs: slow, and done while the compiled programs run."""
    import h5netcdf  # noqa: F401

    if figure:
        from jaxalloy import plot  # noqa: F401


def choose_probe(name: str, isotopes: dict[str, int], symbols: tuple[str, str]):
    """The probe of that name; an isotope of an element that the alloy does not hold is refused."""
    from jaxalloy.scattering import Neutrons, XRays

    for symbol, number in isotopes.items():
        if symbol not in symbols:
            raise InputError(f"--isotope {symbol}={number}: the alloy holds {' and '.join(symbols)} only")
    neutrons = Neutrons(isotopes=isotopes)
    return XRays() if name == "xray" else neutrons


def constraints_asked(arguments: argparse.Namespace) -> list:
    """The constraints under which to minimise, in this order, until there is a minimum."""
    from jaxalloy.thermodynamics.variational import ContactConstraint, Unconstrained

    contact = ContactConstraint(reading=arguments.reading)
    asked: dict[str, list] = {"auto": [Unconstrained(), contact], "none": [Unconstrained()], "contact": [contact]}
    return asked[arguments.constraint]


def rehearse(arguments: argparse.Namespace, alloy, potential, probe, q) -> None:
    """Have everything compiled side by side that the run is going to need: most of the time of a first run."""
    import jax

    from jaxalloy.dataset import DISTANCES, curves
    from jaxalloy.electrons.interactions import interactions
    from jaxalloy.numerics.programs import rehearsal
    from jaxalloy.thermodynamics import density_minimum_rule, minimise

    with rehearsal():
        forces = interactions(alloy, potential)
        states = [minimise(alloy, forces, constraint) for constraint in constraints_asked(arguments)]
        curves(states[-1], probe, q, jax.device_put(DISTANCES))
        density_minimum_rule(forces, alloy.temperature)
        _ = alloy.mass_density, states[-1].liquid.contact_values


def minimise_as_asked(arguments: argparse.Namespace, alloy, forces, report: Report):
    """The state under the constraint asked for; "auto" takes the free minimum where there is one."""
    from jaxalloy.thermodynamics import minimise

    *first, last = constraints_asked(arguments)
    for constraint in first:
        state = minimise(alloy, forces, constraint)
        if state.status == "converged":
            return state
        where = f" ({state.escape})" if state.escape else ""
        report.line(f"free minimum: {state.status}{where}; falling back on the contact constraint")
    return minimise(alloy, forces, last)


def name_of(constraint) -> str:
    """The constraint as the option --constraint names it."""
    from jaxalloy.thermodynamics.variational import ContactConstraint

    return "contact" if isinstance(constraint, ContactConstraint) else "none"


def reading_of(constraint) -> str | None:
    """The reading of a contact constraint; a free minimum has none."""
    return getattr(constraint, "reading", None)


def say_assumptions(report: Report, arguments: argparse.Namespace, alloy, forces, probe) -> None:
    """Everything that was read or assumed, before anything is found."""
    from jaxalloy.dataset import describe

    A, B = alloy.symbols
    c, Z = float(alloy.concentration), alloy.valences.tolist()
    free_path = arguments.mean_free_path
    report.table(
        f"{arguments.formula}: {A} {1 - c:.4g}, {B} {c:.4g}",
        [
            ("temperature", f"{float(alloy.temperature):g}", "K"),
            ("volume", f"{float(alloy.volume):.2f}", f"bohr^3 per atom ({alloy.volume_source})"),
            ("mass density", f"{float(alloy.mass_density):.3f}", "g/cm^3"),
            ("valences", f"{Z[0]:g}, {Z[1]:g}", f"{A}, {B}"),
            ("potential", "", forces.potential),
            ("mean free path", "" if free_path is None else f"{free_path:g}", "bohr" if free_path else "infinite"),
            ("probe", "", describe(probe)),
        ],
    )
    if alloy.volume_source.startswith("additive"):
        report.warn(
            "volumes were added: alloys with strong chemical order are denser (Li0.8Pb0.2 by 17 %); "
            "give a measured one with --volume or --density"
        )
    report.record(
        formula=arguments.formula,
        temperature_K=float(alloy.temperature),
        volume_bohr3=float(alloy.volume),
        volume_source=alloy.volume_source,
        valences=dict(zip((A, B), Z, strict=True)),
        potential=forces.potential,
        mean_free_path_bohr=free_path,
        probe=describe(probe),
    )


def results(state) -> dict[str, Any]:
    """The numbers of a state under the names of the JSON object."""
    from jaxalloy.dataset import scalars

    value = {name: number for name, (number, _, _) in scalars(state).items()}
    return {
        "eta": value["eta"],
        "sigma_bohr": value["sigma"],
        "kappa_per_bohr": value["kappa"],
        "epsilon_mRy": 1e3 * value["epsilon"],
        "entropy": {part: value[f"entropy_{part}"] for part in ("gas", "hard_sphere", "ordering", "mixing", "total")},
        "enthalpy_Ry": value["enthalpy"],
        "free_energy_Ry": value["free_energy"],
        "status": state.status,
        "converged": state.status == "converged",
    }


def show(report: Report, state) -> None:
    """The table of results."""
    from jaxalloy.dataset import scalars

    value = {name: number for name, (number, _, _) in scalars(state).items()}
    how = name_of(state.constraint)
    how = "free minimum" if how == "none" else f"contact constraint, reading {reading_of(state.constraint)!r}"
    entropies = [
        (f"entropy, {words}", f"{value[f'entropy_{part}']:.3f}", "k_B per atom")
        for part, words in (
            ("gas", "ideal gas"),
            ("hard_sphere", "hard spheres"),
            ("ordering", "ordering"),
            ("mixing", "ideal mixing"),
            ("total", "total"),
        )
    ]
    report.table(
        f"reference liquid at the {how}: {state.status}",
        [
            ("eta", f"{value['eta']:.4f}", "packing fraction"),
            ("sigma", f"{value['sigma']:.3f}", "bohr"),
            ("kappa", f"{value['kappa']:.3f}", "1/bohr"),
            ("epsilon", f"{1e3 * value['epsilon']:.2f}", "mRy"),
            *entropies,
            ("enthalpy", f"{value['enthalpy']:.5f}", "Ry per atom"),
            ("free energy (bound)", f"{value['free_energy']:.5f}", "Ry per atom"),
            minimum_rule_row(report, state),
            contact_row(report, state),
            certificate_row(state),
        ],
    )


def minimum_rule_row(report: Report, state) -> tuple[str, str, str]:
    """The diameter that the rule of PHH Eq. 28 gives from Phi_NN, for comparison with the variational one."""
    from jaxalloy.thermodynamics import density_minimum_rule

    sigma = float(density_minimum_rule(state.interactions, state.alloy.temperature))
    report.record(sigma_minimum_rule_bohr=sigma)
    rule = "bohr: Phi_NN(sigma) - min Phi_NN = 3/2 k_B T"
    if not math.isfinite(sigma):
        return ("sigma, PHH Eq. 28", "-", "undefined: Phi_NN has no first minimum here")
    return ("sigma, PHH Eq. 28", f"{sigma:.3f}", rule)


def contact_row(report: Report, state) -> tuple[str, str, str]:
    """Pair correlations at contact; the mean-spherical approximation can make them negative, which is said."""
    A, B = state.alloy.symbols
    names = (f"{A}-{A}", f"{A}-{B}", f"{B}-{B}")
    values = [float(value) for value in state.liquid.contact_values]
    report.record(contact_values=dict(zip(names, values, strict=True)))
    remark = f"g at contact, {', '.join(names)}"
    if min(values) < 0:
        remark += " (negative: the approximation overstates the order)"
    return ("contact values", ", ".join(f"{value:.2f}" for value in values), remark)


def certificate_row(state) -> tuple[str, str, str]:
    """What certifies the minimum."""
    lowest = state.hessian_eigenvalues.tolist()[0]
    return ("gradient", f"{float(state.gradient_norm):.1e}", f"Ry; lowest eigenvalue of the Hessian {lowest:.1e}")


def write_files(arguments: argparse.Namespace, report: Report, state, probe, q) -> None:
    """The netCDF file, and the figure drawn from the same contents."""
    from jaxalloy.dataset import contents, write_netcdf

    found = contents(state, probe, q)
    found.attrs.update(formula=arguments.formula, constraint=name_of(state.constraint))
    stem = f"{arguments.formula}-{float(state.alloy.temperature):g}K"
    report.write(arguments.output / f"{stem}.nc", lambda path: write_netcdf(found, path))
    if not arguments.no_plot:
        from jaxalloy import plot

        figure = plot.prediction(found)
        report.write(arguments.output / f"{stem}.png", lambda path: figure.savefig(path, dpi=150))
