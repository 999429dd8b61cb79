"""The table of proofs is true: each claim has tests, each mark a claim, and pytest knows every test that is named."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.proofs import ROOT, claims, proofs
from tests.proofs.__main__ import main, table

NUMBER = re.compile(r"[A-Z]\d{1,3}")


def test_every_claim_is_proven_and_every_proof_has_a_claim() -> None:
    assert sorted(claims().keys() - proofs().keys()) == [], "a claim that no test proves"
    assert sorted(proofs().keys() - claims().keys()) == [], "a mark whose number is not in tests/proofs/claims.toml"


def test_claims_are_numbers_with_a_sentence() -> None:
    assert [number for number in claims() if not NUMBER.fullmatch(number)] == []
    assert [number for number, sentence in claims().items() if len(sentence) < 10 or "|" in sentence] == []


def test_pytest_finds_every_test_that_is_named() -> None:
    """What the source says is what pytest collects, long tests included."""
    files = sorted({proof.test.partition("::")[0] for tests in proofs().values() for proof in tests})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "proves", *files]
    collected = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = {line.partition("[")[0] for line in collected.stdout.splitlines() if "::" in line}
    named = {proof.test for tests in proofs().values() for proof in tests}
    assert found == named, collected.stdout[-2000:]


def test_the_table_names_them_and_an_unknown_number_is_told() -> None:
    shown = table()
    assert [number for number in claims() if f"| {number} |" not in shown] == []
    assert main(["Z999"]) == 2
