// The page of the terminal: it shows the pictures that the server sends, and sends keys.
"use strict";
const $ = (id) => document.getElementById(id);
const encoder = new TextEncoder();

let socket = null;
let tries = 0;       // since the connection was lost
let shown = null;    // the last picture, without its rows
let rows = [];       // their runs, and their elements
let lines = [];
let cell = { width: 8, height: 18 };

// ---- colors ----------------------------------------------------------------------------------------------------

const dark = matchMedia("(prefers-color-scheme: dark)");
const PALETTES = {
  light: ["#22272e", "#bf1f2b", "#1a6e2e", "#7a5200", "#0b5cbf", "#8430b4", "#0f6b75", "#6a727b",
          "#555d66", "#a31420", "#14591f", "#604000", "#084a9c", "#6c2296", "#0a555d", "#30363d"],
  dark: ["#3b424c", "#ff7b72", "#56c866", "#dcaa3c", "#65aeff", "#c99bff", "#4cc5d0", "#c3cad2",
         "#7f8893", "#ffa49d", "#7fdc8a", "#f0c668", "#93c7ff", "#dcbcff", "#7adbe3", "#ffffff"],
};
const own = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
let palette, text, ground;
function takeColors() {
  palette = dark.matches ? PALETTES.dark : PALETTES.light;
  [text, ground] = [own("--text"), own("--ground")];
}

const hex = (values) => "#" + values.map((value) => value.toString(16).padStart(2, "0")).join("");

function css(color, otherwise) {
  if (color === undefined || color === null) return otherwise;
  if (typeof color === "string") return color;
  if (color < 16) return palette[color];
  if (color >= 232) return hex(Array(3).fill(8 + (color - 232) * 10));
  const level = (n) => (n === 0 ? 0 : 55 + n * 40);
  const n = color - 16;
  return hex([Math.floor(n / 36), Math.floor(n / 6) % 6, n % 6].map(level));
}

