"""Coverage-guided fuzzing of everything that reads definitions, by atheris:

python tests/fuzz/fuzz_load.py CORPUS_FOLDER -max_total_time=600

Without a folder it begins with the golden files alone. What breaks a law is an exception, and the input that did it is
left in `crash-*`. The first byte of an input chooses which kind of file it is.
"""

import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore] # noqa: E402 - no wheel everywhere

with atheris.instrument_imports(include=["pointsman.load", "pointsman.model"]):
    from fakes.mutations import golden_sources, unsound, with_data
    from pointsman.load.assemble import assemble

LARGEST = 4096
PLACES = golden_sources()[:256]


def seeds() -> list[bytes]:
    """Every golden definition, with the byte that says what it is."""
    return [bytes([number]) + (source.entries[path].data or b"") for number, (source, path) in enumerate(PLACES)]


def check(data: bytes) -> None:
    """Read the data in the place of a golden file; an exception if a law does not hold."""
    if not data:
        return
    source, path = PLACES[data[0] % len(PLACES)]
    changed = with_data(source, path, data[1:])
    wrong = unsound(changed, assemble(changed))
    if wrong:
        raise AssertionError("\n".join(wrong))


def main() -> None:
    """Fuzz until the arguments of libFuzzer say that it is enough."""
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(seeds()):
            (Path(folder) / str(number)).write_bytes(seed)
        arguments = [*sys.argv, folder, f"-max_len={LARGEST}", "-timeout=5"]
        atheris.Setup(arguments, check)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
