"use strict";
// The page works without this script: it adds relative times, copying, and live changes.
const state = document.getElementById("state");

function relative(seconds) {
  const units = [[86400, "d"], [3600, "h"], [60, "m"]];
  for (const [size, name] of units) {
    if (seconds >= size) return Math.floor(seconds / size) + " " + name + " ago";
  }
  return "just now";
}

function showTimes() {
  for (const t of document.querySelectorAll("time")) {
    t.title = t.title || t.textContent;
    t.textContent = relative((Date.now() - Date.parse(t.dateTime)) / 1000);
  }
}

function parse(html) {
  return new DOMParser().parseFromString(html, "text/html");
}

// change replaces the sections of the page that differ. Which element has the focus, and
// what is open, stays.
function change(html) {
  for (const next of parse(html).querySelectorAll("section")) {
    const now = document.getElementById(next.id);
    if (next.id === "histories") {
      addHistories(now, next);
      continue;
    }
    if (now.dataset.seen === next.innerHTML) continue;
    const focused = now.contains(document.activeElement) ? keyOf(document.activeElement) : "";
    now.replaceChildren(...next.cloneNode(true).childNodes);
    now.dataset.seen = next.innerHTML;
    for (const e of now.querySelectorAll("a, button")) {
      if (focused && keyOf(e) === focused) { e.focus(); break; }
    }
  }
  showTimes();
}

function keyOf(element) {
  return (element.getAttribute("href") || "") + (element.getAttribute("aria-label") || "");
}

function addHistories(now, next) {
  for (const details of next.querySelectorAll("details")) {
    if (!document.getElementById(details.id)) now.append(details);
  }
}

async function open(details) {
  if (!("live" in document.body.dataset) || !details.open) return;
  const at = new URLSearchParams({environment: details.dataset.environment, service: details.dataset.service});
  const box = details.querySelector(".history");
  try {
    const answer = await fetch("history?" + at);
    box.replaceWith(parse(await answer.text()).querySelector(".history"));
    showTimes();
  } catch {
    box.textContent = "The dashboard has ended: run the command again.";
  }
}

document.addEventListener("toggle", e => { if (e.target.matches("details")) open(e.target); }, true);
addEventListener("hashchange", showTarget);
function showTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.matches("details")) {
    target.open = true;
    target.querySelector("summary").focus();
  }
}

document.addEventListener("click", async e => {
  const button = e.target.closest("button[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.previousElementSibling.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(button.previousElementSibling);
    button.textContent = "Selected";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
});

showTimes();
showTarget();
setInterval(showTimes, 15000);
if ("live" in document.body.dataset) {
  const changes = new EventSource("changes");
  changes.onopen = () => { state.textContent = "live"; };
  changes.onmessage = e => change(e.data);
  changes.onerror = () => { state.textContent = "not connected: what is shown may be old"; };
}
