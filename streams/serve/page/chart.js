// Draws noise over time: the small line of a row, and the large chart of a story.

import { el, setAttribute, setText, svg } from "./dom.js";
import { age, dateTime, noise, tick } from "./format.js";
import { sentence } from "./events.js";
import { BANDS } from "./vocabulary.js";

const MINUTE = 60_000;
// The lengths that a time axis may have.
const SPANS = [5, 15, 30, 60, 180, 360, 720, 1_440, 4_320, 10_080, 43_200].map((minutes) => minutes * MINUTE);
const STEPS = [1, 5, 10, 15, 30, 60, 120, 240, 720, 1_440, 4_320, 10_080].map((minutes) => minutes * MINUTE);

export const spanFor = (lengthMs) => SPANS.find((span) => span >= lengthMs) ?? SPANS.at(-1);

export function spanName(ms) {
  const hours = ms / (60 * MINUTE);
  if (hours < 1) return `${ms / MINUTE} min`;
  return hours < 48 ? `${hours} h` : `${hours / 24} d`;
}

// The points from `fromMs` on. The line begins with the noise at that time.
function cut(points, fromMs) {
  const first = points.findIndex(([at]) => at >= fromMs);
  if (first === -1) return points.length ? [[fromMs, points.at(-1)[1]]] : [];
  return first === 0 ? points : [[fromMs, points[first - 1][1]], ...points.slice(first)];
}

const path = (coordinates) => coordinates.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

// A line without axes. Every row has the same time span. Each has its own scale of at least 12 points of noise.
export class Sparkline {
  static WIDTH = 132;
  static HEIGHT = 36;

  constructor() {
    this.area = svg("path", { class: "area" });
    this.line = svg("path", { class: "line" });
    this.dot = svg("circle", { class: "dot", r: 2.4 });
    const box = `0 0 ${Sparkline.WIDTH} ${Sparkline.HEIGHT}`;
    this.node = svg("svg", { class: "spark", viewBox: box, "aria-hidden": "true" }, this.area, this.line, this.dot);
  }

  draw(points, nowMs, spanMs) {
    const shown = cut(points, nowMs - spanMs);
    if (!shown.length) return;
    const values = shown.map(([, value]) => value);
    const middle = (Math.max(...values) + Math.min(...values)) / 2;
    const reach = Math.max(12, (Math.max(...values) - Math.min(...values)) * 1.1);
    const right = Sparkline.WIDTH - 4;
    const x = (at) => Math.max(0, right - ((nowMs - at) / spanMs) * right);
    const y = (value) => Sparkline.HEIGHT / 2 - ((value - middle) / reach) * (Sparkline.HEIGHT - 8);
    const line = shown.map(([at, value]) => [Math.min(right, x(at)), y(value)]);
    const last = line.at(-1);
    const reachingNow = [...line, [right, last[1]]];
    setAttribute(this.line, "d", path(reachingNow));
    setAttribute(this.area, "d", `${path(reachingNow)}V${Sparkline.HEIGHT}H${line[0][0].toFixed(1)}Z`);
    setAttribute(this.dot, "cx", right);
    setAttribute(this.dot, "cy", last[1].toFixed(1));
  }
}

// The chart of one story: lines at the bands, time below, the values under the pointer.
export class TrendChart {
  #points = [];
  #marks = [];
  #nowMs = 0;
  #height = 168;
  #bottom = 20;
  #left = 26;

