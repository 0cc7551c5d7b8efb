// What a browser adds to the pages, which work without it: times of the reader's zone, and distances from now.
"use strict";

const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

function distance(milliseconds) {
  const [unit, name] = milliseconds < HOUR ? [MINUTE, "minute"] : milliseconds < 2 * DAY ? [HOUR, "hour"] : [DAY, "day"];
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(-Math.round(milliseconds / unit), name);
}

const modelZone = document.getElementById("main").dataset.zone;

function inModelZone(instant) {
  const format = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: modelZone });
  return `${format.format(instant)} ${modelZone}`;
}

function showTimes(root) {
  const local = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
  const zone = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short", hour: "2-digit" });
  for (const element of root.querySelectorAll("time[datetime]")) {
    const instant = new Date(element.dateTime);
    const name = zone.formatToParts(instant).find((part) => part.type === "timeZoneName").value;
    const words = `${local.format(instant)} ${name}`;
    const utc = element.textContent;
    const elsewhere = modelZone && modelZone !== "UTC" ? `${inModelZone(instant)}, ${utc}` : utc;
    element.title = element.classList.contains("ago") ? `${words} (${elsewhere})` : elsewhere;
    element.textContent = element.classList.contains("ago") ? distance(Date.now() - instant) : words;
  }
}

showTimes(document);

// Charts: pointing at a chunk shows its numbers, dragging over some shows them alone; arrow keys do the same.
class Plot {
  constructor(box, data) {
    this.box = box;
    this.svg = box.querySelector("svg");
    this.lines = data.charts[Number(box.dataset.chart)];
    this.data = data;
    this.width = this.svg.viewBox.baseVal.width;
    this.height = this.svg.viewBox.baseVal.height;
    this.left = data.left;
    this.step = data.step;
    this.place = null;
    this.anchor = null;
    this.tip = document.createElement("div");
    this.tip.className = "tip";
    this.tip.setAttribute("role", "status");
    this.tip.hidden = true;
    box.parentElement.append(this.tip);
    this.cursor = this.shape("path", "cursor");
    this.range = this.shape("rect", "range");
    box.addEventListener("pointermove", (event) => this.point(this.placeOf(event), event.buttons === 1));
    box.addEventListener("pointerdown", (event) => this.begin(event));
    box.addEventListener("pointerup", () => this.zoom());
    box.addEventListener("pointerleave", () => this.leave());
    box.addEventListener("blur", () => this.leave());
    box.addEventListener("keydown", (event) => this.key(event));
  }

  shape(name, className) {
    const shape = document.createElementNS("http://www.w3.org/2000/svg", name);
    shape.setAttribute("class", className);
    this.svg.append(shape);
    return shape;
  }

  placeOf(event) {
    const bounds = this.svg.getBoundingClientRect();
    const x = ((event.clientX - bounds.left) / bounds.width) * this.width;
    const place = Math.floor((x - this.left) / this.step);
    return place >= 0 && place < this.lines.length ? place : null;
  }

  begin(event) {
    this.anchor = event.pointerType === "mouse" && event.button === 0 ? this.placeOf(event) : null;
    if (this.anchor !== null) event.preventDefault();
  }

  point(place, marking) {
    if (place === null) return;
    this.place = place;
    if (!marking) this.anchor = null;
    const x = this.left + (place + 0.5) * this.step;
    this.cursor.setAttribute("d", `M${x} 0V${this.height}`);
    const [first, last] = this.ends();
    this.range.setAttribute("x", this.left + first * this.step);
    this.range.setAttribute("width", last > first ? (last - first + 1) * this.step : 0);
    this.range.setAttribute("height", this.height);
    this.say(x);
  }

  ends() {
    const anchor = this.anchor ?? this.place;
    return [Math.min(anchor, this.place), Math.max(anchor, this.place)];
  }

  say(x) {
    const heading = document.createElement("b");
    const [first, last] = this.ends();
    heading.textContent = first === last ? this.data.labels[first] : `${this.data.labels[first]} to ${this.data.labels[last]}`;
    const rows = this.lines[this.place].map((line) => Object.assign(document.createElement("span"), { textContent: line }));
    this.tip.replaceChildren(heading, ...rows);
    this.tip.hidden = false;
    const scale = this.svg.getBoundingClientRect().width / this.width;
    const at = x * scale - this.box.scrollLeft;
    const room = this.box.clientWidth - this.tip.offsetWidth;
    this.tip.style.left = `${Math.max(0, Math.min(at > room ? at - this.tip.offsetWidth - 14 : at + 14, room))}px`;
    this.tip.style.top = `${this.box.offsetTop + 4}px`;
  }

  leave() {
    this.tip.hidden = true;
    this.anchor = null;
    this.cursor.setAttribute("d", "");
    this.range.setAttribute("width", 0);
  }

  zoom() {
    const [first, last] = this.ends();
    if (this.anchor === null || first === last) return;
    const address = new URL(location.href);
    address.searchParams.set("from", this.data.starts[first]);
    address.searchParams.set("to", this.data.starts[last]);
    location.assign(address);
  }

  key(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (by !== undefined) {
      event.preventDefault();
      const last = this.lines.length - 1;
      const before = this.place ?? last + 1;
      if (event.shiftKey) this.anchor ??= Math.min(before, last);
      this.point(Math.max(0, Math.min(last, before + by)), event.shiftKey);
    } else if (event.key === "Enter") this.zoom();
    else if (event.key === "Escape") this.leave();
  }
}

// Links in a picture: one of them is reached by Tab, the others by arrow keys.
function moveByArrows(svg, columns) {
  const links = [...svg.querySelectorAll("a")];
  svg.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    const target = links[links.indexOf(document.activeElement) + by];
    if (by === undefined || !target) return;
    event.preventDefault();
    event.stopPropagation();
    for (const link of links) link.tabIndex = link === target ? 0 : -1;
    target.focus();
  });
}

const hover = document.getElementById("hover");
if (hover) {
  const data = JSON.parse(hover.textContent);
  for (const box of document.querySelectorAll("[data-chart]")) if (data.charts[box.dataset.chart]) new Plot(box, data);
}
for (const svg of document.querySelectorAll("svg[data-columns]")) moveByArrows(svg, Number(svg.dataset.columns));
for (const box of document.querySelectorAll(".wide")) if (box.querySelector(".plot:not(.distribution)")) box.scrollLeft = box.scrollWidth;

// Lines to copy get a button that does so.
for (const box of navigator.clipboard ? document.querySelectorAll("[data-copy]") : []) {
  const button = document.createElement("button");
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy: ${box.getAttribute("aria-label")}`);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(box.querySelector("code").textContent);
    button.textContent = "Copied";
    button.setAttribute("aria-label", `Copied: ${box.getAttribute("aria-label")}`);
  });
  box.append(button);
}

// An open page listens for newer results, and offers to show them. A browser that lost the stream opens it again.
const news = document.getElementById("news");
let stream = null, seen = null;
function listen() {
  if (document.hidden) {
    stream?.close();
    stream = null;
  } else if (stream === null) {
    stream = new EventSource(news.dataset.changes);
    stream.addEventListener("message", (event) => {
      seen ??= event.data;
      news.hidden = event.data === seen;
    });
  }
}
if (news) {
  listen();
  document.addEventListener("visibilitychange", listen);
}
