// What a server is to this page: read from the API's answer in one place, with what may be done to it and why not.

/** The states: the word, a sign of its own shape, and what comes first when sorted by state. */
export const states = {
  failed: { sign: "✖", order: 0 },
  degraded: { sign: "▲", order: 1 },
  pending: { sign: "…", order: 2 },
  scaling: { sign: "⇅", order: 3 },
  running: { sign: "✔", order: 4 },
  stopped: { sign: "■", order: 5 },
};

/** The key of a server among all: no name holds a slash. */
export const keyOf = (json) => `${json.namespace}/${json.name}`;

/** Reads a server from the API's answer about a cluster; what is missing there is missing here. */
export function serverOf(json, cluster) {
  return {
    cluster,
    key: keyOf(json),
    name: String(json.name ?? ""),
    namespace: String(json.namespace ?? ""),
    template: String(json.template ?? ""),
    version: json.version ?? null,
    state: states[json.status] ? json.status : "pending",
    reason: String(json.reason ?? ""),
    message: String(json.message ?? ""),
    wanted: Number(json.replicas ?? 0),
    ready: Number(json.ready_replicas ?? 0),
    remembered: json.remembered_replicas ?? null,
    endpoints: (json.endpoints ?? []).map(String),
    created: json.created ?? null,
    lastActivity: json.last_activity ?? null,
    instances: json.instances ?? [],
    conditions: json.conditions ?? [],
    revision: json.revision ?? null,
    image: json.image ?? null,
    commit: json.commit ?? null,
    wheel: json.wheel_sha256 ?? null,
    statefulness: json.statefulness ?? null,
    autoscaled: json.autoscaled === true,
    leftOut: json.left_out ?? [],
    imageSource: json.image_source ?? null,
    faults: json.faults ?? [],
    ours: json.ours === true,
  };
}

/** How a table cell or a search sees it: everything in one lower-case line. */
export const searchText = (server) =>
  [server.name, server.namespace, server.template, server.state, server.reason, server.message, ...server.endpoints]
    .join("\n")
    .toLowerCase();

/** The roles, each with what the ones before may. */
const roles = ["viewer", "operator", "admin"];
const needed = { deploy: "admin", update: "admin", delete: "admin" };

/**
 * Why the one who looks may not do something, or null: a session is whether the page is live, and what the platform says
 * about who is asking, once it did.
 */
export function prohibition(action, session) {
  if (!session.live) return "This page is not connected, so what it shows may be old.";
  const role = needed[action] ?? "operator";
  const mine = session.me?.role;
  if (!mine || roles.indexOf(mine) >= roles.indexOf(role)) return null;
  return `This needs the role ${role}, and the token ${session.me.name} has ${mine}.`;
}

/** Why something cannot be done to a server now, or null when it can. */
export function obstacle(action, server, session) {
  const prohibited = prohibition(action, session);
  if (prohibited) return prohibited;
  const stopped = server.wanted === 0;
  switch (action) {
    case "start":
      return stopped ? null : "It is started already.";
    case "stop":
      return server.state === "stopped" ? "It is stopped already." : null;
    case "restart":
      return stopped ? "It is stopped; start it instead." : null;
    case "scale":
      if (server.statefulness === "singleton") return "It is a singleton: it owns a volume and runs once.";
      return server.autoscaled ? "An autoscaler sets its number." : null;
    case "update":
      return server.ours ? null : "Another tool deployed it, so its configuration is not known.";
    case "check":
      return server.ready > 0 ? null : "No instance of it is ready.";
    default:
      return null;
  }
}
