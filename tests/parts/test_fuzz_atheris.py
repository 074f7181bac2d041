"""The coverage-guided fuzzer, for as long as a test may take; by hand it goes on for as long as one likes."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HARNESS = Path(__file__).resolve().parents[1] / "fuzz" / "fuzz_load.py"
THERE = importlib.util.find_spec("atheris") is not None


@pytest.mark.skipif(
    not THERE and os.environ.get("CI") != "true", reason="atheris has no wheel for this machine or Python"
)
def test_twenty_thousand_inputs_that_were_grown_by_coverage_break_no_law(tmp_path: Path) -> None:
    """`R14`, `R15`: no exception, no unprintable word, every problem in its file; nothing takes five seconds."""
    done = subprocess.run(
        [sys.executable, str(HARNESS), "-runs=20000", "-seed=1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done 20000 runs" in done.stderr
