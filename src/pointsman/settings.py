"""The daemon's own configuration: `pointsman.toml`, `POINTSMAN_*` and flags, read once into `Settings`."""

import ipaddress
import os
import pwd
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from pointsman.access.accounts import USER_NAME_WORDS, is_user_name
from pointsman.configuration import PREFIX, Given, Said, from_environment, from_file, from_flags
from pointsman.model.problem import Code, Invalid, Place, Problem, sorted_problems
from pointsman.repo.remote import Remote, is_url, remote_from

_REF_TROUBLE = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|^[-/]|/$|^$|^refs/")


def _agreed(agrees: bool) -> None:  # noqa: FBT001 - a condition, as in assert
    if not agrees:
        raise ValueError


def _address(text: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:8484` or `[::1]:8484`; `ValueError` if it is neither."""
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        return str(ipaddress.IPv6Address(host[1:-1])), _port(port)
    _agreed(re.fullmatch(r"[A-Za-z0-9._-]+", host) is not None)
    return host, _port(port)


def _port(text: str) -> int:
    _agreed(re.fullmatch(r"[0-9]{1,5}", text) is not None and int(text) <= 65535)
    return int(text)


def _listen(text: str) -> str:
    _address(text)
    return text


def _external_url(text: str) -> str:
    url = urlsplit(text.rstrip("/"))
    _agreed(not text or (url.scheme in ("http", "https") and bool(url.hostname) and not re.search(r"[\s@?#]", text)))
    _agreed(not url.path and (url.port is None or url.port > 0))
    return text.rstrip("/")


def _branch(text: str) -> str:
    _agreed(_REF_TROUBLE.search(text) is None)
    return text


def _root(text: str) -> str:
    parts = [part for part in text.split("/") if part not in ("", ".")]
    _agreed(not text.startswith("/") and ".." not in parts and "\0" not in text)
    return "/".join(parts)


def _operator(text: str) -> str:
    _agreed(is_user_name(text))
    return text


def _search_path(text: str) -> str:
    # An empty or relative entry would be looked up in whatever folder a step is in.
    _agreed(all(entry.startswith("/") for entry in text.split(":")) and "\0" not in text)
    return text


def _variables(names: tuple[str, ...]) -> tuple[str, ...]:
    _agreed(all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) for name in names))
    return names


class _Section(BaseModel):
    """Keys that belong together. A field's description says what it expects, in messages too."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class StepSettings(_Section):
    """How actions are run: the variables they see, and their limits."""

    path: Annotated[str, AfterValidator(_search_path)] = Field(
        default="/usr/local/bin:/usr/bin:/bin", description="absolute folders joined by ':'"
    )
    pass_environment: Annotated[tuple[str, ...], AfterValidator(_variables)] = Field(
        default=(), description='a list of names of environment variables, such as ["SSH_AUTH_SOCK"]'
    )
    grace_seconds: float = Field(default=10, ge=0, le=3600, description="a number of seconds from 0 to 3600")
    log_limit_bytes: int = Field(default=64 * 1024 * 1024, ge=1, description="a whole number of bytes, at least 1")


class EngineSettings(_Section):
    """What keeps runs moving."""

    kind: Literal["local"] = Field(default="local", description='"local"')


class Settings(_Section):
    """Everything the daemon is told when it starts. Paths are absolute; `external_url` is empty if there is none."""

    repository: Path | Remote = Field(description="the path of a Git repository, or its URL")
    data: Path = Field(description="the path of a folder")
    listen: Annotated[str, AfterValidator(_listen)] = Field(
        default="127.0.0.1:8484", description="an address and a port, such as 127.0.0.1:8484 or [::1]:8484"
    )
    external_url: Annotated[str, AfterValidator(_external_url)] = Field(
        default="", description="an http:// or https:// address without a path, such as https://pointsman.example.com"
    )
    workers: int = Field(default=4, ge=1, le=256, description="a whole number from 1 to 256")
    inventory_branch: Annotated[str, AfterValidator(_branch)] = Field(
        default="main", description="the name of a branch"
    )
    root: Annotated[str, AfterValidator(_root)] = Field(default="", description="a folder inside the repository")
    poll_seconds: float = Field(default=10, ge=0.05, le=86400, description="a number of seconds from 0.05 to 86400")
    operator: Annotated[str, AfterValidator(_operator)] = Field(description=f"a user name of {USER_NAME_WORDS}")
    steps: StepSettings = Field(default=StepSettings(), description="a table")
    engine: EngineSettings = Field(default=EngineSettings(), description="a table")

    @property
    def followed(self) -> Path:
        """The repository that is read: the one that `repository` names, or its mirror in the data directory."""
        return self.repository if isinstance(self.repository, Path) else self.data / "mirror.git"

    @property
    def host(self) -> str:
        """The address to listen on, without the brackets of IPv6."""
        return _address(self.listen)[0]

    @property
    def port(self) -> int:
        """The port to listen on; 0 means any that is free."""
        return _address(self.listen)[1]

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the daemon."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"


def load_settings(config: Path | None, environ: Mapping[str, str], overrides: Mapping[str, object]) -> Settings:
    """The settings from a file, the environment and flags, later ones winning.

    `overrides` has dotted keys (`steps.path`); None stands for a flag that was not given. A relative path is relative
    to the file that names it, else to the working directory. `Invalid` carries every problem at once; the `says` of
    each names the file, variable or flag and stands for itself.
    """
    said = [
        from_file(config, _FIELDS) if config else Said(),
        from_environment(environ, _FIELDS),
        from_flags(overrides, _FIELDS),
    ]
    given = {key: one for source in said for key, one in source.given.items()}
    problems = [problem for source in said for problem in source.problems]
    refused = _refused(given)
    problems += refused.values()
    unread = any(problem.code in (Code.SYNTAX, Code.NOT_A_FILE) for problem in problems)
    if "repository" not in given and not unread:
        problems.append(_missing_repository(config))
    settings, wrong = _judged({key: one for key, one in given.items() if key not in refused}, environ)
    # The same sentence once: a table of a later version has many keys.
    unique = {problem.says: problem for problem in reversed([*problems, *wrong])}
    if settings is None or unique:
        raise Invalid("the daemon's configuration cannot be used", sorted_problems(unique.values()))
    return settings


def load_data_directory(config: Path | None, environ: Mapping[str, str], overrides: Mapping[str, object]) -> Path:
    """The data directory alone, for commands that need no repository; otherwise as `load_settings`."""
    try:
        return load_settings(config, environ, overrides).data
    except Invalid as invalid:
        if any(problem.code is not Code.MISSING_KEY for problem in invalid.problems):
            raise
    return load_settings(config, environ, {**overrides, "repository": "."}).data


def _known(section: type[_Section], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, field in section.model_fields.items():
        yield prefix + name, field
        if isinstance(field.annotation, type) and issubclass(field.annotation, _Section):
            yield from _known(field.annotation, f"{prefix}{name}.")


_FIELDS = dict(_known(Settings))


def _missing_repository(config: Path | None) -> Problem:
    return Problem(
        place=Place(str(config or "pointsman.toml")),
        code=Code.MISSING_KEY,
        says=f"repository is missing{f' in {config.name}' if config else ''}: there is nothing to serve",
        hint=f"give its path or URL to the command, in {PREFIX}REPOSITORY, or as repository in the file",
    )


def _refused(given: Mapping[str, Given]) -> dict[str, Problem]:
    """The values with a sentence of their own that refuses them: a later version's, and URLs, which are not shown."""
    refused: dict[str, Problem] = {}
    engine, repository = given.get("engine.kind"), given.get("repository")
    if engine is not None and engine.value == "temporal":
        says = f'{engine.called} is "temporal", which is not supported in this version'
        hint = 'leave it out, or say "local"'
        refused["engine.kind"] = Problem(place=engine.place, code=Code.UNSUPPORTED, says=says, hint=hint)
    if repository is not None and isinstance(repository.value, str) and is_url(repository.value):
        try:
            remote_from(repository.value)
        except Invalid as error:
            says = f"{repository.called}: {error.says}"
            refused["repository"] = Problem(place=repository.place, code=Code.WRONG_VALUE, says=says, hint=error.hint)
    return refused


def _value(key: str, given: Given, home: Path) -> object:
    if key != "repository":
        return given.read_as(_FIELDS[key].annotation, home=home)
    if isinstance(given.value, str) and is_url(given.value):
        return remote_from(given.value)
    return given.read_as(Path, home=home)


def _judged(given: Mapping[str, Given], environ: Mapping[str, str]) -> tuple[Settings | None, list[Problem]]:
    """The settings with everything that was not given at its default, or what is wrong with the values."""
    # A repository that was not given is reported elsewhere; here it must not hide what else is wrong.
    home = Path(environ.get("HOME") or Path.home()).absolute()
    values = {"repository": Path(), "data": _default_data(environ, home), "operator": _login_name(environ)}
    values.update({key: _value(key, one, home) for key, one in given.items()})
    nested: dict[str, object] = {key: value for key, value in values.items() if "." not in key}
    for key, value in values.items():
        section, _, name = key.partition(".")
        inside = nested.setdefault(section, {}) if name else None
        if isinstance(inside, dict):
            inside[name] = value
    try:
        return Settings.model_validate(nested), []
    except ValidationError as error:
        found = [".".join(str(part) for part in detail["loc"][:2]) for detail in error.errors()]
        keys = dict.fromkeys(key if key in given else key.partition(".")[0] for key in found)
        return None, [_wrong_value(key, given[key]) for key in keys]


def _wrong_value(key: str, given: Given) -> Problem:
    says = f"{given.called} is {given.shown}; expected {_FIELDS[key].description}"
    return Problem(place=given.place, code=Code.WRONG_VALUE, says=says)


def _default_data(environ: Mapping[str, str], home: Path) -> Path:
    state = environ.get("XDG_STATE_HOME", "")
    # The XDG specification has relative paths ignored.
    return (Path(state) if state.startswith("/") else home / ".local" / "state") / "pointsman"


def _login_name(environ: Mapping[str, str]) -> str:
    """Who started the daemon, as far as that can be a user name."""
    try:
        entry = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        entry = ""  # usual in containers
    names = (environ.get("LOGNAME", ""), environ.get("USER", ""), entry)
    return next((name for name in names if is_user_name(name)), "operator")
