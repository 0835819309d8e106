"""Small copies of a few figures for the README: python -m experiments.pictures, after those experiments were run."""

import pathlib

from PIL import Image

from experiments.report import OUT

HERE = pathlib.Path(__file__).parent / "pictures"
CHOSEN = ("pasturel1985.figure13", "egorushkin1993.figure1", "beyond.core_levels")
WIDTH, COLOURS, LARGEST = 800, 64, 60_000


def shrink(name: str) -> pathlib.Path:
    """At most WIDTH pixels wide, in few colours; raises where that is still more than LARGEST bytes."""
    picture = Image.open(OUT / f"{name}.png").convert("RGB")
    small = picture.resize((WIDTH, round(WIDTH * picture.height / picture.width)), Image.Resampling.LANCZOS)
    path = HERE / f"{name}.png"
    small.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path}: {path.stat().st_size} bytes are more than {LARGEST}")
    return path


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    for chosen in CHOSEN:
        print(shrink(chosen))
