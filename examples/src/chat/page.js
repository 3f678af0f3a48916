"use strict";
const $ = (id) => document.getElementById(id);
const tab = crypto.getRandomValues(new Uint32Array(1))[0]; // this tab's name among those that share a draft

let me = null;        // the user, when logged in
let source = null;    // the stream of the conversation
let newest = 0;       // the id of the newest entry on the page
let keeping = null;   // the timer of the draft

class Refused extends Error {
  constructor(status, problem) {
    super(`${problem.title}: ${problem.detail}`);
    this.status = status;
  }
}

async function call(method, path, body, patience = 3) {
  const options = { method };
  if (body !== undefined) {
    options.headers = { "content-type": "application/json" };
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("The server cannot be reached.");
  }
  if (response.ok) return response.status === 204 ? null : response.json();
  // The cookie was replaced by a log-in in another tab, while this request was under way.
  if (response.status === 409 && patience > 0) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return call(method, path, body, patience - 1);
  }
  throw new Refused(response.status, await response.json());
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function note(id, text) {
  stayAtEnd(() => {
    $(id).textContent = text;
    $(id).hidden = !text;
  });
}

// If the last message was to be seen, it still is.
function stayAtEnd(change) {
  const list = $("messages");
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  change();
  if (isAtEnd) list.scrollTop = list.scrollHeight;
}

// Runs what a button does. A stranger is shown the log-in.
async function attempt(work) {
  note("note", "");
  try {
    await work();
  } catch (error) {
    if (error.status === 401) leave("the session has ended");
    else note("note", error.message);
  }
}

// ---- log-in and log-out ----------------------------------------------------------------------------------------

// Another tab may have logged in or out.
async function look() {
  try {
    const found = await call("GET", "/me");
    if (found.name !== me?.name || found.device !== me?.device || source?.readyState === EventSource.CLOSED) enter(found);
  } catch (error) {
    if (error.status === 401) {
      if (me || $("outside").hidden) leave(me ? "the session has ended" : "");
    } else {
      $("connection").textContent = error.message;
      setTimeout(look, 2000);
    }
  }
}

function enter(found) {
  if (found.name !== me?.name || found.device !== me?.device) {
    newest = 0;
    $("messages").replaceChildren();
    $("text").value = "";
  }
  me = found;
  $("me").textContent = `${me.name}, device ${me.device}`;
  $("outside").hidden = true;
  $("inside").hidden = false;
  for (const shown of document.querySelectorAll(".member")) shown.hidden = false;
  note("note", "");
  $("text").focus();
  follow();
  listPeople();
  listDevices();
}

function leave(why) {
  source?.close();
  source = me = null;
  clearTimeout(keeping);
  $("connection").textContent = "";
  $("inside").hidden = true;
  $("outside").hidden = false;
  for (const hidden of document.querySelectorAll(".member")) hidden.hidden = true;
  note("log-in-note", why && `You were logged out: ${why}.`);
  $("password").value = "";
  $($("name").value ? "password" : "name").focus();
}

$("log-in-form").onsubmit = async (event) => {
  event.preventDefault();
  note("log-in-note", "");
  $("log-in").disabled = true;
  try {
    const found = await call("POST", "/log-in", { name: $("name").value.trim(), password: $("password").value });
    $("password").value = "";
    enter(found);
  } catch (error) {
    note("log-in-note", error.message);
    $("password").select();
  } finally {
    $("log-in").disabled = false;
  }
};

$("log-out").onclick = () => attempt(async () => {
  await call("POST", "/log-out");
  leave("");
});

// ---- the conversation ------------------------------------------------------------------------------------------

// `EventSource` comes back by itself, and tells the server the last event that it has seen.
function follow() {
  source?.close();
  const stream = source = new EventSource("/events");
  // The history is not read aloud.
  $("messages").setAttribute("aria-busy", "true");
  setTimeout(() => $("messages").setAttribute("aria-busy", "false"), 500);
  stream.onopen = () => { $("connection").textContent = ""; };
  stream.onmessage = (event) => show(JSON.parse(event.data));
  stream.addEventListener("missed", (event) => add(element("li", { className: "event", textContent: `${event.data} earlier lines are not kept any more` })));
  stream.addEventListener("draft", (event) => {
    const draft = JSON.parse(event.data);
    if (draft.tab !== tab) $("text").value = draft.text;
  });
  stream.addEventListener("over", (event) => { if (source === stream) leave(event.data); });
  stream.onerror = () => {
    if (source !== stream) return;
    $("connection").textContent = "Connecting\u2026";
    if (stream.readyState === EventSource.CLOSED) setTimeout(look, 1000);
  };
}

