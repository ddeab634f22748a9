// The layout of one story: its noise, its trend, why the score is what it is, its platforms and its loudest posts.

import { TrendChart } from "./chart.js";
import { el, outsideLink, setAttribute, setStyle, setText, webAddress } from "./dom.js";
import { eventItem } from "./events.js";
import { age, amount, dateTime, noise, velocity } from "./format.js";
import { inputList } from "./inputs.js";
import { BANDS, FACTORS, STATES, WINDOWS, plainWords } from "./vocabulary.js";

const MAX_EVENTS = 30;

export class StoryPaper {
  constructor(home) {
    this.close = el("a", { class: "close", href: home(), "aria-label": "Close the story", title: "Close (Esc)" }, "×");
    this.kicker = el("p", { class: "kicker" });
    this.title = el("h2", { id: "story-title", dir: "auto" });
    this.whole = el("span", { class: "whole" });
    this.tenth = el("span", { class: "tenth" });
    this.band = el("span", { class: "band" });
    this.sum = el("p", { class: "sum" });
    this.needle = el("i", { class: "needle" });
    const zones = BANDS.map(({ name, from }, i) => {
      const zone = el("span", { "data-band": name, title: `${name}: from ${from}` });
      setStyle(zone, "--width", String((BANDS[i + 1]?.from ?? 100) - from));
      return zone;
    });
    this.life = STATES.map(({ name, label }) => el("li", { "data-state": name }, label));
    this.chart = new TrendChart();
    this.factors = FACTORS.map((factor) => new FactorLine(factor));
    this.platforms = el("div", { class: "platforms" });
    this.windows = el("tbody");
    this.top = el("ol", { class: "posts" });
    this.figures = el("p", { class: "figures" });
    this.figuresPart = part("Public figures", this.figures);
    this.events = el("ol", { class: "own-events" });
    this.eventsPart = part("What happened", this.events);
    this.source = el("a", null, "This story as JSON");
    const heads = ["", "Items", "Authors", "Audience", "Interactions"].map((text) => el("th", { scope: "col" }, text));
    this.node = el(
      "div",
      { class: "paper" },
      this.close,
      this.kicker,
      this.title,
      el(
        "div",
        { class: "loudness" },
        el("p", { class: "figure" }, this.whole, this.tenth),
        el("div", null, this.band, el("div", { class: "scale", "aria-hidden": "true" }, ...zones, this.needle), this.sum),
      ),
      el("ol", { class: "life", "aria-label": "State" }, ...this.life),
      part("Noise over time", this.chart.node),
      part("Why this score", el("div", { class: "factor-list" }, ...this.factors.map((line) => line.node))),
      part("Where", this.platforms),
      part("How much", el("table", null, el("thead", null, el("tr", null, ...heads)), this.windows)),
      part("Loudest posts", this.top),
      this.figuresPart,
      this.eventsPart,
      el("p", { class: "source" }, this.source),
    );
  }

  // The first argument is an answer of /api/stories/{story}.
  show({ score, trend, events }, context) {
    const nowMs = context.reference();
    setAttribute(this.close, "href", context.home());
    setAttribute(this.node, "data-band", score.band);
    setAttribute(this.node, "data-state", score.state);
    const coverage = `last coverage ${age(nowMs - score.last_coverage_ms)}`;
    const kicker = [score.category && plainWords(score.category), `began ${age(nowMs - score.first_seen_ms)}`, coverage];
    setText(this.kicker, [...kicker, `${velocity(score.velocity_per_hour)}/h`].filter(Boolean).join(" · "));
    setText(this.title, score.title || score.slug);
    const [whole, tenth] = noise(score.noise).split(".");
    setText(this.whole, whole);
    setText(this.tenth, `.${tenth}`);
    setText(this.band, score.band);
    setStyle(this.needle, "--at", score.noise.toFixed(1));
    setText(this.sum, `${score.raw.toFixed(2)} raw × ${(100 * score.decay).toFixed(1)} % left after decay`);
    for (const step of this.life) {
      setAttribute(step, "aria-current", step.dataset.state === score.state ? "step" : null);
    }
    this.chart.show(trend, events, nowMs);
    this.#showFactors(score);
    this.#showPlatforms(score.platforms);
    this.#showWindows(score.windows);
    replaceIfChanged(this.top, score.top, postItem);
    replaceIfChanged(this.figures, score.figures, (name) => el("span", { dir: "auto" }, name));
    this.figuresPart.hidden = score.figures.length === 0;
    this.events.replaceChildren(...events.slice(0, MAX_EVENTS).map((event) => eventItem(event, { nowMs })));
    this.eventsPart.hidden = events.length === 0;
    setAttribute(this.source, "href", `/api/stories/${encodeURIComponent(score.story)}`);
  }

