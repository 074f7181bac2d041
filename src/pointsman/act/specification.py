"""What a supervisor is told: one attempt with everything final, as plain JSON."""

import os
import pwd
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pointsman.act.paths import AttemptPaths
from pointsman.model.plan import Content
from pointsman.model.values import Json, JsonObject
from pointsman.model.wire import to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLimits:
    """The daemon's configuration for steps: their `PATH`, which of its variables they see, grace and log limit."""

    path: str = "/usr/local/bin:/usr/bin:/bin"
    pass_environment: Sequence[str] = ("SSH_AUTH_SOCK",)
    grace_seconds: float = 10
    log_limit_bytes: int = 64 * 1024 * 1024
    environ: Mapping[str, str] = field(default_factory=dict)


def step_environment(limits: StepLimits, facts: Mapping[str, str]) -> dict[str, str]:
    """The clean environment of a step: fixed variables, those passed on, and `POINTSMAN_*` facts."""
    passed = {name: limits.environ[name] for name in limits.pass_environment if name in limits.environ}
    return {
        **passed,
        "PATH": limits.path,
        "HOME": _home(limits.environ),
        "LANG": "C.UTF-8",
        "CI": "true",
        **{f"POINTSMAN_{name}": value for name, value in facts.items()},
    }


def _home(environ: Mapping[str, str]) -> str:
    """The home of the step user, also where its number has no name, as in some containers."""
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return environ.get("HOME", "/")


def specification(
    paths: AttemptPaths,
    content: Content,
    *,
    bundle: str,
    env: Mapping[str, str],
    context: JsonObject,
    limits: StepLimits,
) -> dict[str, Any]:
    """The order for one attempt."""
    return {
        "lock": str(paths.lock),
        "log": str(paths.log),
        "times": str(paths.times),
        "exit": str(paths.exit),
        "work": str(paths.work),
        "bundle": bundle,
        "env": dict(env),
        "properties": content.properties,
        "context": context,
        "phases": [
            {
                "name": phase.name,
                "command": list(phase.command),
                "script": phase.script,
                "env": dict(phase.env),
                "timeout": phase.timeout_seconds,
            }
            for phase in content.phases
        ],
        "timeout": content.timeout_seconds,
        "grace": limits.grace_seconds,
        "log_limit": limits.log_limit_bytes,
    }


def secret_references(value: Json) -> list[str]:
    """The `secret://` references in a value."""
    if isinstance(value, str):
        return [value] if value.startswith("secret://") else []
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [found for item in items for found in secret_references(item)]


def content_secrets(content: Content) -> list[str]:
    """The secret references anywhere in what a change does."""
    return secret_references([content.properties, to_json(content.phases)])
