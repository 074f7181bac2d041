// All of the pages' script. Everything works without it: links are pages, buttons are forms.
"use strict";

const byId = (id) => document.getElementById(id);
const dialog = byId("dialog");
const skew = Date.now() / 1000 - (Number(document.body.dataset.now) || Date.now() / 1000);

// Running lengths of time, in the words of the server (words.py: took).

function took(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const whole = Math.max(0, Math.floor(seconds));
  const [minutes, hours, days] = [60, 3600, 86400].map((unit) => Math.floor(whole / unit));
  if (!minutes) return `${whole}s`;
  if (!hours) return `${minutes}m ${two(whole % 60)}s`;
  if (!days) return `${hours}h ${two(minutes % 60)}m`;
  return `${days}d ${two(hours % 24)}h`;
}

setInterval(() => {
  if (document.hidden) return;
  for (const spot of document.querySelectorAll("[data-since]")) {
    const text = took(Date.now() / 1000 - skew - Number(spot.dataset.since));
    if (spot.textContent !== text) spot.textContent = text;
  }
}, 1000);

// The live stream. It is open only while the tab is seen: a browser allows six HTTP/1.1 connections per host, over
// all tabs, so that a seventh page would never load.

const MOST_LINES = 4000;
let stream = null;
let source = ""; // the address that the stream was opened for
let seen = ""; // the id of its last message
let pause = 1;
let again = 0;

function listen() {
  const wanted = byId("detail")?.dataset.live;
  if (!wanted || document.hidden || stream) return;
  if (wanted !== source) [source, seen] = [wanted, ""];
  const address = new URL(wanted, location.href);
  if (seen) address.searchParams.set("after", seen);
  stream = new EventSource(address);
  stream.addEventListener("html", (message) => {
    seen = message.lastEventId || seen;
    pause = 1;
    insert(message.data);
  });
  stream.addEventListener("title", (message) => {
    const { title, icon } = JSON.parse(message.data);
    retitle(title, icon);
  });
  stream.addEventListener("done", () => {
    hush();
    delete byId("detail").dataset.live;
  });
  stream.addEventListener("error", () => {
    if (stream?.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    hush();
    again = setTimeout(listen, 1000 * pause);
    pause = Math.min(60, pause * 2);
  });
}

function hush() {
  clearTimeout(again);
  stream?.close();
  stream = null;
}

function insert(html) {
  const box = document.createElement("template");
  box.innerHTML = html;
  for (const part of box.content.querySelectorAll("template[data-into]")) {
    const spot = byId(part.dataset.into);
    if (!spot) continue;
    if (part.dataset.how === "append") {
      spot.append(part.content);
      while (spot.id === "log" && spot.children.length > MOST_LINES) spot.firstElementChild.remove();
      continue;
    }
    const focus = spot.contains(document.activeElement) ? document.activeElement.id : "";
    const chosen = spot.matches(".row[aria-current]");
    const scrolled = spot.querySelector(".scroll")?.scrollTop;
    spot.replaceWith(part.content);
    const fresh = byId(part.dataset.into);
    if (chosen) fresh.setAttribute("aria-current", "true");
    if (fresh.id === "detail") moveOn(spot, fresh, scrolled);
    if (focus) (byId(focus) || fresh.querySelector("a, button"))?.focus({ preventScroll: true });
  }
}

// The chosen step has another state, or the stream went on to another step by itself: from now on it is that step's.
function moveOn(old, fresh, scrolled) {
  source = fresh.dataset.live || source;
  const wrap = byId("wrap");
  if (wrap) wrap.checked = Boolean(old.querySelector("#wrap")?.checked);
  if (old.dataset.step === fresh.dataset.step) {
    const scroll = fresh.querySelector(".scroll");
    if (scroll && scrolled) scroll.scrollTop = scrolled;
    return;
  }
  document.querySelector(".row[aria-current]")?.removeAttribute("aria-current");
  byId(`row-${fresh.dataset.step}`)?.setAttribute("aria-current", "true");
}

function retitle(title, icon) {
  if (icon) byId("icon").href = icon;
  if (title === document.title) return;
  document.title = title;
  byId("said").textContent = title;
}

// A tab in the back has no stream; it asks now and then, so that its title and icon still tell when a gate waits.
setInterval(async () => {
  if (!document.hidden || !byId("detail")?.dataset.live) return;
  const page = await fetched(location.href);
  if (page && document.hidden) retitle(page.title, page.getElementById("icon")?.href);
}, 30000);

document.addEventListener("visibilitychange", () => (document.hidden ? hush() : listen()));
addEventListener("pagehide", hush);
addEventListener("pageshow", listen);

// Choosing a step: the same page with another log, put in place of this one.

async function fetched(address) {
  try {
    const answer = await fetch(address);
    if (!answer.ok || answer.redirected) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return null;
  }
}

async function turnTo(address) {
  const page = await fetched(address);
  const main = page?.getElementById("main");
  if (!main) return void location.assign(address);
  const focus = document.activeElement.id;
  hush();
  byId("main").replaceWith(main);
  retitle(page.title, page.getElementById("icon")?.href);
  source = "";
  byId(focus)?.focus({ preventScroll: true });
  listen();
}

addEventListener("popstate", () => byId("detail") && turnTo(location.href));

// A gate's page as a dialog; its form is a plain POST all the same.

async function ask(link) {
  let answer;
  try {
    answer = await fetch(link.href, { headers: { "X-Fragment": "1" } });
  } catch {
    answer = { ok: false };
  }
  if (!answer.ok || answer.redirected) return location.assign(link.href);
  dialog.innerHTML = await answer.text();
  for (const button of dialog.querySelectorAll("[data-close]")) button.hidden = false;
  for (const back of dialog.querySelectorAll("[data-back]")) back.hidden = true;
  dialog.showModal();
  dialog.querySelector("textarea")?.focus();
}

dialog.addEventListener("close", () => dialog.replaceChildren());

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]")) return dialog.close();
  const link = event.target.closest("a[href]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  if (link.matches("[data-gate]")) {
    event.preventDefault();
    ask(link);
  } else if (byId("detail") && link.getAttribute("href").startsWith("?step=")) {
    event.preventDefault();
    history.pushState(null, "", link.href);
    turnTo(link.href);
  }
});

// Keys: j and k go through the steps, g goes to the gate.

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [popover]");
  if (typing || dialog.open || event.metaKey || event.ctrlKey || event.altKey) return;
  const stops = [...document.querySelectorAll("main a.name")];
  const here = stops.indexOf(event.target.closest(".row, .card")?.querySelector("a.name"));
  if (event.key === "j") stops[Math.min(here + 1, stops.length - 1)]?.focus();
  else if (event.key === "k") stops[Math.max(here - 1, 0)]?.focus();
  else if (event.key === "g") document.querySelector("main a.button[data-gate]")?.click();
  else return;
  event.preventDefault();
});