function luminance(color) {
  const channel = (at) => {
    const value = parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

// The color, or one between it and black or white that can be read: programs choose theirs for one ground, and there are
// two.
function legible(color, on) {
  const ground = luminance(on);
  const pole = ground > 0.18 ? 0 : 255;
  for (let part = 0; part <= 10; part++) {
    const mixed = mix(color, pole, part / 10);
    const [high, low] = [luminance(mixed), ground].sort((a, b) => b - a);
    if ((high + 0.05) / (low + 0.05) >= 4.5) return mixed;
  }
  return mix(color, pole, 1);
}

function mix(color, pole, part) {
  return hex([1, 3, 5].map((at) => Math.round(parseInt(color.slice(at, at + 2), 16) * (1 - part) + pole * part)));
}

// ---- the screen ------------------------------------------------------------------------------------------------

function measure() {
  const box = $("probe").getBoundingClientRect();
  cell = { width: box.width / 40, height: 18 };
  const frame = $("frame");
  return [Math.floor((frame.clientWidth - 16) / cell.width), Math.floor((frame.clientHeight - 12) / cell.height)];
}

function element(run) {
  const span = document.createElement("span");
  span.textContent = run.text;
  let [fore, back] = [css(run.color, text), css(run.background, ground)];
  if (run.inverse) [fore, back] = [back, fore];
  fore = legible(fore, back);
  if (fore !== text) span.style.color = fore;
  if (back !== ground) span.style.background = back;
  if (run.bold) span.style.fontWeight = 700;
  if (run.italic) span.style.fontStyle = "italic";
  if (run.underline) span.style.textDecoration = "underline";
  if (run.dim) span.style.opacity = 0.75;
  // Other fonts have other widths.
  if (/[^\x20-\x7e]/.test(run.text)) {
    span.className = "wide";
    span.style.width = run.cells * cell.width + "px";
  }
  return span;
}

function drawRow(number) {
  lines[number].replaceChildren(...rows[number].map(element));
}

function draw(picture) {
  while (lines.length > picture.rows) { lines.pop().remove(); rows.pop(); }
  while (lines.length < picture.rows) {
    const line = document.createElement("div");
    $("screen").append(line);
    lines.push(line);
    rows.push([]);
  }
  for (const [number, runs] of picture.changed) {
    rows[number] = runs;
    drawRow(number);
  }
  if (shown && picture.bells > shown.bells) ring();
  shown = picture;
  $("screen").style.minWidth = picture.columns * cell.width + "px";
  drawCursor();
  $("title").textContent = document.title = picture.title || "Terminal";
  const mine = measure();
  const size = `${picture.columns} \u00d7 ${picture.rows}`;
  const differs = mine[0] !== picture.columns || mine[1] !== picture.rows;
  say(picture.back ? `${picture.back} lines back` : differs ? `${size}, as in another tab` : size);
}

function drawCursor() {
  const cursor = $("cursor");
  cursor.hidden = !shown?.cursor || $("screen").classList.contains("over");
  if (cursor.hidden) return;
  const [row, column] = shown.cursor;
  const place = { left: column * cell.width + "px", top: row * cell.height + "px" };
  Object.assign(cursor.style, place, { width: cell.width + "px", height: cell.height + "px" });
  Object.assign($("keys").style, place);
  cursor.textContent = characterAt(rows[row] ?? [], column);
  // It blinks from now on, so that it is seen where it is.
  for (const animation of cursor.getAnimations()) animation.currentTime = 0;
}

function characterAt(runs, column) {
  for (const run of runs) {
    if (column < run.cells) return run.text.length === run.cells ? run.text[column] : "";
    column -= run.cells;
  }
  return "";
}

function ring() {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  $("frame").classList.add("bell");
  setTimeout(() => $("frame").classList.remove("bell"), 120);
}

function say(what) {
  if ($("status").textContent !== what) $("status").textContent = what;
}

// ---- the connection --------------------------------------------------------------------------------------------

function note(why, button) {
  $("why").textContent = why;
  $("note").hidden = !why;
  $("again").hidden = !button;
  $("again").textContent = button ?? "";
}

// The end, unless the user begins anew.
function over(why, button = "Start a new shell") {
  note(why, button);
  say("not connected");
  $("screen").classList.add("over");
  $("logout").disabled = true;
  drawCursor();
  // The last words, which the note has moved out of sight.
  $("frame").scrollTop = $("frame").scrollHeight;
  $("again").focus();
}

function lost() {
  const wait = Math.min(500 * 2 ** tries++, 10_000);
  say("not connected");
  note("The connection is lost. Trying again\u2026");
  setTimeout(connect, wait);
}

async function connect() {
  const again = tries > 0;
  let response;
  try {
    response = await fetch("shell", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ size: measure() }),
    });
  } catch {
    return lost();
  }
  if (!response.ok) {
    const problem = await response.json().catch(() => ({ title: response.statusText, detail: "" }));
    return over(`${problem.title}: ${problem.detail}`, "Try again");
  }
  const isNew = response.status === 201;
  socket = new WebSocket(new URL("socket", location).href.replace(/^http/, "ws"));
  socket.onopen = () => {
    tries = 0;
    note(again && isNew ? "This is a new shell: the one before has ended meanwhile." : "");
    $("screen").classList.remove("over");
    $("logout").disabled = false;
    resize();
    $("keys").focus();
  };
  socket.onmessage = (message) => draw(JSON.parse(message.data));
  socket.onclose = ({ code, reason }) => {
    socket = null;
    if (code === 4000) return over(`The shell has ended: ${reason}.`);
    const told = {
      terminated: "You have logged out. The shell and everything it ran has ended.",
      "idle timeout": "No key was pressed for long, so the shell was ended.",
      "absolute timeout": "The shell was ended, since it is older than a week.",
      shutdown: "The program that serves this page has been stopped, and the shell with it.",
    }[reason];
    if (told) return over(told);
    if (code === 1006 || code === 1001 || code === 1000) return lost();
    over(`The connection was closed: ${reason || code}.`, "Try again");
  };
}

function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(message);
}

function type(keys) {
  const bytes = encoder.encode(keys);
  for (let at = 0; at < bytes.length; at += 32_768) send(bytes.subarray(at, at + 32_768));
}

function resize() {
  const size = measure();
  if (size[0] < 2 || size[1] < 1) return; // the page is not visible
  send(JSON.stringify({ resize: size }));
}

function look(back) {
  if (!shown || shown.alternate) return;
  back = Math.max(0, back);
  if (back !== shown.back) send(JSON.stringify({ back }));
}

// ---- keys ------------------------------------------------------------------------------------------------------

const isMac = /Mac|iP/.test(navigator.platform);
// xterm's sequences: the final letter, or the number before `~`.
const LETTERS = { ArrowUp: "A", ArrowDown: "B", ArrowRight: "C", ArrowLeft: "D", Home: "H", End: "F",
  F1: "P", F2: "Q", F3: "R", F4: "S" };
const NUMBERS = { Insert: 2, Delete: 3, PageUp: 5, PageDown: 6, F5: 15, F6: 17, F7: 18, F8: 19, F9: 20, F10: 21 };

