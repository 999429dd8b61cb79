"""The vendored browser libraries are what the manifest says, each with its licence."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[1] / "static"
VENDOR = STATIC / "vendor"
ENTRIES = json.loads((VENDOR / "manifest.json").read_text(encoding="utf-8"))
LICENCES = {"MIT", "0BSD", "ISC"}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: str(entry["file"]))
def test_each_file_has_the_checksum_of_the_manifest(entry: dict[str, str]) -> None:
    digest = hashlib.sha384((STATIC / entry["file"]).read_bytes()).digest()
    assert base64.b64encode(digest).decode() == entry["sha384"]
    assert entry["licence"] in LICENCES


def test_no_vendored_file_is_missing_from_the_manifest() -> None:
    files = {
        path.relative_to(STATIC).as_posix()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "manifest.json" and path.suffix != ".gz"
    }
    assert files == {entry["file"] for entry in ENTRIES if entry["file"].startswith("vendor/")}


def test_each_folder_names_the_version_and_holds_the_licence() -> None:
    for folder in (path for path in VENDOR.iterdir() if path.is_dir()):
        versions = {entry["version"] for entry in ENTRIES if entry["file"].startswith(f"vendor/{folder.name}/")}
        assert versions == {folder.name.rpartition("@")[2]}
        assert (folder / "LICENSE").is_file()


def test_the_compressed_files_hold_the_same_bytes() -> None:
    compressed = list(VENDOR.rglob("*.gz"))
    assert compressed
    for path in compressed:
        assert gzip.decompress(path.read_bytes()) == path.with_suffix("").read_bytes()


def test_every_icon_that_a_template_or_module_names_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text(encoding="utf-8")))
    templates = (STATIC.parent / "templates").rglob("*.html")
    named = {
        name for path in templates for name in re.findall(r'\bicon\("([a-z-]+)"', path.read_text(encoding="utf-8"))
    }
    assert named <= sprite
