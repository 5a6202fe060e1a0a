"""The native API against a whole gateway: keys, lists, changes, previews, contacts, inbox, credit."""

from typing import Any

import httpx2
import orjson
import pytest

from smsc.message import AccountId, State
from smsc.ports import Received
from tests.bridges.http.dialect_house import DialectHouse

DEMO = ("demo", "demo")
TO = "41791234567"
LATER = {"to": TO, "from": "Shop", "text": "hi", "schedule": 3600}


def ask(
    house: DialectHouse, method: str, path: str, payload: Any = None, **more: Any
) -> httpx2.Response:
    auth = more.pop("auth", DEMO)
    if payload is not None:
        more["json"] = payload
    return house.client.request(method, path, auth=auth, **more)


def send(house: DialectHouse, payload: Any, **more: Any) -> str:
    answer = ask(house, "POST", "/v1/messages", payload, **more)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["messages"][0]["id"])


class TestIdempotencyKeys:
    def test_the_same_key_and_body_send_once_and_are_answered_alike(
        self, house: DialectHouse
    ) -> None:
        before = house.stored()
        payload = [{"to": TO, "text": "hi"}, {"to": "49", "text": ""}]
        answers = [
            ask(house, "POST", "/v1/messages", payload, headers={"Idempotency-Key": key})
            for key in ('"8e03"', '"8e03"', "8e03")  # quoted, as the draft has it, and bare
        ]
        assert {one.status_code for one in answers} == {202}
        assert len({one.content for one in answers}) == 1
        assert [one.headers.get("idempotency-replayed") for one in answers] == [
            None,
            "true",
            "true",
        ]
        assert house.stored() == before + 1

    def test_another_body_is_refused_and_another_account_is_not(self, house: DialectHouse) -> None:
        key = {"Idempotency-Key": "other-body"}
        first = ask(house, "POST", "/v1/messages", {"to": TO, "text": "one"}, headers=key)
        assert first.status_code == 202
        assert first.headers["location"] == f"/v1/messages/{first.json()['messages'][0]['id']}"
        second = ask(house, "POST", "/v1/messages", {"to": TO, "text": "two"}, headers=key)
        assert second.status_code == 422
        assert second.headers["content-type"] == "application/problem+json"
        third = ask(
            house,
            "POST",
            "/v1/messages",
            {"to": TO, "text": "two"},
            headers=key,
            auth=("other", "other"),
        )
        assert third.status_code == 202

    def test_a_refused_request_leaves_its_key_free(self, house: DialectHouse) -> None:
        key = {"Idempotency-Key": "refused"}
        nowhere = {"to": "7791234567", "text": "hi"}
        assert ask(house, "POST", "/v1/messages", nowhere, headers=key).status_code >= 400
        assert ask(house, "POST", "/v1/messages", LATER, headers=key).status_code == 202

    @pytest.mark.parametrize("key", ["", '""', "k" * 256])
    def test_a_key_that_is_none(self, house: DialectHouse, key: str) -> None:
        before = house.stored()
        answer = ask(house, "POST", "/v1/messages", LATER, headers={"Idempotency-Key": key})
        assert (answer.status_code, answer.json()["field"]) == (400, "Idempotency-Key")
        assert house.stored() == before


class TestChanges:
    def test_a_scheduled_message_is_changed_and_cancelled(self, house: DialectHouse) -> None:
        id_ = send(house, LATER)
        path = f"/v1/messages/{id_}"
        assert ask(house, "GET", path).json()["state"] == "SCHEDULED"
        change = {"text": "Здравствуйте", "reference": "r", "schedule": 7200}
        changed = ask(house, "PATCH", path, change)
        assert changed.status_code == 200, changed.text
        report = changed.json()
        assert (report["coding"], report["reference"], report["to"]) == ("ucs2", "r", TO)
        assert ask(house, "DELETE", path).json()["state"] == "DELETED"
        assert ask(house, "DELETE", path).status_code == 409
        assert ask(house, "PATCH", path, {"text": "late"}).status_code == 409

    def test_null_takes_the_schedule_away(self, house: DialectHouse) -> None:
        id_ = send(house, LATER)
        answer = ask(house, "PATCH", f"/v1/messages/{id_}", {"schedule": None})
        assert answer.status_code == 200, answer.text
        house.wait_for(id_, State.DELIVERED)

    def test_cancel_by_post_and_by_an_admin_but_not_by_others(self, house: DialectHouse) -> None:
        mine, theirs = send(house, LATER), send(house, LATER)
        for id_, auth, status in (
            (mine, ("other", "other"), 404),
            (mine, DEMO, 200),
            (theirs, ("boss", "boss"), 200),
        ):
            path = f"/v1/messages/{id_}/cancel"
            assert ask(house, "POST", path, auth=auth).status_code == status

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({}, "#"),
            ([], "#"),
            ({"to": "41"}, "#/to"),
            ({"text": ""}, "#/text"),
            ({"text": 1}, "#/text"),
            ({"schedule": "soon"}, "#/schedule"),
            ({"receipt": 9}, "#/receipt"),
            ({"callback_url": "ftp://x"}, "#/callback_url"),
            ({"flash": True}, "#/text"),
        ],
    )
    def test_a_wrong_change_names_its_member_and_changes_nothing(
        self, house: DialectHouse, change: Any, pointer: str
    ) -> None:
        id_ = send(house, LATER)
        before = ask(house, "GET", f"/v1/messages/{id_}").json()
        answer = ask(house, "PATCH", f"/v1/messages/{id_}", change)
        assert answer.status_code == 400, answer.text
        found = [one["pointer"] for one in answer.json().get("errors", [{"pointer": "#"}])]
        assert found == [pointer]
        assert ask(house, "GET", f"/v1/messages/{id_}").json() == before


