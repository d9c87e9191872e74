// How numbers and times are written, everywhere on the page, in the reader's language.
const language = typeof navigator === "undefined" ? "en" : navigator.language;

const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
const rate = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat(language, { timeStyle: "medium" });
const hour = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
const moment = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const ago = new Intl.RelativeTimeFormat(language, { numeric: "auto" });

export const count = (value: number) => whole.format(value);
export const compact = (value: number) => short.format(value);
/** A rate of 0 to 1. */
export const share = (value: number | null) => (value === null ? "–" : rate.format(value));
/** A percent of 0 to 100; what is not complete never reads as 100 %. */
export function percent(value: number): string {
  const shown = value > 99.9 && value < 100 ? 99.9 : value;
  return rate.format(shown / 100);
}
export const time = (value: Date | string) => clock.format(new Date(value));
export const hourOf = (value: Date | string) => hour.format(new Date(value));
export const date = (value: Date | string) => day.format(new Date(value));
export const dateTime = (value: Date | string | null) =>
  value === null ? "–" : moment.format(new Date(value));

const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** How long ago, or in how long: "3 minutes ago". */
export function relative(value: Date | string, now = new Date()): string {
  const seconds = (new Date(value).getTime() - now.getTime()) / 1000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return ago.format(Math.round(seconds / size), unit);
  }
  return ago.format(Math.round(seconds), "second");
}

/** Bytes as people read them: 12.3 kB. */
export function bytes(value: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;
  const step = value < 1 ? 0 : Math.min(3, Math.floor(Math.log10(value) / 3));
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit: units[step] ?? "byte",
    unitDisplay: "short",
    maximumFractionDigits: 1,
  }).format(value / 1000 ** step);
}

/** The last 8 characters of an id, which people read out to each other. */
export const shortId = (id: string) => id.slice(-8);
