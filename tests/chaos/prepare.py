"""`python -m tests.chaos.prepare`: what every chaos scenario begins with, made by the product's own commands.

An up-to-date database, a person who administers everything, their token (the last line of standard output), and the
project `p1` of the company `c1`. One process does it all, as starting one costs more than the work.
"""

from __future__ import annotations

import contextlib
import io
import sys

from webapp import create_app
from webapp.cli import commands

EMAIL = "ada@example.com"
PASSWORD = "correct horse battery staple"


def printed(*arguments: str) -> str:
    """What a command prints."""
    with contextlib.redirect_stdout(io.StringIO()) as output:
        commands.main(list(arguments), prog_name="webapp", standalone_mode=False)
    return output.getvalue().strip()


def main() -> None:
    """Prepare the installation of the current folder and the environment's settings."""
    printed("db", "upgrade")
    printed("user", "create", "--email", EMAIL, "--password", PASSWORD, "--admin")
    token = printed("token", "create", "--user", EMAIL)
    client = create_app().test_client()
    bearer = {"Authorization": f"Bearer {token}"}
    for path, body in (
        ("companies/c1", {"name": "Analytical Engines"}),
        ("projects/p1", {"name": "Orders", "companyId": "c1"}),
    ):
        answer = client.put(f"/api/v1/{path}", json=body, headers=bearer)
        if answer.status_code >= 300:
            sys.exit(f"{path}: {answer.status_code} {answer.text}")
    print(token)


if __name__ == "__main__":
    main()
