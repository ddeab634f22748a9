// The ranking: one row for each story, in order. An overtaken row glides. Nothing jumps under the pointer.

import { Sparkline, spanFor, spanName } from "./chart.js";
import { el, setAttribute, setStyle, setText } from "./dom.js";
import { amount, change, lifetime, noise, velocity } from "./format.js";
import { FACTORS, plainWords, stateName } from "./vocabulary.js";

const GLIDE_MS = 520;
const REORDER_MS = 900;
const HOLD_AFTER_POINTER_MS = 1_200;
const PAGE_ROWS = 40;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

// The seven factors with their names, beside the bars under the pointer.
class Tip {
  #lines = FACTORS.map((factor) => ({ name: factor.name, bar: el("i", { class: "bar" }), value: el("b") }));
  #node = el(
    "div",
    { class: "tip", "aria-hidden": "true", hidden: "" },
    ...this.#lines.map(({ bar, value }, i) => el("div", null, el("span", null, FACTORS[i].label), bar, value)),
  );

  show(beside, row) {
    for (const { name, bar, value } of this.#lines) {
      setStyle(bar, "--part", (row.factors[name] / 100).toFixed(2));
      setText(value, row.factors[name].toFixed(0));
    }
    setAttribute(this.#node, "data-band", row.band);
    document.body.append(this.#node);
    this.#node.hidden = false;
    const place = beside.getBoundingClientRect();
    const below = place.bottom + 8 + this.#node.offsetHeight < innerHeight;
    setStyle(this.#node, "left", `${Math.max(8, Math.min(place.left - 20, innerWidth - 224)) + scrollX}px`);
    setStyle(this.#node, "top", `${(below ? place.bottom + 8 : place.top - 8 - this.#node.offsetHeight) + scrollY}px`);
  }

  hide() {
    this.#node.hidden = true;
  }
}

const tip = new Tip();

class Row {
  constructor() {
    this.rank = el("span", { class: "rank" });
    this.whole = el("span", { class: "whole" });
    this.tenth = el("span", { class: "tenth" });
    this.band = el("span", { class: "band" });
    this.change = el("span", { class: "change" });
    this.gauge = el("span", { class: "gauge", "aria-hidden": "true" });
    this.title = el("a", { class: "title", dir: "auto" });
    this.state = el("span", { class: "state" });
    this.about = el("span", { class: "about", dir: "auto" });
    this.age = el("span", { class: "age" });
    this.bars = FACTORS.map(() => el("i"));
    this.factors = el("span", { class: "factors", role: "img" }, ...this.bars);
    this.factors.addEventListener("pointerenter", () => tip.show(this.factors, this.row));
    this.factors.addEventListener("pointerleave", () => tip.hide());
    this.factors.addEventListener("click", () => this.title.click());
    this.spark = new Sparkline();
    this.speed = el("b");
    this.node = el(
      "li",
      { class: "row" },
      this.rank,
      el(
        "span",
        { class: "noise" },
        el("span", { class: "figure" }, this.whole, this.tenth),
        this.gauge,
        el("span", { class: "under" }, this.band, this.change),
      ),
      el("span", { class: "what" }, this.title, el("span", { class: "meta" }, this.state, this.about, this.age)),
      this.factors,
      this.spark.node,
      el("span", { class: "velocity" }, this.speed, el("small", null, "/h")),
    );
  }

  show({ row, trend }, place, context) {
    this.row = row;
    const [whole, tenth] = noise(row.noise).split(".");
    setText(this.rank, String(place));
    setText(this.whole, whole);
    setText(this.tenth, `.${tenth}`);
    setText(this.band, row.band);
    const moved = row.noise - (row.previous ?? row.noise);
    setText(this.change, Math.abs(moved) < 0.05 ? "" : change(moved));
    setStyle(this.gauge, "--part", (row.noise / 100).toFixed(3));
    setText(this.title, row.title || row.slug || row.story);
    setAttribute(this.title, "href", context.href(row));
    setText(this.state, stateName(row.state));
    setText(this.about, about(row));
    const old = lifetime(context.nowMs - row.first_seen_ms);
    setText(this.age, old ? `${old} old` : "new");
    setAttribute(this.node, "data-band", row.band);
    setAttribute(this.node, "data-state", row.state);
    setAttribute(this.node, "aria-current", context.open === row.story || context.open === row.slug ? "true" : null);
    FACTORS.forEach(({ name }, i) => setStyle(this.bars[i], "--part", (row.factors[name] / 100).toFixed(2)));
    setAttribute(
      this.factors,
      "aria-label",
      FACTORS.map(({ name, label }) => `${label} ${Math.round(row.factors[name])}`).join(", "),
    );
    this.spark.draw(trend, context.nowMs, context.spanMs);
    setText(this.speed, velocity(row.velocity_per_hour));
  }
}

function about(row) {
  const shares = Object.entries(row.platforms).sort(([, a], [, b]) => b.items - a.items);
  const platforms = shares.slice(0, 3).map(([name, share]) => `${plainWords(name)} ${amount(share.items)}`);
  if (shares.length > 3) platforms.push(`+${shares.length - 3}`);
  return [row.category ? plainWords(row.category) : null, ...platforms].filter(Boolean).join(" · ");
}

export class Ranking {
  #list = document.getElementById("rows");
  #nothing = document.getElementById("nothing");
  #more = document.getElementById("more");
  #heading = document.getElementById("trend-heading");
  #rows = new Map();
  #shown = PAGE_ROWS;
  #orderedAt = 0;
  #pointerAt = -Infinity;
  #order = [];

  constructor(onMore) {
    this.#more.addEventListener("click", () => {
      this.#shown += PAGE_ROWS;
      this.#order = [];
      onMore();
    });
    for (const type of ["pointermove", "pointerdown"]) {
      this.#list.addEventListener(type, () => (this.#pointerAt = performance.now()), { passive: true });
    }
  }

  // Sort again at the next drawing, without gliding: the reader asked for another list.
  reset() {
    this.#shown = PAGE_ROWS;
    this.#order = [];
  }

  // context: { nowMs, sort, open, href(row), empty }
  show(store, context) {
    if (!this.#mayReorder() && this.#order.every((id) => store.get(id))) {
      this.#fill(store, context);
      return;
    }
    const glide = this.#order.length > 0 && !calm.matches;
    const before = glide ? this.#places() : null;
    const stories = store.ranked(context.sort).slice(0, this.#shown);
    this.#order = stories.map(({ row }) => row.story);
    this.#orderedAt = performance.now();
    for (const [id, row] of this.#rows) {
      if (!this.#order.includes(id)) {
        row.node.remove();
        this.#rows.delete(id);
      }
    }
    for (const id of this.#order) if (!this.#rows.has(id)) this.#rows.set(id, new Row());
    this.#fill(store, context);
    this.#arrange(this.#order.map((id) => this.#rows.get(id).node));
    if (before) this.#glide(before);
    this.#more.hidden = store.size <= this.#shown;
    setText(this.#more, `Show more of ${amount(store.total)}`);
    this.#nothing.hidden = stories.length > 0;
    setText(this.#nothing, context.empty);
  }

  // The link of the story before or after the one with the focus, for the keyboard.
  neighbour(step) {
    const links = [...this.#list.querySelectorAll("a.title")];
    const here = links.indexOf(document.activeElement);
    return here === -1 ? links[0] : links[Math.min(links.length - 1, Math.max(0, here + step))];
  }

  #mayReorder() {
    if (!this.#order.length) return true;
    const now = performance.now();
    return now - this.#orderedAt >= REORDER_MS && now - this.#pointerAt >= HOLD_AFTER_POINTER_MS;
  }

  #fill(store, context) {
    const stories = this.#order.map((id) => store.get(id));
    const ages = stories.map(({ trend }) => context.nowMs - trend[0][0]).sort((a, b) => a - b);
    const spanMs = spanFor(ages[Math.floor(ages.length * 0.8)] ?? 0);
    setText(this.#heading, `Last ${spanName(spanMs)}`);
    stories.forEach((story, i) => this.#rows.get(story.row.story).show(story, i + 1, { ...context, spanMs }));
  }

  // Put the rows in this order. The row with the focus is never removed from the page, or it would lose the focus.
  #arrange(nodes) {
    const focused = document.activeElement?.closest?.(".row");
    let next = this.#list.firstElementChild;
    for (const node of nodes) {
      if (node === focused && node !== next && node.parentNode === this.#list) {
        while (next && next !== node) {
          const after = next.nextElementSibling;
          this.#list.append(next);
          next = after;
        }
      }
      if (node === next) next = next.nextElementSibling;
      else this.#list.insertBefore(node, next);
    }
  }

  #places() {
    return new Map([...this.#rows.values()].map(({ node }) => [node, node.getBoundingClientRect().top]));
  }

  // Each row that moved starts at its last position and glides to the new one. A new row fades in.
  #glide(before) {
    const nodes = [...this.#rows.values()].map(({ node }) => node);
    for (const animation of nodes.flatMap((node) => node.getAnimations())) animation.cancel();
    const after = this.#places();
    for (const node of nodes) {
      const from = before.get(node);
      const to = after.get(node);
      if (from === undefined) {
        node.animate([{ opacity: 0 }, { opacity: 1 }], { duration: GLIDE_MS, easing: "ease-out" });
      } else if (Math.abs(from - to) > 1 && Math.min(from, to) < innerHeight && Math.max(from, to) > -200) {
        const zIndex = from > to ? 2 : 1; // a rising row passes in front
        node.animate([{ transform: `translateY(${from - to}px)`, zIndex }, { transform: "none", zIndex }], {
          duration: GLIDE_MS,
          easing: "cubic-bezier(.3, .7, .2, 1)",
        });
      }
    }
  }
}
