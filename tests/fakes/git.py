"""Git repositories for tests: made fast through pygit2, and driven by the real git where that is the point."""

import os
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Self

import pygit2
from pygit2.enums import FileMode, ObjectType, ResetMode

NAME = "Ada Lovelace"
EMAIL = "ada@example.com"
FIRST_TIME = 1_700_000_000

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": NAME,
    "GIT_AUTHOR_EMAIL": EMAIL,
    "GIT_COMMITTER_NAME": NAME,
    "GIT_COMMITTER_EMAIL": EMAIL,
    "LC_ALL": "C.UTF-8",
}

Files = Mapping[str, str | bytes | None]


class Repository:
    """A repository in `path`. Every commit and tag it makes is a minute after the one before, so ids are the same
    in every test run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.opened = pygit2.Repository(str(path))
        self._time = FIRST_TIME

    @classmethod
    def create(cls, folder: Path, *, bare: bool = False) -> Self:
        """A new, empty repository whose first branch will be `main`."""
        pygit2.init_repository(str(folder), bare=bare, initial_head="main")
        return cls(folder)

    @classmethod
    def clone(cls, of: Self, folder: Path) -> Self:
        """A working clone of another, with it as `origin`."""
        of.git("clone", "--quiet", str(of.path), str(folder))
        return cls(folder)

    def commit(
        self,
        files: Files,
        message: str = "Change",
        branch: str = "main",
        executable: Collection[str] = (),
    ) -> str:
        """The id of a commit that lays files over the branch's tree; None deletes one.

        The working folder follows if it shows this branch.
        """
        name = f"refs/heads/{branch}"
        parent = self.opened.references.get(name)
        parents = [parent.target] if parent else []
        index = pygit2.Index()
        if parent:
            index.read_tree(parent.peel(pygit2.Commit).tree)
        for path, data in files.items():
            if data is None:
                index.remove(path)
                continue
            blob = self.opened.create_blob(data.encode() if isinstance(data, str) else data)
            mode = FileMode.BLOB_EXECUTABLE if path in executable else FileMode.BLOB
            index.add(pygit2.IndexEntry(path, blob, mode))
        who = self._signature()
        commit = self.opened.create_commit(None, who, who, message, index.write_tree(self.opened), parents)
        self.opened.references.create(name, commit, force=True)
        if not self.opened.is_bare and self.opened.references["HEAD"].target == name:
            self.opened.reset(commit, ResetMode.HARD)
        return str(commit)

    def tag(self, name: str, commit: str | None = None, annotated: bool = True) -> str:  # noqa: FBT001, FBT002 -- a builder for tests
        """The id of the object that the new tag names; without `commit` it is on the head of `main`."""
        on = commit or self.head()
        if annotated:
            return str(self.opened.create_tag(name, on, ObjectType.COMMIT, self._signature(), f"Release {name}\n"))
        self.opened.references.create(f"refs/tags/{name}", on)
        return on

    def delete_tag(self, name: str) -> None:
        """The tag is gone."""
        self.opened.references.delete(f"refs/tags/{name}")

    def head(self, branch: str = "main") -> str:
        """The commit id of a branch."""
        return str(self.opened.references[f"refs/heads/{branch}"].target)

    def write(self, kind: ObjectType, data: bytes) -> str:
        """The id of an object with exactly this content, however wrong it is."""
        return str(self.opened.odb.write(kind, data))

    def write_blob(self, data: bytes = b"x: 1\n") -> str:
        """The id of a file's content."""
        return self.write(ObjectType.BLOB, data)

    def write_tree(self, *entries: tuple[str, bytes, str]) -> str:
        """The id of a tree of (mode, name, object id), unsorted and unchecked."""
        content = b"".join(mode.encode() + b" " + name + b"\0" + bytes.fromhex(of) for mode, name, of in entries)
        return self.write(ObjectType.TREE, content)

    def commit_tree(self, tree: str, branch: str = "main") -> str:
        """The id of a commit of any tree, which the branch then names."""
        who = f"{NAME} <{EMAIL}> {FIRST_TIME} +0000"
        text = f"tree {tree}\nauthor {who}\ncommitter {who}\n\nOdd\n"
        commit = self.write(ObjectType.COMMIT, text.encode())
        self.write_ref(f"refs/heads/{branch}", commit)
        return commit

    def commit_project(self, *entries: tuple[str, bytes, str]) -> str:
        """The id of a commit on `main` whose `projects/p` has exactly these entries, unchecked."""
        projects = self.write_tree(("40000", b"p", self.write_tree(*entries)))
        return self.commit_tree(self.write_tree(("40000", b"projects", projects)))

    def write_ref(self, name: str, text: str) -> None:
        """A loose ref file with this content, unchecked."""
        path = Path(self.opened.path) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")

    def git(self, *arguments: str, check: bool = True, stdin: bytes | None = None, **environment: str) -> str:
        """What git prints, run in this repository without anybody's configuration."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env={**ENVIRONMENT, **environment},
            input=stdin,
            capture_output=True,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"git {' '.join(arguments)}: {done.stderr.decode('utf-8', 'replace')}")
        return done.stdout.decode("utf-8", "replace").strip()

    def _signature(self) -> pygit2.Signature:
        self._time += 60
        return pygit2.Signature(NAME, EMAIL, self._time, 0)
