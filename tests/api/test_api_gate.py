"""The gate: every route without a key, keys and cookies, origins, rates; nothing is exempt by accident."""

from __future__ import annotations

import re
import time

import pytest

from dashboard.security import API_PREFIXES, OPEN
from dashboard.server import create_app
from dashboard.settings import Rates, Settings

HOST = {"Host": "localhost"}
FULL, VIEW = {"X-API-Key": "sesame"}, {"X-API-Key": "peep"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OURS = "http://localhost"
PAGES_OF_DASH = {"/", "/_dash-layout", "/_dash-dependencies", "/_dash-update-component"}


@pytest.fixture(scope="module")
def app(folders):
    """A server with both keys."""
    return create_app(Settings(api_key="sesame", view_key="peep")).server


@pytest.fixture
def client(app):
    return app.test_client()


def paths(app):
    """One path for each rule there is, ours and Dash's."""
    return {str(rule): re.sub(r"<[^>]+>", "x", str(rule)) for rule in app.url_map.iter_rules()}


def test_every_route_by_every_method_is_locked(app, client):
    walked = 0
    for rule, path in paths(app).items():
        for method in METHODS:
            if (path, method) in OPEN:
                continue
            answer = client.open(path, method=method, headers=HOST)
            assert answer.status_code == 401, (method, rule)
            assert b"t4dm-config" not in answer.data
            wrong = app.test_client().open(
                path, method=method, headers=HOST | {"X-API-Key": "wrong"},
                environ_base={"REMOTE_ADDR": f"10.0.{walked // 250}.{walked % 250}"},
            )  # fmt: skip
            assert wrong.status_code == 403, (method, rule)
            walked += 1
    assert walked >= 7 * 20
    assert paths(app).keys() >= PAGES_OF_DASH


def test_the_list_of_what_needs_no_key_is_not_stale(app, client):
    rules = paths(app)
    for path, method in OPEN:
        served = path in rules or path.startswith("/assets/")
        assert served, f"{path} is exempt and is no route"
        answer = client.open(path, method=method, headers=HOST)
        wanted = {403} if (path, method) == ("/login", "POST") else {200, 303}
        assert answer.status_code in wanted, (method, path)
        assert b"t4dm-config" not in answer.data, f"{method} {path} serves the page"


def test_the_short_health_says_nothing_of_a_session(client):
    assert client.get("/healthz", headers=HOST).get_json() == {"ok": True}
    assert "sessions" in client.get("/healthz", headers=HOST | FULL).get_json()


def test_every_api_prefix_is_a_route_or_answers_404_as_json(app, client):
    for prefix in API_PREFIXES:
        answer = client.get(f"/{prefix}/there/is/nothing", headers=HOST | FULL)
        assert answer.status_code == 404, prefix
        assert answer.get_json()["error"]["code"] == "not_found"
    outside = {
        str(rule) for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.") and str(rule).split("/")[1] not in API_PREFIXES
    }  # fmt: skip
    assert outside <= {"/docs"}, "routes of the API outside its prefixes"


# -- keys --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ("sesame", 200), ("peep", 200), ("", 401), ("Sesame", 403), ("sesame ", 403),
        ("sesam", 403), ("sesamee", 403), ("s\xe9same", 403), ("\xff" * 300, 403), ("a" * 5000, 403),
    ],
)  # fmt: skip
def test_keys(app, given, status):
    address = {"REMOTE_ADDR": f"10.1.0.{len(given) % 250}"}
    answer = app.test_client().get(
        "/sessions", headers=HOST | {"X-API-Key": given}, environ_base=address
    )
    assert answer.status_code == status
    if given:
        assert given not in answer.text


def test_a_key_that_is_not_ascii_is_compared_as_the_bytes_a_client_sends(folders):
    server = create_app(Settings(api_key="schlüssel")).server
    sent = "schlüssel".encode().decode("latin-1")
    answer = server.test_client().get("/sessions", headers=HOST | {"X-API-Key": sent})
    assert answer.status_code == 200


@pytest.mark.parametrize("name", ["key", "api_key", "apikey", "API-Key", "x-api-key", "token"])
@pytest.mark.parametrize("path", ["/", "/sessions", "/login", "/healthz", "/_dash-layout"])
def test_a_key_in_a_url_is_refused_even_if_it_is_right(client, path, name):
    answer = client.get(f"{path}?{name}=sesame", headers=HOST | FULL)
    assert answer.status_code == 400
    assert answer.get_json()["error"]["code"] == "key_in_query"
    assert "sesame" not in answer.text


