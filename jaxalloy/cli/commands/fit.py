"""`jaxalloy fit`: from measured structure factors to parameters with error bars."""

import argparse
import math

from jaxalloy.cli import exit_codes
from jaxalloy.cli.fit_report import MRY, say_data, say_posterior, say_profiles, say_result
from jaxalloy.cli.options import add_output_options, assignment
from jaxalloy.cli.potential import add_potential_options, choose_potential
from jaxalloy.cli.report import Report
from jaxalloy.numerics.checks import InputError


def add_parser(subparsers) -> argparse.ArgumentParser:
    """Add the parser of `jaxalloy fit`."""
    parser = subparsers.add_parser(
        "fit",
        help="fit a measured structure factor",
        description="Alloy parameters from measured structure factors, with errors and what the data do not determine. "
        "Lengths in bohr, kappa in 1/bohr, epsilon in mRy. An option that starts with N: holds for the N-th file only, "
        "as in --probe 2:xray or --isotope 2:Li=6.",
    )
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="columns q, S[, dS[, dq]] or named ones; several are fitted together")
    add("--alloy", metavar="A0.8B0.2", help="the alloy (or a line '# composition: ...' in the file)")
    add("--temperature", action="append", default=[], metavar="[N:]K", help="temperature in kelvin")
    density = parser.add_mutually_exclusive_group()
    several = {"action": "append", "default": []}
    density.add_argument("--volume", **several, metavar="[N:]V", help="bohr^3 per atom (from tables if not given)")
    density.add_argument("--density", **several, metavar="[N:]D", help="mass density in g/cm^3, instead of a volume")
    add("--probe", action="append", default=[], metavar="[N:]neutron|xray", help="what it was measured with")
    add("--isotope", action="append", default=[], metavar="[N:]Li=7", help="an isotope's neutron length")
    add("--scattering-length", action="append", default=[], metavar="[N:]Li=-2.22", help="a neutron length in fm")
    add("--quantity", metavar="S|S_FZ|S_AL|S_BT|F(q)|G(r)", help="what the file holds, if it does not say so itself")
    add("--unit", metavar="1/angstrom|1/nm|1/bohr", help="unit of q, if the file does not name it")
    add("--q-range", metavar="MIN:MAX", help="fit this range of q only, in 1/angstrom")
    add(
        "--free", action="append", metavar="NAME[,NAME]", help="all parameters to fit (sigma,epsilon,kappa,scale,level)"
    )
    add("--fix", type=assignment, action="append", default=[], metavar="NAME=VALUE", help="hold a parameter")
    add("--bounds", type=assignment, action="append", default=[], metavar="NAME=MIN:MAX", help="keep it in this range")
    add("--start", type=assignment, action="append", default=[], metavar="NAME=VALUE", help="start the search here")
    add("--softness", action="store_true", help="fit a damping exp(-(b q)^2) for a core softer than hard spheres")
    add("--profile", action="append", default=[], metavar="NAME", help="interval from the profile likelihood")
    add("--posterior", action="store_true", help="sample the posterior by NUTS (needs jaxalloy[posterior])")
    add(
        "--model",
        choices=("reference", "bound"),
        default="reference",
        help="fit the reference liquid itself, or the potential below through the minimum of the free-energy bound: "
        "radius_X (empty core), mean_free_path, volume",
    )
    add("--constraint", choices=("contact", "none"), default="contact", help="of that minimum (contact)")
    add("--full", action="store_true", help="fit every point even of very long files, instead of averages over bins")
    add_potential_options(parser)
    add_output_options(parser)
    return parser


