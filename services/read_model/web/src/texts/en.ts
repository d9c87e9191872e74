// One group per page; `shared` is what several of them say. Numbers come formatted.
import { actions } from "./actions";
import { calling } from "./calling";
import { campaigns } from "./campaigns";
import { detail } from "./detail";
import { diagnostics } from "./diagnostics";
import { moderation } from "./moderation";
import { overview } from "./overview";
import { people } from "./people";
import { senders } from "./senders";
import { wizard } from "./wizard";
import { settings, suppressions } from "./workspace";

const shared = {
  product: "Carillon",
  skip: "Skip to the content",
  loading: "Loading…",
  retry: "Try again",
  close: "Close",
  cancel: "Cancel",
  copy: "Copy",
  copied: "Copied",
  copyId: "Copy the whole id",
  none: "–",
  never: "never",
  asOf: (time: string) => `as of ${time}`,
  live: "Live",
  connecting: "Connecting…",
  lost: "Updates interrupted",
  channels: { sms: "SMS", voice: "Voice" },
  statuses: {
    new: "New",
    building: "Building",
    pending: "Pending",
    sending: "Sending",
    paused: "Paused",
    done: "Done",
    failed: "Failed",
    cancelled: "Cancelled",
    expired: "Expired",
    draft: "Draft",
    running: "Running",
    completed: "Completed",
  },
  errors: {
    title: "This could not be loaded",
    unreachable: "The platform does not answer. Check that it is running and try again.",
    forbidden: "Your role does not allow this.",
    notFoundTitle: "There is nothing here",
    notFound: "The page was moved, or it belongs to another workspace.",
    toOverview: "Back to the overview",
    broken: "Something in this page broke",
    reload: "Load the page again",
  },
};

const shell = {
  navigation: "Main navigation",
  openMenu: "Open the menu",
  closeMenu: "Close the menu",
  overview: "Overview",
  campaigns: "Campaigns",
  moderation: "Moderation",
  senders: "Senders",
  diagnostics: "Diagnostics",
  newCampaign: "New campaign",
  workspace: "Workspace",
  roles: "Roles",
  signOut: "Sign out",
  otherWorkspace: "Look at another workspace…",
  ownWorkspace: "Back to the own workspace",
  workspaceName: "Name of the workspace",
  look: "Look at it",
  colors: "Colours",
  light: "Light",
  dark: "Dark",
  auto: "As the system",
  coreDownTitle: "Core is down.",
  coreDown: "Campaigns can be prepared, but none can be started until it is back.",
  coreDownStart: "Core is down: nothing can be started until it is back.",
};

const paging = {
  label: "Pages",
  next: "Next",
  previous: "Previous",
  page: (page: number) => `Page ${page}`,
};

const downloads = {
  saved: (file: string) => `${file} was saved.`,
  failed: "The file could not be saved",
};

const signIn = {
  title: "Sign in",
  lead: "Watch and run campaigns.",
  withProvider: "Sign in with your account",
  opening: "Signing you in…",
  expired: "Your session is over. Sign in again to go on where you were.",
  local: "Open the sign-in link that",
  localCommand: "carillon up",
  localAfter: "has printed; it works once. A new one:",
  localAgain: "carillon sign-in",
  orToken: "Or paste an access token",
  token: "Access token",
  use: "Use this token",
  badToken: "This is no token, or it is over.",
  badLink: "This link was used already, or it is too old. Make a new one with the command below.",
  providerFailed: "The identity provider did not let you in:",
};

const soon = { title: (page: string) => page, text: "This page is being built." };

export const en = {
  paging,
  downloads,
  shared,
  actions,
  shell,
  signIn,
  overview,
  people,
  campaigns,
  soon,
  calling,
  detail,
  wizard,
  moderation,
  senders,
  diagnostics,
  suppressions,
  settings,
};
