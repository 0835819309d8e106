"""Read and write measured structure factors: text with columns, and a header of `# key: value` lines.

    # quantity: S
    # unit: 1/angstrom
    # q   S   dS
    0.500 0.112 0.010

What a file leaves open (its unit, what its columns mean) is asked for and not guessed.
"""

import os
import pathlib
import re
from typing import Any, NamedTuple

import numpy as np

from jaxalloy.alloy import Alloy
from jaxalloy.constants import BOHR_IN_ANGSTROM
from jaxalloy.numerics.checks import InputError
from jaxalloy.scattering.measured import CURVES, MeasuredStructureFactor, check_points
from jaxalloy.scattering.pair_distribution import structure_factor_of_distances
from jaxalloy.scattering.probes import Probe, probe_named

UNITS = {"1/angstrom": BOHR_IN_ANGSTROM, "1/nm": 0.1 * BOHR_IN_ANGSTROM, "1/bohr": 1.0}
"""Units of q and their size in 1/bohr."""

QUANTITIES = {"s": "S", "s_al": "S", "s_fz": "S_FZ", "f(q)": "F(q)", "fz": "FZ", "al": "AL", "bt": "BT", "s_bt": "BT"}
_LENGTHS = {
    "1/angstrom": ("angstroms", "angstrom", "ang", "aa", "a", "å", "å"),
    "1/nm": ("nanometres", "nanometers", "nm"),
    "1/bohr": ("bohr", "a0"),
}
_OUTPUT_TYPES = {"sq": "S_FZ", "fq": "F(q)", "gr": "G(r)", "iq": "I(q)"}
"""What PDFgetX3 calls its files; its S is normalised to <f>^2."""

_PARTIALS = {
    "11": "AA", "22": "BB", "12": "AB", "21": "AB", "AA": "AA", "BB": "BB", "AB": "AB", "BA": "AB",
    "NN": "NN", "CC": "CC", "NC": "NC", "CN": "NC",
}  # fmt: skip
_COMMENT = re.compile(r"\s*(#+|%+|!+|;+|//|@)\s?(.*)")


class _Text(NamedTuple):
    """What a file says: header by key, column names (or None), rows of numbers."""

    header: dict[str, str]
    columns: list[str] | None
    rows: np.ndarray


def read_structure_factor(
    path: str | os.PathLike,
    *,
    quantity: str | None = None,
    unit: str | None = None,
    probe: Probe | None = None,
    alloy: Alloy | None = None,
) -> MeasuredStructureFactor:
    """Read a measured structure factor.

    path: text with columns q, S[, dS[, dq]] or named columns (q, S11, S22, S12 and their errors dS11, ...: partials of
    Faber and Ziman unless the quantity says AL; S_NN, S_CC, S_NC: those of Bhatia and Thornton), separated by commas or
    white space; headers of PDFgetX3 and of Fit2D (.chi) are understood. quantity: "S" (also "S_AL"), "S_FZ", "F(q)"
    (= q (S_FZ - 1)), "G(r)" (= 4 pi n r (g - 1), transformed back up to the `qmax` of the header), "FZ", "AL", "BT";
    unit: of q, "1/angstrom", "1/nm" or "1/bohr"; both are needed unless the file names them, and overrule what it says.
    probe: what was measured with (of composites), instead of what the header says (`# probe: neutron`,
    `# isotope: Li=7`). alloy: the state of this file, if it differs from that of the model.
    Raises `InputError` with one line that names what is wrong or missing.
    """
    name = pathlib.Path(path).name
    try:
        text = _parse(_decode(path), name)
        q, curves, errors, dq, kind, names, notes = _interpret(text, quantity, unit, name)
        if probe is None and "probe" in text.header and kind in ("S", "S_FZ"):
            probe = probe_named(text.header["probe"], header_isotopes(text.header))
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    about: dict[str, Any] = {"name": name, "header": tuple(text.header.items()), "notes": notes}
    return MeasuredStructureFactor.of(
        q, curves, errors, dq, kind=kind, names=names, probe=probe, alloy=alloy, **about
    )  # fmt: skip


def header_isotopes(header: dict[str, str]) -> dict[str, int]:
    """Mass numbers by symbol from a line such as `# isotope: Li=7` or `# isotopes: 7Li, 208Pb`."""
    said = header.get("isotope", header.get("isotopes", ""))
    found = {}
    for word in re.split(r"[,;\s]+", said.strip()) if said.strip() else ():
        parts = re.fullmatch(r"([A-Z][a-z]?)\s*[=-]\s*(\d+)|(\d+)([A-Z][a-z]?)", word)
        if parts is None:
            raise InputError(f"isotope {word!r}: write it as Li=7")
        found[parts[1] or parts[4]] = int(parts[2] or parts[3])
    return found


