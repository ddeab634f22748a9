"""The page in a real browser, over a real server, from real topics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from hubbub.process.embedded_broker import EmbeddedBroker
from scoring.band import band
from tests.streams.serve.chromium import Page, chromium, tab
from tests.streams.serve.conftest import Running, make_topics, running
from tests.streams.serve.newsroom import Newsroom, event_record, score_record

pytestmark = pytest.mark.browser

TITLES = "[...document.querySelectorAll('.row .title')].map((title) => title.textContent)"


@pytest.fixture(scope="module")
def browser() -> Iterator[str]:
    with chromium() as devtools:
        yield devtools


@pytest.fixture
async def page(browser: str) -> AsyncIterator[Page]:
    async with tab(browser) as page:
        yield page


@pytest.fixture
async def served(embedded_broker: EmbeddedBroker, request: pytest.FixtureRequest) -> AsyncIterator[Running]:
    prefix = f"{request.node.name}-"
    await make_topics(embedded_broker.bootstrap_servers, prefix)
    async with running(embedded_broker.bootstrap_servers, prefix, flush_interval_ms=50) as served:
        yield served


def loud(story: str, noise: float, **fields: Any) -> dict[str, Any]:
    return score_record(story, noise=noise, title=f"Story {story}", band=band(noise), **fields)


async def test_the_ranking_follows_the_topic_without_reloading(served: Running, page: Page) -> None:
    await served.publish(loud("a", 10), loud("b", 30), loud("c", 20))
    await page.open(served.url)
    await page.until(f"({TITLES}).join() === 'Story b,Story c,Story a'")
    await page.run("window.sameDocument = true")
    await served.publish(loud("a", 76.5, state="scandal"), loud("d", 50))
    await page.until(f"({TITLES}).join() === 'Story a,Story d,Story b,Story c'")
    row = "document.querySelector('.row')"
    assert await page.run(f"{row}.querySelector('.figure').textContent") == "76.5"
    assert await page.run(f"{row}.querySelector('.state').textContent") == "Major controversy"
    assert await page.run(f"{row}.dataset.band") == "uproar"
    await served.publish_raw([("noise-scores", b"d", None)])
    await page.until(f"({TITLES}).join() === 'Story a,Story b,Story c'")
    assert await page.run("window.sameDocument")
    assert page.errors == []


async def test_an_overtaken_row_glides_unless_the_reader_prefers_less_motion(served: Running, page: Page) -> None:
    await served.publish(loud("a", 10), loud("b", 30))
    gliding = """new Promise((done) => {
      window.looking = true;
      const seen = new Set();
      const until = performance.now() + 3000;
      (function look() {
        for (const { effect } of document.getAnimations()) {
          const from = effect.getKeyframes()[0].transform;
          if (from?.startsWith('translateY')) seen.add(effect.target.querySelector('.title').textContent);
        }
        if (performance.now() < until) requestAnimationFrame(look);
        else done([...seen].sort());
      })();
    })"""
    for motion, expected in (("no-preference", ["Story a", "Story b"]), ("reduce", [])):
        await page.prefer(prefers_reduced_motion=motion)
        await served.publish(loud("a", 10))
        await page.open(served.url)
        await page.until(f"({TITLES}).join() === 'Story b,Story a'")
        looking = asyncio.create_task(page.run(gliding))
        await page.until("window.looking")
        await served.publish(loud("a", 90))
        assert await looking == expected
        assert await page.run(TITLES) == ["Story a", "Story b"]


HOSTILE = (
    "<img src=x onerror=window.pwned=1><script>window.pwned=1</script>'\"><svg/onload=window.pwned=1>\u202egnp.exe"
)


async def test_text_of_untrusted_users_is_shown_as_text(served: Running, page: Page) -> None:
    links = [
        "javascript:window.pwned=1",
        " JaVaScRiPt:window.pwned=1",
        "data:text/html,<script>opener.pwned=1</script>",
        "vbscript:x",
        "//evil.example/",
        "https://ok.example/<script>",
        "not a link",
        None,
    ]
    record = score_record(
        "st_evil",
        slug='x"><script>',
        title=HOSTILE,
        beat=HOSTILE,
        category=HOSTILE,
        platforms={HOSTILE: {"items": 5, "interactions": 1}, "__proto__": {"items": 1}},
        figures=[HOSTILE],
        top=[{"id": HOSTILE, "platform": HOSTILE, "title": HOSTILE, "permalink": link} for link in links],
        windows={"5m": {"items": HOSTILE}, "1h": {}},
        inputs={
            "reach": {HOSTILE: HOSTILE, "list": [HOSTILE, {HOSTILE: [[[[1]]]]}], "__proto__": 1, "constructor": None},
            "engagement": HOSTILE,
            "duration": [1, 2],
        },
        added=HOSTILE,
    )
    events = [
        event_record("state_change", "st_evil", to="scandal", noise=5, reason=HOSTILE) | {"from": "trending"},
        event_record("spike", "st_evil", velocity_per_hour=9, expected_per_hour=None, evidence={HOSTILE: HOSTILE}),
        event_record("new_story", "st_unknown") | {"slug": HOSTILE},
    ]
    await served.publish(record, *events)
    await page.open(served.url + "#/story/st_evil")
    await page.until("document.querySelectorAll('.posts li').length === 8")
    await page.until("document.querySelectorAll('#event-list li').length === 3")
    await page.run("for (const details of document.querySelectorAll('details')) details.open = true")
    await served.publish(record | {"noise": 40.5}, *events)
    await page.until("document.querySelector('.loudness .figure').textContent === '40.5'")
    assert await page.run("window.pwned") is None
    assert await page.run("document.querySelector('#story h2').textContent") == HOSTILE
    assert await page.run("document.querySelector('.row .title').textContent") == HOSTILE
    assert await page.run("document.title.includes('<script>')")
    assert await page.run("document.querySelectorAll('script').length") == 2
    assert await page.run("document.querySelectorAll('img').length") == 1
    outside = "[...document.querySelectorAll('.posts a')].map(({ href, rel, target }) => [href, rel, target])"
    assert await page.run(outside) == [["https://ok.example/%3Cscript%3E", "noopener noreferrer nofollow", "_blank"]]
    schemes = "[...new Set([...document.querySelectorAll('a')].map((link) => link.protocol))].sort()"
    assert await page.run(schemes) == ["http:", "https:"]
    assert await page.run("document.documentElement.scrollWidth <= innerWidth")
    assert page.errors == []


async def test_the_browser_forbids_markup_and_foreign_code(served: Running, page: Page) -> None:
    await page.open(served.url)
    await page.until("document.querySelector('#freshness').dataset.mood")
    assert (
        await page.run("(() => { try { document.body.innerHTML = '<p>'; return 'set' } catch { return 'no' } })()")
        == "no"
    )
    assert await page.run("(() => { try { return eval('1') } catch { return 'no' } })()") == "no"
    blocked = """new Promise((done) => {
      document.addEventListener('securitypolicyviolation', (event) => done(event.effectiveDirective));
      const image = new Image(); image.src = 'http://127.0.0.1:9/x.png'; document.body.append(image);
    })"""
    assert await page.run(blocked) == "img-src"


async def test_the_page_sends_requests_to_its_server_only(served: Running, page: Page) -> None:
    await served.publish(loud("a", 50))
    await page.open(served.url)
    await page.until("document.body.innerText.includes('Story a')")
    await page.open(served.url + "#/story/a")
    await page.until("document.querySelector('#story h2')")
    assert page.requested
    assert [url for url in page.requested if not url.startswith(served.url)] == []


async def test_a_story_opens_from_its_address_and_is_updated(served: Running, page: Page) -> None:
    inputs = {"reach": {"audience": 123456, "sources": ["r/Futurology", "hn"]}}
    await served.publish(loud("a", 39.5, inputs=inputs), loud("b", 20))
    await page.open(served.url)
    await page.until("document.body.innerText.includes('Story a')")
    await page.open("about:blank")
    await page.open(served.url + "#/story/slug-of-a")
    await page.until("document.querySelector('#story-title')?.textContent === 'Story a'")
    reach = "document.querySelector('[data-factor=reach]')"
    await page.run(f"{reach}.querySelector('summary').click()")
    text = await page.run(f"{reach}.innerText")
    assert "123,456" in text
    assert "r/Futurology, hn" in text
    assert await page.run(f"{reach}.querySelector('.points').textContent") == "+7.6"
    assert await page.run("document.querySelector('.sum').textContent") == "39.85 raw × 99.0 % left after decay"
    inputs["reach"]["audience"] = 654321
    spike = event_record("spike", "a", velocity_per_hour=120, expected_per_hour=14)
    await served.publish(loud("a", 61, inputs=inputs), spike)
    await page.until("document.querySelector('.loudness .figure').textContent === '61.0'")
    await page.until("document.querySelector('.own-events')?.innerText.includes('120/h where 14/h')")
    assert "654,321" in await page.run(f"{reach}.innerText")  # still open, and new
    await page.press("Escape")
    await page.until("document.querySelector('#story').hidden && location.hash === '#/'")
    assert page.errors == []


async def test_the_address_of_a_merged_story_leads_to_the_story_it_is_part_of(served: Running, page: Page) -> None:
    await served.publish(loud("a", 30), loud("b", 20))
    await page.open(served.url + "#/story/slug-of-a")
    await page.until("document.querySelector('#story-title')?.textContent === 'Story a'")
    await served.publish(event_record("merged", "a", into="b"))
    await served.publish_raw([("noise-scores", b"a", None)])
    await page.until("document.querySelector('#story-title')?.textContent === 'Story b'")
    assert await page.run("location.hash") == "#/story/slug-of-b"
    await served.publish_raw([("noise-scores", b"b", None)])
    await page.until("document.querySelector('#story').innerText.includes('not on the board')")


async def test_the_keyboard_reaches_everything_and_keeps_its_place_while_rows_move(served: Running, page: Page) -> None:
    await served.publish(loud("a", 10), loud("b", 30), loud("c", 20))
    await page.open(served.url)
    await page.until(f"({TITLES}).length === 3")
    focused = "document.activeElement.textContent"
    await page.press("j")
    await page.press("j")
    assert await page.run(focused) == "Story c"
    await served.publish(loud("a", 95), loud("b", 15))
    await page.until(f"({TITLES}).join() === 'Story a,Story c,Story b'")
    assert await page.run(focused) == "Story c"
    await page.press("k")
    assert await page.run(focused) == "Story a"
    await page.press("Enter")
    await page.until("document.querySelector('#story-title')?.textContent === 'Story a'")
    await page.press("Escape")
    await page.press("/")
    assert await page.run("document.activeElement.name") == "q"


async def test_filters_are_in_the_address_and_apply_to_new_scores(served: Running, page: Page) -> None:
    await served.publish(loud("a", 10), loud("b", 50), loud("c", 90))
    await page.open(served.url + "#/?band=buzz,uproar")
    await page.until(f"({TITLES}).join() === 'Story c,Story b'")
    await served.publish(loud("a", 45), loud("c", 5), loud("d", 20))
    await page.until(f"({TITLES}).join() === 'Story b,Story a'")
    await page.run("document.querySelector('[name=band][value=buzz]').click()")
    await page.run("document.querySelector('[name=band][value=uproar]').click()")
    await page.run("document.querySelector('[name=band][value=whisper]').click()")
    await page.until(f"({TITLES}).join() === 'Story c'")
    assert await page.run("location.hash") == "#/?band=whisper"
    await page.run("document.querySelector('#clear').click()")
    await page.until(f"({TITLES}).length === 4")


async def test_the_page_says_when_it_is_not_current(embedded_broker: EmbeddedBroker, page: Page) -> None:
    text = "document.querySelector('#freshness-text').textContent"
    mood = "document.querySelector('#freshness').dataset.mood"
    async with running(embedded_broker.bootstrap_servers, "late-", wait=False) as served:
        await page.open(served.url)
        await page.until(f"{text} === 'Waiting for the topics'")
        await page.until("document.querySelector('#nothing').textContent.includes('hubbub topics create')")
        await make_topics(embedded_broker.bootstrap_servers, "late-")
        await page.until(f"{text} === 'Listening · no score yet'", 12)
        now_ms = (await served.get("/api/status"))["now_ms"]
        await served.publish(loud("a", 50, scored_ms=now_ms))
        await page.until(f"{text}.startsWith('Live · ')")
        assert await page.run(mood) == "live"
        url = served.url
    await page.until(f"{mood} === 'lost'")
    assert (await page.run(text)).startswith("Connection lost · showing ")
    assert await page.run(TITLES) == ["Story a"]  # old, and marked as old
    port = int(url.rpartition(":")[2].strip("/"))
    async with running(embedded_broker.bootstrap_servers, "late-", listen_port=port, stale_after_seconds=0.5) as served:
        await page.until(f"{mood} === 'stale'", 20)
        assert (await page.run(text)).startswith(("No new score for ", "Behind by "))
        await served.publish(loud("a", 60, scored_ms=now_ms - 3 * 86_400_000), loud("b", 60, scored_ms=now_ms))
        await page.until(f"({TITLES}).length === 2")


async def test_history_is_shown_as_history(served: Running, page: Page) -> None:
    await served.publish(loud("a", 50, first_seen_ms=1_700_000_000_000, scored_ms=1_700_007_200_000))
    await page.open(served.url)
    await page.until("document.querySelector('#freshness-text').textContent.startsWith('Replay · ')")
    await page.until("document.querySelector('.row .age').textContent === '2 h old'")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_fits_every_screen_in_both_colour_schemes(served: Running, page: Page, scheme: str) -> None:
    now_ms = (await served.get("/api/status"))["now_ms"]
    await served.publish_raw(Newsroom(4, now_ms).records(now_ms))
    await served.publish(loud("long", 99, slug="x" * 300) | {"title": "Donaudampfschifffahrtsgesellschaft" * 9})
    await page.prefer(prefers_color_scheme=scheme)
    for address, shows in (("", ".row"), ("#/events", ".event"), ("#/story/long", "#story-title")):
        await page.open("about:blank")
        await page.open(served.url + address)
        for width in (360, 390, 768, 1100, 1440, 2200):
            await page.size(width, 900)
            await page.until(f"innerWidth === {width} && document.querySelector('{shows}')?.checkVisibility()")
            assert await page.run("document.documentElement.scrollWidth <= innerWidth"), (address, width)
    assert await page.run("getComputedStyle(document.documentElement).colorScheme") == scheme
    background = await page.run("getComputedStyle(document.documentElement).backgroundColor")
    assert (int(background[4:].split(",")[0]) > 128) == (scheme == "light")


async def test_the_page_shows_the_words_and_bands_that_the_server_names(served: Running, page: Page) -> None:
    await served.publish(loud("a", 50, state="controversy", platforms={"hackernews": {"items": 3}, "arxiv_org": {}}))
    await page.open(served.url + "#/story/slug-of-a")
    await page.until("document.querySelector('.loudness')")
    words = await served.get("/api/vocabulary")
    texts = "(selector) => [...document.querySelectorAll(selector)].map((node) => node.textContent)"
    assert await page.run(f"({texts})('.life li')") == [one["label"] for one in words["states"]]
    assert await page.run(f"({texts})('.factor .name')") == [one["label"] for one in words["factors"]]
    assert await page.run(f"({texts})('#bands label > span')") == [one["name"] for one in words["bands"]]
    assert await page.run(f"({texts})('.platforms span[dir]')") == ["Hacker News", "Arxiv org"]
    level = "(selector) => getComputedStyle(document.querySelector(selector)).getPropertyValue('--loud')"
    loudest = await page.run("getComputedStyle(document.documentElement).getPropertyValue('--level-5')")
    assert await page.run(f"({level})('#bands label:last-child')") == loudest
    assert await page.run(f"({level})('.row')") not in {"", loudest}
