// Small charts in plain SVG; each says in words what it shows.

const SVG = "http://www.w3.org/2000/svg";
const number = new Intl.NumberFormat();

function shape(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** Delivered, in flight and errors as a ring. */
export function drawDonut(svg, { delivered, in_flight: inFlight, errors, state }) {
  const total = delivered + inFlight + errors;
  const around = 2 * Math.PI * 48;
  const ring = { cx: 60, cy: 60, r: 48 };
  const parts = [shape("circle", { ...ring, class: "ring" })];
  let start = 0;
  for (const [count, tone] of [[delivered, "green"], [inFlight, "blue"], [errors, "red"]]) {
    if (!total || !count) continue;
    const length = (count / total) * around;
    parts.push(shape("circle", {
      ...ring, class: `arc ${tone}`, transform: "rotate(-90 60 60)",
      "stroke-dasharray": `${length} ${around - length}`, "stroke-dashoffset": -start,
    }));
    start += length;
  }
  if (state === "loading") {
    parts.push(shape("text", { x: 60, y: 58, class: "small" }, "loading"));
    parts.push(shape("text", { x: 60, y: 69, class: "small" }, "progress…"));
    svg.setAttribute("aria-label", "Loading progress: the first delivery reports are awaited.");
  } else {
    const share = total ? `${Math.floor((delivered * 100) / total)} %` : "–";
    parts.push(shape("text", { x: 60, y: 64 }, share));
    parts.push(shape("text", { x: 60, y: 76, class: "small" }, total ? "delivered" : "nothing active"));
    svg.setAttribute("aria-label",
      `${number.format(delivered)} delivered, ${number.format(inFlight)} in flight, ${number.format(errors)} errors.`);
  }
  svg.replaceChildren(...parts);
}

/** Sent and failed per hour, the current hour last. */
export function drawActivity(svg, hours) {
  const [width, height, foot] = [svg.clientWidth || 960, 190, 22];
  const every = width < 600 ? 6 : 3;
  const top = Math.max(1, ...hours.map((hour) => Math.max(hour.sent, hour.failed)));
  const step = width / hours.length;
  const scale = (count) => (count ? Math.max(2, (count / top) * (height - foot - 16)) : 0);
  const parts = [shape("line", { x1: 0, x2: width, y1: height - foot, y2: height - foot })];
  parts.push(shape("text", { x: 0, y: 10 }, `${number.format(top)} per hour`));
  hours.forEach((hour, index) => {
    const when = new Date(hour.hour);
    const label = when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    const group = shape("g", {});
    group.append(shape("title", {}, `${label}: ${number.format(hour.sent)} sent, ${number.format(hour.failed)} failed`));
    for (const [kind, count, offset] of [["sent", hour.sent, 0.14], ["failed", hour.failed, 0.54]]) {
      const tall = scale(count);
      group.append(shape("rect", {
        class: kind, x: (index + offset) * step, y: height - foot - tall, width: step * 0.34, height: tall, rx: 2,
      }));
    }
    if (index % every === every - 1) group.append(shape("text", { x: Math.min((index + 0.5) * step, width - 18), y: height - 6, "text-anchor": "middle" }, label));
    parts.push(group);
  });
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const [sent, failed] = ["sent", "failed"].map((kind) => hours.reduce((sum, hour) => sum + hour[kind], 0));
  svg.setAttribute("aria-label", `${number.format(sent)} sent and ${number.format(failed)} failed in 24 hours.`);
  svg.replaceChildren(...parts);
  return { sent, failed };
}

/** The last readings of a rate as a small area. */
export function drawSpark(svg, readings) {
  const top = Math.max(1, ...readings);
  const step = 240 / Math.max(1, readings.length - 1);
  const points = readings.map((reading, index) => `${index * step},${45 - (reading / top) * 40}`);
  const path = points.length > 1 ? `M0,47 L${points.join(" L")} L240,47 Z` : "";
  svg.replaceChildren(shape("path", { d: path }));
}