  constructor() {
    this.grid = svg("g", { class: "grid" });
    this.area = svg("path", { class: "area" });
    this.line = svg("path", { class: "line" });
    this.events = svg("g", { class: "marks" });
    this.cursor = svg("g", { class: "cursor", visibility: "hidden" }, svg("line"), svg("circle", { r: 3.5 }));
    this.drawing = svg("svg", { role: "img" }, this.grid, this.area, this.line, this.events, this.cursor);
    this.reading = el("output", { class: "reading" });
    this.node = el("figure", { class: "chart" }, this.drawing, this.reading);
    new ResizeObserver(() => this.#draw()).observe(this.node);
    this.drawing.addEventListener("pointermove", (event) => this.#read(event.offsetX));
    this.drawing.addEventListener("pointerleave", () => this.#read(null));
  }

  // points: [ms, noise], oldest first; events: NoiseEvents of this story.
  show(points, events, nowMs) {
    this.#points = points;
    this.#marks = events.filter((event) => event.type === "spike" || event.type === "state_change");
    this.#nowMs = nowMs;
    this.#draw();
  }

  #scales() {
    const width = this.node.clientWidth;
    const begun = this.#points[0]?.[0] ?? this.#nowMs;
    const from = Math.min(begun, this.#nowMs - 5 * MINUTE);
    const length = Math.max(1, this.#nowMs - from);
    const bottom = this.#height - this.#bottom;
    return {
      width,
      from,
      length,
      x: (at) => this.#left + ((at - from) / length) * (width - this.#left - 6),
      at: (x) => from + ((x - this.#left) / (width - this.#left - 6)) * length,
      y: (value) => bottom - (value / 100) * (bottom - 8),
    };
  }

  #draw() {
    const { width, from, length, x, y } = this.#scales();
    if (width < 60 || !this.#points.length) return;
    setAttribute(this.drawing, "viewBox", `0 0 ${width} ${this.#height}`);
    setAttribute(this.drawing, "height", this.#height);
    const last = this.#points.at(-1);
    setAttribute(this.drawing, "aria-label", `Noise over time, now ${noise(last[1])}`);
    const line = [...this.#points, [this.#nowMs, last[1]]].map(([at, value]) => [x(at), y(value)]);
    setAttribute(this.line, "d", path(line));
    setAttribute(this.area, "d", `${path(line)}V${y(0)}H${x(from).toFixed(1)}Z`);
    this.grid.replaceChildren(...this.#levels(width, x, y), ...this.#times(from, length, x));
    this.events.replaceChildren(
      ...this.#marks
        .filter((event) => event.at_ms >= from)
        .map((event) => {
          const at = x(event.at_ms).toFixed(1);
          return svg("line", { class: event.type, x1: at, x2: at, y1: y(0), y2: y(0) - 7 });
        }),
    );
  }

  #levels(width, x, y) {
    return [...BANDS.map((band) => band.from), 100].flatMap((level) => [
      svg("line", { x1: this.#left, x2: width - 6, y1: y(level), y2: y(level), class: level ? "" : "base" }),
      svg("text", { x: this.#left - 6, y: y(level) + 3.5, "text-anchor": "end" }, String(level)),
    ]);
  }

  #times(from, length, x) {
    const step = STEPS.find((candidate) => length / candidate <= 5) ?? STEPS.at(-1);
    const offset = new Date(from).getTimezoneOffset() * MINUTE;
    const marks = [];
    for (let at = Math.ceil((from - offset) / step) * step + offset; at < from + length; at += step) {
      const anchor = x(at) < this.#left + 14 ? "start" : x(at) > x(from + length) - 18 ? "end" : "middle";
      marks.push(svg("text", { x: x(at), y: this.#height - 4, "text-anchor": anchor }, tick(at, length)));
    }
    return marks;
  }

  #read(offsetX) {
    const { x, at, y } = this.#scales();
    const wanted = offsetX === null ? null : at(offsetX);
    const point = wanted === null ? null : this.#points.findLast(([time]) => time <= wanted) ?? this.#points[0];
    setAttribute(this.cursor, "visibility", point ? "visible" : "hidden");
    if (!point) {
      setText(this.reading, "");
      return;
    }
    const [line, circle] = this.cursor.children;
    for (const name of ["x1", "x2"]) setAttribute(line, name, x(point[0]));
    setAttribute(line, "y1", 8);
    setAttribute(line, "y2", y(0));
    setAttribute(circle, "cx", x(point[0]));
    setAttribute(circle, "cy", y(point[1]));
    const mark = this.#marks.find((event) => Math.abs(x(event.at_ms) - offsetX) < 5);
    const what = mark ? `${sentence(mark)[0]} · ` : "";
    setText(this.reading, `${what}${noise(point[1])} · ${dateTime(point[0])} · ${age(this.#nowMs - point[0])}`);
  }
}