class TestLists:
    def test_pages_hold_every_message_once_newest_first_while_others_come(
        self, house: DialectHouse
    ) -> None:
        sent = [send(house, LATER | {"reference": "paged"}) for _ in range(5)]
        found: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            query = {"reference": "paged", "limit": "2"} | ({"cursor": cursor} if cursor else {})
            answer = ask(house, "GET", "/v1/messages", params=query)
            assert answer.status_code == 200, answer.text
            found += [one["id"] for one in answer.json()["data"]]
            cursor = answer.json()["next_cursor"]
            send(house, LATER | {"reference": "paged"})
        assert found == sent[::-1]

    def test_filters(self, house: DialectHouse) -> None:
        auth = ("plain", "plain")
        late = send(house, LATER, auth=auth)
        now = send(house, {"to": "+41790000002", "from": "Bank", "text": "x"}, auth=auth)
        house.wait_for(now, State.DELIVERED)
        accepted = ask(house, "GET", f"/v1/messages/{now}", auth=auth).json()["accepted"]
        for query, expected in (
            ({}, [now, late]),
            ({"state": "SCHEDULED"}, [late]),
            ({"state": "DELIVERED,REJECTED"}, [now]),
            ({"to": "0790000002"[1:]}, [now]),
            ({"from": "Shop"}, [late]),
            ({"accepted_from": accepted, "from": "Bank"}, [now]),
            ({"accepted_until": accepted, "from": "Bank"}, []),
            ({"limit": "1"}, [now]),
        ):
            answer = ask(house, "GET", "/v1/messages", params=query, auth=auth)
            assert [one["id"] for one in answer.json()["data"]] == expected, query

    def test_only_an_admin_sees_those_of_others(self, house: DialectHouse) -> None:
        id_ = send(house, LATER | {"reference": "theirs"})
        query = {"account": "*", "reference": "theirs"}
        assert ask(house, "GET", "/v1/messages", params=query).status_code == 403
        answer = ask(house, "GET", "/v1/messages", params=query, auth=("boss", "boss"))
        assert [one["id"] for one in answer.json()["data"]] == [id_]

    @pytest.mark.parametrize(
        "query",
        [
            "limit=0",
            "limit=1001",
            "limit=%D9%A3",
            "limit=1&limit=2",
            "cursor=AAAA",
            "cursor=%ff",
            "state=GONE",
            "accepted_from=yesterday",
            "accepted_from=2026-01-01T00:00:00",
            "to=",
            "sort=up",
            "&".join(f"x{n}=1" for n in range(200)),
        ],
    )
    def test_a_wrong_parameter_is_refused(self, house: DialectHouse, query: str) -> None:
        answer = ask(house, "GET", f"/v1/messages?{query}")
        assert answer.status_code == 400, answer.text
        assert answer.headers["content-type"] == "application/problem+json"