def write_structure_factor(path: str | os.PathLike, data: MeasuredStructureFactor) -> None:
    """Write what `read_structure_factor` reads back, q in 1/angstrom; probe and alloy go into no file."""
    prefix = "S" if data.is_composite else "S_"
    columns = ["q", *("S" if data.is_composite else prefix + name for name in data.names)]
    values = [np.asarray(data.q) / BOHR_IN_ANGSTROM, *np.asarray(data.curves)]
    if data.errors is not None:
        columns += [f"d{column}" for column in columns[1:]]
        values += list(np.asarray(data.errors))
    if data.dq is not None:
        columns.append("dq")
        values.append(np.asarray(data.dq) / BOHR_IN_ANGSTROM)
    lines = [f"# quantity: {data.kind}", "# unit: 1/angstrom", ", ".join(columns)]
    lines += [", ".join(f"{value:.17g}" for value in row) for row in zip(*values, strict=True)]
    pathlib.Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _decode(path: str | os.PathLike) -> str:
    try:
        raw = pathlib.Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}") from error
    for encoding in ("utf-16",) if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "latin-1"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not re.search(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]", text):
            return text
    raise InputError("this is not readable text; save it as UTF-8")


def _parse(text: str, name: str = "") -> _Text:
    """Comments, header, column names and rows; line ends of every system."""
    header: dict[str, str] = {}
    columns: list[str] | None = None
    rows: list[list[float]] = []
    lines = re.split(r"\r\n|\n|\r", text)
    start, label = _fit2d_header(lines) if name.lower().endswith(".chi") else (0, None)
    for number, line in enumerate(lines[start:], start + 1):
        comment = _COMMENT.fullmatch(line)
        words = _split(comment.group(2) if comment else line)
        if comment or not words:
            said = comment.group(2) if comment else ""
            key, colon, value = said.partition(":")
            named = _split(re.sub(r"^L\s+", "", said))  # as SPEC and PDFgetX3 mark them
            if colon:
                header[key.strip().lower()] = re.split(r"\s{2,}|\s+\(", value.strip())[0]
            elif _looks_like_names(named):
                columns = named
            continue
        if not rows and (line.strip()[:1] == "[" or re.match(r"\s*[A-Za-z_]\w*\s*=", line)):  # sections and settings
            key, _, value = line.partition("=")
            header[key.strip().lower()] = value.strip()
            continue
        numbers = [_number(word) for word in words]
        if (not rows and columns is None and None in numbers and _looks_like_names(words)) or (
            not rows and numbers[0] is None and _looks_like_names(words)
        ):
            columns = words
        elif None in numbers:
            bad = words[numbers.index(None)]
            raise InputError(f"line {number}: {bad[:40]!r} is not a number (numbers are written as 0.5 or 5e-1)")
        elif rows and len(rows[0]) != len(words):
            raise InputError(f"line {number}: {len(words)} columns where the lines before have {len(rows[0])}")
        else:
            rows.append([float(value) for value in numbers if value is not None])
    if not rows:
        raise InputError("no numbers in it; a file needs rows of q, S[, dS[, dq]]")
    if label is not None and columns is None:
        columns = [label, "S", "dS", "dq"][: len(rows[0])]
    return _Text(header, columns, np.asarray(rows))


def _fit2d_header(lines: list[str]) -> tuple[int, str | None]:
    """Length of the four-line header of Fit2D, and its label of the abscissa; nothing where there is none."""
    if len(lines) < 5 or not re.fullmatch(r"\s*\d+\s*", lines[3]) or _COMMENT.fullmatch(lines[1]):
        return 0, None
    if re.match(r"\s*(2|two)[-\s]*th", lines[1], re.IGNORECASE):
        raise InputError(
            f"its abscissa is an angle ({lines[1].strip()[:40]}); convert it to q = 4 pi sin(theta)/lambda"
        )
    return 4, re.sub(r"\s+", "", lines[1]) if re.match(r"\s*q", lines[1], re.IGNORECASE) else None


def _split(line: str) -> list[str]:
    line = line.strip().strip(",;")
    return [word.strip() for word in re.split(r"[,;]", line)] if re.search("[,;]", line) else line.split()


def _number(word: str) -> float | None:
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?", word) or word.lower().lstrip("+-") in ("nan", "inf"):
        return float(re.sub("[dD](?=[+-]?\\d)", "e", word))
    return None


def _looks_like_names(words: list[str]) -> bool:
    return len(words) > 1 and words[0][:1] in "qQkKrR" and len(words[0].split()) == 1


