"""A step's log as a download: plain text, whole or from an offset on."""

import re
from collections.abc import Iterator
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from pointsman.web.bodies import number_of

CHUNK = 64 * 1024
_ONE_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")


def log_response(request: Request, path: Path, name: str) -> Response:
    """The log's bytes. One range is honoured; anything else in `Range` gets the whole."""
    size = path.stat().st_size if path.exists() else 0
    offset = number_of(request, "offset") or 0
    start, end, status = min(offset, size), size, 200
    headers = {
        "Content-Disposition": f'inline; filename="{name}"',
        "Accept-Ranges": "bytes",
        "X-Log-Size": str(size),
    }
    match = _ONE_RANGE.fullmatch(request.headers.get("range", ""))
    if match is not None:
        start = int(match[1])
        end = min(size, int(match[2]) + 1) if match[2] else size
        if start >= size or end <= start:
            return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
        status = 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    body = _chunks(path, start, end) if end > start and request.method != "HEAD" else iter(())
    return StreamingResponse(body, status, headers, media_type="text/plain; charset=utf-8")


def _chunks(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        left = end - start
        while left and (data := file.read(min(CHUNK, left))):
            left -= len(data)
            yield data
