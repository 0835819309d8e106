"""The page of results: experiments/out/index.html, one file with its pictures inside."""

import base64
import html
import platform
import re
import time

import jax

from experiments import CHAPTERS, LONG
from experiments.report import MISS, NEAR_MEANS, OUT, Result, load

HEADS = ("quantity or claim", "paper", "ours", "deviation", "verdict")
STYLE = """
:root { --ink: #1c1c1c; --soft: #666; --line: #ddd; --page: #fff; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 72rem;
       margin: 0 auto; padding: 1rem; }
h1 { line-height: 1.2; } h2 { margin-top: 3rem; border-bottom: 2px solid var(--ink); } h3 { margin: 2.5rem 0 .3rem; }
p.about { color: var(--soft); margin: .2rem 0 .8rem; } img { max-width: 100%; height: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; margin: .5rem 0 1rem; }
th { text-align: left; border-bottom: 1px solid var(--ink); font-weight: 600; }
td { border-bottom: 1px solid var(--line); vertical-align: top; } th, td { padding: .2rem .6rem .2rem 0; }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
.note { color: var(--soft); font-size: .85em; display: block; }
.verdict { white-space: nowrap; font-weight: 600; } .agrees { color: #00694a; } .near { color: #7a5c00; }
.MISS, .failed { color: #b3261e; } .finding { color: #0059a8; } .not { color: var(--soft); }
pre { overflow-x: auto; font-size: .8rem; background: #f6f6f6; padding: .6rem; } summary { cursor: pointer; }
.picture { overflow-x: auto; }
@media (max-width: 40rem) {
  .picture img { max-width: none; width: 52rem; }
  body { padding: .6rem; } .rows thead { display: none; }
  .rows tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  .rows td { display: block; border: 0; padding: 0; } .rows td:first-child { font-weight: 600; }
  .rows td.number { display: inline-block; margin-right: 1rem; } .rows td.number:empty { display: none; }
  .rows td.number::before { content: attr(data-head) " "; color: var(--soft); font-size: .85em; }
}
"""


def verdict(word: str) -> str:
    """A coloured verdict."""
    return f'<span class="verdict {word.split()[0].rstrip(":")}">{html.escape(word)}</span>'


def rows(result: Result) -> str:
    """The table of one experiment."""
    lines = []
    for what, paper, ours, deviation, word, note in result.rows:
        note = note or ("no reason known" if word == MISS else "")
        reason = f'<span class="note">{html.escape(note)}</span>' if note else ""
        numbers = "".join(
            f'<td class="number" data-head="{head}">{html.escape(cell)}</td>'
            for head, cell in zip(HEADS[1:4], (paper, ours, deviation), strict=True)
        )
        lines.append(f"<tr><td>{html.escape(what)}</td>{numbers}<td>{verdict(word)}{reason}</td></tr>")
    head = "".join(f"<th>{name}</th>" for name in HEADS)
    return f'<table class="rows"><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>'


def section(result: Result) -> str:
    """Heading, table, picture and whatever else one experiment said."""
    parts = [f'<h3 id="{result.name}">{html.escape(result.title)}</h3>']
    for paragraph in re.split(r"\n\s*\n", result.about.strip()):
        parts.append(f'<p class="about">{html.escape(paragraph)}</p>')
    if result.rows:
        parts.append(rows(result))
    if result.picture:
        code = base64.b64encode((OUT / f"{result.name}.png").read_bytes()).decode()
        image = f'<img alt="{html.escape(result.title)}" src="data:image/png;base64,{code}">'
        parts.append(f'<div class="picture">{image}</div>')
    for name, text in (("what it printed", result.printed), ("why it failed", result.error)):
        if text.strip():
            parts.append(f"<details><summary>{name}</summary><pre>{html.escape(text.strip())}</pre></details>")
    parts.append(f'<p class="about">python -m experiments {result.name} ({result.seconds:.0f} s)</p>')
    return "\n".join(parts)


def write() -> None:
    """Make the page from every result in OUT."""
    found = {name: load(name) for names in CHAPTERS.values() for name in names}
    contents, chapters = [], []
    for chapter, names in CHAPTERS.items():
        contents.append(f'<tr><th colspan="2">{html.escape(chapter)}</th></tr>')
        chapters.append(f"<h2>{html.escape(chapter)}</h2>")
        for name in names:
            result = found[name]
            if result is None:
                why = f"not run yet; by name only, {LONG[name]}" if name in LONG else "not run yet"
                contents.append(f'<tr><td>{name}</td><td class="note">{why}</td></tr>')
                continue
            words = ", ".join(f"{count} {verdict(kind)}" for kind, count in result.counts.items())
            if result.error:
                words = f'<span class="failed">{html.escape(result.summary)}</span>'
            contents.append(f'<tr><td><a href="#{name}">{html.escape(result.title)}</a></td><td>{words}</td></tr>')
            chapters.append(section(result))
    seconds = sum(result.seconds for result in found.values() if result)
    page = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>jaxalloy beside the papers</title><style>{STYLE}</style></head><body>
<h1>jaxalloy beside the papers</h1>
<p>What two papers say, what jaxalloy computes, and how far apart they are; nothing is fitted to a published number.
<b class="agrees">agrees</b>: in every printed digit, or within what the note allows; a claim holds.
<b class="near">near</b>: within {100 * NEAR_MEANS:.0f} %. <b class="MISS">MISS</b>: neither, with the likely reason.
<b class="finding">finding</b>: the papers say nothing. Lengths in bohr, energies in mRy where not named.</p>
<table>{"".join(contents)}</table>
{"".join(chapters)}
<p class="about">{time.strftime("%Y-%m-%d %H:%M")}, jax {jax.__version__}, Python {platform.python_version()},
{seconds:.0f} s in all.</p>
</body></html>
"""
    (OUT / "index.html").write_text(page, encoding="utf-8")
