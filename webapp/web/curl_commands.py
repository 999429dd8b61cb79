"""An attempt as a cURL command that can be pasted into a shell: the same bytes, the same headers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MASK = "(set)"
# cURL writes these itself, from the address and the body.
ITS_OWN = frozenset(["host", "content-length"])
# It would add these of its own accord; a header without a value leaves them out.
UNWANTED = ("Accept", "User-Agent", "Content-Type", "Expect")
MAX_ARGUMENT_BYTES = 100_000  # Linux takes 128 KiB
BREAK = " \\\n  "


def command(url: str, headers: Iterable[Sequence[str]], body: bytes) -> str:
    """The command. Values that are not kept stand in it as `YOUR-<NAME>`."""
    sent = [(name, value) for name, value in headers if name.lower() not in ITS_OWN]
    names = {name.lower() for name, _ in sent}
    parts = [f"curl --globoff --path-as-is --request POST {quoted(url)}"]
    parts += [f"--header {quoted(_line(name, value))}" for name, value in sent]
    parts += [f"--header {quoted(f'{name}:')}" for name in UNWANTED if name.lower() not in names]
    text = quoted(body.decode())
    if len(body) <= MAX_ARGUMENT_BYTES:
        return BREAK.join([*parts, f"--data-raw {text}"])
    # `printf` belongs to the shell itself, so its argument may be longer than that of a program.
    return f"printf %s {text} | " + BREAK.join([*parts, "--data-binary @-"])


def quoted(text: str) -> str:
    """A text as one word of a shell, whatever stands in it."""
    return "'" + text.replace("'", "'\\''") + "'"


def _line(name: str, value: str) -> str:
    shown = f"YOUR-{name.upper()}" if value == MASK else value
    return f"{name}: {shown}" if shown else f"{name};"
