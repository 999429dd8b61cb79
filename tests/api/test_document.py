"""The OpenAPI document describes every call, and is what it says it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from tests.conftest import Browser

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def document(client: Browser) -> Any:
    answer = client.get("/api/v1/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert "Set-Cookie" not in answer.headers
    return answer.json


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, item in document["paths"].items():
        for method in METHODS & set(item):
            yield method, path, item[method]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        for below in value.values():
            yield from references(below)
    elif isinstance(value, list):
        for below in value:
            yield from references(below)


def test_every_call_is_described(app: Flask, document: Any) -> None:
    described = {(method, path) for method, path, _ in operations(document)}
    routed = {
        (method.lower(), re.sub(r"<(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/") and rule.endpoint != "api_document.show"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == routed


def test_every_call_has_a_name_a_sentence_and_an_example(document: Any) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    for method, path, operation in operations(document):
        assert operation["summary"].endswith("."), path
        assert operation["responses"]["default"] == {"$ref": "#/components/responses/Problem"}
        bodies = [body["content"]["application/json"] for body in [operation.get("requestBody")] if body]
        answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        assert len(answers) == 1, (method, path)
        bodies += [answer["content"]["application/json"] for answer in answers if "content" in answer]
        for body in bodies:
            assert "schema" in body
            assert "example" in body or path in {"/api/v1/event-types"}, (method, path)


def test_path_parameters_are_declared(document: Any) -> None:
    for path, item in document["paths"].items():
        declared = {each["name"] for each in item.get("parameters", []) if each["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path))


def test_every_reference_leads_somewhere(document: Any) -> None:
    seen = set(references(document))
    assert len(seen) > 10
    for reference in seen:
        place = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_errors_are_problem_documents_and_the_door_is_a_bearer_token(document: Any) -> None:
    assert document["openapi"] == "3.1.0"
    assert document["security"] == [{"token": []}]
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    problem = document["components"]["responses"]["Problem"]["content"]
    assert list(problem) == ["application/problem+json"]
    assert set(document["components"]["schemas"]["Problem"]["properties"]) == {
        "type", "title", "status", "detail", "errors", "requestId",
    }  # fmt: skip


def test_names_are_camel_case(document: Any) -> None:
    for schema in document["components"]["schemas"].values():
        assert all(re.fullmatch(r"[a-z]+([A-Z0-9][a-z0-9]*)*", name) for name in schema["properties"])
