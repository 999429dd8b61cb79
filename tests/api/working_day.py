"""A small team's work over REST that publishes every event type at least once, and what each call should tell."""

from __future__ import annotations

from typing import Any

from tests.api.conftest import Program
from tests.told import Told

START, DUE, LATER = "2026-05-04T08:00:00.000Z", "2026-05-08T16:00:00.000Z", "2026-05-11T16:00:00.000Z"


class WorkingDay:
    """`work()` does it all in one project as `by`; `told` is what the calls should publish, in that order."""

    def __init__(self, by: Program, project_id: str, colleague_id: str) -> None:
        self.told: list[Told] = []
        self._by, self._project_id, self._colleague_id = by, project_id, colleague_id

    def work(self) -> None:
        """Lists, tags and fields; a record with all that hangs on it; then everything goes."""
        project = f"/projects/{self._project_id}"
        first, second = self._lists(project)
        tag, custom_field = self._tag(project), self._field(project)
        record = self._record(first)
        self._people_tags_and_values(record, tag, custom_field)
        self._checklist(record)
        self._comment(record)
        body = {"listId": second.removeprefix("/lists/")}
        ids = tuple(path.removeprefix("/lists/") for path in (first, second))
        self._call("POST", f"{record}/moves", body, "TODO_MOVED", todoListId=ids)
        for path, code in (
            (record, "TODO_DELETED"),
            (tag, "TAG_DELETED"),
            (custom_field, "CUSTOM_FIELD_DELETED"),
            (first, "TODO_LIST_DELETED"),
        ):
            self._call("DELETE", path, None, code)

    def _lists(self, project: str) -> tuple[str, str]:
        first = self._make(f"{project}/lists", "/lists", {"title": "To do"}, "TODO_LIST_CREATED")
        self._call("PATCH", first, {"title": "Open"}, "TODO_LIST_NAME_CHANGED", title=("To do", "Open"))
        return first, self._make(f"{project}/lists", "/lists", {"title": "Doing"}, "TODO_LIST_CREATED")

    def _tag(self, project: str) -> str:
        tag = self._make(f"{project}/tags", "/tags", {"title": "Important", "color": "#00a0d2"}, "TAG_CREATED")
        changes = {"title": ("Important", "Urgent"), "color": ("#00a0d2", "#ff8800")}
        self._call("PATCH", tag, {key: after for key, (_, after) in changes.items()}, "TAG_UPDATED", **changes)
        return tag

    def _field(self, project: str) -> str:
        body = {"name": "Medium", "kind": "TEXT_SINGLE"}
        made = self._make(f"{project}/custom-fields", "/custom-fields", body, "CUSTOM_FIELD_CREATED")
        self._call("PATCH", made, {"name": "Channel"}, "CUSTOM_FIELD_UPDATED", name=("Medium", "Channel"))
        return made

    def _record(self, list_: str) -> str:
        record = self._make(f"{list_}/records", "/records", {"title": "Welcome page"}, "TODO_CREATED")
        title = ("Welcome page", "Write the welcome page – “Größe” & more")
        self._call("PATCH", record, {"title": title[1]}, "TODO_NAME_CHANGED", title=title)
        self._call("PATCH", record, {"duedAt": DUE}, "TODO_DUE_DATE_ADDED", duedAt=(None, DUE))
        dates = {"startedAt": (None, START), "duedAt": (DUE, LATER)}
        self._call("PATCH", record, {"startedAt": START, "duedAt": LATER}, "TODO_DUE_DATE_UPDATED", **dates)
        dates = {"startedAt": (START, None), "duedAt": (LATER, None)}
        self._call("PATCH", record, {"startedAt": None, "duedAt": None}, "TODO_DUE_DATE_REMOVED", **dates)
        self._call("PATCH", record, {"done": True}, "TODO_DONE_STATUS_UPDATED", done=(False, True))
        return record

    def _people_tags_and_values(self, record: str, tag: str, custom_field: str) -> None:
        tag_id, field_id = tag.removeprefix("/tags/"), custom_field.removeprefix("/custom-fields/")
        self._assign(f"{record}/assignees", "TODO_ASSIGNEE", "todoUsers.userId")
        tagged = {"todoTags.tagId": ([], [tag_id])}
        self._call("PUT", f"{record}/tags", {"tagIds": [tag_id]}, "TODO_TAG_ADDED", **tagged)
        untagged = {"todoTags.tagId": ([tag_id], [])}
        self._call("PUT", f"{record}/tags", {"tagIds": []}, "TODO_TAG_REMOVED", **untagged)
        valued = {"todoCustomFields.text": ([], ["Newsletter"])}
        path = f"{record}/field-values/{field_id}"
        self._call("PUT", path, {"value": "Newsletter"}, "TODO_CUSTOM_FIELD_UPDATED", **valued)

    def _checklist(self, record: str) -> None:
        path, kind = f"{record}/checklists", "TODO_CHECKLIST"
        checklist = self._make(path, "/checklists", {"title": "Before"}, f"{kind}_CREATED")
        body = {"title": "Before launch"}
        self._call("PATCH", checklist, body, f"{kind}_NAME_CHANGED", title=("Before", "Before launch"))
        item = self._make(f"{checklist}/items", "/checklist-items", {"title": "Links"}, f"{kind}_ITEM_CREATED")
        kind += "_ITEM"
        self._call("PATCH", item, {"title": "All links"}, f"{kind}_NAME_CHANGED", title=("Links", "All links"))
        self._call("PATCH", item, {"duedAt": DUE}, f"{kind}_DUE_DATE_ADDED", duedAt=(None, DUE))
        self._call("PATCH", item, {"duedAt": LATER}, f"{kind}_DUE_DATE_UPDATED", duedAt=(DUE, LATER))
        self._call("PATCH", item, {"duedAt": None}, f"{kind}_DUE_DATE_REMOVED", duedAt=(LATER, None))
        self._assign(f"{item}/assignees", f"{kind}_ASSIGNEE", "checklistItemUsers.userId")
        self._call("PATCH", item, {"done": True}, f"{kind}_DONE_STATUS_UPDATED", done=(False, True))
        self._call("DELETE", item, None, f"{kind}_DELETED")
        self._call("DELETE", checklist, None, "TODO_CHECKLIST_DELETED")

    def _comment(self, record: str) -> None:
        comment = self._make(f"{record}/comments", "/comments", {"text": "Looks good"}, "COMMENT_CREATED")
        self._call("PATCH", comment, {"text": "1 < 2"}, "COMMENT_UPDATED", text=("Looks good", "1 < 2"))
        self._call("DELETE", comment, None, "COMMENT_DELETED")

    def _assign(self, path: str, kind: str, key: str) -> None:
        who = [self._colleague_id]
        self._call("PUT", path, {"assigneeIds": who}, f"{kind}_ADDED", **{key: ([], who)})
        self._call("PUT", path, {"assigneeIds": []}, f"{kind}_REMOVED", **{key: (who, [])})

    def _make(self, path: str, where: str, body: Any, code: str) -> str:
        """The path of what was made."""
        return f"{where}/{self._call('POST', path, body, code).json['id']}"

    def _call(self, method: str, path: str, body: Any, code: str, **changes: tuple[Any, Any]) -> Any:
        answer = self._by(method, path, body)
        assert answer.status_code in (200, 201, 204), (method, path, answer.text)
        self.told.append(Told(code, changes))
        return answer
