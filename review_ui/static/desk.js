// The judging page: shows a pair, takes its answers, and has the next one ready.

import { Keys, inText } from "./keys.js";
import { Outbox, ask, newId, post } from "./outbox.js";
import * as answers from "./answers.js";

const DRAFT = "bj.draft";
const DRAFT_PAUSE_MS = 400;

const main = document.querySelector("main");
const byId = (id) => document.getElementById(id);

let shown = main.querySelector(".pair");
let behind = firstPair(document.querySelector("template[data-next]").content);
let undoable = shown?.querySelector("[data-act=undo]:not(:disabled)") ? 1 : 0;
let unsent = new Map(); // client_id -> the pair as it was when it was voted on
let watch = newWatch();
let draftTimer = 0;
let draftSending = null;
let draftTrouble = false;
let undoing = false;

const tokenOf = (pair) => pair?.dataset.task ?? null;

const outbox = new Outbox({ shown: () => tokenOf(shown), changed: showState, saved, refused });
const keys = new Keys(act);

start();

function start() {
  document.documentElement.classList.add("live");
  document.addEventListener("submit", onSubmit);
  document.addEventListener("input", onInput);
  byId("why").addEventListener("close", onReason);
  document.addEventListener("visibilitychange", () => (document.hidden ? watch.pause() : watch.go()));
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  addEventListener("beforeunload", (event) => (outbox.votes.length || draftTimer) && event.preventDefault());
  if (shown && outbox.holds(tokenOf(shown))) advance();
  else if (shown) settle();
  if (outbox.votes.length) outbox.flush();
  else outbox.tell();
}

// --- Showing ----------------------------------------------------------------------------------------------------------

function firstPair(root) {
  return root.querySelector(".pair");
}

function parse(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html ?? "";
  return firstPair(holder.content);
}

function show(pair) {
  shown = pair;
  if (!pair) return main.replaceChildren(waitingNote());
  main.replaceChildren(pair);
  settle();
  scrollTo(0, 0);
  pair.querySelector("h2").focus({ preventScroll: true });
}

function settle() {
  watch = newWatch();
  keys.label(shown);
  restoreDraft();
  answers.mark(shown);
  enableUndo();
}

function waitingNote() {
  const note = document.createElement("p");
  note.className = "card";
  note.textContent = outbox.trouble ? "The next pair comes as soon as the connection is back." : "The next pair is on its way.";
  return note;
}

function advance() {
  const next = behind && !outbox.holds(tokenOf(behind)) ? behind : null;
  behind = null;
  show(next);
}

function enableUndo() {
  const button = shown?.querySelector("[data-act=undo]");
  if (button) button.disabled = !(undoable || outbox.votes.length);
}

function say(text) {
  byId("said").textContent = text;
}

function showState(state, waiting, signedOut) {
  const place = document.querySelector("[data-state]");
  const count = waiting ? ` (${waiting} waiting)` : "";
  const words = { saved: "Saved", saving: "Saving", offline: `${signedOut ? "signed out" : "offline"}${count}` };
  if (state === "saved" && (draftTimer || draftSending)) state = "saving";
  if (state === "saved" && draftTrouble) state = "offline";
  if (state === "offline" && place.dataset.state !== "offline") say(`You are ${words.offline}.`);
  place.dataset.state = state;
  place.textContent = words[state];
}

function standing(answer) {
  undoable = answer.undoable;
  document.querySelector("[data-count]").textContent = answer.count;
  document.querySelector("[data-time]").textContent = answer.time;
  enableUndo();
}

/** A clock that stands still while the page is hidden. */
function newWatch() {
  let total = 0;
  let since = document.hidden ? null : performance.now();
  return {
    pause: () => ((total += since === null ? 0 : performance.now() - since), (since = null)),
    go: () => (since ??= performance.now()),
    seconds: () => ((total + (since === null ? 0 : performance.now() - since)) / 1000).toFixed(1),
  };
}