def test_the_view_key_reads_everything_and_changes_nothing(app):
    seen = 0
    for path in paths(app).values():
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            if (path, method) in OPEN:
                continue
            answer = app.test_client().open(path, method=method, headers=HOST | VIEW, json={})
            assert answer.status_code == 403, (method, path)
            error = answer.get_json()["error"]
            assert error["code"] == "view_only" and "change nothing" in error["message"]
            seen += 1
    assert seen >= 5 * 20
    assert app.test_client().get("/", headers=HOST | VIEW).status_code == 200
    assert app.test_client().get("/sets", headers=HOST | VIEW).status_code == 200


def test_the_page_knows_what_it_may(client):
    assert '"access":"view","by_cookie":false' in client.get("/", headers=HOST | VIEW).text
    assert '"access":"full","by_cookie":false' in client.get("/", headers=HOST | FULL).text


# -- the login ---------------------------------------------------------------------------------


def log_in(client, key="sesame", wanted="/", **more):
    return client.post("/login", data={"key": key, "next": wanted}, headers=HOST | more)


def test_a_browser_is_led_to_the_login_and_back(client):
    asked = HOST | {"Accept": "text/html,*/*"}
    away = client.get("/?session=mine", headers=asked)
    assert (away.status_code, away.headers["Location"]) == (303, "/login?next=%2F%3Fsession%3Dmine")
    page = client.get(away.headers["Location"], headers=asked)
    assert 'value="/?session=mine"' in page.text and page.headers["Cache-Control"] == "no-store"
    answer = log_in(client, wanted="/?session=mine")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/?session=mine")
    cookie = answer.headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"):
        assert part in cookie
    assert "sesame" not in cookie and "Secure" not in cookie
    assert client.get("/sessions", headers=HOST).status_code == 200
    assert client.get("/login", headers=HOST).status_code == 303
    client.post("/logout", headers=HOST)
    assert client.get("/sessions", headers=HOST).status_code == 401


def test_a_program_is_told_and_not_led(client):
    answer = client.get("/", headers=HOST | {"Accept": "*/*"})
    assert answer.status_code == 401
    assert answer.get_json()["error"]["login"] == "/login"
    script = {"Accept": "text/html", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}
    assert client.get("/", headers=HOST | script).status_code == 401


def test_a_page_that_has_to_log_in_is_told_in_an_answer_of_200(client):
    told = client.get("/sessions", headers=HOST | {"X-T4DM-Refusals": "200"})
    assert (told.status_code, told.get_json()["status"]) == (200, 401)
    assert told.get_json()["error"]["code"] == "key_missing" and "entries" not in told.get_json()


@pytest.mark.parametrize(("key", "access"), [(FULL, "full"), (VIEW, "view"), ({}, "none")])
def test_every_answer_says_what_it_was_let_in_with(client, key, access):
    for path in ("/sessions", "/sessions/nobody/params", "/healthz"):
        assert client.get(path, headers=HOST | key).headers["X-T4DM-Access"] == access


def test_the_cookie_is_secure_over_https(app):
    answer = app.test_client().post(
        "/login", data={"key": "sesame"}, headers=HOST, base_url="https://localhost"
    )
    assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example",
        "javascript:alert(1)", "/login", "/logout?x", "evil", "", "/\x00", "/\r\nSet-Cookie: a=b",
        "/" + "x" * 5000, "///evil", "/é", "http:/evil.example", " /x",
    ],
)  # fmt: skip
def test_a_login_leads_to_nobody_else(client, wanted):
    answer = log_in(client, wanted=wanted)
    assert answer.status_code == 303
    where = answer.headers["Location"]
    assert where == "/"
    assert answer.headers.getlist("Set-Cookie")[0].startswith("t4dm-8000=")
    assert len(answer.headers.getlist("Set-Cookie")) == 1


def test_what_the_login_page_repeats_is_text(client):
    page = client.get('/login?next=/"><script>alert(1)</script>', headers=HOST).text
    assert "<script" not in page


