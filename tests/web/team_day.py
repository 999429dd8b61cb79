"""A small team's work by the forms of the pages: each is looked for on its page, filled in and sent as it stands."""

from __future__ import annotations

from typing import Any

from tests.conftest import Browser
from tests.page_checker import Page, check_page
from tests.told import Told

DAY, LATER = "2026-05-08", "2026-05-11"
DUE, LATER_DUE = "2026-05-08T23:59:59.000Z", "2026-05-11T23:59:59.000Z"


class TeamDay:
    """`work()` does it all in one project; `told` is what the forms should publish, in that order."""

    def __init__(self, client: Browser, project_id: str, colleague_id: str) -> None:
        self.told: list[Told] = []
        self._client, self._project_id, self._colleague_id = client, project_id, colleague_id
        self._board = f"/projects/{project_id}"

    def work(self) -> None:
        """Lists, a tag, a field; a record with all that hangs on it; then everything goes."""
        first, second = self._lists()
        tag, custom_field = self._tag(), self._field()
        record = self._record(first)
        self._people_tags_and_values(record, tag, custom_field)
        self._checklist(record)
        self._comment(record)
        self._fill(
            record, f"{record}/place", "TODO_MOVED", {"list_id": _id(second)}, todoListId=(_id(first), _id(second))
        )
        self._ask(record, f"{record}/delete", "TODO_DELETED")
        self._ask(f"{self._board}/tags", f"{tag}/delete", "TAG_DELETED")
        self._ask(f"{self._board}/fields", f"{custom_field}/delete", "CUSTOM_FIELD_DELETED")
        self._ask(self._board, f"{first}/delete", "TODO_LIST_DELETED")

    def _lists(self) -> tuple[str, str]:
        form = f"{self._board}/lists"
        first = self._made(self._board, form, "TODO_LIST_CREATED", {"title": "To do"}, "/lists/")
        self._fill(first, first, "TODO_LIST_NAME_CHANGED", {"title": "Open"}, title=("To do", "Open"))
        return first, self._made(self._board, form, "TODO_LIST_CREATED", {"title": "Doing"}, "/lists/")

    def _tag(self) -> str:
        page = f"{self._board}/tags"
        tag = self._made(page, page, "TAG_CREATED", {"title": "Important", "color": "#00a0d2"}, "/tags/")
        changes = {"title": ("Important", "Urgent"), "color": ("#00a0d2", "#ff8800")}
        self._fill(tag, tag, "TAG_UPDATED", {key: after for key, (_, after) in changes.items()}, **changes)
        return tag

    def _field(self) -> str:
        page = f"{self._board}/fields"
        new = f"{page}/new?kind=TEXT_SINGLE"
        made = self._made(new, page, "CUSTOM_FIELD_CREATED", {"name": "Medium"}, "/fields/", seen_on=page)
        self._fill(made, made, "CUSTOM_FIELD_UPDATED", {"name": "Channel"}, name=("Medium", "Channel"))
        return made

    def _record(self, list_: str) -> str:
        form = f"{list_}/records"
        record = self._made(self._board, form, "TODO_CREATED", {"title": "Welcome page"}, "/records/")
        title = ("Welcome page", "Write the welcome page – “Größe” & more")
        self._fill(record, f"{record}/title", "TODO_NAME_CHANGED", {"title": title[1]}, title=title)
        self._dates(record, "TODO_DUE_DATE")
        self._fill(record, f"{record}/completion", "TODO_DONE_STATUS_UPDATED", {}, done=(False, True))
        return record

    def _dates(self, page: str, kind: str) -> None:
        form = f"{page}/dates"
        sent = {"dued_at": DAY, "timezone": "UTC"}
        self._fill(page, form, f"{kind}_ADDED", sent, duedAt=(None, DUE))
        self._fill(page, form, f"{kind}_UPDATED", sent | {"dued_at": LATER}, duedAt=(DUE, LATER_DUE))
        self._fill(page, form, f"{kind}_REMOVED", sent | {"clear": "1"}, duedAt=(LATER_DUE, None))

    def _people_tags_and_values(self, record: str, tag: str, custom_field: str) -> None:
        self._assign(record, "TODO_ASSIGNEE", "todoUsers.userId")
        form, tags = f"{record}/tags", "todoTags.tagId"
        self._fill(record, form, "TODO_TAG_ADDED", {"tag_ids": [_id(tag)]}, **{tags: ([], [_id(tag)])})
        self._fill(record, form, "TODO_TAG_REMOVED", {"tag_ids": []}, **{tags: ([_id(tag)], [])})
        form = f"{record}/values/{_id(custom_field)}"
        valued = {"todoCustomFields.text": ([], ["Newsletter"])}
        self._fill(record, form, "TODO_CUSTOM_FIELD_UPDATED", {"value": "Newsletter"}, **valued)

    def _checklist(self, record: str) -> None:
        kind, form = "TODO_CHECKLIST", f"{record}/checklists"
        checklist = self._made(record, form, f"{kind}_CREATED", {"title": "Before"}, "/checklists/")
        title = ("Before", "Before launch")
        self._fill(checklist, checklist, f"{kind}_NAME_CHANGED", {"title": title[1]}, title=title)
        form, kind = f"{checklist}/items", f"{kind}_ITEM"
        item = self._made(record, form, f"{kind}_CREATED", {"title": "Links"}, "/checklist-items/")
        title = ("Links", "All links")
        self._fill(item, f"{item}/title", f"{kind}_NAME_CHANGED", {"title": title[1]}, title=title)
        self._dates(item, f"{kind}_DUE_DATE")
        self._assign(item, f"{kind}_ASSIGNEE", "checklistItemUsers.userId")
        self._fill(record, f"{item}/completion", f"{kind}_DONE_STATUS_UPDATED", {}, done=(False, True))
        self._fill(record, f"{item}/delete", f"{kind}_DELETED", {})
        self._ask(record, f"{checklist}/delete", "TODO_CHECKLIST_DELETED")

    def _comment(self, record: str) -> None:
        form = f"{record}/comments"
        comment = self._made(record, form, "COMMENT_CREATED", {"text": "Looks good"}, "/comments/")
        self._fill(comment, comment, "COMMENT_UPDATED", {"text": "1 < 2"}, text=("Looks good", "1 < 2"))
        self._ask(record, f"{comment}/delete", "COMMENT_DELETED")

    def _assign(self, page: str, kind: str, key: str) -> None:
        form, who = f"{page}/assignees", [self._colleague_id]
        self._fill(page, form, f"{kind}_ADDED", {"assignee_ids": who}, **{key: ([], who)})
        self._fill(page, form, f"{kind}_REMOVED", {"assignee_ids": []}, **{key: (who, [])})

    def _made(
        self, page: str, form: str, code: str, typed: dict[str, Any], kind: str, *, seen_on: str | None = None
    ) -> str:
        """Fill in a form that makes something; the path of what was made, by the link to it that is new."""
        before = _paths(self._open(seen_on or page), kind)
        self._fill(page, form, code, typed)
        (made,) = _paths(self._open(seen_on or page), kind) - before
        return made

    def _ask(self, page: str, question: str, code: str) -> None:
        """Follow the link to the page that asks, and say yes."""
        assert question in {link.attrs.get("href") for link in self._open(page).find_all("a")}, f"{question} on {page}"
        self._fill(question, question, code, {})

    def _fill(self, page: str, form: str, code: str, typed: dict[str, Any], **changes: tuple[Any, Any]) -> None:
        """Send a form of a page: what stands in it, and what is typed instead."""
        found = self._open(page).find("form", action=form)
        standing: dict[str, Any] = {}
        for each in found.find_all("input"):
            is_off = each.attrs.get("type") in {"checkbox", "radio"} and "checked" not in each.attrs
            if not is_off and each.attrs.get("name"):
                standing.setdefault(each.attrs["name"], []).append(each.attrs.get("value", ""))
        answer = self._client.post(form, data=standing | typed)
        assert answer.status_code == 303, (form, answer.status_code, answer.text[:500])
        self.told.append(Told(code, changes))

    def _open(self, path: str) -> Page:
        return check_page(self._client.get(path))


def _paths(page: Page, kind: str) -> set[str]:
    """The paths of things of that kind that the page links or posts to."""
    addresses = {link.attrs.get("href", "") for link in page.find_all("a")}
    addresses |= {form.attrs.get("action", "") for form in page.find_all("form")}
    return {kind + path.removeprefix(kind).partition("/")[0] for path in addresses if path.startswith(kind)}


def _id(path: str) -> str:
    return path.rpartition("/")[2]
