// Talks to the REST API of the platform: the token, problems, and streams that are read as they come. EventSource
// cannot send a token, so streams are read with fetch, too.

const tokenKey = "mcp-platform-token";
const clusterKey = "mcp-platform-cluster";
const listeners = [];
const clusterListeners = [];

/** The bearer token; it lives as long as the tab and nowhere else. */
export const token = () => sessionStorage.getItem(tokenKey);

/** Keeps a token for this tab; an empty one is forgotten. */
export function setToken(value) {
  if (value) sessionStorage.setItem(tokenKey, value);
  else sessionStorage.removeItem(tokenKey);
  for (const listener of listeners) listener();
}

/** Calls a function whenever the token changed. */
export const onToken = (listener) => listeners.push(listener);

/** The cluster that this tab looks at; empty for the one that the platform means when none is named. */
export const cluster = () => sessionStorage.getItem(clusterKey) ?? "";

/** Chooses a cluster for this tab. */
export function setCluster(value) {
  if (value === cluster()) return;
  if (value) sessionStorage.setItem(clusterKey, value);
  else sessionStorage.removeItem(clusterKey);
  for (const listener of clusterListeners) listener();
}

/** Calls a function whenever another cluster was chosen. */
export const onCluster = (listener) => clusterListeners.push(listener);

/** A path of the API on a cluster: the one that is named, else the chosen one. */
function on(where, path) {
  if (!where) return path;
  return `${path}${path.includes("?") ? "&" : "?"}cluster=${encodeURIComponent(where)}`;
}

/** What the API answered when it did not do what was asked (RFC 9457), or why it did not answer. */
export class Problem extends Error {
  constructor(status, { title, detail, hints, errors, retryAfter } = {}) {
    super(detail || title || `the platform answered ${status}`);
    this.status = status;
    this.title = title || "Error";
    this.hints = Array.isArray(hints) ? hints : [];
    this.errors = Array.isArray(errors) ? errors : [];
    this.retryAfter = retryAfter;
  }
}

async function problemOf(response) {
  const retryAfter = Number(response.headers.get("retry-after")) || undefined;
  const type = response.headers.get("content-type") ?? "";
  if (!type.includes("json")) {
    const text = (await response.text().catch(() => "")).slice(0, 500);
    return new Problem(response.status, { title: response.statusText, detail: text, retryAfter });
  }
  const body = await response.json().catch(() => ({}));
  return new Problem(response.status, { ...body, retryAfter });
}

async function ask(path, { method = "GET", body, accept, signal, where = cluster() } = {}) {
  const headers = { Accept: accept ?? "application/json, application/problem+json" };
  if (token()) headers.Authorization = `Bearer ${token()}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const request = { method, headers, signal, cache: "no-store", credentials: "omit", redirect: "error" };
  if (body !== undefined) request.body = JSON.stringify(body);
  let response;
  try {
    response = await fetch(on(where, path), request);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, {
      title: "Not reached",
      detail: "the platform does not answer",
      hints: ["see whether `mcp-platform serve` still runs and this machine still reaches it"],
    });
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

/**
 * Asks and returns the JSON of the answer, or null when it has none. `where` is the cluster that is meant; another one may
 * be chosen by the time that somebody has read what he was asked.
 */
export async function call(path, options) {
  const response = await ask(path, options);
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

/** Reads text as it comes; `heard` is called for every piece, so that silence can be noticed. */
async function* pieces(response, heard) {
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      yield decoder.decode(value, { stream: true });
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Lines end with CRLF, LF or CR; a CR at the end of a piece waits for what comes next. */
async function* lines(response, heard) {
  let rest = "";
  for await (const piece of pieces(response, heard)) {
    rest += piece;
    const whole = rest.split(/\r\n|\n|\r(?!$)/);
    rest = whole.pop();
    yield* whole;
  }
  if (rest) yield rest.replace(/\r$/, "");
}

/** Server-sent events of an answer (WHATWG HTML, 9.2.6): `{ event, data, id }`. */
async function* parse(response, heard) {
  let event = "message";
  let data = [];
  let id;
  for await (const line of lines(response, heard)) {
    if (line === "") {
      if (data.length > 0) yield { event, data: data.join("\n"), id };
      event = "message";
      data = [];
      continue;
    }
    const [, field, value] = /^([^:]*)(?:: ?([^]*))?$/.exec(line);
    if (field === "event") event = value ?? "";
    else if (field === "data") data.push(value ?? "");
    else if (field === "id") id = value ?? "";
  }
}

/**
 * Server-sent events, until the server ends them. Ends with a problem when nothing at all, not even a comment that
 * keeps the connection alive, came for `patience` milliseconds.
 */
export async function* events(path, { signal, where, patience = 45_000, opened = () => {} } = {}) {
  const silent = new AbortController();
  let timer;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silent.abort(), patience);
  };
  const both = signal ? AbortSignal.any([signal, silent.signal]) : silent.signal;
  heard();
  try {
    const response = await ask(path, { accept: "text/event-stream", signal: both, where });
    opened();
    yield* parse(response, heard);
  } catch (error) {
    if (signal?.aborted) return;
    if (silent.signal.aborted) throw new Problem(0, { title: "Silence", detail: "the platform went silent" });
    if (error instanceof Problem) throw error;
    throw new Problem(0, { title: "Cut off", detail: "the connection broke" });
  } finally {
    clearTimeout(timer);
  }
}

/** Lines of a streamed answer as they come. */
export async function* streamLines(path, { signal, accept, where } = {}) {
  try {
    const response = await ask(path, { accept: accept ?? "application/x-ndjson", signal, where });
    yield* lines(response, () => {});
  } catch (error) {
    if (signal?.aborted) return;
    if (error instanceof Problem) throw error;
    throw new Problem(0, { title: "Cut off", detail: "the connection broke" });
  }
}
