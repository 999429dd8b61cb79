"""`python -m tests.proofs` prints which test proves what; with numbers behind it, it runs their tests."""

from __future__ import annotations

import subprocess
import sys

from tests.proofs import ROOT, claims, proofs


def main(arguments: list[str]) -> int:
    """Print the table, or run the tests of these numbers; further arguments (`-x`) go to pytest. 2 = no such number."""
    numbers = [each for each in arguments if not each.startswith("-")]
    if not numbers:
        print(table())
        return 0
    known = proofs()
    unknown = [number for number in numbers if number not in known]
    if unknown:
        print(f"nothing proves {', '.join(unknown)}; `python -m tests.proofs` lists what is proven", file=sys.stderr)
        return 2
    tests = dict.fromkeys(proof.test for number in numbers for proof in known[number])
    options = [each for each in arguments if each.startswith("-")]
    command = [sys.executable, "-m", "pytest", "-m", "", *options, *tests]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def table() -> str:
    """Every claim with the tests that prove it, as Markdown."""
    known = proofs()
    rows = ["| claim | what | proven by | when |", "| --- | --- | --- | --- |"]
    for number, sentence in claims().items():
        found = known.get(number, [])
        tests = "<br>".join(f"`{proof.test}`" for proof in found)
        always, long = (any(proof.is_long is is_long for proof in found) for is_long in (False, True))
        when = " and ".join(word for word, is_meant in (("each change", always), ("on demand", long)) if is_meant)
        rows.append(f"| {number} | {sentence} | {tests} | {when} |")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
