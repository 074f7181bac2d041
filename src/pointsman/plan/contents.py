"""What one change does: its target's properties merged, its action's processes with every value in place. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pointsman.model.inventory import Action, Layer, Target, Template
from pointsman.model.plan import Content, Phase
from pointsman.model.values import Json, JsonObject, canonical, digest, merged
from pointsman.model.wire import to_json
from pointsman.plan.environment import variable_trouble
from pointsman.plan.variables import Trouble, resolved_text

LARGEST_ARGUMENT = 120 * 1024
LARGEST_ACTION = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A content with its hash, or what kept it from being made."""

    content: Content
    hash: str
    trouble: Trouble


MOST_KEPT = 5_000


class Contents:
    """Makes each different content of one library once, however many steps and plans share it."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str, str, str], Made] = {}

    def of(self, target: Target, template: Template, action: Action, overrides: JsonObject) -> Made:
        """The content of an action on a target with a step's overrides."""
        key = (target.path, f"{template.path}@{template.tree}", action.name, canonical(overrides) if overrides else "")
        made = self._made.get(key)
        if made is None:
            if len(self._made) >= MOST_KEPT:
                self._made.clear()
            made = self._made[key] = _made(target, template, action, overrides)
        return made


def merged_properties(target: Target, template: Template | None, overrides: JsonObject) -> JsonObject:
    """Repository, project, environment, template, asset, step: later wins (R100)."""
    properties: JsonObject = {}
    for layer in layers_of(target, template):
        properties = merged(properties, layer.properties)
    return merged(properties, overrides)


def layers_of(target: Target, template: Template | None) -> Iterator[Layer]:
    """The target's layers, with another version of its template in the place of its own."""
    for layer in target.layers:
        own = target.template is not None and layer is target.template.defaults
        yield template.defaults if own and template is not None else layer


def _made(target: Target, template: Template, action: Action, overrides: JsonObject) -> Made:
    properties = merged_properties(target, template, overrides)
    trouble = Trouble(room=LARGEST_ACTION)
    env = _property_env(properties, trouble)
    phases = tuple(_phase(part, properties, env, trouble) for part in _parts(template, action))
    content = Content(
        target=target.path,
        action=action.name,
        tree=template.tree,
        phases=phases,
        properties=properties,
        retry=action.retry,
        timeout_seconds=action.timeout_seconds,
        idempotent=action.idempotent,
        worker=target.worker,
        exclusive=not target.allow_parallel_changes,
    )
    return Made(content=content, hash=digest(to_json(content)), trouble=trouble)


def _parts(template: Template, action: Action) -> Iterator[Action]:
    """The actions that have a process, in order; `load` has refused those that contain themselves."""
    if not action.steps:
        yield action
    for name in action.steps:
        yield from _parts(template, template.actions[name])


def _phase(action: Action, properties: JsonObject, env: Mapping[str, str], trouble: Trouble) -> Phase:
    own = {name: resolved_text(value, properties, trouble) for name, value in action.env.items()}
    for name, value in own.items():
        _note(variable_trouble(name, value), trouble)
    command = tuple(resolved_text(item, properties, trouble) for item in action.command)
    for item in (*command, action.run):
        if "\0" in item or len(item.encode("utf-8", "surrogatepass")) > LARGEST_ARGUMENT:
            _note(f"an argument of {action.name} holds a NUL byte or is longer than 120 KiB", trouble)
    return Phase(
        name=action.name,
        command=command,
        script=action.run,
        env={**env, **own},
        timeout_seconds=action.timeout_seconds,
    )


def _property_env(properties: JsonObject, trouble: Trouble) -> dict[str, str]:
    """`pointsman.env` of the properties as environment variables (R103)."""
    reserved = properties.get("pointsman")
    given = reserved.get("env") if isinstance(reserved, dict) else None
    env = {name: _printed(value) for name, value in given.items()} if isinstance(given, dict) else {}
    for name, value in env.items():
        _note(variable_trouble(name, value), trouble)
    return env


def _printed(value: Json) -> str:
    return value if isinstance(value, str) else canonical(value)


def _note(sentence: str, trouble: Trouble) -> None:
    if sentence:
        trouble.sentences.append(sentence)
