"""What every page has: headers, a form that is ours, cookies, a way back that stays here."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from fhir_server.portal import pages, security, words
from fhir_server.portal.visit import Page
from tests.fhir_server.inprocess import patient
from tests.fhir_server.portal.browser import PASSWORD, Browser, Site, site

FORM = "application/x-www-form-urlencoded"
PORTAL = Path(pages.__file__).parent
FORBIDDEN = {
    "script": r"<script",
    "a handler in the page": r"\son[a-z]+=",
    "style in the page": r"<style|\sstyle=",
    "something from elsewhere": r"(?:src|href|action)=\"(?:https?:)?//",
}
ALL: list[Page] = [page for module in pages.MODULES for page in module.PAGES]


async def annie(place: Site) -> Browser:
    """A browser that Annie has logged in with."""
    await place.house.given(patient("annie"))
    await place.account("annie", "Patient/annie")
    browser = place.browser()
    await browser.log_in("annie")
    return browser


def address(page: Page) -> str:
    return re.sub(r"\{[^}]*\}", "nothing", page.path)


def test_line_16_every_page_has_the_headers_whatever_it_answers() -> None:
    async def scenario() -> None:
        async with site() as place:
            browser = await annie(place)
            for page in (
                *ALL,
                Page("GET", "/portal/nowhere", ALL[0].answer),
                Page("GET", "/portal/static/style.css", ALL[0].answer),
            ):
                answer = await browser.http.request(page.method, address(page))
                assert answer.status_code < 500, page.path
                policy = answer.headers["content-security-policy"]
                assert "frame-ancestors 'none'" in policy, page.path
                assert "default-src 'none'" in policy
                assert "base-uri 'none'" in policy
                assert "unsafe" not in policy
                assert "*" not in policy
                assert answer.headers["x-frame-options"] == "DENY"
                assert answer.headers["referrer-policy"] == "no-referrer"
                assert answer.headers["x-content-type-options"] == "nosniff"
                if not page.path.endswith(".css"):
                    assert answer.headers["cache-control"] == "no-store", page.path

    asyncio.run(scenario())


def test_line_16_no_page_has_script_style_or_anything_from_elsewhere() -> None:
    async def scenario() -> None:
        async with site() as place:
            browser = await annie(place)
            seen = 0
            for page in ALL:
                if page.method == "GET":
                    answer = await browser.get(address(page))
                    seen += "<html" in answer.text
                    for told, pattern in FORBIDDEN.items():
                        assert not re.search(pattern, answer.text), (page.path, told)
            assert seen > 4
            style = (await browser.get("/portal/static/style.css")).text
            assert "url(" not in style
            assert "@import" not in style

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "changed",
    [
        {"csrf": None},
        {"csrf": ""},
        {"csrf": "0" * 64},
        {"csrf": "é"},
        {"origin": "https://elsewhere.example"},
        {"origin": "http://127.0.0.1:8081"},
        {"origin": "https://127.0.0.1:8080"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"cookie": ""},
    ],
    ids=str,
)
def test_line_16_a_form_that_another_site_could_send_is_refused_by_every_page(changed: dict[str, Any]) -> None:
    async def scenario() -> None:
        async with site() as place:
            browser = await annie(place)
            fields = {"csrf": place.proof(browser)}
            headers = {name: value for name, value in changed.items() if name != "csrf"}
            if "csrf" in changed:
                fields = {"csrf": changed["csrf"]} if changed["csrf"] is not None else {"other": "x"}
            own = [page for page in ALL if page.method == "POST" and not page.foreign]
            assert len(own) > 5
            for page in own:
                answer = await browser.http.post(address(page), data=fields, headers=headers)
                assert answer.status_code == 403, page.path
                assert "van een andere website" in answer.text
            assert (await browser.get("/portal/account")).status_code == 200

    asyncio.run(scenario())


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8080", "null", None])
def test_line_16_a_form_of_ours_is_taken_with_any_origin_that_browsers_send_for_it(origin: str | None) -> None:
    async def scenario() -> None:
        async with site() as place:
            browser = await annie(place)
            del browser.http.headers["sec-fetch-site"]
            if origin:
                browser.http.headers["origin"] = origin
            answer = await browser.http.post("/portal/logout", data={"csrf": place.proof(browser)})
            assert (answer.status_code, answer.headers["location"]) == (303, "/portal/login")

    asyncio.run(scenario())


def test_line_16_the_proof_of_one_browser_is_none_in_another() -> None:
    async def scenario() -> None:
        async with site() as place:
            browser, other = await annie(place), place.browser()
            answer = await browser.http.post("/portal/logout", data={"csrf": place.proof(other)})
            assert answer.status_code == 403

    asyncio.run(scenario())


def test_line_16_there_is_no_proof_without_a_cookie() -> None:
    key = b"k" * 32
    assert security.is_ours(key, "cookie", security.csrf(key, "cookie"))
    assert not security.is_ours(key, "", security.csrf(key, ""))


@pytest.mark.parametrize(
    "body, content_type, status",
    [
        (b"csrf=%ff", FORM, 400),
        (b"csrf=a&csrf=b", FORM, 400),
        (b"csrf=%00", FORM, 400),
        (b"csrf=%zz", FORM, 400),
        (b"a=" + b"x" * 70_000, FORM, 413),
        (b"&".join(b"a%d=" % number for number in range(300)), FORM, 400),
        (b"{}", "application/json", 415),
        (b"--x\r\n", "multipart/form-data; boundary=x", 415),
        (b"", "", 415),
    ],
    ids=lambda value: str(value)[:30],
)
def test_line_18_a_hostile_form_is_refused_and_never_an_error_of_ours(
    body: bytes, content_type: str, status: int
) -> None:
    async def scenario() -> None:
        async with site() as place:
            browser = await annie(place)
            answer = await browser.http.post("/portal/login", content=body, headers={"content-type": content_type})
            assert answer.status_code == status

    asyncio.run(scenario())


@pytest.mark.parametrize("query", ["next=%ff", "next=a&next=b", "language=%00", "next=" + "%2F" * 5000, "language=de"])
def test_line_18_a_hostile_address_is_never_an_error_of_ours(query: str) -> None:
    async def scenario() -> None:
        async with site() as place:
            for path in ("/portal/login", "/portal/", "/portal/person", "/portal/external/callback"):
                answer = await place.browser().get(f"{path}?{query}")
                assert answer.status_code in (200, 303, 400, 404), path

    asyncio.run(scenario())


def test_line_18_no_secret_of_a_login_is_in_an_address_or_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with site() as place:
            browser = await annie(place)
            answer = await browser.log_in("annie")
            cookie = browser.http.cookies["wijkdossier"]
            pages_seen = [answer, await browser.get("/portal/"), await browser.get("/portal/account")]
            for page in pages_seen:
                told = page.text + page.headers.get("location", "")
                assert cookie not in told
                assert PASSWORD not in told
            assert cookie not in caplog.text
            assert PASSWORD not in caplog.text

    asyncio.run(scenario())


def test_what_a_name_holds_is_text_on_every_page() -> None:
    async def scenario() -> None:
        async with site() as place:
            await place.house.given(patient("annie", name=[{"text": '<b onclick="x">Annie</b>'}]))
            await place.account("annie", "Patient/annie", "operator", name="<script>alert(1)</script>")
            browser = place.browser()
            await browser.log_in("annie")
            page = await browser.get("/portal/person")
            assert "&lt;b onclick=&#34;x&#34;&gt;Annie&lt;/b&gt;" in page.text
            assert "&lt;script&gt;" in page.text
            assert "<script>" not in page.text
            wrong = await browser.log_in('"><script>alert(1)</script>', "x" * 12)
            assert "<script>" not in wrong.text

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "asked, path",
    [
        ("/portal/apps", "/portal/apps"),
        ("/portal/authorize/a-B_c.d~e", "/portal/authorize/a-B_c.d~e"),
        ("/auth/authorize?a=b%20c&d=https://e/", "/auth/authorize?a=b%20c&d=https://e/"),
        (None, "/portal/"),
        ("", "/portal/"),
        ("https://elsewhere.example/", "/portal/"),
        ("//elsewhere.example/portal/", "/portal/"),
        ("/portal//elsewhere.example", "/portal/"),
        ("/portal/\\elsewhere.example", "/portal/"),
        ("/portal/\n", "/portal/"),
        ("/portal/apps\n", "/portal/"),
        ("/portal/é", "/portal/"),
        ("/portal/..", "/portal/"),
        ("/portal/../elsewhere", "/portal/"),
        ("/portal/./..?a=b", "/portal/"),
        ("/portal/...", "/portal/..."),
        ("/portalx", "/portal/"),
        ("/fhir/Patient", "/portal/"),
        ("javascript:alert(1)", "/portal/"),
        ("/portal/" + "a" * 3000, "/portal/"),
    ],
)
def test_the_way_on_is_a_page_of_ours_or_the_start_page(asked: str | None, path: str) -> None:
    assert security.own_path(asked) == path


def test_form_action_names_where_a_form_may_end_and_nothing_more() -> None:
    def targets(*urls: str) -> str:
        policy = security.headers(urls)["Content-Security-Policy"]
        return re.search(r"form-action ([^;]*);", policy)[1]  # type: ignore[index]

    assert targets() == "'self'"
    assert targets("https://app.example/back?a=b") == "'self' https://app.example"
    assert targets("http://127.0.0.1:3000/") == "'self' http://127.0.0.1:3000"
    assert targets("nl.app.mijn:/back") == "'self' nl.app.mijn:"
    assert targets("https://a.example; script-src *") == "'self'"


def test_every_sentence_has_both_languages_and_the_same_values_in_them() -> None:
    tables = (words.WORDS, *(module.WORDS for module in pages.MODULES))
    for table in tables:
        for name, (dutch, english) in table.items():
            assert dutch.strip(), name
            assert english.strip(), name
            assert set(re.findall(r"{(\w+)}", dutch)) == set(re.findall(r"{(\w+)}", english)), name


def test_two_tables_cannot_have_one_name() -> None:
    with pytest.raises(ValueError, match="`site` stands in two tables"):
        words.Words((words.WORDS, {"site": ("a", "b")}))


def test_every_form_in_the_templates_carries_the_proof() -> None:
    for template in (PORTAL / "templates").glob("*.html"):
        text = template.read_text()
        forms = re.findall(r"<form\b.*?</form>", text, re.DOTALL)
        assert text.count("<form") == len(forms), template.name
        for form in forms:
            assert 'method="post"' not in form or '{% include "csrf.html" %}' in form, template.name


@pytest.mark.parametrize(
    "asked, remembered, accepted, language",
    [
        ("en", "nl", "nl", "en"),
        (None, "en", "nl", "en"),
        ("xx", "en", "nl", "en"),
        (None, None, "en-GB,nl;q=0.5", "en"),
        (None, None, "nl-NL,en;q=0.9", "nl"),
        (None, None, "de,en;q=0.4,nl;q=0.2", "en"),
        (None, None, "de", "nl"),
        (None, None, "en;q=0", "nl"),
        (None, None, "", "nl"),
        (None, None, ";;,,=", "nl"),
    ],
)
def test_the_language_is_that_of_the_address_the_browser_or_dutch(
    asked: str | None, remembered: str | None, accepted: str, language: str
) -> None:
    assert words.language(asked, remembered, accepted) == language


def test_a_language_once_asked_for_is_remembered_and_the_page_stays_the_same() -> None:
    async def scenario() -> None:
        async with site() as place:
            browser = place.browser()
            page = await browser.get("/portal/login?next=/portal/account")
            assert '<html lang="nl">' in page.text
            link = re.search(r'href="(\?[^"]*language=en)"', page.text)
            assert link
            english = await browser.get("/portal/login" + link[1].replace("&amp;", "&"))
            assert '<html lang="en">' in english.text
            assert "next=/portal/account" in english.text
            assert '<html lang="en">' in (await browser.get("/portal/login")).text

    asyncio.run(scenario())


def test_behind_a_proxy_links_and_forms_lead_by_way_of_the_proxy() -> None:
    async def scenario() -> None:
        async with site(base_url="https://wijk.example/dossier/fhir") as place:
            browser = place.browser(url="https://wijk.example")
            page = await browser.get("/portal/login")
            assert 'action="/dossier/portal/login?next=/portal/"' in page.text
            assert 'href="/dossier/portal/static/style.css?' in page.text
            away = await browser.get("/portal/")
            assert away.headers["location"] == "/dossier/portal/login?next=/portal/"

    asyncio.run(scenario())
