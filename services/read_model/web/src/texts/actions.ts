import type { Action } from "@/api/types";

const names: Record<Action, string> = {
  edit: "Edit",
  clone: "Clone",
  start: "Start",
  pause: "Pause",
  resume: "Resume",
  stop: "Stop",
  restart: "Restart",
  "cancel-restart": "Cancel restart",
  delete: "Delete",
  archive: "Archive",
  restore: "Restore",
};

const done: Record<Exclude<Action, "edit" | "clone">, string> = {
  start: "was started.",
  pause: "is paused.",
  resume: "goes on.",
  stop: "was stopped.",
  restart: "is prepared for another run: look at its settings, then start it.",
  "cancel-restart": "is as it was before the restart.",
  delete: "was deleted.",
  archive: "is in the archive.",
  restore: "is back from the archive.",
};

export const actions = {
  names,
  of: (action: string, campaign: string) => `${action} ${campaign}`,
  group: (campaign: string) => `Actions for ${campaign}`,
  more: (campaign: string) => `More actions for ${campaign}`,
  done,
  cloned: "was copied. The copy has no contacts yet.",
  failed: (action: string) => `${action} did not work`,
  deleteTitle: "Delete this campaign?",
  deleteText: (name: string) =>
    `${name} and its uploaded contacts are removed. This can not be undone.`,
  deleteConfirm: "Delete campaign",
  stopTitle: "Stop this campaign?",
  stopText: (name: string) =>
    `${name} ends: what has not gone out stays unsent, what is under way comes to its end.`,
  stopConfirm: "Stop campaign",
};