class TestPreview:
    def test_it_tells_coding_parts_price_and_way_and_stores_nothing(
        self, house: DialectHouse
    ) -> None:
        before = house.stored()
        text = "a" * 70 + "й"
        answer = ask(house, "POST", "/v1/preview", {"to": TO, "from": "Shop", "text": text})
        assert answer.status_code == 200, answer.text
        seen = answer.json()
        assert (seen["coding"], seen["parts"], seen["forced_ucs2"]) == ("ucs2", 2, "й")
        assert (seen["left_in_last_part"], seen["characters"]) == (134 - 71, 71)
        assert (seen["price"], seen["unit_price"], seen["outlets"]) == ("1.0", "0.5", ["sim"])
        assert house.stored() == before

    def test_it_refuses_what_would_be_refused(self, house: DialectHouse) -> None:
        answer = ask(house, "POST", "/v1/preview", {"to": "7791234567", "text": "x"})
        refused = ask(house, "POST", "/v1/messages", {"to": "7791234567", "text": "x"})
        assert answer.status_code == refused.status_code
        assert answer.json()["code"] == refused.json()["code"]


def test_flash_class_and_footer_reach_the_body(house: DialectHouse) -> None:
    house.await_(
        lambda: house.gateway.directory.change(
            AccountId("shop"), {"footer": "Shop Ltd"}, by=AccountId("boss")
        )
    )
    auth = ("shop", "shop")
    for more, data_coding, text in (
        ({"flash": True}, 0xF0, "hi Shop Ltd"),
        ({"class": 2, "footer": False}, 0xF2, "hi"),
        ({}, 0, "hi Shop Ltd"),
    ):
        payload = {"to": TO, "from": "Shop", "text": "hi"} | more
        seen = ask(house, "POST", "/v1/preview", payload, auth=auth).json()
        assert (seen["data_coding"], seen["text"]) == (data_coding, text)


class TestAccount:
    def test_contacts_and_groups_are_added_listed_changed_and_deleted(
        self, house: DialectHouse
    ) -> None:
        group = ask(house, "POST", "/v1/groups", {"name": "Staff", "code": "staff"})
        assert group.status_code == 201, group.text
        contact = {"name": "Ann", "number": "+41791234567", "groups": ["staff"]}
        ann = ask(house, "POST", "/v1/contacts", contact)
        assert (ann.status_code, ann.headers["location"]) == (
            201,
            f"/v1/contacts/{ann.json()['id']}",
        )
        ask(house, "POST", "/v1/contacts", {"name": "Bob", "number": "+41791234568"})
        listed = ask(house, "GET", "/v1/contacts", params={"limit": 1}).json()
        assert [one["name"] for one in listed["data"]] == ["Bob"]
        rest = ask(house, "GET", "/v1/contacts", params={"cursor": listed["next_cursor"]}).json()
        assert ([one["name"] for one in rest["data"]], rest["next_cursor"]) == (["Ann"], None)
        path, group_path = ann.headers["location"], group.headers["location"]
        members = ask(house, "GET", f"{group_path}/contacts").json()
        assert [one["name"] for one in members["data"]] == ["Ann"]
        put = ask(house, "PUT", path, contact | {"name": "Anna", "email": "a@b"})
        assert ask(house, "GET", path).json() == put.json()
        assert put.json()["email"] == "a@b"
        assert ask(house, "GET", path, auth=("other", "other")).status_code == 404
        assert ask(house, "DELETE", path, auth=("other", "other")).status_code == 404
        for each in (path, group_path):
            assert ask(house, "DELETE", each).status_code == 204
            assert ask(house, "DELETE", each).status_code == 404
            assert ask(house, "PUT", each, contact).status_code == 404

    @pytest.mark.parametrize(("path", "code"), [("/v1/contacts", {}), ("/v1/groups", {"code": ""})])
    def test_pages_of_a_phonebook_hold_still(
        self, house: DialectHouse, path: str, code: dict[str, str]
    ) -> None:
        """What is renamed, added or deleted between two pages makes no other come twice or never."""

        def entry(name: str) -> dict[str, str]:
            return {"name": name} | ({"code": name} if code else {"number": "+41791234567"})

        names = [f"page-{letter}" for letter in "abcdef"]
        paths = [ask(house, "POST", path, entry(one)).headers["location"] for one in names]
        listed = ask(house, "GET", path, params={"limit": 3, "keyword": "page"}).json()
        seen = [one["name"] for one in listed["data"]]
        ask(house, "PUT", paths[0], entry("zz-page"))
        ask(house, "PUT", paths[5], entry("aa-page"))
        assert ask(house, "DELETE", paths[4]).status_code == 204
        new = ask(house, "POST", path, entry("page-0"))
        params = {"keyword": "page", "cursor": listed["next_cursor"]}
        rest = ask(house, "GET", path, params=params).json()
        seen += [one["name"] for one in rest["data"]]
        assert seen == ["page-f", "page-e", "page-d", "page-c", "page-b", "zz-page"]
        assert rest["next_cursor"] is None
        for each in (*paths, new.headers["location"]):
            ask(house, "DELETE", each)

    @pytest.mark.parametrize(
        ("path", "payload", "status"),
        [
            ("contacts", {"name": "A"}, 400),
            ("contacts", {"name": "A", "number": 41}, 400),
            ("contacts", {"name": "A", "number": "4179", "groups": [1]}, 400),
            ("contacts", {"name": "A", "number": "4179", "groups": ["none"]}, 422),
            ("contacts", {"name": "A", "number": "nobody"}, 422),
            ("contacts", [], 400),
            ("groups", {"name": "A"}, 400),
            ("groups", {"name": "A", "code": "a b"}, 422),
            ("groups", {"name": "A", "code": "ab", "flag_sender": 3}, 400),
        ],
    )
    def test_wrong_ones_are_refused(
        self, house: DialectHouse, path: str, payload: Any, status: int
    ) -> None:
        answer = ask(house, "POST", f"/v1/{path}", payload)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"

    def test_balance_and_ledger_are_exact(self, house: DialectHouse) -> None:
        auth = ("poor", "poor")
        assert ask(house, "GET", "/v1/balance").json() == {"unlimited": True, "balances": {}}
        send(house, LATER, auth=auth)
        assert ask(house, "GET", "/v1/balance", auth=auth).json()["balances"] == {"": "0.5"}
        first = ask(house, "GET", "/v1/ledger", auth=auth, params={"limit": 1}).json()
        (line,) = first["data"]
        assert (line["amount"], line["balance"], line["why"]) == ("-0.5", "0.5", "messages")
        query = {"cursor": first["next_cursor"]}
        rest = ask(house, "GET", "/v1/ledger", auth=auth, params=query).json()
        assert [one["why"] for one in rest["data"]] == ["opening balance"]
        poor = ask(house, "POST", "/v1/messages", [LATER] * 3, auth=auth)
        assert [one.get("error", {}).get("status") for one in poor.json()["messages"]] == [
            None,
            402,
            402,
        ]

    def test_the_inbox_is_listed_and_emptied(self, house: DialectHouse) -> None:
        written = house.await_(
            lambda: house.gateway.inbox.write(
                AccountId("demo"), "41791111111", "hello", by=AccountId("other")
            )
        )
        assert isinstance(written, Received)
        listed = ask(house, "GET", "/v1/inbox", params={"from": written.source[-6:]}).json()
        assert [(one["id"], one["text"]) for one in listed["data"]] == [(str(written.id), "hello")]
        path = f"/v1/inbox/{written.id}"
        assert ask(house, "DELETE", path, auth=("other", "other")).status_code == 404
        assert ask(house, "DELETE", path).status_code == 204
        assert ask(house, "DELETE", path).status_code == 404
        assert ask(house, "GET", "/v1/inbox?kind=gone").status_code == 400


