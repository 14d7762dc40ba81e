// The live list of servers: one stream of events, reconnected when it breaks. While it is broken the page says since
// when, and what is shown counts as old.

import { Problem, cluster, events, onCluster, onToken, setCluster } from "./client.js";
import { keyOf, serverOf } from "./server.js";

const path = "/api/templates/deployments/events/";
const shortest = 500;
const longest = 15_000;

/** Takes up one event of the stream. Returns the keys of the servers that changed; null for all of them. */
function takeUp(known, { event, data }) {
  const { servers } = known;
  const said = JSON.parse(data);
  if (event === "problem") {
    // The platform is there and its back end is not: what is shown is old just the same.
    throw new Problem(said.status ?? 503, said);
  }
  if (event === "snapshot") {
    // Nobody may have chosen a cluster; what is shown is of one all the same.
    known.cluster = said.cluster;
    servers.clear();
    for (const each of said.deployments) servers.set(keyOf(each), serverOf(each, known.cluster));
    return null;
  }
  if (event === "deployment") servers.set(keyOf(said), serverOf(said, known.cluster));
  else if (event === "gone") servers.delete(keyOf(said));
  else return [];
  return [keyOf(said)];
}

/**
 * Follows all servers. `changed(servers, keys)` gets all of them and the keys of those that changed, or null when all
 * were said anew; `connection(state)` gets `{ kind: "connecting" | "live" | "lost" | "refused", since, retry, problem }`.
 */
export function follow({ changed, connection }) {
  const servers = new Map();
  const known = { servers, cluster: "" };
  let running = new AbortController();
  let lostSince = null;
  let wait = shortest;
  let timer = null;

  async function run(signal) {
    let live = false;
    if (lostSince === null) connection({ kind: "connecting" });
    try {
      for await (const event of events(path, { signal })) {
        if (signal.aborted) return;
        changed(servers, takeUp(known, event));
        if (!live && event.event === "snapshot") {
          live = true;
          lostSince = null;
          wait = shortest;
          connection({ kind: "live" });
        }
      }
      if (!signal.aborted) throw new Problem(0, { title: "Ended", detail: "the platform ended the stream" });
    } catch (error) {
      if (!signal.aborted) lose(error instanceof Problem ? error : new Problem(0, { detail: error.message }));
    }
  }

  function lose(problem) {
    if (problem.status === 404 && cluster()) {
      // The platform serves the chosen cluster no longer.
      setCluster("");
      return;
    }
    lostSince ??= Date.now();
    if (problem.status === 401 || problem.status === 403) {
      connection({ kind: "refused", since: lostSince, problem });
      return;
    }
    const pause = problem.retryAfter ? problem.retryAfter * 1000 : wait * (0.75 + Math.random() / 2);
    wait = Math.min(longest, wait * 2);
    connection({ kind: "lost", since: lostSince, retry: Date.now() + pause, problem });
    timer = setTimeout(again, pause);
  }

  /** Connects anew at once. */
  function again() {
    clearTimeout(timer);
    running.abort();
    running = new AbortController();
    run(running.signal);
  }

  onToken(again);
  onCluster(() => {
    // What another cluster has is not shown as if it were this one's.
    servers.clear();
    changed(servers, null);
    lostSince = null;
    again();
  });
  window.addEventListener("online", again);
  window.addEventListener("offline", () => {
    running.abort();
    clearTimeout(timer);
    lose(new Problem(0, { title: "Offline", detail: "this machine has no network" }));
  });
  // A page that comes back out of the browser's cache has a stream that is long dead.
  window.addEventListener("pageshow", (event) => event.persisted && again());
  again();
  return { servers, again };
}
