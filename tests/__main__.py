"""`python -m tests`: all checks in one command, the quick ones first. Further arguments go to pytest."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAX_PROCESSES = 4
CHECKS = (
    ("ruff", "format", "--check", "--quiet", "."),
    ("ruff", "check", "--quiet", "."),
    ("mypy",),
    ("lint-imports",),
    ("djlint", "templates", "--lint", "--quiet"),  # not its formatter, which tears calls of macros apart
)


def main() -> int:
    """Run every check, also after one has failed; 1 when any did."""
    scripts = Path(sysconfig.get_path("scripts"))
    failed = []
    for program, *arguments in CHECKS:
        print(f"== {program} {' '.join(arguments)}", flush=True)
        if subprocess.run([scripts / program, *arguments], cwd=ROOT, check=False).returncode != 0:
            failed.append(program)
    print("== pytest", flush=True)
    processes = min(os.cpu_count() or 1, MAX_PROCESSES)
    pytest = [sys.executable, "-m", "pytest", "-q", f"-n{processes}", "--dist=worksteal", *sys.argv[1:]]
    if subprocess.run(pytest, cwd=ROOT, check=False).returncode != 0:
        failed.append("pytest")
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
