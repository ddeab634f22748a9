// The words and constants of the score, as people read them. The server owns them; the page asks once, before it draws.

const RETRY_MS = 1_000;

async function load() {
  for (;;) {
    try {
      const response = await fetch("/api/vocabulary");
      if (response.ok) return await response.json();
    } catch {
      // The server is away. Ask again.
    }
    await new Promise((done) => setTimeout(done, RETRY_MS));
  }
}

const words = await load();

export const BANDS = words.bands; // from quiet to loud
export const STATES = words.states; // in the order in which a story passes through them
export const FACTORS = words.factors;
export const EVENT_TYPES = words.event_types;
const PLATFORMS = new Map(Object.entries(words.platforms));

export const WINDOWS = [
  ["5m", "5 min"],
  ["1h", "1 hour"],
  ["24h", "24 hours"],
  ["life", "Whole life"],
];

export const SORTS = [
  ["noise", "Loudest first"],
  ["change", "Rising most"],
  ["velocity", "Fastest first"],
  ["newest", "Newest first"],
  ["coverage", "Latest coverage"],
];

export const stateName = (name) => STATES.find((state) => state.name === name)?.label ?? name;
// "hackernews" -> "Hacker News", "estimated_audience" -> "Estimated audience"
export const plainWords = (name) => {
  if (PLATFORMS.has(name)) return PLATFORMS.get(name);
  const text = String(name).replaceAll("_", " ").trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
};

// base.css has a colour for each level of loudness and for each phase of a story. Bands and states take them in turn.
const colours = new CSSStyleSheet();
colours.replaceSync(
  [
    ...BANDS.map(({ name }, i) => `[data-band="${CSS.escape(name)}"] { --loud: var(--level-${i + 1}); }`),
    ...STATES.map(({ name }, i) => `[data-state="${CSS.escape(name)}"] { --phase: var(--phase-${i + 1}); }`),
  ].join("\n"),
);
document.adoptedStyleSheets.push(colours);
