"""The kinds of single values that people may write, as pydantic fields. Read by `load` and `editor`."""

from typing import Annotated, ClassVar, Literal, TypeAlias

from packaging.version import InvalidVersion, Version
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, StringConstraints
from pydantic_core import PydanticCustomError

from pointsman.load.times import cron_trouble, epoch_seconds, kind_of_any, seconds_of, timezone_trouble
from pointsman.load.wording import shown
from pointsman.model.problem import Code

LONGEST_VERSION = 100


def refusal(code: Code, says: str, *, hint: str = "") -> PydanticCustomError:
    """What a validator raises: `says` follows the name of the key, as in `timeout must be …`."""
    return PydanticCustomError(code.value, "{says}", {"says": says, "hint": hint})


def _duration(value: object) -> int:
    try:
        return seconds_of(value)
    except ValueError as error:
        raise refusal(Code.BAD_TIME, str(error)) from None


def _some_duration(value: object) -> int:
    seconds = _duration(value)
    if seconds < 1:
        raise refusal(Code.BAD_TIME, "must be at least 1s")
    return seconds


def _moment(value: object) -> float:
    if not isinstance(value, str):
        found = kind_of_any(value)
        raise refusal(Code.BAD_TIME, f"must be a date and time such as 2026-06-04T22:00:00+10:00, and this is {found}")
    try:
        return epoch_seconds(value)
    except ValueError as error:
        hint = "add the offset from UTC: Z, or +10:00" if "offset" in str(error) else ""
        raise refusal(Code.BAD_TIME, str(error), hint=hint) from None


def _cron(value: str) -> str:
    if trouble := cron_trouble(value):
        raise refusal(Code.BAD_TIME, trouble)
    return value


def _timezone(value: str) -> str:
    if trouble := timezone_trouble(value):
        raise refusal(Code.BAD_TIME, trouble, hint="write a name such as Europe/Berlin, or UTC")
    return value


def _person(value: object) -> str:
    """A name of a user or group: never a variable, so that nobody can choose their own approvers (R9)."""
    if not isinstance(value, str):
        hint = "put the name in quotes" if isinstance(value, int | float) else "write a name, or remove it"
        raise refusal(Code.BAD_APPROVERS, f"must be a name, and this is {kind_of_any(value)}", hint=hint)
    if not value.strip():
        raise refusal(Code.BAD_APPROVERS, "is an empty name")
    if "{{" in value:
        raise refusal(Code.BAD_APPROVERS, "takes no variables", hint="write the name itself")
    return value.strip()


def _label(value: str) -> str:
    if "{{" in value or any(letter.isspace() or letter == "." for letter in value):
        raise refusal(Code.BAD_NAME, "takes no space, dot or variable")
    return value


def _version(value: object) -> str:
    """A version as it was written, or a variable that will say which (R22)."""
    hint = "write a version such as 1, 1.2.0 or 2.0.0rc1; without version, the latest is called"
    if not isinstance(value, str):
        raise refusal(Code.BAD_VERSION, f"must name a version, and this is {kind_of_any(value)}", hint=hint)
    if "{{" not in value and not _can_be_published(value):
        raise refusal(Code.BAD_VERSION, f"is {shown(value)}, which is no version", hint=hint)
    return value


def _can_be_published(text: str) -> bool:
    """Whether a tag can give this version: PEP 440 takes `1+x` as well, which would order by what follows the `+`."""
    try:
        return text.isascii() and len(text) <= LONGEST_VERSION and Version(text).local is None
    except InvalidVersion:
        return False


Word: TypeAlias = Annotated[str, StringConstraints(pattern=r"\S")]
Cron: TypeAlias = Annotated[Word, AfterValidator(_cron)]
Timezone: TypeAlias = Annotated[Word, AfterValidator(_timezone)]
Label: TypeAlias = Annotated[Word, AfterValidator(_label)]
Person: TypeAlias = Annotated[str, PlainValidator(_person)]
Duration: TypeAlias = Annotated[int, PlainValidator(_duration)]
SomeDuration: TypeAlias = Annotated[int, PlainValidator(_some_duration)]
Moment: TypeAlias = Annotated[float, PlainValidator(_moment)]
VersionWord: TypeAlias = Annotated[str, PlainValidator(_version)]
Count: TypeAlias = Annotated[int, Field(ge=1)]
RunAsWord: TypeAlias = Literal["sequential", "parallel"]


class Document(BaseModel):
    """Keys that are not named here are errors; nothing is converted. `texts` are the keys read as source text."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)

    texts: ClassVar[frozenset[str]] = frozenset()


class ApproversDocument(Document):
    """`requires_approval_from`, and the verbs of a policy."""

    user_names: Annotated[list[Person], Field(min_length=1)] = Field(default_factory=list)
    ldap_groups: Annotated[list[Person], Field(min_length=1)] = Field(default_factory=list)
