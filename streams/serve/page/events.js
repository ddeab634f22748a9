// The events, in sentences: the feed beside the ranking, and the list in a story.

import { el, setText } from "./dom.js";
import { age, dateTime, exact, noise, velocity } from "./format.js";
import { EVENT_TYPES, plainWords, stateName } from "./vocabulary.js";

const MAX_SHOWN = 80;
// Every type except the one that comes with every score.
export const SHOWN_TYPES = EVENT_TYPES.filter((type) => type !== "noise_update");

const number = (value, write) => (typeof value === "number" ? write(value) : "?");

const reason = (event) => (typeof event.reason === "string" ? event.reason : "");

// [headline, details] of a NoiseEvent.
export function sentence(event) {
  switch (event.type) {
    case "new_story":
      return ["New story", ""];
    case "state_change":
      return [
        stateName(event.to),
        [`was ${stateName(event.from)}`, `noise ${number(event.noise, noise)}`, reason(event)].filter(Boolean).join(" · "),
      ];
    case "spike": {
      const expected = number(event.expected_per_hour, velocity);
      return ["Spike", `${number(event.velocity_per_hour, velocity)}/h where ${expected}/h was to be expected`];
    }
    case "spike_over":
      return ["Spike over", ""];
    case "merged":
      return ["Merged", "now part of another story"];
    case "resolved":
      return ["Resolved", reason(event)];
    default:
      return [plainWords(event.type), typeof event.noise === "number" ? exact(event.noise) : ""];
  }
}

// context: { nowMs, title(event), href(event) }. Without href, the list is inside the story itself.
export function eventItem(event, context) {
  const [headline, details] = sentence(event);
  const when = el("time", { datetime: new Date(event.at_ms).toISOString(), title: dateTime(event.at_ms) });
  setText(when, age(context.nowMs - event.at_ms));
  const item = el(
    "li",
    { class: "event", "data-type": event.type, "data-state": event.type === "state_change" ? event.to : null },
    el("span", { class: "headline" }, headline),
    when,
    context.href ? el("a", { class: "whose", dir: "auto", href: context.href(event) }, context.title(event)) : null,
    details ? el("span", { class: "details" }, details) : null,
  );
  item.dataset.at = event.at_ms;
  return item;
}

export function refreshAges(list, nowMs) {
  for (const item of list.children) setText(item.querySelector("time"), age(nowMs - Number(item.dataset.at)));
}

const key = (event) => `${event.story} ${event.type} ${event.at_ms}`;

export class EventFeed {
  #list = document.getElementById("event-list");
  #nothing = document.getElementById("no-events");
  #announcer = document.getElementById("announcer");
  #known = new Set();

  // Apply an answer of /api/events, newest first.
  load(events, context) {
    this.#known = new Set(events.map(key));
    this.#list.replaceChildren(...events.slice(0, MAX_SHOWN).map((event) => eventItem(event, context)));
    this.#nothing.hidden = this.#list.children.length > 0;
  }

  // Apply the events of an update, oldest first.
  add(events, context) {
    const fresh = events.filter((event) => SHOWN_TYPES.includes(event.type) && !this.#known.has(key(event)));
    for (const event of fresh) {
      this.#known.add(key(event));
      const item = eventItem(event, context);
      item.classList.add("fresh");
      this.#list.prepend(item);
    }
    while (this.#list.children.length > MAX_SHOWN) this.#list.lastElementChild.remove();
    if (this.#known.size > 20 * MAX_SHOWN) this.#known.clear();
    this.#nothing.hidden = this.#list.children.length > 0;
    const loudest = fresh.findLast((event) => event.type === "spike" || event.to === "scandal");
    if (loudest) setText(this.#announcer, `${sentence(loudest)[0]}: ${context.title(loudest)}`);
  }

  tick(nowMs) {
    refreshAges(this.#list, nowMs);
  }
}
