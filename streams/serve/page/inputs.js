// The inputs of a factor. The scorer decides their form, so numbers, words and lists are shown as they come.

import { el } from "./dom.js";
import { dateTime, exact, span } from "./format.js";
import { plainWords } from "./vocabulary.js";

const MAX_ENTRIES = 40;
const MAX_DEPTH = 4;
const MAX_CHARS = 300;
const EARLIEST_MS = Date.UTC(2000);

// A list of terms for an object; null for nothing.
export function inputList(inputs) {
  const entries = Object.entries(inputs ?? {});
  if (!entries.length) return null;
  return terms(entries, 0);
}

function terms(entries, depth) {
  const shown = entries.slice(0, MAX_ENTRIES).flatMap(([name, value]) => [
    el("dt", { dir: "auto" }, plainWords(name.replace(/_ms$/, ""))),
    el("dd", { dir: "auto" }, name.endsWith("_ms") ? time(value, depth) : written(value, depth + 1)),
  ]);
  if (entries.length > MAX_ENTRIES) shown.push(el("dt", null, "…"), el("dd", null, `${entries.length - MAX_ENTRIES} more`));
  return el("dl", { class: "inputs" }, ...shown);
}

// By our naming, a name that ends in _ms is a time (epoch milliseconds) or a duration.
function time(value, depth) {
  if (typeof value !== "number") return written(value, depth + 1);
  return value > EARLIEST_MS ? dateTime(value) : span(value);
}

function written(value, depth) {
  if (value === null || value === undefined) return "unknown";
  if (typeof value === "number") return exact(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return value.slice(0, MAX_CHARS);
  if (depth >= MAX_DEPTH) return "…";
  if (!Array.isArray(value)) {
    const entries = Object.entries(value);
    return entries.length ? terms(entries, depth) : "none";
  }
  if (!value.length) return "none";
  if (value.every((item) => item === null || typeof item !== "object")) {
    const more = value.length > MAX_ENTRIES ? ", …" : "";
    return value.slice(0, MAX_ENTRIES).map((item) => written(item, depth)).join(", ") + more;
  }
  const items = value.slice(0, MAX_ENTRIES).map((item) => el("li", null, written(item, depth + 1)));
  return el("ol", null, ...items);
}
