"""Damage to packs and their indexes, judged in a process that may die of it.

    python tests/fakes/flips.py REPOSITORY FOLDER START END

prints, for each number from START to END, the number and what became of the commit of `main`: `same` verdict as before
the damage, `told` that something is wrong, or `WRONG`.
"""

import shutil
import sys
from pathlib import Path
from random import Random

from pointsman.intake.reading import Reading
from pointsman.intake.verdict import Verdict
from pointsman.model.problem import PointsmanError


def damage(data: bytes, number: int) -> bytes:
    """Some bytes flipped, a piece blanked or doubled, or the end cut off; the same for the same number."""
    random, changed = Random(number), bytearray(data)
    start = random.randrange(len(changed))
    match number % 8:
        case 0:
            del changed[start:]
        case 1:
            changed[start : start + 16] = bytes(16)
        case 2:
            changed[start:start] = changed[start : start + 20]
        case _:
            for _ in range(random.choice((1, 1, 1, 4))):
                changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def damaged(repository: Path, folder: Path, number: int) -> Path:
    """A copy of a packed repository with damage in its pack, or in the index of it."""
    copy = folder / f"{number}.git"  # libgit2 keeps packs by their path, whoever opens them
    shutil.copytree(repository, copy)
    (victim,) = (copy / "objects" / "pack").glob("*.pack" if number % 2 else "*.idx")
    victim.chmod(0o600)
    victim.write_bytes(damage(victim.read_bytes(), number // 2))
    return copy


def outcome(copy: Path, commit: str, good: Verdict) -> str:
    """What became of a commit in a damaged copy."""
    try:
        reading = Reading(copy)
        reading.refs()
        found = reading.judge(commit)
    except PointsmanError:
        return "told"
    if found == good:
        return "same"
    return "told" if found.problems and not found.workflows else "WRONG"


def main(repository: Path, folder: Path, numbers: range) -> None:
    """Judge one damaged copy after another."""
    whole = Reading(repository)
    commit = whole.refs().branches["main"]
    good = whole.judge(commit)
    for number in numbers:
        copy = damaged(repository, folder, number)
        # the number first: whoever reads it knows what was being judged when this process died
        sys.stdout.write(f"{number} ")
        sys.stdout.flush()
        sys.stdout.write(f"{outcome(copy, commit, good)}\n")
        shutil.rmtree(copy)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), range(int(sys.argv[3]), int(sys.argv[4])))
