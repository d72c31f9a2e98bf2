"""Who gets in, what each role may call, and what every answer carries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar.testing import TestClient

from review_ui.app import create_app
from review_ui.security import ADMITTED_WITHIN, ANYONE, CSP, ROUTES, Attempts, host_is_ours, same_site
from tests.review_site import STUDY, Owner, pairs, prepare

ROLES = ("nobody", "annotator", "adjudicator", "viewer", "owner")
JSON = {"accept": "application/json"}


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    """The owner's side of a review of six pairs."""
    database, owner = prepare(tmp_path, pairs(6))
    yield owner
    database.close()


@pytest.fixture
def app(owner):
    """The application over it."""
    return create_app(owner.database, owner=owner, allowed_hosts=("testserver.local", "127.0.0.1"))


def client_of(app, owner: Owner, role: str) -> TestClient:
    """A browser in which somebody of this role is signed in."""
    client = TestClient(app, base_url="http://127.0.0.1:8000")
    if role != "nobody":
        link = owner.invite(STUDY, uses=1, days=1, role=role)["link"]
        assert client.post(link, data={"name": role}, follow_redirects=False).status_code == 303
    return client


def task_of(client: TestClient) -> str:
    return re.findall(r'data-task="(\w+)"', client.get("/desk").text)[0]


def route_table(app) -> list[str]:
    return [f"{method} {route.path_format}" for route in app.routes for method in route.methods if method != "OPTIONS"]


def test_every_route_of_the_application_is_in_the_role_table_and_no_other(app):
    assert sorted(route_table(app)) == sorted(ROUTES)
    assert ROUTES.keys() > ADMITTED_WITHIN
    assert all(ROUTES[route] is not ANYONE for route in ADMITTED_WITHIN)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_call_what_the_table_says_and_nothing_else(app, owner, role):
    for route, allowed in ROUTES.items():
        if route == "POST /leave":
            continue
        method, path = route.split(" ")
        with client_of(app, owner, role) as client:
            app.state.attempts = Attempts(1000)
            asked = path.replace("{token}", "x").replace("{version_}", "x").replace("{name}", "x")
            status = client.request(method, asked, follow_redirects=False).status_code
        if allowed is ANYONE or role in allowed:
            assert status not in {401, 403}, route
        else:
            assert status == (401 if role == "nobody" else 403), route


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH", "HEAD"])
def test_other_methods_are_refused_everywhere(app, owner, method):
    with client_of(app, owner, "owner") as client:
        for path in ("/desk", "/owner", "/desk/vote", "/nope"):
            assert client.request(method, path).status_code in {404, 405}


@pytest.mark.parametrize("path", ["/", "/healthz", "/desk", "/owner", "/join/x", "/nope", "/static/x/desk.css", "/desk/vote"])
@pytest.mark.parametrize("role", ["nobody", "annotator"])
def test_every_answer_carries_the_standing_headers(app, owner, role, path):
    with client_of(app, owner, role) as client:
        answer = client.get(path, follow_redirects=False)
    headers = answer.headers
    assert headers["content-security-policy"] == CSP
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert "permissions-policy" in headers
    assert headers["cache-control"] == "no-store"
    assert not {"server", "etag", "last-modified", "x-powered-by", "server-timing"} & set(headers)


def test_assets_are_kept_for_ever_under_urls_that_change_with_them(app, owner):
    from review_ui.pages import link

    with client_of(app, owner, "nobody") as client:
        answer = client.get(link("desk.js"))
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]


def test_looking_at_a_link_does_not_use_it_up_and_entering_does(app, owner):
    link = owner.invite(STUDY, uses=1, days=1, role="annotator")["link"]
    with client_of(app, owner, "nobody") as client:
        assert [client.get(link).status_code for _ in range(3)] == [200, 200, 200]
        answer = client.post(link, data={"name": "Ana"}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
    with client_of(app, owner, "nobody") as other:
        assert other.get(link).status_code == 410
        assert other.post(link, data={"name": "Eve"}).status_code == 410


def test_a_session_chosen_by_the_visitor_never_becomes_theirs(app, owner):
    with client_of(app, owner, "nobody") as client:
        client.cookies.set("bj_session", "chosen-by-somebody")
        link = owner.invite(STUDY, uses=1, days=1, role="annotator")["link"]
        answer = client.post(link, data={"name": "Ana"}, follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert "chosen-by-somebody" not in cookie
    assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Path=/"))


def test_on_https_the_cookie_is_bound_to_the_host(owner):
    app = create_app(owner.database, owner=owner, allowed_hosts=("review.example",), https=True)
    link = owner.invite(STUDY, uses=1, days=1, role="annotator")["link"]
    with TestClient(app, base_url="https://review.example") as client:
        cookie = client.post(link, data={"name": "Ana"}, follow_redirects=False).headers["set-cookie"]
    assert cookie.startswith("__Host-bj_session=")
    assert "Secure" in cookie


def test_signing_out_ends_the_session_for_good(app, owner):
    with client_of(app, owner, "annotator") as client:
        secret, task = client.cookies["bj_session"], task_of(client)
        client.post("/leave")
        client.cookies.set("bj_session", secret)
        assert client.get("/desk").status_code == 401
        assert client.post("/desk/vote", data={"task": task, "client_id": "late", "choice": "left"}).status_code == 401


def test_links_are_tried_ten_times_a_minute_at_most(app, owner):
    with client_of(app, owner, "nobody") as client:
        tried = [client.post(f"/join/{n}", data={"name": "x"}) for n in range(11)]
    assert [answer.status_code for answer in tried] == [410] * 10 + [429]
    assert 0 < int(tried[-1].headers["retry-after"]) <= 61


def test_attempts_are_forgotten_after_a_minute():
    times = iter([0.0] * 10 + [61.0])
    attempts = Attempts(10, clock=lambda: next(times))
    for _ in range(11):
        attempts.count("here")


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://elsewhere.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "null"},
    ],
)
def test_a_form_of_another_site_is_refused(app, owner, headers):
    with client_of(app, owner, "annotator") as client:
        assert client.post("/desk/undo", headers=headers).status_code == 403


