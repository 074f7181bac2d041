"""The pre-receive hook of a repository: a small script that Git starts, written here and taken away again."""

import os
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import pygit2

from pointsman.model.problem import Refused, Unavailable
from pointsman.repo.opening import common_folder, open_repository

NAME = "pre-receive"
REFUSED = 7

_MARK = "# pointsman hook install wrote this file"
_SCRIPT = """\
#!/bin/sh
{mark}, and writes it anew; pointsman hook uninstall takes it away.
pushed=$(cat)
printf '%s\\n' "$pushed" | {command}
code=$?
case $code in 0 | {refused}) exit $code ;; esac
# Something is broken. Drafts may pass, for a daemon judges them too; a version may not.
says='the pre-receive hook of Pointsman is broken'
case $pushed in
*\\ refs/tags/v[0-9]* | *\\ refs/tags/*/v[0-9]*)
    echo "error: $says, so no version tag is accepted; tell whoever runs this server" >&2
    exit 1
    ;;
esac
echo "warning: $says, so the branches were not looked at" >&2
exit 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookFile:
    """Where the hook was written or taken away, and whether that changed anything."""

    path: Path
    changed: bool


def install_hook(repository: Path, command: list[str], *, force: bool = False) -> HookFile:
    """Write the hook that starts `command`. Where it is beside a `pre-receive.d` of a Git server, into that.

    `Refused` if another hook is in its place, unless `force`, or if Git would not look there. `NotFound` or `Invalid`
    if there is no repository, `Unavailable` if nothing can be written.
    """
    path = _place(repository)
    before = _text(path)
    if before is not None and _MARK not in before and not force:
        raise Refused(
            f"{path} is there already, and not written by Pointsman",
            hint="replace it with --force; or make a folder pre-receive.d beside it, have it start what is in there "
            "with the same standard input, and install again",
        )
    text = _SCRIPT.format(mark=_MARK, command=" ".join(map(quote, command)), refused=REFUSED)
    if before == text and os.access(path, os.X_OK):
        return HookFile(path=path, changed=False)
    fresh = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(text, "utf-8", "surrogateescape")
        fresh.chmod(0o755)
        fresh.replace(path)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}") from error
    return HookFile(path=path, changed=True)


def uninstall_hook(repository: Path) -> HookFile:
    """Take the hook away, wherever it was written. `Refused` if another one is in its place."""
    path = _place(repository)
    text = _text(path)
    if text is None:
        return HookFile(path=path, changed=False)
    if _MARK not in text:
        raise Refused(f"{path} was not written by Pointsman", hint="remove it yourself if it should go")
    try:
        path.unlink()
    except OSError as error:
        raise Unavailable(f"{path} cannot be removed: {error.strerror}") from error
    return HookFile(path=path, changed=True)


def _place(repository: Path) -> Path:
    opened = open_repository(repository)
    elsewhere = _hooks_path(opened)
    if elsewhere:
        raise Refused(
            f"core.hooksPath of {repository} is {elsewhere}, so Git does not look into its folder hooks",
            hint="take that setting away: git config --unset core.hooksPath",
        )
    hooks = common_folder(opened) / "hooks"
    chained = hooks / f"{NAME}.d"
    own = _text(hooks / NAME)
    if chained.is_dir() and own is not None and _MARK not in own:
        return chained / "pointsman"
    return hooks / NAME


def _hooks_path(repository: pygit2.Repository) -> str:
    try:
        return repository.config["core.hookspath"] or ""
    except KeyError:
        return ""


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}") from error
