"""The documentation is true: its tables are those of the code, and its examples do what it says of them."""

import ast
import inspect
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from starlette.routing import Route

import pointsman
from fakes.sources import source
from pointsman import configuration, daemon, settings
from pointsman.cli.main import _EXIT_CODES, COMMANDS, INTERRUPTED, cli
from pointsman.cli.watch import AT_GATE, EXIT_CODES
from pointsman.engine.carrier import Carrier
from pointsman.load import documents, step_documents
from pointsman.load.assemble import assemble
from pointsman.load.fields import ApproversDocument, Document
from pointsman.model.plan import PinnedWorkflow
from pointsman.model.problem import Code
from pointsman.model.run import RunState, StepState
from pointsman.model.wire import EVENTS
from pointsman.plan.library import Shelf
from pointsman.plan.planner import Request, plan
from pointsman.run.transitions import CHANGE, GATE, TIMED
from pointsman.web.app import CALLS, routes

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(pointsman.__file__).parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
SECRET_OF_CLICK = {"--help", "--version"}


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block: the words after its fence, the heading above it, and what stands in it."""

    info: str
    heading: str
    text: str


def text_of(name: str) -> str:
    """The text of a page in `docs`."""
    return (DOCS / name).read_text("utf-8")


def fences(text: str) -> list[Fence]:
    """The fenced blocks of a page, in order."""
    found = []
    for block in re.finditer(r"^```(.*)\n((?:(?!^```).*\n)*)^```$", text, re.MULTILINE):
        headings = re.findall(r"^#+ (.*)$", text[: block.start()], re.MULTILINE)
        found.append(Fence(block[1].strip(), headings[-1] if headings else "", block[2]))
    return found


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"there is no heading {heading}"
    return found[1]


def table(text: str) -> list[list[str]]:
    """The cells of every row of every table in a text, without heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rules = {place for place, line in enumerate(lines) if set(line) <= set("|- ")}
    rows = [line for place, line in enumerate(lines) if place not in rules and place + 1 not in rules]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def spans(text: str) -> list[str]:
    """The code spans of a text."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))


def column(text: str, place: int = 0) -> list[str]:
    """The code spans of one column of the tables in a text."""
    return [span for row in table(text) for span in spans(row[place])]


# Architecture


def libraries() -> dict[str, set[str]]:
    """The outside libraries that each package imports."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        package = found.setdefault(path.relative_to(PACKAGE).parts[0].removesuffix(".py"), set())
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            package |= {name.split(".")[0] for name in names} - {"pointsman", ""} - set(sys.stdlib_module_names)
    return found


def test_the_table_of_packages_is_the_source_with_what_each_imports() -> None:
    rows = {
        spans(row[0])[0]: row[2] for row in table(section(text_of("architecture.md"), "Packages of `src/pointsman`"))
    }
    there = {
        path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.name not in {"__init__.py", "__pycache__"}
    }
    below = {"jsonschema_specifications", "pydantic_core"}  # parts of jsonschema and pydantic

    assert set(rows) == {name for name in there if not name.endswith(".typed")}
    for name, found in libraries().items():
        if name != "__init__":
            told = set() if rows[name] == "–" else set(rows[name].split(", "))
            assert told == found - below, name


def test_the_order_of_imports_is_the_one_that_is_checked() -> None:
    contract = (ROOT / ".importlinter").read_text("utf-8").partition("layers =\n")[2].partition("\n\n")[0]

    assert "    " + " > ".join(line.strip() for line in contract.splitlines()) + "\n" in text_of("architecture.md")


# Files and problems


def models() -> Iterator[type[Document]]:
    """Every model of a file, a step, or a part of one."""
    yield ApproversDocument
    for module in (documents, step_documents):
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Document) and value.__module__ == module.__name__:
                yield value


def test_every_key_that_can_be_written_is_in_the_page_about_files() -> None:
    text = text_of("files.md")
    keys = {key for span in spans(text) for key in re.findall(r"[a-z_]+", span)}
    keys |= {key for fence in fences(text) for key in re.findall(r"([a-z_]+): ?", fence.text)}

    assert {f"{model.__name__}.{key}" for model in models() for key in model.model_fields if key not in keys} == set()