function show(entry) {
  if (entry.id <= newest) return;
  newest = entry.id;
  const at = new Date(entry.at);
  const time = element("time", {
    dateTime: at.toISOString(),
    title: at.toLocaleString(),
    textContent: at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }),
  });
  if (entry.event === "said") {
    const line = element("li", {}, element("b", { textContent: entry.from }), time,
      element("div", { className: "text", textContent: entry.text }));
    if (entry.from === me.name) line.className = "own";
    add(line);
  } else {
    const text = { came: " has logged in ", left: " has logged out " }[entry.event];
    add(element("li", { className: "event" }, entry.from + text, time));
    listPeople();
    listDevices();
  }
}

function add(line) {
  stayAtEnd(() => $("messages").append(line));
}

$("say-form").onsubmit = (event) => {
  event.preventDefault();
  const text = $("text").value;
  if (!text.trim()) return;
  attempt(async () => {
    await call("POST", "/messages", { text });
    if ($("text").value === text) $("text").value = "";
    keepDraft();
  });
  $("text").focus();
};
$("text").onkeydown = (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("say-form").requestSubmit();
  }
};
$("text").oninput = () => {
  clearTimeout(keeping);
  keeping = setTimeout(keepDraft, 300);
};

async function keepDraft() {
  clearTimeout(keeping);
  try {
    await call("PUT", "/draft", { text: $("text").value, tab });
  } catch {
    // It is kept with the next key. If the session has ended, the stream tells.
  }
}

// ---- people and devices ----------------------------------------------------------------------------------------

const lists = {};

// Asks once for many events that come together, and again if more come meanwhile.
function list(path, render) {
  if (lists[path]) {
    lists[path].again = true;
    return;
  }
  lists[path] = {};
  setTimeout(async () => {
    try {
      const listed = await call("GET", path);
      if (me) render(listed);
    } catch (error) {
      if (error.status === 401 && me) leave("the session has ended");
    }
    const { again } = lists[path];
    delete lists[path];
    if (again && me) list(path, render);
  }, 50);
}

function listPeople() {
  list("/people", (people) => {
    $("people").replaceChildren(...people.map((name) => element("li", { textContent: name === me.name ? `${name} (you)` : name })));
  });
}

function duration(seconds) {
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

function listDevices() {
  list("/me/sessions", (devices) => {
    const focused = document.activeElement?.dataset.key;
    $("devices").replaceChildren(...devices.map((device) => {
      const out = element("button", { className: "small", textContent: "Log out", onclick: () => logOut(device.device) });
      out.setAttribute("aria-label", `Log out device ${device.device}`);
      out.dataset.key = `out-${device.device}`;
      const name = element("span", { textContent: `Device ${device.device}${device.this ? " (this one)" : ""}` });
      const state = device.idle === null
        ? `In use. Ends ${duration(device.ends_in)} after its last page is closed.`
        : `Idle for ${duration(device.idle)}. Ends in ${duration(device.ends_in)}.`;
      const holds = device.holds.map((held) => held.name).join(", ");
      return element("li", {},
        element("div", { className: "name" }, name, out),
        element("p", { className: "quiet", textContent: `Logged in ${duration(device.age)} ago. ${state}` }),
        element("p", { className: "quiet", textContent: `Holds ${holds}; requests inside: ${device.requests}.` }));
    }));
    $("log-out-others").disabled = devices.length < 2;
    if (focused) document.querySelector(`[data-key="${focused}"]`)?.focus();
  });
}

function logOut(device) {
  return attempt(async () => {
    await call("DELETE", `/me/sessions/${device}`);
    if (device === me.device) leave("");
    else listDevices();
  });
}

$("log-out-others").onclick = () => attempt(async () => {
  await call("DELETE", "/me/sessions/others");
  listDevices();
});

setInterval(() => { if (me && !document.hidden) listDevices(); }, 10_000);
addEventListener("focus", look);
look();