def test_altered_old_and_foreign_cookies_open_nothing(app, folders, monkeypatch):
    def status(value):
        headers = HOST | {"Cookie": f"t4dm-8000={value}"}
        return app.test_client(use_cookies=False).get("/sessions", headers=headers).status_code

    good = log_in(app.test_client()).headers["Set-Cookie"].split("=", 1)[1].split(";")[0]
    assert status(good) == 200
    for k in range(0, len(good) - 1, 7):
        other = "A" if good[k] != "A" else "B"
        altered = good[:k] + other + good[k + 1 :]
        assert status(altered) == 401, k
    for junk in ("", "x", "a.b.c", good[:-1], good + "x", "." * 50, "\xff", '"' + good):
        assert status(junk) == 401, junk
    assert status(good) == 200
    later = time.time() + 12 * 3600 + 60
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: later)
    assert status(good) == 401


def test_a_login_ends_with_its_key_and_holds_over_a_restart(folders):
    def server(**keys):
        return create_app(Settings(**keys)).server.test_client(use_cookies=False)

    first = server(api_key="sesame", view_key="peep")
    cookie = log_in(first).headers["Set-Cookie"].split(";")[0]
    seen = log_in(first, key="peep").headers["Set-Cookie"].split(";")[0]

    def status(client, given):
        return client.get("/sessions", headers=HOST | {"Cookie": given}).status_code

    again = server(api_key="sesame", view_key="peep")
    assert (status(again, cookie), status(again, seen)) == (200, 200)
    changed = server(api_key="other", view_key="peep")
    assert (status(changed, cookie), status(changed, seen)) == (401, 200)
    alone = server(api_key="sesame")
    assert (status(alone, cookie), status(alone, seen)) == (200, 401)


def test_the_secret_is_private_and_made_anew_where_it_is_not(folders):
    from dashboard.keys import read_secret

    path = folders / "data" / "login.secret"
    assert path.stat().st_mode & 0o777 == 0o600
    kept = read_secret(path)
    assert read_secret(path) == kept
    path.chmod(0o644)
    assert read_secret(path) != kept
    path.write_bytes(b"short")
    assert len(read_secret(path)) == 32 and path.stat().st_mode & 0o777 == 0o600


# -- origins -----------------------------------------------------------------------------------

ORIGINS = [
    ({}, True), ({"Origin": OURS}, True), ({"Origin": "https://localhost"}, False),
    ({"Origin": "http://localhost:1"}, False), ({"Origin": "null"}, False), ({"Origin": ""}, False),
    ({"Origin": "http://evil.example"}, False), ({"Origin": "http://localhost.evil.example"}, False),
    ({"Origin": "http://LOCALHOST"}, False), ({"Origin": "http://localhost/"}, False),
    ({"Origin": "file://"}, False), ({"Origin": "http://127.0.0.1"}, False),
    ({"Sec-Fetch-Site": "cross-site"}, False), ({"Sec-Fetch-Site": "same-origin"}, True),
    ({"Sec-Fetch-Site": "none"}, True),
    ({"Sec-Fetch-Site": "cross-site", "Origin": OURS}, False),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "taken"), ORIGINS)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/sessions/default/commands"), ("GET", "/sessions"), ("GET", "/_dash-layout"),
        ("POST", "/_dash-update-component"), ("GET", "/sessions/default/frames"),
        ("PUT", "/sets/x"), ("POST", "/login"),
    ],
)  # fmt: skip
def test_origins(client, method, path, sent, taken):
    answer = client.open(path, method=method, headers=HOST | FULL | sent, json=None)
    refused = answer.status_code == 403 and answer.is_json
    assert (refused and answer.get_json()["error"]["code"] == "foreign_origin") is not taken
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    ("hops", "scheme", "origin", "taken"),
    [
        (1, "https", "https://localhost", True), (1, "https", "http://localhost", False),
        (1, "http", "https://localhost", False), (1, "", "https://localhost", False),
        (0, "https", "https://localhost", False), (0, "https", "http://localhost", True),
    ],
)  # fmt: skip
def test_the_scheme_of_an_origin_is_ours_as_a_proxy_of_ours_tells_it(
    folders, hops, scheme, origin, taken
):
    server = create_app(Settings(api_key="sesame", proxy_hops=hops)).server
    told = {"X-Forwarded-Proto": scheme} if scheme else {}
    sent = HOST | FULL | {"Origin": origin} | told
    answer = server.test_client().get("/sets", headers=sent)
    assert answer.status_code == (200 if taken else 403)
    if origin.startswith("https:") and not taken:
        assert "T4DM_PROXY_HOPS" in answer.get_json()["error"]["message"]


