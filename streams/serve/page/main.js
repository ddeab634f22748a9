// The parts of the page: its address says what it shows, the API answers with the past, the WebSocket sends changes.

import { Channel } from "./channel.js";
import { setAttribute } from "./dom.js";
import { EventFeed, SHOWN_TYPES } from "./events.js";
import { Filters } from "./filters.js";
import { Freshness } from "./freshness.js";
import { Ranking } from "./ranking.js";
import { StoryStore } from "./stories.js";
import { StoryView } from "./story.js";

const LIMIT = 300;
const RELOAD_MS = 60_000;
const RELOAD_UNKNOWN_MS = 5_000;

const store = new StoryStore();
const freshness = new Freshness();
const filters = new Filters(() => go(route()));
const ranking = new Ranking(() => draw());
const feed = new EventFeed();
const story = new StoryView({
  reference: () => freshness.reference(),
  home: () => address("/"),
  moved: (score) => location.replace(storyAddress(score)),
});

const narrow = matchMedia("(max-width: 1180px)");
const places = new Map();
const tabs = [
  [document.getElementById("tab-ranking"), "ranking", "/"],
  [document.getElementById("tab-events"), "events", "/events"],
];

let channel = null;
let watched = null;
let loading = 0;
let loadedAt = -Infinity;
let failed = false;

// The address: #/story/a-slug?band=buzz&sort=change

function route() {
  const [path, query] = location.hash.slice(1).split("?");
  return { path: path || "/", query: new URLSearchParams(query ?? "") };
}

const address = (path) => {
  const query = filters.query().toString();
  return `#${path}${query ? `?${query}` : ""}`;
};

const storyAddress = ({ slug, story: id }) => address(`/story/${encodeURIComponent(slug || id)}`);

function follow() {
  const { path, query } = route();
  filters.set(query);
  let name = null;
  if (path.startsWith("/story/")) {
    try {
      name = decodeURIComponent(path.slice("/story/".length));
    } catch {
      // not an address of this page
    }
  }
  const view = name ? "story" : path === "/events" ? "events" : "ranking";
  for (const [tab, itsView, itsPath] of tabs) {
    setAttribute(tab, "href", address(itsPath));
    setAttribute(tab, "aria-current", view === itsView ? "page" : null);
  }
  // With room for one view only, each view keeps its scroll position.
  if (document.body.dataset.view !== view) {
    places.set(document.body.dataset.view, scrollY);
    document.body.dataset.view = view;
    if (narrow.matches) requestAnimationFrame(() => scrollTo(0, view === "story" ? 0 : places.get(view) ?? 0));
  }
  if (name) story.open(name);
  else story.close();
  watch();
  draw();
}

// Write the filters into the address.
function go({ path }) {
  history.replaceState(null, "", address(path));
  follow();
}

// The data

function watch() {
  const query = filters.filterQuery().toString();
  if (query === watched) {
    if (filters.sort !== store.sort) reload();
    return;
  }
  watched = query;
  channel?.close();
  channel = new Channel(`/ws?${query}`, {
    opened: reload,
    lost: () => freshness.lost(),
    received(message) {
      if (message.type === "status") {
        freshness.received(message);
        filters.offer(message.facets);
        if (performance.now() - loadedAt > RELOAD_MS) reload();
        schedule();
        return;
      }
      const unknown = store.update(message);
      for (const { scored_ms: at } of message.scores) freshness.newest(at);
      feed.add(message.events, eventContext());
      if (unknown && performance.now() - loadedAt > RELOAD_UNKNOWN_MS) reload();
      schedule();
    },
  });
}

async function reload() {
  const request = ++loading;
  loadedAt = performance.now();
  const query = filters.filterQuery();
  query.set("sort", filters.sort);
  query.set("limit", LIMIT);
  const asked = filters.query().toString();
  try {
    const [stories, events] = await Promise.all([
      get(`/api/stories?${query}`),
      get(`/api/events?${filters.filterQuery()}&limit=80&type=${SHOWN_TYPES.join()}`),
    ]);
    if (request !== loading) return;
    failed = false;
    if (store.asked !== asked) ranking.reset();
    store.asked = asked;
    store.sort = filters.sort;
    store.load(stories);
    feed.load(events.events, eventContext());
  } catch {
    failed = true; // the WebSocket fails too, and reloads when it is connected again
  }
  draw();
}

async function get(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

// The drawing: after a change, at most once a frame, and only while the page is visible

let scheduled = false;

function schedule() {
  if (scheduled || document.hidden) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    draw();
  });
}

function draw() {
  const nowMs = freshness.reference();
  ranking.show(store, { nowMs, sort: filters.sort, open: story.name, href: storyAddress, empty: emptiness() });
  feed.tick(nowMs);
  story.tick();
}

function emptiness() {
  if (failed) return "The server does not answer. Trying again…";
  if (store.asked === undefined) return "Reading the board…";
  if (filters.active) return "No story passes these filters.";
  return freshness.problems[0] ? `Waiting: ${freshness.problems[0]}.` : "No story yet. Stories appear here as soon as one is scored.";
}

function eventContext() {
  return {
    nowMs: freshness.reference(),
    href: storyAddress,
    title: (event) => store.get(event.story)?.row.title || event.slug.replaceAll("-", " ") || event.story,
  };
}

// The keyboard

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest?.("input, select, textarea");
  if (event.key === "Escape") {
    if (typing) event.target.blur();
    else if (story.name) location.hash = address("/");
  } else if (!typing && event.key === "/") {
    event.preventDefault();
    filters.focus();
  } else if (!typing && (event.key === "j" || event.key === "k")) {
    ranking.neighbour(event.key === "j" ? 1 : -1)?.focus();
  }
});

addEventListener("hashchange", follow);
document.addEventListener("visibilitychange", schedule);
follow();
