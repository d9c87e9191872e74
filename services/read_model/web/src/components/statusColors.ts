import type { Status } from "@/api/types";

/** The one colour of each status, on badges, charts and bars; names are those of the theme. */
export const STATUS_COLORS: Record<Status, string> = {
  new: "violet",
  draft: "gray",
  building: "cyan",
  pending: "cyan",
  sending: "blue",
  running: "blue",
  paused: "amber",
  done: "green",
  completed: "green",
  failed: "red",
  expired: "red",
  cancelled: "gray",
};
