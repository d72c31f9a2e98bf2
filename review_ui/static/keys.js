// Single keys: what they do, when they are off, and how they are changed.

const KEY = "bj.keys";
const STANDARD = {
  left: "1", right: "2", tie: "3", both_bad: "4", cannot_judge: "0", skip: "k", undo: "u", back: "b", comment: "c",
  raw: "r", guide: "g", help: "?", submit: "Enter", escape: "Escape",
};
const NAMES = { Escape: "Esc", " ": "Space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };
const ALWAYS = new Set(["submit", "escape"]);

/** Name a key press, whatever the layout; null when it is none of ours. */
export function keyOf(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.keyCode === 229) return null;
  if (/^\d$/.test(event.key)) return event.key;
  const digit = /^Digit(\d)$/.exec(event.code ?? "");
  if (digit && !event.shiftKey) return digit[1]; // layouts whose digits need Shift
  if (event.key.length > 1) return event.shiftKey ? null : event.key;
  if (event.shiftKey && event.key.toLowerCase() !== event.key.toUpperCase()) return null;
  return event.key.toLowerCase();
}

export function inText(target) {
  if (!(target instanceof Element)) return false;
  if (target.closest("textarea, select, [contenteditable]")) return true;
  return target.matches("input") && !["radio", "checkbox", "button", "submit"].includes(target.type);
}

export class Keys {
  /** act(action, event) does what a key stands for. */
  constructor(act) {
    this.act = act;
    this.read();
    this.changing = null;
    document.addEventListener("keydown", (event) => this.pressed(event));
    document.addEventListener("click", (event) => this.clicked(event));
    document.addEventListener("change", (event) => {
      if (event.target.matches("[data-keys-on]")) this.save({ off: !event.target.checked });
    });
    this.label(document);
  }

  read() {
    let stored = {};
    try {
      stored = JSON.parse(localStorage.getItem(KEY)) ?? {};
    } catch {
      // a broken entry is no entry
    }
    this.off = stored.off === true;
    this.own = stored.own ?? {};
    this.map = { ...STANDARD, ...this.own };
  }

  save(change) {
    localStorage.setItem(KEY, JSON.stringify({ off: this.off, own: this.own, ...change }));
    this.read();
    this.label(document);
  }

  pressed(event) {
    if (event.repeat) return;
    const key = keyOf(event);
    if (this.changing) return this.change(key, event);
    if (key === null) return;
    const action = Object.keys(this.map).find((name) => this.map[name] === key);
    if (!action || (this.off && !ALWAYS.has(action))) return;
    if (inText(event.target) && action !== "escape") return;
    this.act(action, event);
  }

  clicked(event) {
    const button = event.target.closest?.("[data-remap]");
    if (button) this.ask(button.dataset.remap);
    else if (event.target.closest?.("[data-keys-reset]")) this.reset();
  }

  ask(action) {
    this.changing = action;
    this.say("Press the new key, or Escape to keep the old one.");
  }

  change(key, event) {
    if (key === null || ["Shift", "Tab"].includes(key)) return;
    event.preventDefault();
    const action = this.changing;
    this.changing = null;
    const taken = Object.keys(this.map).find((name) => this.map[name] === key && name !== action);
    if (key === "Escape" || key === "Enter") return this.say("Kept.");
    if (taken) return this.say(`${NAMES[key] ?? key.toUpperCase()} already has another use.`);
    this.save({ own: { ...this.own, [action]: key } });
    this.say("Changed.");
  }

  reset() {
    localStorage.removeItem(KEY);
    this.read();
    this.label(document);
    this.say("These are the standard keys again.");
  }

  say(text) {
    document.querySelector("[data-keys-said]").textContent = text;
  }

  /** Write the keys on the buttons under `root`. */
  label(root) {
    for (const hint of root.querySelectorAll("kbd[data-hint]")) {
      const { hint: action } = hint.dataset;
      const key = this.map[action];
      hint.textContent = this.off && !ALWAYS.has(action) ? "" : NAMES[key] ?? key.toUpperCase().replace("ENTER", "Enter");
      hint.closest("button[data-choice], button[data-act]")?.setAttribute("aria-keyshortcuts", hint.textContent);
    }
    const box = root.querySelector("[data-keys-on]");
    if (box) box.checked = !this.off;
  }
}
