/** A module that the bundle holds a substitute of, and why nothing misses it. */
export type LeftOut = {
  because: string;
  /** What it exports, as functions that throw; none: it is one such function itself. */
  names?: string[];
  /** The substitute's CommonJS source, where importers call it at start without need. */
  source?: string;
};

const viaProxy = "a kubeconfig with proxy-url is not supported; reach the API server directly";
const oldAuthProvider = "kubeconfig auth-providers azure and gcp cannot renew a token here; use an exec plugin";
const ownAnswers = "functions/send-reply.ts writes every answer, by none of Express's own methods";
const ownRequests = "functions/ read requests by Node's own fields, by none of Express's methods";

/**
 * What packages import but this function never calls: over half of the bundle otherwise, and of the work before the first
 * request (`npm run bench`). In a pod none of it can be reached; with a kubeconfig, what would be says why it fails.
 */
export const leftOut: Readonly<Record<string, LeftOut>> = {
  "./gen/index.js": {
    names: ["createConfiguration", "ServerConfiguration"],
    because: "calls go out by functions/kubernetes/client.ts, not by client-node's typed API",
  },
  "@opentelemetry/api": { names: ["metrics", "trace"], because: "metrics are prom-client's own alone" },
  accepts: { because: ownRequests },
  "body-parser": {
    names: ["json", "raw", "text", "urlencoded"],
    because: "bodies are read by functions/body.ts, which counts bytes before it parses",
  },
  "content-disposition": { because: ownAnswers },
  cookie: { names: ["serialize"], because: ownAnswers },
  "cookie-signature": { names: ["sign"], because: ownAnswers },
  debug: {
    source: "module.exports = () => Object.assign(() => {}, { enabled: false });",
    because: "the log is functions/log.ts; DEBUG is no setting",
  },
  etag: { because: ownAnswers },
  fresh: { because: ownRequests },
  hpagent: { names: ["HttpProxyAgent", "HttpsProxyAgent"], because: viaProxy },
  "http-errors": { because: ownAnswers },
  "ipaddr.js": { names: ["isValid", "parse", "process"], because: "TRUST of proxies is off, so no address is parsed" },
  "jsonpath-plus": { names: ["JSONPath"], because: oldAuthProvider },
  "mime-types": {
    names: ["charset", "contentType", "extension", "lookup"],
    because: "functions/app.ts sets every Content-Type itself",
  },
  "openid-client": {
    names: ["customFetch", "discovery", "refreshTokenGrant"],
    because: "the kubeconfig auth-provider oidc cannot renew its token here; use an exec plugin",
  },
  "path-to-regexp": {
    source: 'exports.match = (path) => { if (path !== "" && path !== "/") throw new Error("left out: " + path); };',
    because:
      "functions/app.ts gives routes as regular expressions; Express itself asks for its own root, and never uses it",
  },
  qs: { names: ["parse"], because: "the setting `query parser` is off; routes read URLSearchParams" },
  "range-parser": { because: ownRequests },
  send: { because: ownAnswers },
  "serve-static": { because: "there are no files to serve" },
  socks: { names: ["SocksClient"], because: viaProxy },
  "socks-proxy-agent": { names: ["SocksProxyAgent"], because: viaProxy },
  "thread-stream": { because: "log lines are written by this thread, by no transport of pino's" },
  "type-is": { because: ownRequests },
  undici: {
    names: ["Agent", "ProxyAgent", "fetch"],
    because: "requests go out by functions/kubernetes/transport.ts, not by client-node's own HTTP client",
  },
  vary: { because: ownAnswers },
  worker_threads: {
    source: "module.exports = { isMainThread: true };",
    because: "pino asks which thread it is in, and there is but one; the module takes Node a millisecond to load",
  },
};

/** What a start in a pod does without (a kubeconfig needs most of it): it is in the bundle, but loaded by its first call. */
export const loadedLater: Readonly<Record<string, { names?: string[]; source?: string; askedBy: string }>> = {
  assert: { askedBy: "sonic-boom" },
  "js-yaml": { names: ["load"], askedBy: "@kubernetes/client-node" },
  // Asked whether the API server's address is one of IPv6; Node's own answer takes 3 ms, most for a regular expression.
  "node:net": {
    source: 'export default { isIPv6: (text) => text.includes(":") && require("node:net").isIPv6(text) };',
    askedBy: "@kubernetes/client-node",
  },
  "node:child_process": { names: ["spawn", "spawnSync"], askedBy: "@kubernetes/client-node" },
};
