"""Forms that people paste a payload into: they may be larger than others."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

# 256 KiB of JSON, of which a form's encoding makes up to three times as much.
MAX_BYTES = 1024 * 1024


def allow(blueprint: Blueprint) -> Blueprint:
    """Let the forms of this blueprint be that large. The size is raised before anything reads the form."""
    blueprint.url_value_preprocessor(_raise_limit)
    return blueprint


def _raise_limit(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    request.max_content_length = MAX_BYTES
    request.max_form_memory_size = MAX_BYTES