def test_a_link_on_another_site_may_lead_to_the_page_and_post_nothing(client):
    link = HOST | FULL | {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/", headers=link).status_code == 200
    assert client.post("/sessions/default/commands", headers=link).status_code == 403


# -- without a key -----------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.2", "127.255.255.254", "::1", "localhost"])
def test_every_address_of_this_machine_needs_no_key(folders, host):
    client = create_app(Settings(host=host)).server.test_client()
    near = {"REMOTE_ADDR": "127.0.0.2"}
    name = f"[{host}]" if ":" in host else host
    answer = client.get("/sets", headers={"Host": f"{name}:8000"}, environ_base=near)
    assert answer.status_code == 200


def test_without_a_key_only_this_machine_is_served(folders):
    client = create_app(Settings()).server.test_client()
    near = client.get("/sessions", headers=HOST)
    far = client.get("/sessions", headers=HOST, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert (near.status_code, far.status_code) == (200, 403)
    assert client.get("/login", headers=HOST).status_code == 303


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (Settings(host="0.0.0.0"), "T4DM_HOST"),
        (Settings(host="128.0.0.1"), "T4DM_HOST"),
        (Settings(host="127.0.0.1.example"), "T4DM_HOST"),
        (Settings(extra_hosts=("lab.example",)), "T4DM_ALLOWED_HOSTS"),
        (Settings(proxy_hops=1), "T4DM_PROXY_HOPS"),
        (Settings(view_key="x"), "T4DM_API_KEY"),
        (Settings(api_key="x", view_key="x"), "must differ"),
        (Settings(api_key="two words"), "T4DM_API_KEY"),
        (Settings(api_key="a\tb"), "T4DM_API_KEY"),
        (Settings(api_key="x" * 201), "T4DM_API_KEY"),
    ],
)
def test_open_settings_are_refused_in_one_sentence(settings, named):
    with pytest.raises(SystemExit) as refused:
        create_app(settings)
    sentence = str(refused.value)
    assert named in sentence and sentence.count("\n") == 0 and sentence.endswith(".")


# -- rates -------------------------------------------------------------------------------------


def test_too_many_wrong_keys_are_told_to_wait_by_header_and_by_form(folders):
    rates = Rates(wrong_keys=3)
    server = create_app(Settings(api_key="sesame", rates=rates)).server
    client = server.test_client()
    codes = [
        client.get("/healthz", headers=HOST | {"X-API-Key": "no"}).status_code for _ in range(2)
    ]
    codes += [log_in(client, key="no").status_code for _ in range(2)]
    assert codes == [403, 403, 403, 429]
    answer = client.get("/sessions", headers=HOST | FULL)
    assert answer.status_code == 429 and 1 <= int(answer.headers["Retry-After"]) <= 60
    page = log_in(client)
    assert page.status_code == 429 and page.mimetype == "text/html" and "again in" in page.text
    elsewhere = {"REMOTE_ADDR": "192.0.2.9"}
    assert client.get("/sessions", headers=HOST | FULL, environ_base=elsewhere).status_code == 200


def test_a_login_there_is_goes_on_while_keys_are_guessed(folders):
    server = create_app(Settings(api_key="sesame", rates=Rates(wrong_keys=1))).server
    client = server.test_client()
    log_in(client)
    for _ in range(3):
        server.test_client().get("/sessions", headers=HOST | {"X-API-Key": "no"})
    assert client.get("/sessions", headers=HOST).status_code == 200


def test_reads_and_changes_are_counted_apart(folders):
    server = create_app(Settings(rates=Rates(reads=4, changes=2))).server
    client = server.test_client()
    client.environ_base["REMOTE_ADDR"] = "::1"  # the page was opened once from the other one
    changes = [client.delete("/sets/none", headers=HOST).status_code for _ in range(3)]
    assert changes == [404, 404, 429]
    reads = [client.get("/sets", headers=HOST).status_code for _ in range(5)]
    assert reads == [200, 200, 200, 200, 429]
    error = client.get("/sets", headers=HOST).get_json()["error"]
    assert error["code"] == "too_many" and "4 reads in 10 s" in error["message"]
