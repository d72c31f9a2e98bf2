// The answers of one pair live in its own buttons: pressed or not.  This file reads and sets them.

export const groupOf = (button) => button.closest("[data-criterion]");
const groups = (pair) => [...pair.querySelectorAll("[data-criterion]")];
const pressedIn = (group) => group.querySelector("[aria-pressed=true]");

export const hasCriteria = (pair) => pair.querySelector("form.bar").hasAttribute("data-criteria");
export const overall = (pair) => pressedIn(pair.querySelector("[data-criterion=overall]"))?.dataset.choice ?? null;

export function press(button) {
  const group = groupOf(button);
  const clears = group.dataset.criterion !== "overall" && button.getAttribute("aria-pressed") === "true";
  for (const other of group.querySelectorAll("[data-choice]")) other.setAttribute("aria-pressed", "false");
  if (!clears) button.setAttribute("aria-pressed", "true");
}

/** Everything said, as the fields of a form. */
export function fields(pair) {
  const pressed = groups(pair).map(pressedIn).filter(Boolean);
  return [...pressed.map((button) => [button.name, button.value]), ["comment", pair.querySelector("textarea").value]];
}

export function fill(pair, said) {
  const given = new Map(said);
  for (const button of pair.querySelectorAll("[data-choice]")) {
    button.setAttribute("aria-pressed", String(given.get(button.name) === button.value));
  }
  const comment = given.get("comment") ?? "";
  pair.querySelector("textarea").value = comment;
  pair.querySelector(".comment").open = comment !== "";
}

/** The first criterion that must still be answered, when the study asks for all; null when the vote can go. */
export function demanded(pair) {
  if (!pair.querySelector("form.bar").hasAttribute("data-all")) return null;
  if (["cannot_judge", "skip"].includes(overall(pair))) return null;
  return groups(pair).find((group) => !pressedIn(group)) ?? null;
}

// --- The question that the keys answer now: one group has the class `active` ---------------------------------------------

export function activate(pair, group) {
  for (const other of groups(pair)) other.classList.toggle("active", other === group);
  const list = group?.closest(".questions");
  if (list) list.scrollTop = group.offsetTop - list.clientHeight / 2; // the list alone, not the page
}

export function mark(pair) {
  if (hasCriteria(pair)) activate(pair, groups(pair).find((group) => !pressedIn(group)) ?? null);
}

/** Go on to the next open question after this one, else to the first open one, else to none. */
export function next(pair, group) {
  const all = groups(pair);
  const open = all.filter((one) => !pressedIn(one));
  activate(pair, open.find((one) => all.indexOf(one) > all.indexOf(group)) ?? open[0] ?? null);
}

export function back(pair) {
  const all = groups(pair);
  const now = all.findIndex((group) => group.classList.contains("active"));
  activate(pair, all[now === -1 ? all.length - 1 : Math.max(0, now - 1)]);
}

/** The button that an answering key stands for now: in the active question, else in the overall one. */
export function buttonFor(pair, action) {
  const first = pair.querySelector("[data-criterion=overall]");
  const group = action === "cannot_judge" ? first : pair.querySelector("[data-criterion].active") ?? first;
  const choice = "side" in group.dataset ? { left: "pass", right: "fail" }[action] : action;
  return choice ? group.querySelector(`[data-choice="${choice}"]`) : null;
}