def test_every_code_has_its_paragraph_in_the_order_of_the_codes() -> None:
    """What its examples have to be is told, and tested, in `tests/parts/test_documented_examples.py`."""
    headings = re.findall(r"^## (PM\d+) ", text_of("problems.md"), re.MULTILINE)
    codes = [code.value for code in Code]

    assert [f"{code.value} {code.name}" for code in Code if code not in headings] == [], "no paragraph in problems.md"
    assert [heading for heading in headings if heading not in codes] == [], "there are no such codes"
    assert headings == codes, "problems.md is in another order than the codes"


def test_the_workflow_in_the_readme_runs_in_the_example_repository() -> None:
    example = PACKAGE / "example" / "hello_world"
    files = {str(path.relative_to(example)): path.read_text("utf-8") for path in example.rglob("*") if path.is_file()}
    readme = next(fence.text for fence in fences(PAGES[0].read_text("utf-8")) if fence.info == "yaml")
    loaded = assemble(source({**files, "projects/hello_world/workflows/readme.yaml": readme}))
    path = "/projects/hello_world/workflows/readme"
    pinned = PinnedWorkflow(path=path, version="", commit="")
    found = plan(Request(pinned=pinned, definition=loaded.workflows[path]), Shelf(inventory=loaded.inventory))

    assert list(map(str, found.problems)) == []
    assert found.plan is not None
    assert len(readme.splitlines()) <= 20


# Command line


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its name, such as `runs list`."""
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", found) for inner, found in command.commands.items() if not found.hidden)


def options(command: click.Command) -> set[str]:
    """The spellings of a command's options."""
    return {word for parameter in command.params if isinstance(parameter, click.Option) for word in parameter.opts}


def typed() -> Iterator[list[str]]:
    """The words of every call of `pointsman` in an example on any page."""
    for page in PAGES:
        text = page.read_text("utf-8")
        for line in re.findall(r"^(?: {4}|\$ |)(pointsman .*)$", text, re.MULTILINE):
            for part in line.split("&&"):
                words = shlex.split(part.partition("<")[0], comments=True)
                if words[0] == "pointsman" and "is" not in words[:2]:
                    yield words[1:]


def test_every_command_has_an_example_and_every_option_is_told() -> None:
    text = text_of("cli.md")
    every = dict(commands())
    told = set(
        re.findall(
            r"(?<![\w-])(--?[a-z][a-z-]*|-C)(?![\w-])",
            "\n".join([*spans(text), *re.findall(r"^    .*", text, re.MULTILINE)]),
        )
    )
    known = {word for command in every.values() for word in options(command)}
    known -= {"-f"}  # --follow is told

    assert {word for word in known - told if word.startswith("--")} == set()
    assert told - known - SECRET_OF_CLICK == set()
    shown = {" ".join(words[: len(name.split())]) for words in typed() for name in every}
    assert {name for name, command in every.items() if not isinstance(command, click.Group)} - shown == set()


def test_every_example_is_a_call_that_there_is() -> None:
    every = dict(commands())
    for words in typed():
        name = words[0] if not isinstance(every.get(words[0]), click.Group) else " ".join(words[:2])
        assert name in every, words
        given = {word.partition("=")[0] for word in words if word.startswith("-")}
        assert given - options(every[name]) - SECRET_OF_CLICK == set(), words


def test_the_exit_codes_are_those_that_commands_end_with() -> None:
    told = {int(row[0]) for row in table(section(text_of("cli.md"), "Exit codes"))}

    assert told == {
        0,
        1,
        click.UsageError.exit_code,
        AT_GATE,
        INTERRUPTED,
        *EXIT_CODES.values(),
        *dict(_EXIT_CODES).values(),
    }


# API, configuration, states


