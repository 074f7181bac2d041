"""How states are said and shown: their words, signs and colours, a tab's title and its icon. Pure."""

from urllib.parse import quote

from pointsman.model.run import StepState

WORDS = {state.value: state.value.capitalize() for state in StepState}

SIGNS = {
    "pending": "○",
    "queued": "◌",
    "running": "▶",
    "waiting": "❚❚",
    "succeeded": "✓",
    "failed": "✕",
    "lost": "?",
    "rejected": "✕",
    "cancelled": "■",
    "aborted": "⊘",
    "skipped": "»",
}

# the icon stands on the browser's own ground, light or dark: colours in between
_COLOURS = {
    "pending": "#7b858f",
    "queued": "#7b858f",
    "running": "#2f81f7",
    "waiting": "#c98a10",
    "succeeded": "#2da160",
    "failed": "#dc3f45",
    "lost": "#a05bd0",
    "rejected": "#dc3f45",
    "cancelled": "#7b858f",
    "aborted": "#7b858f",
    "skipped": "#7b858f",
}
_TRACK = "M8 30V2M8 20C8 11 24 14 24 2"


def word(state: str, *, mine: bool = False) -> str:
    """What a state is called on its own; `mine` if it waits for the person who looks."""
    return "Waiting for you" if mine and state == "waiting" else WORDS[state]


def tab_title(state: str, subject: str, *, mine: bool = False) -> str:
    """A tab's title with the state first, such as `❚❚ Waiting for you · Rollout pipeline #12`."""
    return f"{SIGNS[state]} {word(state, mine=mine)} · {subject}"


def icon(state: str = "") -> str:
    """The tab's icon as a data address: two tracks that join, and a light in the colour of the state."""
    light = f"<circle cx='22' cy='22' r='9' fill='{_COLOURS[state]}'/>" if state in _COLOURS else ""
    drawing = (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'>"
        f"<path d='{_TRACK}' fill='none' stroke='#3b8ea5' stroke-width='5' stroke-linecap='round'/>{light}</svg>"
    )
    return "data:image/svg+xml," + quote(drawing, safe=" ='/:")
