"""Where the files of one attempt are: flat in one folder a run, a new name for every attempt."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class AttemptId:
    """One start of one step: the run's number, the step's place in the plan, and the attempt."""

    run: int
    step: int
    attempt: int

    def __str__(self) -> str:
        return f"{self.run}.{self.step}.{self.attempt}"


@dataclass(frozen=True, slots=True)
class AttemptPaths:
    """The files of an attempt below the data directory.

    `lock` is held by the supervisor while it lives, and never empty once the attempt may have begun. `log` is what the
    action wrote, byte for byte; `times` says when; `exit` is the exit record; `work` is gone when the attempt ended.
    """

    data: Path
    id: AttemptId

    @property
    def folder(self) -> Path:
        """The folder of all attempts of the run."""
        return self.data / "runs" / str(self.id.run)

    def _file(self, suffix: str) -> Path:
        return self.folder / f"{self.id.step}.{self.id.attempt}.{suffix}"

    @property
    def lock(self) -> Path:
        return self._file("lock")

    @property
    def log(self) -> Path:
        return self._file("log")

    @property
    def times(self) -> Path:
        return self._file("times")

    @property
    def exit(self) -> Path:
        return self._file("exit")

    @property
    def work(self) -> Path:
        return self.data / "work" / str(self.id)
