import assert from "node:assert/strict";
import { test } from "node:test";
import {
  countRequirements,
  explainPipFailure,
  packageInProgress,
  requirementsArguments,
  wheelArguments,
} from "./pip.ts";

test("requirements are installed by hash, as wheels, without following dependencies", () => {
  const line = requirementsArguments("/b/requirements.txt").join(" ");
  assert.match(line, /-I -m pip .*install --no-deps .*--require-hashes --only-binary :all: -r \/b\/requirements\.txt$/);
});

test("the wheel is installed by its own digest, and no index is asked", () => {
  const line = wheelArguments("file:///b/x.whl", "ab").join(" ");
  assert.match(line, /install --no-deps .*--no-index file:\/\/\/b\/x\.whl#sha256=ab$/);
});

test("requirements are counted without options, comments, hashes and continuations", () => {
  const text =
    "--no-index\n# note\nanyio==4.9 ; python_version >= '3.10' \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\nidna==3\n\n";
  assert.equal(countRequirements(text), 2);
});

test("the package in progress is read from pip's output", () => {
  assert.equal(packageInProgress("Collecting anyio==4.9.0 (from -r requirements.txt (line 3))"), "anyio");
  assert.equal(packageInProgress("  Downloading anyio-4.9.0-py3-none-any.whl (100 kB)"), undefined);
});

const outputs: ReadonlyArray<readonly [string, string, RegExp]> = [
  [
    "no network",
    "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError(': Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')'\nERROR: Could not find a version that satisfies the requirement anyio==4.9.0 (from versions: none)\nERROR: No matching distribution found for anyio==4.9.0",
    /the package index cannot be reached\. The first start needs the network once/,
  ],
  [
    "a changed file",
    "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
    /does not have the sha256 that the extension's lock names/,
  ],
  [
    "a full disk",
    "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
    /the disk is full\. Free some space/,
  ],
  [
    "a certificate",
    "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]'))\nERROR: No matching distribution found for x",
    /could not be trusted/,
  ],
  ["a proxy", "ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 407'))", /the proxy refused/],
  ["no credentials", "ERROR: 401 Client Error: Unauthorized for url: …", /refused access/],
  [
    "no wheel",
    "ERROR: Could not find a version that satisfies the requirement x==1 (from versions: 0.1)",
    /no wheel for this Python/,
  ],
  ["a read-only folder", "ERROR: [Errno 13] Permission denied: '/x'", /a file could not be written/],
  [
    "something new",
    "noise\nERROR: first\nERROR: the last word.",
    /failed: the last word\. The log has pip's whole output/,
  ],
  ["silence", "", /failed: pip ended with 3\./],
];

for (const [what, output, message] of outputs) {
  test(`explained: ${what}`, () => {
    const failure = explainPipFailure("the server's requirements", output, 3);
    assert.match(failure.message, message);
    assert.match(failure.message, /^Installing the server's requirements failed: /);
    assert.ok(failure.remedies.includes("retry"));
  });
}