  #showFactors(score) {
    const sum = FACTORS.reduce((total, { name, weight }) => total + weight * score.factors[name], 0);
    // Weights are settings. If they are not the usual ones, points calculated with the usual ones would be wrong.
    const usual = Math.abs(sum - score.raw) < 0.5;
    const inputs = score.inputs ?? {};
    for (const line of this.factors) line.show(score.factors[line.factor.name], inputs[line.factor.name], usual);
  }

  #showPlatforms(platforms) {
    const shares = Object.entries(platforms ?? {}).sort(([, a], [, b]) => b.items - a.items);
    const most = Math.max(1, ...shares.map(([, share]) => share.items));
    replaceIfChanged(this.platforms, shares, ([name, share]) => {
      const bar = el("i", { class: "bar" });
      setStyle(bar, "--part", (share.items / most).toFixed(3));
      const counts = `${amount(share.items)} items, ${amount(share.interactions)} interactions`;
      return el("div", null, el("span", { dir: "auto" }, plainWords(name)), bar, el("span", null, counts));
    });
  }

  #showWindows(windows) {
    replaceIfChanged(this.windows, WINDOWS.filter(([name]) => windows?.[name]).map(([name, shown]) => [shown, windows[name]]), ([shown, its]) =>
      el(
        "tr",
        null,
        el("th", { scope: "row" }, shown),
        ...["items", "authors", "audience", "interactions"].map((name) =>
          el("td", null, typeof its[name] === "number" ? amount(its[name]) : "–"),
        ),
      ),
    );
  }
}

class FactorLine {
  #inputs = "";

  constructor(factor) {
    this.factor = factor;
    this.bar = el("i", { class: "bar" });
    this.value = el("b");
    this.points = el("span", { class: "points" });
    this.body = el("div", { class: "body" });
    this.node = el(
      "details",
      { class: "factor", "data-factor": factor.name },
      el("summary", null, el("span", { class: "name" }, factor.label), this.bar, this.value, this.points),
      this.body,
    );
  }

  show(value, inputs, usual) {
    setStyle(this.bar, "--part", (value / 100).toFixed(3));
    setText(this.value, value.toFixed(0));
    setText(this.points, usual ? `+${(this.factor.weight * value).toFixed(1)}` : "");
    const seen = JSON.stringify([inputs, value, usual]);
    if (seen === this.#inputs) return;
    this.#inputs = seen;
    const share = usual ? ` ${(100 * this.factor.weight).toFixed(0)} % of the score.` : "";
    const nothing = el("p", { class: "faint" }, "The scorer sent no inputs for this factor.");
    this.body.replaceChildren(
      el("p", null, `${this.factor.measures}: ${value.toFixed(1)} of 100.${share}`),
      inputList(inputs) ?? nothing,
    );
  }
}

function part(heading, ...children) {
  return el("section", { class: "part" }, el("h3", null, heading), ...children);
}

function postItem(post) {
  const address = webAddress(post.permalink);
  return el(
    "li",
    null,
    outsideLink(post.permalink, post.title || post.id),
    el(
      "span",
      { class: "faint", dir: "auto" },
      [plainWords(post.platform), address?.host, `${amount(post.interactions)} interactions`].filter(Boolean).join(" · "),
    ),
  );
}

const drawn = new WeakMap();

// Build the children again only if their content has changed, so that a selection or a focus in them stays.
function replaceIfChanged(node, items, make) {
  const seen = JSON.stringify(items);
  if (drawn.get(node) === seen) return;
  drawn.set(node, seen);
  node.replaceChildren(...(items ?? []).map(make));
}
