"""The OpenAPI document, made from the table of calls."""

import re
from collections.abc import Iterable
from typing import Any

from pointsman.web.bodies import TokenBody
from pointsman.web.calls import PREFIX, Call

_PARAMETER = re.compile(r"\{(\w+)\}")


def openapi(calls: Iterable[Call], *, version: str) -> dict[str, Any]:
    """OpenAPI 3.1 for these calls."""
    paths: dict[str, Any] = {
        PREFIX + "/tokens": {"post": _operation("A token for a name and a password.", TokenBody, 201)}
    }
    for call in calls:
        operation = _operation(call.says, call.body, call.status)
        operation["parameters"] = [
            *(
                {"name": name, "in": "path", "required": True, "schema": _TEXT}
                for name in _PARAMETER.findall(call.path)
            ),
            *({"name": name, "in": "query", "schema": _TEXT} for name in call.parameters),
        ]
        paths.setdefault(PREFIX + call.path, {})[call.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pointsman", "version": version},
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Problem": {
                    "type": "object",
                    "properties": {
                        "type": _TEXT,
                        "title": _TEXT,
                        "status": {"type": "integer"},
                        "detail": _TEXT,
                        "errors": {"type": "array", "items": {"type": "object"}},
                    },
                }
            },
        },
        "security": [{"token": []}],
    }


_TEXT = {"type": "string"}
_PROBLEM = {
    "description": "Why not.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def _operation(says: str, body: Any, status: int) -> dict[str, Any]:  # noqa: ANN401 - a model class or None
    operation: dict[str, Any] = {
        "summary": says,
        "responses": {str(status): {"description": "Done."}, "default": _PROBLEM},
    }
    if body is not None:
        operation["requestBody"] = {"content": {"application/json": {"schema": body.model_json_schema()}}}
    return operation
