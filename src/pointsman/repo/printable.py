"""Bytes and text from Git made fit to be shown: nothing that is not printable gets out, and no surrogate ever."""

import codecs
from functools import lru_cache

LONGEST_LINE = 200

_PLAIN_ENCODINGS = ("utf-8", "ascii", "iso8859", "cp125", "koi8", "euc_", "shift_jis", "gb", "big5")


def printable_name(raw: bytes) -> str:
    """A file's or ref's name as text. What is not printable UTF-8 is escaped, and so is the backslash:
    two names that differ are never shown alike (hostile names must not hide others).
    """
    text = raw.decode("utf-8", "surrogateescape")
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(_escaped(letter, backslash=True) for letter in text)


def printable_line(raw: bytes, encoding: str = "utf-8") -> str:
    """A line that people wrote, such as a subject or a person's name, cut at `LONGEST_LINE` letters.

    Where the encoding is unknown or does not fit, bytes that are no UTF-8 are escaped; it is never an error.
    """
    raw = raw[: LONGEST_LINE * 5]
    try:
        return printable_text(raw.decode(encoding if _is_plain(encoding) else "utf-8"))
    except ValueError:
        return printable_text(raw.decode("utf-8", "surrogateescape"))


@lru_cache(maxsize=64)
def _is_plain(encoding: str) -> bool:
    # a commit names its encoding freely: of Python's codecs only those may run that do nothing but map bytes
    try:
        return codecs.lookup(encoding).name.startswith(_PLAIN_ENCODINGS)
    except (LookupError, ValueError):
        return False


def printable_text(text: str) -> str:
    """Text from outside as one printable line, cut at `LONGEST_LINE` letters."""
    text = text.strip()
    if len(text) > LONGEST_LINE:
        text = text[: LONGEST_LINE - 1] + "…"
    if text.isprintable():
        return text
    return "".join(_escaped(letter, backslash=False) for letter in text)


def _escaped(letter: str, *, backslash: bool) -> str:
    if letter == "\\":
        return "\\\\" if backslash else letter
    if letter.isprintable():
        return letter
    code = ord(letter)
    if 0xDC80 <= code <= 0xDCFF:  # what surrogateescape makes of a byte that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(
            letter, f"\\u{code:04x}" if code > 0x7F else f"\\x{code:02x}"
        )
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