// --- Voting -----------------------------------------------------------------------------------------------------------

function onSubmit(event) {
  const button = event.submitter;
  if (!shown?.contains(event.target)) return;
  event.preventDefault();
  if (button?.dataset.choice) choose(button);
  else if (button?.dataset.act === "undo") undo();
  else submit();
}

function choose(button) {
  answers.press(button);
  const group = answers.groupOf(button);
  const overall = group.dataset.criterion === "overall";
  const { choice } = button.dataset;
  if (overall && (choice === "skip" || !answers.hasCriteria(shown))) return vote();
  answers.next(shown, group);
  draftSoon();
}

function submit() {
  if (!answers.overall(shown)) return say("Choose first: left, tie, both bad or right.");
  const open = answers.demanded(shown);
  if (open) {
    answers.activate(shown, open);
    return say(`Still open: ${open.getAttribute("aria-label")}`);
  }
  vote();
}

async function vote() {
  const pair = shown;
  const given = { task: tokenOf(pair), client_id: newId(), fields: answers.fields(pair), seconds: watch.seconds() };
  forgetDraft();
  unsent.set(given.client_id, pair);
  advance();
  await draftSending; // a draft that arrives after its vote would be refused
  outbox.add(given);
  enableUndo();
}

function saved(answer, vote, asked) {
  unsent.delete(vote.client_id);
  standing(answer);
  const told = answer.late ? "Saved as an extra answer, the pair had been given to someone else" : "Saved";
  say(`${told}, ${answer.count}, ${answer.time}`);
  const next = parse(answer.next);
  if (answer.lost && tokenOf(shown) === asked) {
    say("That pair went to someone else meanwhile; here is another.");
    behind = null;
    show(next);
  } else if (!next || tokenOf(next) === tokenOf(shown) || outbox.holds(tokenOf(next))) {
    if (!next) behind = null;
  } else if (!shown) {
    show(next);
  } else if (tokenOf(behind) !== tokenOf(next)) {
    behind = next;
  }
  if (!outbox.votes.length && (!shown || (!behind && answer.left > 1))) sync();
}

function refused(text, vote) {
  unsent.delete(vote.client_id);
  say(text ? `Not saved: ${text}.` : "One answer could not be saved; it was not counted.");
  alertOnce(text || "One answer could not be saved and was not counted.");
  if (!outbox.votes.length) sync();
}

function alertOnce(text) {
  const note = document.createElement("p");
  note.className = "alert";
  note.textContent = text;
  document.querySelector(".alert")?.remove();
  main.before(note);
  setTimeout(() => note.remove(), 20_000);
}

/** Ask the server what lies on this desk and put right what differs. */
async function sync() {
  let desk;
  try {
    desk = await ask("/desk");
  } catch (failure) {
    if (failure.status && failure.status !== 429 && failure.status < 500) location.reload();
    else if (!shown) setTimeout(sync, 3000);
    return;
  }
  standing(desk);
  const pairs = [parse(desk.current), parse(desk.next)].filter((pair) => pair && !outbox.holds(tokenOf(pair)));
  if (desk.state !== "open" || (!shown && !pairs.length)) return location.reload(); // the page says why there is nothing
  if (!shown) show(pairs.shift());
  behind = pairs.find((pair) => tokenOf(pair) !== tokenOf(shown)) ?? null;
}

async function undo() {
  if (undoing) return;
  const withdrawn = outbox.withdraw();
  if (withdrawn && unsent.has(withdrawn.client_id)) return bringBack(unsent.get(withdrawn.client_id));
  undoing = true;
  try {
    await outbox.flush();
    if (outbox.votes.length) return say("Undo works again when the connection is back.");
    await sendDraft();
    const answer = await post("/desk/undo", []);
    standing(answer);
    bringBack(parse(answer.current));
    say("Your last answer is back. Change it and submit again.");
  } catch (failure) {
    say(failure.text || "Undo did not work; try again.");
  } finally {
    undoing = false;
  }
}

