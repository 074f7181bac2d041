"""What a supervisor is told: a clean environment, and where secrets are asked for."""

import json
import os
import pwd
from pathlib import Path

from pointsman.act.paths import AttemptId, AttemptPaths
from pointsman.act.specification import StepLimits, content_secrets, specification, step_environment
from pointsman.model.plan import Content, Phase


def test_a_step_gets_fixed_variables_those_passed_on_and_its_facts() -> None:
    limits = StepLimits(pass_environment=["A", "MISSING"], environ={"A": "1", "SECRET": "2", "PATH": "/evil"})
    assert step_environment(limits, {"STEP": "1.2"}) == {
        "A": "1",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": pwd.getpwuid(os.getuid()).pw_dir,
        "LANG": "C.UTF-8",
        "CI": "true",
        "POINTSMAN_STEP": "1.2",
    }


def test_nothing_passed_on_takes_the_place_of_a_fixed_variable() -> None:
    limits = StepLimits(pass_environment=["PATH", "CI", "LANG"], environ={"PATH": "/evil", "CI": "no", "LANG": "C"})
    found = step_environment(limits, {})
    assert (found["PATH"], found["CI"], found["LANG"]) == ("/usr/local/bin:/usr/bin:/bin", "true", "C.UTF-8")


def test_secrets_are_found_wherever_they_are_asked_for() -> None:
    phase = Phase(name="a", command=("x", "secret://IN_COMMAND"), env={"V": "secret://IN_ENV"})
    content = Content(
        target="/projects/p",
        action="a",
        tree="",
        phases=(phase,),
        properties={"deep": [{"er": "secret://IN_PROPERTIES"}], "no": "a secret://IN_THE_MIDDLE", "n": 1},
    )
    assert content_secrets(content) == ["secret://IN_PROPERTIES", "secret://IN_COMMAND", "secret://IN_ENV"]


def test_an_order_is_plain_json() -> None:
    content = Content(
        target="/projects/p", action="a", tree="t", phases=(Phase(name="a", script="true"),), properties={"a": [1]},
        timeout_seconds=60,
    )  # fmt: skip
    paths = AttemptPaths(Path("/data"), AttemptId(3, 2, 1))
    order = specification(paths, content, bundle="/b", env={"A": "1"}, context={}, limits=StepLimits())
    assert json.loads(json.dumps(order)) == order
    assert (order["work"], order["lock"]) == ("/data/work/3.2.1", "/data/runs/3/2.1.lock")
    assert (order["timeout"], order["grace"], order["log_limit"]) == (60, 10, 67108864)
