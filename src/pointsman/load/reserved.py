"""`pointsman` in the properties, the one reserved name: variables and files for the steps (R37, R103). Pure."""

from collections.abc import Iterator

from pointsman.load.documents import FileDocument, ReservedDocument
from pointsman.load.nodes import Mapping, Node, Scalar, entry, plain, spot
from pointsman.load.shape import About, fit
from pointsman.load.wording import kind_of, shown
from pointsman.model.problem import Code, Problem
from pointsman.model.values import canonical
from pointsman.plan.environment import LARGEST_VARIABLE, variable_trouble

RESERVED = "pointsman"
_TOO_LONG = f"is longer than {LARGEST_VARIABLE // 1024} KiB, too long for an environment variable"


def reserved_problems(properties: Node | None, *, step: str = "") -> tuple[Problem, ...]:
    """What is wrong below `pointsman` in some properties; nothing if it is not there."""
    node = entry(properties, RESERVED)
    if node is None or not isinstance(properties, Mapping):
        return ()
    shape = fit(node, ReservedDocument, About(noun=RESERVED, step=step, key=properties.key_place(RESERVED)))
    env, files = entry(node, "env"), entry(node, "files")
    return (*shape.problems, *_env_problems(env, step), *_file_problems(files, step))


def _env_problems(env: Node | None, step: str) -> Iterator[Problem]:
    if not isinstance(env, Mapping):
        return
    for name, value in env.entries.items():
        yield from variable_problems(env, name, step=step)
        if not isinstance(value, Scalar) or value.value is None:
            says = f"the variable {shown(name)} must be a text, number or boolean, and this is {kind_of(plain(value))}"
            yield Problem(place=env.key_place(name), code=Code.WRONG_VALUE, says=says, step=step)
        elif len(_printed(value).encode("utf-8", "surrogatepass")) > LARGEST_VARIABLE:
            says = f"the value of {shown(name)} {_TOO_LONG}"
            hint = "put it into a file with pointsman.files"
            yield Problem(place=value.place, code=Code.WRONG_VALUE, says=says, hint=hint, step=step)


def _printed(value: Scalar) -> str:
    return value.value if isinstance(value.value, str) else canonical(value.value)


def variable_problems(env: Mapping, name: str, *, step: str = "") -> Iterator[Problem]:
    """Why a step may not be given a variable of this name, at its key (R37)."""
    trouble = variable_trouble(name[:200], "")
    if trouble:
        yield Problem(place=env.key_place(name), code=Code.FORBIDDEN_VARIABLE_NAME, says=trouble, step=step)


def _file_problems(files: Node | None, step: str) -> Iterator[Problem]:
    if not isinstance(files, Mapping):
        return
    for path, node in files.entries.items():
        if trouble := path_trouble(path):
            says = f"the file {shown(path)} {trouble}"
            hint = "write a path inside the working copy, such as config/app.json"
            yield Problem(place=files.key_place(path), code=Code.BAD_PATH, says=says, hint=hint, step=step)
        shape = fit(node, FileDocument, About(noun=f"the file {shown(path)}", step=step, key=files.key_place(path)))
        yield from shape.problems
        content = entry(node, "content")
        if shape.document is None or content is None:
            continue
        if shape.document.format != "json" and not isinstance(plain(content), str):
            says = f"the content of {shown(path)} must be a text, and this is {kind_of(plain(content))}"
            hint = "set format: json to write it as JSON"
            place = spot(node, ["content"]).content_place
            yield Problem(place=place, code=Code.WRONG_VALUE, says=says, hint=hint, step=step)


def path_trouble(path: str) -> str:
    """Why this is no path inside a folder; empty if it is one."""
    if not path:
        return "has no name"
    if path.startswith(("/", "~")):
        return "is an absolute path"
    if "\\" in path or "\0" in path:
        return "has a character in its name that no path may have"
    if any(part in {"", ".", ".."} for part in path.split("/")):
        return "does not stay inside the working copy, or has an empty part"
    return ""
