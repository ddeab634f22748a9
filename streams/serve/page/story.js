// One story, from its address: fetched once, then kept up by a WebSocket of its own that sends its whole record.

import { extend } from "./board.js";
import { Channel } from "./channel.js";
import { StoryPaper } from "./paper.js";
import { el } from "./dom.js";

export class StoryView {
  #node = document.getElementById("story");
  #name = null;
  #channel = null;
  #paper = null;
  #told = null;
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
    this.#channel = this.#paper = this.#told = this.#name = null;
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
      setTimeout(() => this.#name === name && !this.#told && this.#fetch(name), 2_000);
      return;
    }
    if (this.#name !== name) return;
    if (!response.ok) {
      this.#gone();
      return;
    }
    const told = await response.json();
    if (this.#name !== name) return;
    if (response.redirected) {
      this.#context.moved(told.score); // it was merged: the address shall say so
      return;
    }
    this.#told = told;
    if (!this.#paper) {
      this.#paper = new StoryPaper(this.#context.home);
      this.#node.replaceChildren(this.#paper.node);
    }
    this.#show();
    this.#channel ??= this.#listen(name, told.score.story);
  }

  #listen(name, id) {
    return new Channel(`/ws?story=${encodeURIComponent(id)}`, {
      opened: () => this.#fetch(name),
      lost: () => {},
      received: (message) => {
        if (message.type !== "update") return;
        // The end of a story, and what it was merged into, are told by two topics: either may come first.
        if (!this.#told || message.gone.length || message.events.some((event) => event.type === "merged")) {
          this.#fetch(name);
          return;
        }
        for (const score of message.scores) {
          this.#told.score = score;
          extend(this.#told.trend, score);
        }
        this.#told.events = [...message.events.filter((event) => event.type !== "noise_update").reverse(), ...this.#told.events];
        this.#show();
      },
    });
  }

  #show() {
    const { noise, title } = this.#told.score;
    document.title = `${noise.toFixed(0)} · ${title} · Hubbub`;
    this.#paper.show(this.#told, this.#context);
  }

  #gone() {
    this.#paper = this.#told = null;
    const back = el("a", { class: "back", href: this.#context.home() }, "Back to the ranking");
    this.#node.replaceChildren(el("p", { class: "nothing" }, "This story is not on the board. It may be over. "), back);
  }
}
