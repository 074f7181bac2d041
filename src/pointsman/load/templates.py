"""`template.yaml` and the folder around it → `Template`, or every problem in them."""

import posixpath
from collections.abc import Iterator
from collections.abc import Mapping as Map
from dataclasses import dataclass, field

from pointsman.load.building import DEEPEST
from pointsman.load.documents import ActionDocument, TemplateDocument
from pointsman.load.layout import layout
from pointsman.load.located import REGULAR, file_trouble, located
from pointsman.load.marked_yaml import parsed
from pointsman.load.misplaced import rename_hint
from pointsman.load.nodes import Items, Mapping, Node, Scalar, entry, places, plain, plain_object
from pointsman.load.reserved import reserved_problems, variable_problems
from pointsman.load.schemas import schema_problems
from pointsman.load.shape import About, fit
from pointsman.load.suggestion import Suggestions
from pointsman.load.wording import brief, listed, shown
from pointsman.model.inventory import Action, Layer, Retry, Template
from pointsman.model.names import CODE_WORDS, is_code
from pointsman.model.problem import Code, Place, Problem, has_errors, sorted_problems
from pointsman.model.source import Mode, Source

MOST_PARTS = 1_000
MOST_SEARCHED = 5_000
LONGEST_CHAIN = 12
MOST_CYCLES = 50


@dataclass(frozen=True, slots=True)
class _Folder:
    """The source and the template's folder in it."""

    source: Source
    path: str
    suggestions: Suggestions = field(default_factory=Suggestions)


def template_of(source: Source, path: str) -> tuple[Template | None, tuple[Problem, ...]]:
    """The template in a folder such as `templates/managed_server`; None if it is broken or there is none."""
    inside = {name: item for name, item in source.entries.items() if name.startswith(f"{path}/")}
    found = layout(Source(entries=inside, trees=source.trees, commit=source.commit, prefix=source.prefix))
    if not found.templates.get(path):
        return None, sorted_problems(found.problems)
    template, problems = read_template(source, path)
    every = sorted_problems((*found.problems, *problems))
    return None if has_errors(every) else template, every


def read_template(source: Source, path: str) -> tuple[Template | None, tuple[Problem, ...]]:
    """The template, of which it is known that it has a `template.yaml`."""
    file = f"{path}/template.yaml"
    trouble = file_trouble(source, file)
    if trouble is not None:
        return None, (trouble,)
    node, problems = parsed(source.entries[file].data or b"", located(source, file))
    if node is None:
        return None, problems
    template, found = _template(node, _Folder(source, path))
    return template, sorted_problems((*problems, *found))


def _template(node: Node, folder: _Folder) -> tuple[Template | None, tuple[Problem, ...]]:
    shape = fit(node, TemplateDocument, About(noun="a template"))
    problems = list(shape.problems)
    properties, schema = entry(node, "properties"), entry(node, "properties_schema")
    if isinstance(schema, Mapping):
        problems += schema_problems(plain_object(schema), schema, called="properties_schema")
    problems += reserved_problems(properties)
    actions = entry(node, "actions")
    read = _actions(actions, folder, _files_given(properties), problems)
    if isinstance(actions, Mapping):
        problems += _sequence_problems(actions, read, folder.suggestions)
    if shape.document is None or has_errors(problems):
        return None, tuple(problems)
    file = located(folder.source, f"{folder.path}/template.yaml")
    template = Template(
        path=folder.path,
        tree=folder.source.trees.get(folder.path, ""),
        file=file,
        name=shape.document.name,
        defaults=layer(properties, file),
        properties_schema=plain_object(schema) if schema is not None else None,
        actions=read,
    )
    return template, tuple(problems)


def layer(properties: Node | None, file: str) -> Layer:
    """The properties that a file sets."""
    return Layer(
        file=file,
        properties=plain_object(properties),
        places=places(properties) if isinstance(properties, Mapping) else {},
    )


def _files_given(properties: Node | None) -> frozenset[str]:
    """The files that the template's own defaults put into the working copy."""
    files = entry(entry(properties, "pointsman"), "files")
    return frozenset(files.entries) if isinstance(files, Mapping) else frozenset()


def _actions(node: Node | None, folder: _Folder, given: frozenset[str], problems: list[Problem]) -> dict[str, Action]:
    actions: dict[str, Action] = {}
    for name, value in node.entries.items() if isinstance(node, Mapping) else ():
        place = node.key_place(name) if isinstance(node, Mapping) else value.place
        if not is_code(name):
            says = f"{shown(name)} is no code: an action is named with {CODE_WORDS}"
            problems.append(Problem(place=place, code=Code.BAD_NAME, says=says, hint=rename_hint(name)))
        shape = fit(value, ActionDocument, About(noun=f"the action {brief(name)}", key=place))
        found = [*shape.problems]
        if isinstance(value, Mapping):
            found += _action_problems(value, name, folder, given)
        problems += found
        if shape.document is not None and not has_errors(found):
            actions[name] = _action(name, place, shape.document)
    return actions


def _action(name: str, place: Place, document: ActionDocument) -> Action:
    return Action(
        name=name,
        place=place,
        description=document.description,
        command=tuple(document.command),
        run=document.run,
        steps=tuple(document.steps),
        env=dict(document.env),
        timeout_seconds=document.timeout or None,
        retry=Retry(max=document.retry.max, delay_seconds=document.retry.delay),
        idempotent=document.idempotent,
    )


