// One story, from its address: fetched once, then updated by a WebSocket of its own that sends its whole record.

import { extend } from "./stories.js";
import { Channel } from "./channel.js";
import { StoryPaper } from "./paper.js";
import { el } from "./dom.js";

export class StoryView {
  #node = document.getElementById("story");
  #name = null;
  #channel = null;
  #paper = null;
  #answer = null;
  #context;

  // context: { reference(), home(), moved(score) }
  constructor(context) {
    this.#context = context;
  }

  get name() {
    return this.#name;
  }

  open(name) {
    if (name === this.#name) return;
    this.close();
    this.#name = name;
    this.#node.hidden = false;
    this.#node.replaceChildren(el("p", { class: "nothing" }, "…"));
    this.#node.scrollTop = 0;
    this.#fetch(name);
  }

  close() {
    this.#channel?.close();
    this.#channel = this.#paper = this.#answer = this.#name = null;
    this.#node.hidden = true;
    document.title = "Hubbub";
  }

  tick() {
    if (this.#paper) this.#show();
  }

  async #fetch(name) {
    let response;
    try {
      response = await fetch(`/api/stories/${encodeURIComponent(name)}`);
    } catch {
      setTimeout(() => this.#name === name && !this.#answer && this.#fetch(name), 2_000);
      return;
    }
    if (this.#name !== name) return;
    if (!response.ok) {
      this.#gone();
      return;
    }
    const answer = await response.json();
    if (this.#name !== name) return;
    if (response.redirected) {
      this.#context.moved(answer.score); // it was merged: the address must name the other story
      return;
    }
    this.#answer = answer;
    if (!this.#paper) {
      this.#paper = new StoryPaper(this.#context.home);
      this.#node.replaceChildren(this.#paper.node);
    }
    this.#show();
    this.#channel ??= this.#listen(name, answer.score.story);
  }

  #listen(name, id) {
    return new Channel(`/ws?story=${encodeURIComponent(id)}`, {
      opened: () => this.#fetch(name),
      lost: () => {},
      received: (message) => {
        if (message.type !== "update") return;
        // Two topics report the end of a story and the story it was merged into. Either may come first.
        if (!this.#answer || message.gone.length || message.events.some((event) => event.type === "merged")) {
          this.#fetch(name);
          return;
        }
        for (const score of message.scores) {
          this.#answer.score = score;
          extend(this.#answer.trend, score);
        }
        this.#answer.events = [...message.events.filter((event) => event.type !== "noise_update").reverse(), ...this.#answer.events];
        this.#show();
      },
    });
  }

  #show() {
    const { noise, title } = this.#answer.score;
    document.title = `${noise.toFixed(0)} · ${title} · Hubbub`;
    this.#paper.show(this.#answer, this.#context);
  }

  #gone() {
    this.#paper = this.#answer = null;
    const back = el("a", { class: "back", href: this.#context.home() }, "Back to the ranking");
    this.#node.replaceChildren(el("p", { class: "nothing" }, "This story is not on the board. It may be over. "), back);
  }
}