function bringBack(pair) {
  if (shown) behind = shown;
  show(pair);
}

// --- Drafts -----------------------------------------------------------------------------------------------------------

function onInput(event) {
  if (shown?.contains(event.target) && event.target.matches("textarea")) draftSoon();
}

function draftSoon() {
  const draft = { task: tokenOf(shown), fields: answers.fields(shown) };
  localStorage.setItem(DRAFT, JSON.stringify(draft));
  clearTimeout(draftTimer);
  draftTimer = setTimeout(sendDraft, DRAFT_PAUSE_MS);
  outbox.tell();
}

async function sendDraft() {
  clearTimeout(draftTimer);
  draftTimer = 0;
  const text = localStorage.getItem(DRAFT);
  if (!text) return;
  const draft = JSON.parse(text);
  draftSending = post("/desk/draft", [["task", draft.task], ...draft.fields]);
  try {
    await draftSending;
    draftTrouble = false;
    if (localStorage.getItem(DRAFT) === text) localStorage.removeItem(DRAFT);
  } catch (failure) {
    draftTrouble = failure.status === 0 || failure.status >= 500;
    if (!draftTrouble) localStorage.removeItem(DRAFT);
    else if (!draftTimer) draftTimer = setTimeout(sendDraft, 5000);
  }
  draftSending = null;
  outbox.tell();
}

function restoreDraft() {
  const draft = JSON.parse(localStorage.getItem(DRAFT) ?? "null");
  if (draft?.task !== tokenOf(shown)) return;
  answers.fill(shown, draft.fields);
  draftSoon();
}

function forgetDraft() {
  clearTimeout(draftTimer);
  draftTimer = 0;
  draftTrouble = false;
  localStorage.removeItem(DRAFT);
}

// --- Keys -------------------------------------------------------------------------------------------------------------

function act(action, event) {
  const target = event.target;
  if (action === "escape") {
    if (inText(target)) target.blur();
    return;
  }
  if (byId("why").open) return pressReason(event);
  if (action === "guide" || action === "help") return byId(action === "guide" ? "guide" : "keys").togglePopover();
  if (!shown || document.querySelector(":popover-open")) return;
  if (action === "submit") return enter(event);
  event.preventDefault();
  if (action === "undo") undo();
  else if (action === "comment") openComment();
  else if (action === "raw") toggleRaw();
  else if (action === "back") answers.back(shown);
  else if (action === "skip") byId("why").showModal();
  else answers.buttonFor(shown, action)?.click();
}

function enter(event) {
  const control = event.target.closest?.("button, a, summary, input");
  const pressed = control?.getAttribute("aria-pressed") === "true";
  if (control && !pressed) return; // the browser presses it
  event.preventDefault();
  submit();
}

function openComment() {
  const comment = shown.querySelector(".comment");
  comment.open = true;
  comment.querySelector("textarea").focus();
}

function toggleRaw() {
  for (const text of shown.querySelectorAll(".side > .words")) text.hidden = !text.hidden;
}

function pressReason(event) {
  const key = /^Digit\d$/.test(event.code) ? event.code.at(-1) : event.key;
  const button = byId("why").querySelector(`[data-reason="${key.toLowerCase() === "k" ? "Enter" : CSS.escape(key)}"]`);
  if (!button || (key === "Enter" && event.target.closest("button"))) return;
  event.preventDefault();
  button.click();
}

function onReason() {
  const reason = byId("why").returnValue;
  byId("why").returnValue = "";
  if (!reason || !shown) return;
  const comment = shown.querySelector("textarea");
  if (reason !== "none") comment.value = [reason, comment.value].filter(Boolean).join(". ");
  choose(shown.querySelector("[data-criterion=overall] [data-choice=skip]"));
}
