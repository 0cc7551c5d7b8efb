// Keeps the status current; the page works without it.
"use strict";

const SECONDS = 2, ACTIVE = ["running", "waiting", "publishing"];
const box = document.getElementById("stream");
const count = new Intl.NumberFormat("en");

function show(stream) {
  for (const element of box.querySelectorAll("[data-field]")) {
    const value = stream[element.dataset.field];
    element.textContent = typeof value === "number" ? count.format(Math.round(value)) : value ?? (element.dataset.field === "rate" ? "–" : "");
  }
  const bar = box.querySelector("progress");
  if (bar) bar.value = stream.batches_done;
}

async function watch() {
  let again = true;
  try {
    const answer = await fetch(box.dataset.status);
    if (answer.ok) {
      const stream = await answer.json();
      show(stream);
      again = ACTIVE.includes(stream.state);
      if (!again) location.reload();
    }
  } catch {
    // the simulator may be starting again
  }
  if (again) setTimeout(watch, 1000 * SECONDS);
}

if (ACTIVE.includes(box.querySelector("[data-field=state]").textContent)) setTimeout(watch, 1000 * SECONDS);
document.querySelector(".refused")?.focus();
