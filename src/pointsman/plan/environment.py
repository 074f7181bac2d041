"""Which variables of the environment a step may be given. Pure."""

import re

LARGEST_VARIABLE = 64 * 1024

_SHAPE = re.compile(r"[A-Z_][A-Z0-9_]*")
_FORBIDDEN = re.compile(
    r"PATH|BASH_.*|ENV|SHELL|SHELLOPTS|BASHOPTS|IFS|PS4|PROMPT_COMMAND|CDPATH|GLOBIGNORE"
    r"|LD_.*|DYLD_.*|GCONV_PATH|LOCPATH|NLSPATH|MALLOC_.*"
    r"|PYTHON.*|PERL.*|RUBY.*|NODE_.*|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS"
    r"|GIT_.*|SSH_ASKPASS|POINTSMAN_.*"
)


def variable_trouble(name: str, value: str) -> str:
    """Why a step may not be given this variable; empty if it may (R37)."""
    if _SHAPE.fullmatch(name) is None:
        return f"{name!r} cannot name an environment variable: use A-Z, 0-9 and _"
    if _FORBIDDEN.fullmatch(name) is not None:
        return f"{name} may not be set: it changes what runs"
    if "\0" in value:
        return f"the value of {name} holds a NUL byte"
    if len(value.encode("utf-8", "surrogatepass")) > LARGEST_VARIABLE:
        return f"the value of {name} is longer than {LARGEST_VARIABLE // 1024} KiB"
    return ""
