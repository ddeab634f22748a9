// The filters above the ranking. The address of the page holds their values. This file shows and changes them.

import { el, setText } from "./dom.js";
import { BANDS, SORTS, STATES, plainWords, stateName } from "./vocabulary.js";

const TYPING_MS = 250;
const ONE_OF = ["beat", "state", "platform", "category"];
const NAMED = {
  beat: ["Every beat", (name) => name],
  state: ["Every state", stateName],
  platform: ["Every platform", plainWords],
  category: ["Every category", plainWords],
};

export class Filters {
  #form = document.getElementById("filters");
  #clear = document.getElementById("clear");
  #bands = new Map();
  #typing = 0;
  #offered = {};

  constructor(changed) {
    const holder = document.getElementById("bands");
    for (const { name } of BANDS) {
      const count = el("small");
      const box = el("input", { type: "checkbox", name: "band", value: name });
      holder.append(el("label", { "data-band": name }, box, el("span", null, name), count));
      this.#bands.set(name, { box, count });
    }
    this.#form.elements.sort.append(...SORTS.map(([value, shown]) => el("option", { value }, shown)));
    for (const name of ONE_OF) this.#options(name, []);
    this.#form.addEventListener("change", changed);
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    this.#form.addEventListener("reset", () => setTimeout(changed));
    this.#form.elements.q.addEventListener("input", () => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(changed, TYPING_MS);
    });
  }

  get sort() {
    return this.#form.elements.sort.value;
  }

  get active() {
    return this.filterQuery().size > 0;
  }

  focus() {
    this.#form.elements.q.focus();
  }

  // The values, as parameters of /api/stories and /ws. query() adds the sort order, for the address of the page.
  filterQuery() {
    const { elements } = this.#form;
    const query = new URLSearchParams();
    const bands = BANDS.map(({ name }) => name).filter((name) => this.#bands.get(name).box.checked);
    if (bands.length) query.set("band", bands.join());
    for (const name of ONE_OF) if (elements[name].value) query.set(name, elements[name].value);
    const words = elements.q.value.trim();
    if (words) query.set("q", words);
    return query;
  }

  query() {
    const query = this.filterQuery();
    if (this.sort !== SORTS[0][0]) query.set("sort", this.sort);
    return query;
  }

  // Show the values of the address.
  set(query) {
    const { elements } = this.#form;
    const bands = (query.get("band") ?? "").split(",");
    for (const [name, { box }] of this.#bands) box.checked = bands.includes(name);
    for (const name of ONE_OF) {
      const wanted = query.get(name) ?? "";
      if (wanted && ![...elements[name].options].some(({ value }) => value === wanted)) {
        elements[name].append(el("option", { value: wanted }, NAMED[name][1](wanted)));
        elements[name].hidden = false;
      }
      elements[name].value = wanted;
    }
    elements.sort.value = SORTS.some(([name]) => name === query.get("sort")) ? query.get("sort") : SORTS[0][0];
    const words = query.get("q") ?? "";
    if (elements.q.value.trim() !== words) elements.q.value = words;
    this.#clear.hidden = !this.query().size;
  }

  // Offer the values that the live stories have: facets as in /api/status.
  offer(facets) {
    for (const [name, { count }] of this.#bands) setText(count, String(facets.band[name] ?? 0));
    for (const name of ONE_OF) {
      const known = name === "state" ? STATES.map((state) => state.name) : Object.keys(facets[name]).sort();
      this.#options(name, known);
    }
  }

  #options(name, known) {
    if (this.#offered[name] === known.join("\n")) return;
    this.#offered[name] = known.join("\n");
    const select = this.#form.elements[name];
    const chosen = select.value;
    const [every, shown] = NAMED[name];
    const values = chosen && !known.includes(chosen) ? [...known, chosen] : known;
    select.replaceChildren(
      el("option", { value: "" }, every),
      ...values.map((value) => el("option", { value }, shown(value))),
    );
    select.value = chosen;
    select.hidden = name === "beat" && values.length < 2;
  }
}
