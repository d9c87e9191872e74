// What somebody has entered stays in this tab until they are done, also over a reload. The audience does
// not: phones stay out of the browser's storage.
import { session } from "@/auth/session";
import type { Draft } from "./draft";
import type { Step } from "./steps";

export interface Kept {
  draft: Draft;
  step: Step;
  /** The new campaign, when it was created and its audience is missing. */
  campaign: string | null;
  /** The name of a file that was chosen and is not uploaded yet. */
  file: string | null;
}

/** Where the entries for a campaign, or for a new one, are kept; each person has their own. */
export function placeOf(campaign: string | undefined): string {
  const known = session();
  const who = `${known?.workspace ?? ""}/${known?.person.id ?? ""}`;
  return `carillon.wizard/${who}/${campaign ?? "new"}`;
}

export function recall(place: string): Kept | null {
  try {
    const found = sessionStorage.getItem(place);
    return found === null ? null : (JSON.parse(found) as Kept);
  } catch {
    return null;
  }
}

export function keep(place: string, kept: Kept): void {
  try {
    sessionStorage.setItem(place, JSON.stringify(kept));
  } catch {
    // A full or forbidden storage: the entries live as long as the page does.
  }
}

export function forget(place: string): void {
  sessionStorage.removeItem(place);
}
