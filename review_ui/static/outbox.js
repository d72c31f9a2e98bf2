// Votes on their way.  A vote is written to this browser first and leaves it only when the server has said that it is
// saved (or will never take it); its client_id makes it one vote however often it is sent.

const KEY = "bj.votes";
const LONGEST_WAIT_MS = 30_000;
const GIVE_UP_MS = 15_000;

export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** POST a form and give its JSON.  Throws {status, text}; status 0: no answer came. */
export async function post(path, fields) {
  return ask(path, { method: "POST", body: new URLSearchParams(fields), keepalive: true });
}

export async function ask(path, options = {}) {
  let answer;
  try {
    const signal = AbortSignal.timeout(GIVE_UP_MS);
    answer = await fetch(path, { ...options, signal, redirect: "error", headers: { Accept: "application/json" } });
  } catch {
    throw { status: 0, text: "" };
  }
  const content = await answer.json().catch(() => null);
  if (!answer.ok || content === null) throw { status: answer.ok ? 0 : answer.status, text: content?.text ?? "" };
  return content;
}

export class Outbox {
  /** shown(): the token on the page; changed(state, waiting); saved(answer, vote); refused(text, vote). */
  constructor(listener) {
    this.listener = listener;
    this.failures = 0;
    this.sending = null;
    this.timer = 0;
    addEventListener("online", () => this.retryNow());
    addEventListener("offline", () => this.tell());
  }

  get votes() {
    try {
      return JSON.parse(localStorage.getItem(KEY)) ?? [];
    } catch {
      return [];
    }
  }

  set votes(list) {
    if (list.length) localStorage.setItem(KEY, JSON.stringify(list));
    else localStorage.removeItem(KEY);
  }

  holds(task) {
    return this.votes.some((vote) => vote.task === task);
  }

  add(vote) {
    this.votes = [...this.votes, vote];
    this.tell();
    this.flush();
  }

  /** Take back the newest vote when it was never sent; null when it was, or when there is none. */
  withdraw() {
    const votes = this.votes;
    const last = votes.at(-1);
    if (!last || last.sent) return null;
    this.votes = votes.slice(0, -1);
    this.tell();
    return last;
  }

  retryNow() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.flush();
  }

  /** Send what waits, oldest first, one at a time; resolves when nothing waits or the network failed. */
  flush() {
    if (this.timer) return Promise.resolve();
    this.sending ??= this.sendAll().finally(() => (this.sending = null));
    return this.sending;
  }

  async sendAll() {
    for (let vote = this.votes[0]; vote; vote = this.votes[0]) {
      this.mark(vote);
      if (!(await this.send(vote))) return;
    }
  }

  mark(vote) {
    this.votes = this.votes.map((one) => (one.client_id === vote.client_id ? { ...one, sent: true } : one));
    this.tell();
  }

  async send(vote) {
    // What the page shows is asked for now, not when the vote was cast: by now it may show another pair.
    const next = this.listener.shown() ?? "";
    const fields = [["task", vote.task], ["client_id", vote.client_id], ["next", next], ["seconds", vote.seconds], ...vote.fields];
    try {
      const answer = await post("/desk/vote", fields);
      this.drop(vote);
      this.listener.saved(answer, vote, next);
    } catch (failure) {
      if (!("status" in failure)) throw failure;
      if (this.worthRetrying(failure.status)) return this.wait(failure.status);
      this.drop(vote);
      this.listener.refused(failure.text, vote);
    }
    return true;
  }

  worthRetrying(status) {
    return status === 0 || status === 401 || status === 403 || status === 429 || status >= 500;
  }

  drop(vote) {
    this.failures = 0;
    this.signedOut = false;
    this.votes = this.votes.filter((one) => one.client_id !== vote.client_id);
    this.tell();
  }

  wait(status) {
    this.signedOut = status === 401;
    const pause = Math.min(LONGEST_WAIT_MS, 1000 * 2 ** this.failures) * (0.75 + Math.random() / 2);
    this.failures += 1;
    this.timer = setTimeout(() => this.retryNow(), pause);
    this.tell();
    return false;
  }

  get trouble() {
    return this.failures > 0 || !navigator.onLine;
  }

  tell() {
    const waiting = this.votes.length;
    const state = this.trouble ? "offline" : waiting ? "saving" : "saved";
    this.listener.changed(state, waiting, this.signedOut);
  }
}