class TestLimits:
    def test_a_batch_of_1000_is_taken_and_one_more_is_not(self, house: DialectHouse) -> None:
        before = house.stored()
        answer = ask(house, "POST", "/v1/messages", [LATER] * 1000)
        assert len({one["id"] for one in answer.json()["messages"]}) == 1000
        assert ask(house, "POST", "/v1/messages", [LATER] * 1001).status_code == 400
        assert house.stored() == before + 1000

    def test_a_message_has_at_most_64_kib_and_a_batch_more(self, house: DialectHouse) -> None:
        before = house.stored()
        long = LATER | {"reference": "x" * 70_000}
        for payload in (long, [LATER, long]):
            answer = ask(house, "POST", "/v1/messages", payload)
            assert answer.status_code == 413, answer.text
        assert ask(house, "POST", "/v1/preview", long).status_code == 413
        assert house.stored() == before

    @pytest.mark.parametrize("depth", [100, 900, 100_000])
    def test_depth(self, house: DialectHouse, depth: int) -> None:
        for body in (
            b"[" * depth + b"]" * depth,
            b'{"to":' + b"[" * depth + b"]" * depth + b"}",
            b'{"a":' * depth + b"1" + b"}" * depth,
        ):
            answer = ask(house, "POST", "/v1/messages", content=body)
            assert answer.status_code in {400, 413}, answer.text


def test_the_document_and_its_page_need_no_account_and_nothing_from_elsewhere(
    house: DialectHouse,
) -> None:
    document = orjson.loads(house.client.get("/v1/openapi.json").content)
    assert document["openapi"] == "3.1.0"
    page = house.client.get("/v1/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for word in ("<script", "<link", "src=", "http://", "https://"):
        assert word not in page.text
    for path in document["paths"]:
        assert path in page.text
