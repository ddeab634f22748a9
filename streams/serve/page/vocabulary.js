// The words and constants of the score, as people read them. Tests hold them against scoring/.

export const BANDS = [
  { name: "whisper", from: 0 },
  { name: "murmur", from: 20 },
  { name: "buzz", from: 40 },
  { name: "clamor", from: 60 },
  { name: "uproar", from: 75 },
];

// In the order of a story's life.
export const STATES = [
  { name: "trending", shown: "Emerging" },
  { name: "spike", shown: "Growing" },
  { name: "controversy", shown: "Debated" },
  { name: "scandal", shown: "Major controversy" },
  { name: "resolved", shown: "Resolved" },
];

export const FACTORS = [
  { name: "reach", shown: "Reach", weight: 0.2, asks: "How many people may have seen it" },
  { name: "engagement", shown: "Engagement", weight: 0.2, asks: "How much they react, against a very loud story" },
  { name: "star_power", shown: "Star power", weight: 0.15, asks: "Which public figures are involved" },
  { name: "cross_platform", shown: "Cross-platform", weight: 0.15, asks: "On how many platforms it is posted" },
  { name: "duration", shown: "Duration", weight: 0.1, asks: "How long coverage has been running" },
  { name: "polarity", shown: "Polarity", weight: 0.1, asks: "How divided the reaction is" },
  { name: "industry_impact", shown: "Industry impact", weight: 0.1, asks: "What it may mean for jobs, policy, products" },
];

const PLATFORMS = new Map([
  ["reddit", "Reddit"],
  ["hackernews", "Hacker News"],
  ["bluesky", "Bluesky"],
  ["mastodon", "Mastodon"],
  ["x", "X"],
  ["youtube", "YouTube"],
  ["lemmy", "Lemmy"],
  ["news", "News"],
  ["arxiv", "arXiv"],
]);

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

export const platformName = (name) => PLATFORMS.get(name) ?? name;
export const stateName = (name) => STATES.find((state) => state.name === name)?.shown ?? name;
// "hackernews" -> "Hacker News", "estimated_audience" -> "Estimated audience"
export const plainWords = (name) => {
  if (PLATFORMS.has(name)) return PLATFORMS.get(name);
  const words = String(name).replaceAll("_", " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
};
