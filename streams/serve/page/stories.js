// The stories that the page holds: the newest row of each, and its trend.

const MAX_HELD = 1_000;
const MAX_TREND = 240;

const ORDERS = {
  noise: (row) => row.noise,
  velocity: (row) => row.velocity_per_hour,
  change: (row) => row.noise - (row.previous ?? row.noise),
  newest: (row) => row.first_seen_ms,
  coverage: (row) => row.last_coverage_ms,
};

export class StoryStore {
  #stories = new Map();
  total = 0;
  asked; // the filters and the sort order of the stories held
  sort;

  get size() {
    return this.#stories.size;
  }

  get(id) {
    return this.#stories.get(id);
  }

  // Apply an answer of /api/stories. Keep rows that the WebSocket has sent since: they are newer.
  load({ stories, total }) {
    const loaded = new Map();
    for (const { score, trend } of stories) {
      const held = this.#stories.get(score.story);
      const row = held && held.row.scored_ms > score.scored_ms ? held.row : score;
      loaded.set(score.story, { row, trend: extend(trend, row) });
    }
    this.#stories = loaded;
    this.total = total;
  }

  // Apply an update of the WebSocket. Return whether it has stories whose past is not known here.
  update({ scores, gone }) {
    let unknown = false;
    for (const row of scores) {
      const held = this.#stories.get(row.story);
      if (held) {
        held.row = row;
        extend(held.trend, row);
      } else {
        // If more stories are counted than are held, this may be one of the others. The next answer shows it.
        if (this.total <= this.size) {
          unknown = true;
          this.total += 1;
        }
        this.#stories.set(row.story, { row, trend: extend([], row) });
      }
    }
    for (const id of gone) {
      if (this.#stories.delete(id)) this.total -= 1;
    }
    if (this.#stories.size > MAX_HELD) {
      for (const story of this.ranked("noise").slice(MAX_HELD * 0.8)) this.#stories.delete(story.row.story);
    }
    return unknown;
  }

  // Every story held, the largest first. Equal stories are sorted by id, as on the server.
  ranked(order) {
    const size = ORDERS[order] ?? ORDERS.noise;
    return [...this.#stories.values()].sort(
      (a, b) => size(b.row) - size(a.row) || (a.row.story < b.row.story ? -1 : 1),
    );
  }
}

export function extend(trend, row) {
  const last = trend.at(-1);
  if (!last || last[0] < row.scored_ms) trend.push([row.scored_ms, row.noise]);
  else if (last[0] === row.scored_ms) last[1] = row.noise;
  if (trend.length > MAX_TREND) {
    // Drop every second point of the older half.
    const older = trend.slice(0, MAX_TREND / 2).filter((_, i) => i % 2 === 0);
    trend.splice(0, MAX_TREND / 2, ...older);
  }
  return trend;
}
