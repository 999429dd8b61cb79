"""Forms that people paste a payload into, or send a file with: they may be larger than others."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

# 256 KiB of JSON, of which a form's encoding makes up to three times as much.
MAX_BYTES = 1024 * 1024


def allow(blueprint: Blueprint, most_bytes: int = MAX_BYTES) -> Blueprint:
    """Let the forms of this blueprint be that large. The size is raised before anything reads the form."""

    def raise_limit(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
        request.max_content_length = most_bytes
        request.max_form_memory_size = most_bytes

    blueprint.url_value_preprocessor(raise_limit)
    return blueprint