def _action_problems(node: Mapping, name: str, folder: _Folder, given: frozenset[str]) -> Iterator[Problem]:
    ways = [key for key in node.entries if key in {"command", "run", "steps"}]
    if not ways:
        says = f"the action {brief(name)} does nothing: command, run or steps is missing"
        yield Problem(place=node.start, code=Code.MISSING_KEY, says=says, hint="write command: [./script.sh]")
    elif len(ways) > 1:
        says = f"an action has one of command, run and steps, and {brief(name)} has {listed(ways)}"
        yield Problem(
            place=node.key_place(ways[1]), code=Code.TWO_TYPES, says=says, hint="split it into several actions"
        )
    env = entry(node, "env")
    if isinstance(env, Mapping):
        for variable in env.entries:
            yield from variable_problems(env, variable)
    command = entry(node, "command")
    first = command.items[0] if isinstance(command, Items) and command.items else None
    if isinstance(first, Scalar) and isinstance(first.value, str):
        yield from _script_problems(first, folder, given)


def _script_problems(word: Scalar, folder: _Folder, given: frozenset[str]) -> Iterator[Problem]:
    """Whether a command that is a relative path is a file of the template, and may be run."""
    text = word.text
    if not text.strip():
        yield Problem(place=word.place, code=Code.WRONG_VALUE, says="the command's first word is empty")
    if "/" not in text or text.startswith(("/", "~")) or "{{" in text:
        return
    inner = posixpath.normpath(text)
    if inner in given:
        return
    if inner.startswith("../") or inner == "..":
        says = f"{shown(text)} lies outside the template's folder, and a step has nothing else"
        yield Problem(place=word.place, code=Code.BAD_PATH, says=says, hint=f"put the script into {folder.path}")
        return
    path = f"{folder.path}/{inner}"
    item = folder.source.entries.get(path)
    if item is None:
        near = folder.suggestions.nearest(inner, _files_in(folder))
        says = f"there is no file {shown(text)} in {folder.path}"
        hint = f"did you mean ./{brief(near)}?" if near else "add the script to the template's folder"
        yield Problem(place=word.place, code=Code.NOT_A_FILE, says=says, hint=hint)
    elif item.mode is not Mode.EXECUTABLE and item.mode in REGULAR:
        says = f"{shown(text)} is not executable, so the step could not start it"
        hint = f"git update-index --chmod=+x {located(folder.source, path)}, and commit"
        yield Problem(place=word.place, code=Code.NOT_A_FILE, says=says, hint=hint)


def _files_in(folder: _Folder) -> list[str]:
    """The files of the folder for a suggestion; none where looking through all of them would take too long."""
    before = f"{folder.path}/"
    if len(folder.source.entries) > MOST_SEARCHED:
        return []
    return [name.removeprefix(before) for name in folder.source.entries if name.startswith(before)]


def _sequence_problems(node: Mapping, actions: dict[str, Action], suggestions: Suggestions) -> Iterator[Problem]:
    """Actions in `steps` that do not exist, contain themselves, or come to too many."""
    for value in node.entries.values():
        names = entry(value, "steps")
        for item in names.items if isinstance(names, Items) else ():
            word = plain(item)
            if isinstance(word, str) and word.strip() and word not in node.entries:
                near = suggestions.nearest(word, node.entries)
                hint = (
                    f"did you mean {brief(near)}?"
                    if near
                    else f"the actions are {listed(map(brief, list(node.entries)[:20]))}"
                )
                says = f"there is no action {shown(word)} in this template"
                yield Problem(place=item.place, code=Code.UNKNOWN_ACTION, says=says, hint=hint)
    for chain in cycles_and_sizes({name: action.steps for name, action in actions.items()}):
        place = node.key_place(chain[0])
        if len(chain) > 1:
            way = chain if len(chain) <= LONGEST_CHAIN else (*chain[: LONGEST_CHAIN - 2], "…", chain[-1])
            says = f"an action cannot contain itself: {' → '.join(way)}"
            yield Problem(place=place, code=Code.CYCLE, says=says, hint="take one of them out")
        else:
            says = f"the action {chain[0]} comes to more than {MOST_PARTS:,} actions, or to more than {DEEPEST} levels"
            yield Problem(place=place, code=Code.LIMIT, says=says, hint="split it")


def cycles_and_sizes(parts: Map[str, tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Every way from a name back to itself, and, alone, every name that comes to too many names or levels.

    One walk over the graph, without recursion: a file can hold thousands of actions in one chain.
    """
    sizes: dict[str, int] = {}
    levels: dict[str, int] = {}
    cycles = 0
    for start in parts:
        way: dict[str, Iterator[str]] = {} if start in sizes else {start: iter(parts[start])}
        while way:
            here = next(reversed(way))
            inner = next(way[here], None)
            if inner is None:
                del way[here]
                sizes[here] = min(MOST_PARTS + 1, sum(sizes.get(part, 1) for part in parts[here]) or 1)
                levels[here] = 1 + max((levels.get(part, 1) for part in parts[here]), default=0)
                if sizes[here] > MOST_PARTS or levels[here] > DEEPEST:
                    yield (here,)
            elif inner in way:
                cycles += 1
                if cycles <= MOST_CYCLES:
                    names = list(way)
                    yield (*names[names.index(inner) :], inner)
            elif inner in parts and inner not in sizes:
                way[inner] = iter(parts[inner])