// The bytes for a key that types no text, or whose text is changed by Ctrl or Alt. `null` leaves it to the browser.
function bytesOf(event) {
  const { key, ctrlKey: ctrl, altKey: alt, shiftKey: shift, metaKey: meta } = event;
  if (meta) return null;
  const modifiers = 1 + (shift ? 1 : 0) + (alt ? 2 : 0) + (ctrl ? 4 : 0);
  const escape = alt ? "\x1b" : "";
  if (key in LETTERS) {
    if (modifiers > 1) return `\x1b[1;${modifiers}${LETTERS[key]}`;
    return (key.startsWith("F") || shown?.application_cursor ? "\x1bO" : "\x1b[") + LETTERS[key];
  }
  if (key in NUMBERS) return `\x1b[${NUMBERS[key]}${modifiers > 1 ? ";" + modifiers : ""}~`;
  switch (key) {
    case "Enter": return escape + "\r";
    case "Backspace": return escape + (ctrl ? "\b" : "\x7f");
    case "Tab": return shift ? "\x1b[Z" : ctrl ? null : "\t";
    case "Escape": return "\x1b";
  }
  if (key.length !== 1 || event.getModifierState("AltGraph")) return null;
  if (ctrl && !shift && /^[a-z@[\\\]^_ ]$/i.test(key)) {
    return escape + String.fromCharCode(key === " " ? 0 : key.toUpperCase().charCodeAt(0) & 31);
  }
  if (ctrl && key === "_") return escape + "\x1f";
  if (ctrl && shift && key === "@") return escape + "\0";
  // On a Mac, Option types characters.
  return alt && !ctrl && !isMac ? escape + key : null;
}

$("keys").addEventListener("keydown", (event) => {
  if (event.isComposing || event.key === "Process") return;
  const { key, ctrlKey: ctrl, shiftKey: shift } = event;
  const page = (shown?.rows ?? 2) - 1;
  if (ctrl && shift && key === "ArrowUp") {
    event.preventDefault();
    return ($("again").hidden ? $("logout") : $("again")).focus();
  }
  if (shift && !ctrl && (key === "PageUp" || key === "PageDown")) {
    event.preventDefault();
    return look((shown?.back ?? 0) + (key === "PageUp" ? page : -page));
  }
  // The selection is copied, as elsewhere in a browser.
  if (ctrl && !shift && key === "c" && !getSelection().isCollapsed) return;
  if (shift && key === "Insert") return;
  const bytes = bytesOf(event);
  if (bytes === null) return;
  event.preventDefault();
  getSelection().removeAllRanges();
  type(bytes);
});

function typed() {
  const text = $("keys").value;
  $("keys").value = "";
  if (text) type(text.replaceAll("\n", "\r"));
}
$("keys").addEventListener("input", (event) => { if (!event.isComposing) typed(); });
$("keys").addEventListener("compositionstart", () => $("keys").classList.add("composing"));
$("keys").addEventListener("compositionend", () => { $("keys").classList.remove("composing"); typed(); });

$("keys").addEventListener("paste", (event) => {
  event.preventDefault();
  const text = event.clipboardData.getData("text").replace(/\r?\n/g, "\r");
  // Without its escapes, so that it can't end the paste before its end.
  type(shown?.bracketed_paste ? `\x1b[200~${text.replaceAll("\x1b", "")}\x1b[201~` : text);
});

// ---- the mouse, the window, the buttons ------------------------------------------------------------------------

$("frame").addEventListener("mouseup", () => { if (getSelection().isCollapsed) $("keys").focus({ preventScroll: true }); });

let turned = 0;
$("frame").addEventListener("wheel", (event) => {
  if (event.ctrlKey || !shown || !socket) return;
  event.preventDefault();
  turned += event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY : event.deltaY / cell.height;
  const by = Math.trunc(turned);
  if (by === 0) return;
  turned -= by;
  if (!shown.alternate) return look(shown.back - by);
  const arrow = (shown.application_cursor ? "\x1bO" : "\x1b[") + (by < 0 ? "A" : "B");
  type(arrow.repeat(Math.min(Math.abs(by), 10)));
}, { passive: false });

let resizing;
new ResizeObserver(() => {
  clearTimeout(resizing);
  resizing = setTimeout(resize, 100);
}).observe($("frame"));

$("logout").onclick = async () => {
  try {
    await fetch("logout", { method: "POST" });
  } catch {
    note("The server cannot be reached.");
  }
};
$("again").onclick = () => { tries = 0; note(""); connect(); };

dark.addEventListener("change", () => { takeColors(); rows.forEach((_, number) => drawRow(number)); });
takeColors();
$("logout").disabled = true;
connect();
