import { useCallback } from "react";
import type { CampaignRow, Channel, Status } from "@/api/types";
import { useChoices } from "@/app/useChoices";

/** What is looked for, as the address says it. */
export interface Filters {
  search: string;
  status: Status | null;
  channel: Channel | null;
  archived: boolean;
}

/** As the filter offers them: those of voice campaigns, then what only SMS campaigns have. */
export const STATUSES: readonly Status[] = [
  "draft",
  "running",
  "paused",
  "completed",
  "failed",
  "building",
  "pending",
  "sending",
  "done",
  "cancelled",
  "expired",
];
const CHANNELS: readonly Channel[] = ["sms", "voice"];

function oneOf<T extends string>(values: readonly T[], given: string | null): T | null {
  return values.find((value) => value === given) ?? null;
}

export function useFilters(): [Filters, (changes: Partial<Filters>) => void] {
  const [params, choose] = useChoices();
  const filters = {
    search: params.get("q") ?? "",
    status: oneOf(STATUSES, params.get("status")),
    channel: oneOf(CHANNELS, params.get("channel")),
    archived: params.has("archived"),
  };
  const change = useCallback(
    ({ search, archived, ...others }: Partial<Filters>) =>
      choose({
        ...others,
        ...(search === undefined ? {} : { q: search }),
        ...(archived === undefined ? {} : { archived: archived ? "1" : null }),
      }),
    [choose],
  );
  return [filters, change];
}

/** Whether a campaign is looked for: by a part of its name or by its full id, whatever the case. */
export function matches(row: Pick<CampaignRow, "id" | "name">, search: string): boolean {
  const wanted = search.trim().toLowerCase();
  return !wanted || row.name.toLowerCase().includes(wanted) || row.id.toLowerCase() === wanted;
}

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The id that is looked for, when it is a full one. */
export function idIn(search: string): string | null {
  const wanted = search.trim();
  return ID.test(wanted) ? wanted.toLowerCase() : null;
}

/** Whether a row stands under these filters, the search included. */
export function passes(row: CampaignRow, { status, channel, archived, search }: Filters): boolean {
  return (
    (status === null || row.status === status) &&
    (channel === null || row.channel === channel) &&
    row.archived === archived &&
    matches(row, search)
  );
}