def test_our_own_forms_and_programs_pass():
    assert same_site({"sec-fetch-site": "same-origin", "host": "a"})
    assert same_site({"origin": "http://a:8000", "host": "a:8000"})
    assert same_site({"host": "a"})


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "", "127.0.0.1.evil.example", "[", "user@evil.example"])
def test_a_host_that_is_not_ours_is_refused(app, owner, host):
    with client_of(app, owner, "nobody") as client:
        assert client.get("/healthz", headers={"host": host}).status_code == 400


def test_the_port_of_a_host_does_not_matter():
    assert host_is_ours("127.0.0.1:8123", ("127.0.0.1",))
    assert host_is_ours("[::1]:8123", ("::1",))
    assert host_is_ours("LOCALHOST", ("localhost",))


def test_another_persons_task_looks_like_one_that_never_was(app, owner):
    with client_of(app, owner, "annotator") as ana:
        foreign, unknown = task_of(ana), "0" * 32
    with client_of(app, owner, "annotator") as ben:
        assert task_of(ben) != foreign
        answers = [
            ben.post(path, data={"task": task, "client_id": "c", "choice": "left"}, headers=JSON)
            for path in ("/desk/vote", "/desk/draft")
            for task in (foreign, unknown)
        ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"choice": "a"},
        {"choice": "left", "criterion.nope": "left"},
        {"choice": "left", "check.left.nope": "maybe"},
        {"choice": ""},
        {"choice": "left", "client_id": ""},
        {"choice": "left", "client_id": "x" * 200},
        {"choice": "left", "comment": "x" * 5000},
    ],
)
def test_a_vote_that_cannot_be_is_refused_and_not_kept(app, owner, fields):
    with client_of(app, owner, "annotator") as client:
        answer = client.post("/desk/vote", data={"task": task_of(client), "client_id": "c"} | fields, headers=JSON)
        assert answer.status_code == 409
        assert client.get("/desk", headers=JSON).json()["done"] == 0


def test_a_body_that_is_too_large_is_refused(app, owner):
    with client_of(app, owner, "annotator") as client:
        answer = client.post("/desk/vote", data={"task": task_of(client), "comment": "x" * 70_000})
    assert answer.status_code == 413


def test_the_same_vote_twice_is_one_vote(app, owner):
    with client_of(app, owner, "annotator") as client:
        fields = {"task": task_of(client), "client_id": "once", "choice": "left"}
        first, again = (client.post("/desk/vote", data=fields, headers=JSON) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["done"] == again.json()["done"] == 1


def test_our_own_bugs_are_told_without_details(app, owner, caplog):
    def fails(_study: str) -> dict[str, object]:
        raise RuntimeError("secret detail")

    owner.status = fails
    with TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as client:
        link = owner.invite(STUDY, uses=1, days=1, role="owner")["link"]
        client.post(link, data={"name": "O"}, follow_redirects=False)
        answer = client.get("/owner")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "secret detail" in caplog.text


def test_what_an_annotator_receives_names_no_study_person_or_arm(app, owner):
    with client_of(app, owner, "annotator") as client:
        pages = [client.get("/desk").text, client.get("/desk", headers=JSON).text, client.get("/nope").text]
        vote = client.post("/desk/vote", data={"task": task_of(client), "client_id": "c", "choice": "tie"}, headers=JSON)
    for word in (STUDY, "tuned", "text_a", "text_b", '"p0"', "annotator", "baseline", "candidate"):
        assert all(word not in page for page in [*pages, vote.text])


def test_no_script_or_style_stands_inside_a_page(app, owner):
    for role, path in (("annotator", "/desk"), ("owner", "/owner"), ("nobody", "/")):
        with client_of(app, owner, role) as client:
            page = client.get(path).text
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=", page)


def test_htmx_comes_from_ourselves_and_is_version_2():
    from review_ui.pages import assets

    assert b'version:"2.' in assets()["htmx.js"].content