def _interpret(text: _Text, quantity: str | None, unit: str | None, name: str):
    """Columns and header as q (1/bohr), curves, errors, dq, kind, names of the curves, notes."""
    columns = text.columns
    count = text.rows.shape[1]
    said = quantity or text.header.get("quantity") or _OUTPUT_TYPES.get(text.header.get("outputtype", ""))
    distances = re.sub(r"\s", "", said or "") == "G(r)"
    if columns is None:
        if count not in (2, 3, 4):
            raise InputError(f"{count} columns without names; name them in a line such as: q, S11, S22, S12")
        columns = (["r", "G", "dr", "dG"] if distances else ["q", "S", "dS", "dq"])[:count]
    if len(columns) != count:
        raise InputError(f"{len(columns)} column names ({', '.join(columns)}) for {count} columns")
    size = UNITS[_unit(unit or text.header.get("unit"), columns[0])]
    if distances:
        q, curves = _from_distances(text, size)
        check_points(q, curves, None, None, ("S",), size)
        note = "S(q) is the transform of G(r); the errors of G(r) are correlated, and not used"
        return q, curves, None, None, "S_FZ", ("S",), (note,)
    if columns[0][:1] in "rR" or name.lower().endswith(".gr"):
        raise InputError("a function of distance: say '# quantity: G(r)' if it is 4 pi n r (g - 1), or give S(q)")
    values, errors, dq = _columns(columns, text.rows)
    kind = _kind(said, tuple(values))
    q, dq = size * text.rows[:, 0], None if dq is None else size * dq
    if errors and set(errors) != set(values):
        raise InputError(f"errors for {', '.join(errors)} but curves {', '.join(values)}; give all errors or none")
    curves = np.stack(list(values.values()))
    spread = np.stack([errors[curve] for curve in values]) if errors else None
    names = tuple(values)
    check_points(q, curves, spread, dq, names, size, next(word for word, value in UNITS.items() if value == size))
    if kind == "F(q)":
        raw = text.rows[:, 0]
        curves, spread, kind = 1 + curves / raw, None if spread is None else spread / raw, "S_FZ"
    return q, curves, spread, dq, kind, names, ()


def _from_distances(text: _Text, size: float) -> tuple[np.ndarray, np.ndarray]:
    """q (1/bohr) and S_FZ, shape (1, q), of a file of G(r)."""
    limits = []
    for key, default in (("qmin", "0"), ("qmax", None)):
        word = text.header.get(key, default)
        value = None if word is None else _number(word.split()[0] if word.split() else "")
        if value is None:
            raise InputError(f"up to which q was G(r) made? add a line '# qmax: 20' ({key} = {word})")
        limits.append(value)
    q, S = structure_factor_of_distances(text.rows[:, 0], text.rows[:, 1], *limits)
    return size * q, S[None]


def _columns(columns: list[str], rows: np.ndarray):
    """Curves and errors by the name of the curve, and dq."""
    values: dict[str, np.ndarray] = {}
    errors: dict[str, np.ndarray] = {}
    dq = None
    for column, numbers in zip(columns[1:], rows.T[1:], strict=True):
        word = re.sub(r"\(.*?\)", "", column).strip()
        bare = re.sub(r"^(d|err_?|error_?|sigma_?|e_)(?=[SaF]|$)", "", word, count=1)
        target = errors if bare != word else values
        curve = re.sub(r"^[SaAFI]_?|[_-]", "", bare) if bare.upper() not in _PARTIALS else bare
        if word.lower() in ("dq", "sigma_q", "dk"):
            dq = numbers
        elif curve.upper() in _PARTIALS:
            target[_PARTIALS[curve.upper()]] = numbers
        elif curve == "" or curve.upper() in ("FZ", "AL", "Q", "K"):
            target["S"] = numbers
        else:
            known = "q, S, dS, dq, S11, S22, S12, dS11, ..., S_NN, S_CC, S_NC"
            raise InputError(f"column {column!r} is not known; name the columns {known}")
    if not values:
        raise InputError("no column with a structure factor; name one S, or three S11, S22, S12")
    return values, errors, dq


def _kind(said: str | None, names: tuple[str, ...]) -> str:
    """The kind of the curves from what was said and from their names."""
    choice = "S (composite, 1 at large q), S_FZ (Faber-Ziman composite), or F(q) = q (S_FZ - 1)"
    if said is None:
        if names == ("S",):
            raise InputError(f"what is its second column? add a line '# quantity: S' or give the quantity: {choice}")
        return "BT" if set(names) <= set(CURVES["BT"]) else "FZ"
    word = re.sub(r"\s", "", said).lower()
    kind = QUANTITIES.get(word)
    if names != ("S",):
        kind = {"S": "AL" if word == "s_al" else "FZ", "S_FZ": "FZ"}.get(kind or "", kind)
        if kind not in ("FZ", "AL", "BT") or set(names) - set(CURVES[kind]):
            raise InputError(f"quantity {said!r} does not fit columns {', '.join(names)}; use S_FZ, S_AL or S_BT")
    elif kind not in ("S", "S_FZ", "F(q)"):
        raise InputError(f"quantity {said!r} is not known for one column: {choice}")
    return kind


def _unit(said: str | None, column: str) -> str:
    """The unit of q from what was said, or from the name of its column (as in q_invA); of r, its inverse."""
    if said is None:
        inside = re.search(r"[(\[]([^)\]]*)[)\]]|_(.+)", column)
        said = next((word for word in inside.groups() if word), None) if inside else None
    if said is None:
        raise InputError(f"unit of q? add a line '# unit: 1/angstrom' or give the unit: {', '.join(UNITS)}")
    plain = re.sub(r"[\s${}\\]", "", said).lower()
    length = re.sub(r"^(1/|inverse|inv)|(\^?[-−]1|⁻¹)$", "", plain)
    if length != plain or column[:1] in "rR":
        for unit, words in _LENGTHS.items():
            if length in words:
                return unit
    raise InputError(f"unit {said!r} of q is not known: {', '.join(UNITS)}")
