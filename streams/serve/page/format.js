// Numbers and times, for people.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const noise = (value) => value.toFixed(1);
export const amount = (value) => (Math.abs(value) < 10_000 ? whole.format(value) : short.format(value));
export const exact = (value) => fine.format(value);
export const dateTime = (ms) => moment.format(ms);
export const change = (value) => (value > 0 ? `+${value.toFixed(1)}` : `−${Math.abs(value).toFixed(1)}`);

// "0.4 s", "12 s", "4 min", "3 h", "2 d"
export function span(ms) {
  const past = Math.max(0, ms);
  if (past < 10 * SECOND) return `${(past / SECOND).toFixed(1)} s`;
  if (past < 100 * SECOND) return `${Math.round(past / SECOND)} s`;
  if (past < 100 * MINUTE) return `${Math.round(past / MINUTE)} min`;
  if (past < 48 * HOUR) return `${Math.round(past / HOUR)} h`;
  return `${whole.format(Math.round(past / DAY))} d`;
}

// The age of a story. Seconds would only flicker, so there is no text under a minute.
export function lifetime(ms) {
  if (ms < MINUTE) return null;
  return ms < 100 * SECOND ? "1 min" : span(ms);
}

export const age = (ms) => (lifetime(ms) ? `${lifetime(ms)} ago` : "now");

export const velocity = (perHour) => (perHour < 10 && perHour % 1 ? perHour.toFixed(1) : whole.format(perHour));

// The label of a tick on a time axis of this length.
export const tick = (ms, length) => (length > 2 * DAY ? day.format(ms) : clock.format(ms));