def test_the_calls_of_the_api_are_those_that_there_are() -> None:
    text = text_of("api.md")
    beside = {
        f"{'POST' if route.methods and 'POST' in route.methods else 'GET'} {route.path}"
        for route in routes()
        if isinstance(route, Route)
        and (route.endpoint.__module__ == "pointsman.web.health" or route.path.endswith("openapi.json"))
    }
    rows = {spans(row[0])[0]: row for row in table(text)}

    assert set(rows) == beside | {f"{call.method} {call.path}" for call in CALLS}
    for call in CALLS:
        told = " ".join(spans(rows[f"{call.method} {call.path}"][1]))
        names = [*call.parameters, *(call.body.model_fields if call.body else ())]
        assert [name for name in names if name not in re.findall(r"\w+", told)] == [], call


def test_every_setting_is_told_with_its_variable_and_default(tmp_path: Path) -> None:
    text = text_of("configuration.md")
    rows = {spans(row[0])[0]: row for row in table(text)}
    leaves = {key: field for key, field in settings._FIELDS.items() if key not in {"steps", "engine"}}

    assert list(rows) == list(leaves)
    for key, field in leaves.items():
        assert spans(rows[key][1]) == [configuration.PREFIX + key.upper().replace(".", "__")]
        if field.default or isinstance(field.default, tuple):
            told = "[]" if field.default == () else str(field.default)
            assert field.is_required() or spans(rows[key][2]) == [told], key
    later = {key for key in configuration._LATER if not key.startswith("engine.")}
    assert later <= set(spans(text))
    config = tmp_path / "pointsman.toml"
    config.write_text(next(fence.text for fence in fences(text) if fence.info == "toml"), "utf-8")
    read = settings.load_settings(config, {}, {})
    assert str(read.repository) == tomllib.loads(config.read_text("utf-8"))["repository"]


def test_the_states_are_those_of_runs_and_steps() -> None:
    text = text_of("states.md")

    assert column(section(text, "Runs")) == [state.value for state in RunState]
    assert column(section(text, "Steps")) == [state.value for state in StepState]


def test_the_table_of_transitions_is_the_one_that_decides() -> None:
    """`R57`."""
    lines = [f"| `{told}` | `{state}` | `{after}` |" for (told, state), after in CHANGE.items()]
    lines += [f"| `{word}` | an open {kind} | `{after}` |" for (word, kind), after in GATE.items()]
    lines += [f"| its timer | `{state}` | {means} |" for state, means in TIMED.items()]

    written = [line for line in section(text_of("states.md"), "Transitions").splitlines() if line.startswith("|")]
    assert written[2:] == lines


def test_every_event_is_told_with_its_fields() -> None:
    text = text_of("states.md")
    rows = {spans(row[0])[0]: row for row in table(section(text, "Events of a run"))}
    source_text = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    of_daemon = set(re.findall(r"(?:events\.add\(|_Alarm\()\s*\"(\w+)\"", source_text))

    assert set(rows) == set(EVENTS)
    for name, kind in EVENTS.items():
        assert spans(rows[name][2]) == [field for field in kind.__slots__ if field not in {"type", "step"}], name
    assert set(column(section(text, "Events of the daemon"))) == of_daemon


def test_every_variable_of_a_step_and_every_part_of_the_data_directory_is_told() -> None:
    text = text_of("operations.md")
    facts = re.findall(r"\"([A-Z_]+)\":", inspect.getsource(Carrier._facts))
    parts = [line.split()[0] for line in daemon.README.splitlines()[2:]]

    assert [name for name in facts if f"POINTSMAN_{name}" not in spans(text)] == []
    assert [part for part in parts if not any(span.startswith(part) for span in spans(text))] == []


# All pages


def test_every_link_leads_to_a_file_and_the_index_to_every_page() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"
    index = set(re.findall(r"[\w-]+\.md", text_of("README.md")))
    assert {path.name for path in DOCS.glob("*.md")} - index == set()


def test_the_readme_is_short_and_has_the_two_commands() -> None:
    text = PAGES[0].read_text("utf-8")

    assert len(text.splitlines()) < 160
    assert re.findall(r"^    sh (\S+)", text, re.MULTILINE) == ["examples/try.sh", "tests/run.sh"]
    assert "![" not in text
    assert not [letter for letter in text if ord(letter) >= 0x2600]