def run(arguments: argparse.Namespace, report: Report) -> int:
    """Read, fit, print, draw, write."""
    report.use_folder(arguments.output)
    from jaxalloy.cli import device

    device.start(arguments.device, report, once=not arguments.posterior)
    from jaxalloy.fitting.fit import fit_structure_factor

    data, alloy = read_data(arguments)
    say_data(report, data, alloy)
    fix = {name: _number(f"--fix {name}", value) * MRY.get(name, 1.0) for name, value in arguments.fix}
    start = {name: _number(f"--start {name}", value) * MRY.get(name, 1.0) for name, value in arguments.start}
    bounds = {name: _interval(f"--bounds {name}", value, MRY.get(name, 1.0)) for name, value in arguments.bounds}
    model = _model(arguments, alloy)
    free = None
    if arguments.free or arguments.softness:
        from jaxalloy.fitting.problem import default_free

        named = [name for text in arguments.free or [] for name in text.split(",") if name]
        free = (named or default_free(data, model, fix)) + (["softness"] if arguments.softness else [])
    result = fit_structure_factor(data, model, free, bounds, fix=fix, start=start, full=arguments.full)
    say_result(report, result)
    profiles = [result.profile(name) for name in arguments.profile or _profiles_needed(result)]
    say_profiles(report, profiles)
    if arguments.posterior:
        sample_posterior(arguments, report, result)
    write_files(arguments, report, result)
    report.finish()
    result.require_converged()
    return exit_codes.DONE


def _model(arguments: argparse.Namespace, alloy):
    """The forward model that was asked for."""
    from jaxalloy.fitting.model import ReferenceModel

    if arguments.model == "reference":
        return ReferenceModel(alloy)
    from jaxalloy.fitting.through_bound import ThroughBound
    from jaxalloy.thermodynamics import ContactConstraint, Unconstrained

    constraint = ContactConstraint() if arguments.constraint == "contact" else Unconstrained()
    return ThroughBound(alloy, choose_potential(arguments, alloy.symbols), constraint)


def read_data(arguments: argparse.Namespace):
    """The data sets and the alloy, from the files, their headers and the options."""

    from jaxalloy.constants import BOHR_IN_ANGSTROM
    from jaxalloy.fitting.sample import sample, volume_of_number_density
    from jaxalloy.scattering import Neutrons
    from jaxalloy.scattering.files import read_structure_factor

    count = len(arguments.files)
    asked = {"quantity": arguments.quantity, "unit": arguments.unit}
    if arguments.probe:  # what a header says does not matter then
        asked["probe"] = Neutrons()
    data = [read_structure_factor(path, **asked) for path in arguments.files]
    headers = [dict(one.header) for one in data]
    formula = arguments.alloy or next((h["composition"] for h in headers if "composition" in h), None)
    if formula is None:
        raise InputError("which alloy? give --alloy Li0.8Pb0.2, or a line '# composition: Li0.8Pb0.2' in the file")
    temperatures = _for_each_file("--temperature", arguments.temperature, count)
    volumes, densities, probes, isotopes, lengths = (
        _for_each_file(option, given, count)
        for option, given in (
            ("--volume", arguments.volume),
            ("--density", arguments.density),
            ("--probe", arguments.probe),
            ("--isotope", arguments.isotope),
            ("--scattering-length", arguments.scattering_length),
        )
    )
    alloys, seen = [], []
    for i, header in enumerate(headers):
        kelvin = temperatures[i][-1:] or [header[key] for key in ("temperature",) if key in header]
        if not kelvin:
            raise InputError(f"{data[i].name}: give --temperature, or a line '# temperature: 1000' in the file")
        volume, density = (
            _number(option, given[i][-1]) if given[i] else None
            for option, given in (("--volume", volumes), ("--density", densities))
        )
        if volume is None and density is None and "number density" in header:
            volume = volume_of_number_density(header["number density"])
        alloys.append(sample(formula, _number("--temperature", kelvin[0].split()[0]), volume, density))
        probe = _probe(probes[i], isotopes[i], lengths[i], header, alloys[i].symbols, data[i])
        seen.append(probe)
    import dataclasses

    data = [dataclasses.replace(d, probe=p, alloy=a) for d, p, a in zip(data, seen, alloys, strict=True)]
    if all(not d.is_composite and len(d.names) == 3 and d.errors is None for d in data):
        # without errors the noise is estimated for each curve, and S_NN and S_CC fail for different reasons
        data = [d.bhatia_thornton(a).only("NN", "CC") for d, a in zip(data, alloys, strict=True)]
    if arguments.q_range:
        low, high = _interval("--q-range", arguments.q_range, BOHR_IN_ANGSTROM)
        data = [d.between(low, high) for d in data]
    return data, alloys[0]


