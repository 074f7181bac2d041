"""Request bodies: strict JSON into pydantic models, and query parameters within their limits."""

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request

from pointsman.model.problem import Code, Invalid, Place, Problem
from pointsman.model.values import JsonObject

B = TypeVar("B", bound=BaseModel)
LONGEST_MESSAGE = 2000
DEEPEST = 64
MOST_ITEMS = 200


class BadRequestError(Exception):
    """What was sent cannot be read at all."""

    def __init__(self, says: str, *, status: int = 400) -> None:
        super().__init__(says)
        self.says, self.status = says, status


class Body(BaseModel):
    """A request body: nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RunBody(Body):
    """`POST runs`. `set` holds texts by dotted names, as `--set` does: each becomes the value that its input takes."""

    workflow: str = Field(max_length=300)
    version: str | int | None = None  # a number such as 1.10 would already have lost its last digit
    properties: dict[str, Any] = Field(default_factory=dict)
    set: dict[str, str] = Field(default_factory=dict)
    metadata: dict[str, Any] = Field(default_factory=dict)
    skip_steps: list[str] = Field(default_factory=list, max_length=200)


class PlanBody(Body):
    """`POST plan`: a published version, a draft at a ref, or a source. `set` is as in `RunBody`."""

    workflow: str | None = Field(default=None, max_length=300)
    version: str | int | None = None  # a number such as 1.10 would already have lost its last digit
    ref: str | None = Field(default=None, max_length=300)
    project: str | None = Field(default=None, max_length=100)
    source: str | None = None
    properties: dict[str, Any] = Field(default_factory=dict)
    set: dict[str, str] = Field(default_factory=dict)


class ValidateBody(Body):
    """`POST validate`: a source in a project, or a ref."""

    project: str | None = Field(default=None, max_length=100)
    workflow: str | None = Field(default=None, max_length=300)
    source: str | None = None
    ref: str | None = Field(default=None, max_length=300)


class DecisionBody(Body):
    """`POST gates/{id}/decision`."""

    decision: Literal["continue", "approve", "reject"]
    message: str = Field(default="", max_length=LONGEST_MESSAGE)
    digest: str | None = None
    opening: int | None = None


class CancelBody(Body):
    """`POST runs/{id}/cancel`."""

    message: str = Field(default="", max_length=LONGEST_MESSAGE)


class TokenBody(Body):
    """`POST tokens`; `expires_in` is in seconds."""

    user: str = Field(max_length=200)
    password: str = Field(max_length=2000)
    expires_in: int | None = Field(default=None, ge=60, le=366 * 86400)


async def body_of(request: Request, model: type[B], *, required: bool = True) -> B:
    """The body as this model; `BadRequestError` or `Invalid` say what is wrong with it."""
    data = await request.body()
    if not data and not required:
        return model()
    content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if content_type != "application/json":
        raise BadRequestError("send the body with Content-Type: application/json", status=415)
    try:
        return model.model_validate(_json(data))
    except ValidationError as error:
        problems = [
            Problem(
                place=Place("body"),
                code=Code.WRONG_VALUE,
                says=f"{'.'.join(str(part) for part in found['loc']) or 'body'}: {found['msg']}",
            )
            for found in error.errors()
        ]
        raise Invalid("the body does not have the right shape", problems) from None


def _json(data: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        value = json.loads(
            data.decode("utf-8"), parse_float=_finite, parse_constant=_no_constant, object_pairs_hook=_no_duplicates
        )
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # half a surrogate pair can be stored nowhere
    except (ValueError, RecursionError) as error:
        says = "it is nested too deep" if isinstance(error, RecursionError) else str(error)[:200]
        raise BadRequestError(f"the body is no JSON: {says}") from None
    if _depth(value) > DEEPEST:
        raise BadRequestError(f"the body is nested deeper than {DEEPEST} levels")
    return value


def _depth(value: object) -> int:
    level, depth = [value], 0
    while level:
        depth += 1
        nested = [item for item in level if isinstance(item, dict | list)]
        level = [item for found in nested for item in (found.values() if isinstance(found, dict) else found)]
    return depth


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is too large for a number")
    return number


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _no_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key occurs twice in an object")
    return result


def version_text(version: str | int | None) -> str | None:
    """A version as text."""
    return None if version is None else str(version)


def limit_of(request: Request) -> int:
    """`?limit=`: 50 unless told, at most 200."""
    text = request.query_params.get("limit", "50")
    if not (text.isascii() and text.isdigit()) or int(text[:9]) < 1:
        raise BadRequestError("limit is a whole number from 1 to 200")
    return min(int(text[:9]), MOST_ITEMS)


def cursor_of(request: Request) -> int | None:
    """`?cursor=` as this API gave it."""
    text = request.query_params.get("cursor")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise BadRequestError("this cursor is none of ours")
    return int(text)


def since_of(request: Request) -> float | None:
    """`?since=`: RFC 3339; without an offset it is UTC."""
    text = request.query_params.get("since")
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequestError("since is a time such as 2026-06-04T12:00:00Z") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def number_of(request: Request, name: str) -> int | None:
    """A whole number from the query; None if it is not given."""
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 12:
        raise BadRequestError(f"{name} is a whole number")
    return int(text)


def metadata_filter(request: Request) -> JsonObject | None:
    """`?metadata=key=value`, repeatable."""
    given = request.query_params.getlist("metadata")
    if not given:
        return None
    pairs = [entry.partition("=") for entry in given]
    if not all(equals for _, equals, _ in pairs):
        raise BadRequestError("metadata is key=value")
    return {key: value for key, _, value in pairs}
