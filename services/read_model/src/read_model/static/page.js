import { drawActivity, drawDonut, drawSpark } from "./charts.js";
import { follow, Unauthorized } from "./stream.js";

const KEPT = "carillon-token";
const number = new Intl.NumberFormat();
const STATUSES = [
  ["new", "New", "amber"], ["building", "Building", "blue"], ["pending", "Pending", "blue"],
  ["sending", "Sending", "blue"], ["paused", "Paused", "amber"], ["done", "Done", "green"],
  ["failed", "Failed", "red"], ["cancelled", "Cancelled", "grey"], ["expired", "Expired", "red"],
];
const TONES = Object.fromEntries(STATUSES.map(([status, , tone]) => [status, tone === "grey" ? "" : tone]));
const readings = [];
let watching = null;

const at = (id) => document.getElementById(id);
const say = (id, value) => { if (at(id).textContent !== value) at(id).textContent = value; };
const count = (id, value) => say(id, number.format(value));

function element(name, className, ...content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

function show(overview) {
  const { kpi, pulse, delivery, funnel, activity, top_authors: authors, recent, diagnostics } = overview;
  for (const name of ["total", "active", "completed", "failed"]) count(`kpi-${name}`, kpi[name]);
  showPulse(pulse);
  drawDonut(at("donut"), delivery);
  count("donut-delivered", delivery.delivered);
  count("donut-in-flight", delivery.in_flight);
  count("donut-errors", delivery.errors);
  showFunnel(funnel);
  showActivity(activity.items);
  showRecent(recent.items);
  showAuthors(authors.items);
  showDiagnostics(diagnostics);
  const asOf = new Date(pulse.as_of);
  at("as-of").dateTime = pulse.as_of;
  say("as-of", asOf.toLocaleString([], { dateStyle: "medium", timeStyle: "medium" }));
}

function showPulse(pulse) {
  count("pulse-in-flight", pulse.in_flight);
  count("pulse-delivered", pulse.delivered);
  say("pulse-interval", `in ${pulse.interval_s} s`);
  say("pulse-core", pulse.core);
  at("pulse-core").className = `badge ${pulse.core === "ok" ? "green" : "red"}`;
  at("core-down").hidden = pulse.core === "ok";
  readings.push(pulse.delivered);
  readings.splice(0, readings.length - 240);
  drawSpark(at("spark"), readings);
}

function showFunnel(funnel) {
  const most = Math.max(1, ...STATUSES.map(([status]) => funnel[status]));
  at("funnel").replaceChildren(...STATUSES.map(([status, name, tone]) => {
    const fill = element("i");
    fill.style.width = `${(funnel[status] / most) * 100}%`;
    const row = element("li", tone, element("span", "", name), element("span", "bar", fill),
      element("b", "", number.format(funnel[status])));
    if (status === "new") row.append(element("small", "", `${number.format(funnel.pending_moderation)} pending moderation`));
    return row;
  }));
}

function showActivity(hours) {
  const { sent, failed } = drawActivity(at("activity"), hours);
  count("activity-sent", sent);
  count("activity-failed", failed);
  at("activity-rows").replaceChildren(...hours.map((hour) => element("tr", "",
    element("td", "", new Date(hour.hour).toLocaleString([], { weekday: "short", hour: "2-digit", minute: "2-digit" })),
    element("td", "number", number.format(hour.sent)), element("td", "number", number.format(hour.failed)))));
}

function showRecent(rows) {
  at("recent-empty").hidden = rows.length > 0;
  at("recent").replaceChildren(...rows.map((row) => {
    const bar = element("progress");
    bar.max = 100;
    bar.value = row.progress.processed_percent;
    bar.setAttribute("aria-label", `${Math.floor(row.progress.processed_percent)} % processed`);
    return element("tr", "",
      element("td", "name", row.name, element("small", "", row.short_id)),
      element("td", "", element("span", `badge ${TONES[row.status] ?? ""}`, row.status)),
      element("td", "wide", bar),
      element("td", "number", `${number.format(row.stats.delivered)} / ${number.format(row.stats.total)}`),
      element("td", "number", number.format(row.stats.failed)),
      element("td", "", row.author.name),
      element("td", "", new Date(row.created_at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })));
  }));
}

function showAuthors(authors) {
  at("authors-empty").hidden = authors.length > 0;
  at("authors").replaceChildren(...authors.map(({ author, campaigns }) =>
    element("li", "", element("span", "", author.name), element("b", "", number.format(campaigns)))));
}

function showDiagnostics({ core_api: core, db_schema: schema, audit, projections, nats, mongo }) {
  const lag = projections.reduce((sum, projection) => sum + projection.lag, 0);
  const latency = core.latency_ms === null ? "" : ` ${core.latency_ms} ms`;
  const checks = [
    ["Core API", core.status + latency, core.status === "ok"],
    ["Event log", nats, nats === "ok"],
    ["Database", mongo, mongo === "ok"],
    ["DB schema", `version ${schema.version ?? "unknown"}`, schema.ok],
    ["Views behind by", `${number.format(lag)} events`, lag < 1000],
    ["Audit retention", `${audit.retention_days} days`, true],
    ["Audit fallback file", audit.fallback === "empty" ? "file empty ✓" : `${number.format(audit.fallback_bytes)} bytes`, audit.fallback === "empty"],
  ];
  at("diagnostics").replaceChildren(...checks.map(([name, value, fine]) => element("div", "",
    element("dt", "", name), element("dd", "", element("span", `badge ${fine ? "green" : "red"}`, value)))));
}

function showState(state, seconds) {
  at("live").dataset.state = state;
  at("stream-lost").hidden = state !== "lost";
  if (state === "lost") {
    say("live-text", "Reconnecting…");
    say("stream-lost-text", `The numbers below may be old. Trying again in ${seconds} s.`);
  } else {
    say("live-text", "Live");
  }
}

function claims(token) {
  try {
    const middle = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(middle), (c) => c.charCodeAt(0))));
  } catch {
    return {};
  }
}

function askForToken(problem = "") {
  watching?.abort();
  sessionStorage.removeItem(KEPT);
  at("overview").hidden = at("where").hidden = at("sign-out").hidden = true;
  at("core-down").hidden = at("stream-lost").hidden = true;
  at("sign-in").hidden = false;
  at("live").dataset.state = "idle";
  say("live-text", "Not connected");
  say("token-problem", problem);
  at("token").focus();
}

async function watch(token) {
  watching?.abort();
  watching = new AbortController();
  const { signal } = watching;
  sessionStorage.setItem(KEPT, token);
  const { workspace, name } = claims(token);
  say("where", [workspace, name].filter(Boolean).join(" · "));
  at("where").hidden = false;
  at("sign-in").hidden = true;
  at("sign-out").hidden = false;
  say("live-text", "Connecting…");
  try {
    await follow("/api/v1/overview/stream", token, {
      signal,
      onState: showState,
      onEvent: ({ event, data }) => {
        if (event !== "overview") return;
        at("overview").hidden = false;
        show(JSON.parse(data));
      },
    });
  } catch (error) {
    if (!(error instanceof Unauthorized)) throw error;
    askForToken(error.message);
  }
}

at("token-form").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  const token = at("token").value.trim();
  at("token").value = "";
  watch(token);
});
at("sign-out").addEventListener("click", () => askForToken());

function open() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) history.replaceState(null, "", location.pathname + location.search);
  const token = given || sessionStorage.getItem(KEPT);
  if (token) watch(token);
  else askForToken();
}

addEventListener("hashchange", open);
open();
