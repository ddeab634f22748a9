// Says in the masthead whether the page shows the present, and keeps the time of the server.

import { el, setText } from "./dom.js";
import { DAY, amount, dateTime, exact, span } from "./format.js";

const ARRIVING_MS = 10_000;
const TROUBLE = {
  connecting: "Waiting for the broker",
  unreachable: "The broker does not answer",
  no_topic: "Waiting for the topics",
};

export class Freshness {
  #status = null;
  #statusAt = 0;
  #connected = false;
  #root = document.getElementById("freshness");
  #text = document.getElementById("freshness-text");
  #detail = document.getElementById("freshness-detail");

  constructor() {
    setInterval(() => this.#show(), 250);
  }

  // The time of the server now (a simulated world has its own clock), in epoch milliseconds.
  now() {
    if (!this.#status) return Date.now();
    return this.#status.now_ms + Math.min(1_500, performance.now() - this.#statusAt) * this.#status.clock_rate;
  }

  // The time from which ages count: now, or the time of the newest score when the page shows history.
  reference() {
    const newest = this.#status?.newest_scored_ms;
    return newest != null && this.#age(newest) > DAY ? newest : this.now();
  }

  received(status) {
    this.#status = status;
    this.#statusAt = performance.now();
    this.#connected = true;
    this.#show();
    if (this.#root.open) this.#showDetail();
  }

  newest(scoredMs) {
    if (this.#status && scoredMs > (this.#status.newest_scored_ms ?? 0)) this.#status.newest_scored_ms = scoredMs;
  }

  lost() {
    this.#connected = false;
    this.#show();
  }

  get problems() {
    return this.#status?.problems ?? [];
  }

  #show() {
    const [mood, text] = this.#verdict();
    this.#root.dataset.mood = mood;
    document.documentElement.dataset.mood = mood;
    setText(this.#text, text);
  }

  // The mood (live, waiting, stale, lost) and the sentence.
  #verdict() {
    const status = this.#status;
    if (!this.#connected) {
      if (!status) return ["waiting", "Connecting…"];
      return ["lost", `Connection lost · showing ${dateTime(status.now_ms)}`];
    }
    const scores = status.topics["noise-scores"];
    if (scores.state === "catching_up") return ["waiting", `Catching up · ${amount(scores.behind_records)} to go`];
    if (scores.state !== "live") return ["lost", TROUBLE[scores.state] ?? scores.state];
    const newest = status.newest_scored_ms;
    if (newest == null) return ["waiting", "Listening · no score yet"];
    const age = this.#age(newest);
    const arriving = scores.last_record_ms != null && this.#age(scores.last_record_ms) < ARRIVING_MS;
    if (age > DAY) return [arriving ? "live" : "stale", `${arriving ? "Replay" : "History"} · ${dateTime(newest)}`];
    if (age > status.stale_after_ms) {
      return ["stale", arriving ? `Behind by ${span(age)}` : `No new score for ${span(age)}`];
    }
    const world = status.clock_rate > 1 ? ` ×${exact(Math.round(status.clock_rate))}` : "";
    return ["live", `Live${world} · ${span(age)}`];
  }

  // How long ago that was, in real time. A simulated world runs faster.
  #age(ms) {
    return Math.max(0, this.now() - ms) / (this.#status?.clock_rate ?? 1);
  }

  #showDetail() {
    const status = this.#status;
    const rows = Object.entries(status.topics).flatMap(([topic, its]) => {
      const skipped = Object.values(its.skipped).reduce((sum, count) => sum + count, 0);
      const words = [its.state.replaceAll("_", " ")];
      if (its.behind_records) words.push(`${amount(its.behind_records)} behind`);
      if (skipped) words.push(`${amount(skipped)} unreadable, skipped`);
      return [el("dt", null, topic), el("dd", null, words.join(" · "))];
    });
    this.#detail.replaceChildren(
      ...status.problems.map((problem) => el("p", { class: "problem" }, problem)),
      status.clock_rate > 1
        ? el("p", { class: "faint" }, `A simulated world, ${exact(status.clock_rate)} times as fast as ours.`)
        : "",
      el(
        "dl",
        null,
        el("dt", null, "Newest score"),
        el("dd", null, status.newest_scored_ms == null ? "none yet" : dateTime(status.newest_scored_ms)),
        el("dt", null, "Stories"),
        el("dd", null, amount(status.stories)),
        ...rows,
        el("dt", null, "Watching"),
        el("dd", null, amount(status.clients)),
      ),
    );
  }
}
