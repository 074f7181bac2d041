"""The kinds of single values that people may write, as pydantic fields. Private to `load`."""

from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, StringConstraints
from pydantic_core import PydanticCustomError

from pointsman.load.times import cron_trouble, epoch_seconds, kind_of_any, seconds_of, timezone_trouble
from pointsman.model.problem import Code


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
        raise refusal(Code.BAD_APPROVERS, "must be a name", hint="put the name in quotes")
    if not value.strip():
        raise refusal(Code.BAD_APPROVERS, "is an empty name")
    if "{{" in value:
        raise refusal(Code.BAD_APPROVERS, "takes no variables", hint="write the name itself")
    return value.strip()


def _label(value: str) -> str:
    if "{{" in value or any(letter.isspace() or letter == "." for letter in value):
        raise refusal(Code.BAD_NAME, "takes no space, dot or variable")
    return value


Word: TypeAlias = Annotated[str, StringConstraints(pattern=r"\S")]
Cron: TypeAlias = Annotated[Word, AfterValidator(_cron)]
Timezone: TypeAlias = Annotated[Word, AfterValidator(_timezone)]
Label: TypeAlias = Annotated[Word, AfterValidator(_label)]
Person: TypeAlias = Annotated[str, PlainValidator(_person)]
Duration: TypeAlias = Annotated[int, PlainValidator(_duration)]
SomeDuration: TypeAlias = Annotated[int, PlainValidator(_some_duration)]
Moment: TypeAlias = Annotated[float, PlainValidator(_moment)]
Count: TypeAlias = Annotated[int, Field(ge=1)]
RunAsWord: TypeAlias = Literal["sequential", "parallel"]


class Document(BaseModel):
    """Keys that are not named here are errors; nothing is converted. `texts` are the keys read as source text."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    texts: ClassVar[frozenset[str]] = frozenset()


class ApproversDocument(Document):
    """`requires_approval_from`, and the verbs of a policy."""

    user_names: Annotated[list[Person], Field(min_length=1)] = Field(default_factory=list)
    ldap_groups: Annotated[list[Person], Field(min_length=1)] = Field(default_factory=list)