def _probe(probes, isotopes, lengths, header, symbols, data):
    """The probe of one file; partials need none."""
    from jaxalloy.cli.options import isotope
    from jaxalloy.scattering.files import header_isotopes
    from jaxalloy.scattering.probes import probe_named

    name = (probes or [header.get("probe")])[-1]
    if not data.is_composite:
        return None
    if name is None:
        raise InputError(f"{data.name}: what was it measured with? --probe neutron or xray, or '# probe:' in the file")
    try:
        mass_numbers = dict(isotope(text) for text in isotopes)
        fm = {key: _number("--scattering-length", value) for key, value in map(assignment, lengths)}
    except argparse.ArgumentTypeError as error:
        raise InputError(str(error)) from None
    for symbol in (*mass_numbers, *fm):
        if symbol not in symbols:
            raise InputError(f"--isotope or --scattering-length {symbol}: the alloy holds {' and '.join(symbols)} only")
    if not isotopes and name.strip().lower().startswith("n"):
        mass_numbers = header_isotopes(header)
    return probe_named(name, mass_numbers, fm)


def _for_each_file(option: str, given: list[str], count: int) -> list[list[str]]:
    """The values of an option for each file: those without N: hold for all."""
    found: list[list[str]] = [[] for _ in range(count)]
    for text in given:
        number, colon, value = text.partition(":")
        if not (colon and number.isdigit()):
            for values in found:
                values.append(text)
        elif 1 <= int(number) <= count:
            found[int(number) - 1].append(value)
        else:
            raise InputError(f"{option} {text}: there are {count} files")
    return found


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{name} = {text}: it must be a finite number")
    return value


def _interval(name: str, text: str, unit: float) -> tuple[float, float]:
    low, colon, high = text.partition(":")
    if not colon:
        raise InputError(f"{name} = {text}: write a range as MIN:MAX")
    return unit * _number(name, low), unit * _number(name, high)


def _profiles_needed(result) -> list[str]:
    """kappa, where it is determined but its error is too large for a symmetric interval."""
    kappa = result.estimates["kappa"]
    needed = kappa.fitted and result.null is None and not kappa.at_bound and kappa.sd > 0.2 * kappa.value
    return ["kappa"] if needed else []


def sample_posterior(arguments: argparse.Namespace, report: Report, result) -> None:
    """Sample, print, and write the samples."""
    from jaxalloy.fitting.posterior import posterior

    found = posterior(result)
    say_posterior(report, found)
    path = arguments.output / f"{_stem(result)}-posterior.nc"
    report.write(path, lambda path: found.inference_data().to_netcdf(str(path)))


def _stem(result) -> str:
    return result.data[0].name.rpartition(".")[0] or result.data[0].name


def write_files(arguments: argparse.Namespace, report: Report, result) -> None:
    """netCDF file, table and figure."""
    from jaxalloy.fitting.export import fit_to_dataset, parameter_table

    dataset = fit_to_dataset(result)
    stem = f"{_stem(result)}-fit"
    report.write(arguments.output / f"{stem}.nc", lambda path: dataset.to_netcdf(path, engine="h5netcdf"))
    report.write(arguments.output / f"{stem}.txt", lambda path: path.write_text(parameter_table(result), "utf-8"))
    if not arguments.no_plot:
        from jaxalloy import plot_fit

        figure = plot_fit.fit(dataset)
        report.write(arguments.output / f"{stem}.png", lambda path: figure.savefig(path, dpi=150))
