import type { Campaign } from "@/api/types";

/** Adding contacts, keeping some from being reached, sending one message. */
export type PeopleAction = "add" | "exclude" | "push";

const ENDED: readonly Campaign["status"][] = ["completed", "failed"];
const TAKES: readonly Campaign["status"][] = ["sending", "paused"];

/** What the services would take now: contacts are a matter of the current run. */
export function offered(campaign: Campaign): readonly PeopleAction[] {
  const { status } = campaign;
  if (campaign.channel === "sms") {
    if (campaign.mode === "trigger") return TAKES.includes(status) ? ["push"] : [];
    return status === "new" && campaign.contacts ? ["exclude"] : [];
  }
  if (campaign.run !== campaign.run_number || ENDED.includes(status)) return [];
  const actions: PeopleAction[] = campaign.always_on && status === "running" ? ["add"] : [];
  return campaign.contacts || actions.length > 0 ? [...actions, "exclude"] : actions;
}

/** The numbers in a text: one in a line, or between commas. */
export function phonesIn(text: string): string[] {
  return text
    .split(/[\n,;]/)
    .map((phone) => phone.trim())
    .filter(Boolean);
}
