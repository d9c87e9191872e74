// Characters that text programs put in by themselves, and what can stand for them in GSM-7.
const PLAIN: Record<string, string> = {
  "‘": "'",
  "’": "'",
  "‚": "'",
  "“": '"',
  "”": '"',
  "„": '"',
  "«": '"',
  "»": '"',
  "–": "-",
  "—": "-",
  "−": "-",
  "…": "...",
  "\u00a0": " ",
  "\u2009": " ",
  "\u202f": " ",
  "•": "-",
};
const FANCY = new RegExp(`[${Object.keys(PLAIN).join("")}]`, "g");
const PLACEHOLDER = /\{\{\s*([^{}\s](?:[^{}\n\r]{0,62}[^{}\s])?)\s*\}\}/g;

/** A text whose typographic characters are plain ones; what has no plain form stays. */
export function plain(text: string): string {
  return text.replace(FANCY, (character) => PLAIN[character] ?? character);
}

/** The names of the `{{variables}}` in a text. */
export function placeholdersOf(text: string): string[] {
  return [...new Set([...text.matchAll(PLACEHOLDER)].map(([, name]) => name ?? ""))];
}
