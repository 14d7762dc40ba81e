import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Cancelled } from "../failure.ts";
import { temporaryFolder } from "../testing/machine.ts";
import { type LockRequest, withLock } from "./lock.ts";

function request(changes: Partial<LockRequest> = {}): LockRequest {
  return {
    path: join(temporaryFolder(), "deep", "lock"),
    times: { pollMs: 1, heartbeatMs: 5, staleMs: 60_000 },
    ...changes,
  };
}

test("twenty tasks under one lock never overlap, and the lock is gone afterwards", async () => {
  const shared = request();
  let inside = 0;
  let most = 0;
  const task = () =>
    withLock(shared, async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    });
  await Promise.all(Array.from({ length: 20 }, task));
  assert.equal(most, 1);
  assert.deepEqual(readdirSync(join(shared.path, "..")), []);
});

test("the lock is let go when the task fails, and the failure is passed on", async () => {
  const shared = request();
  await assert.rejects(
    withLock(shared, () => Promise.reject(new Error("broken"))),
    /broken/,
  );
  assert.equal(await withLock(shared, async () => "again"), "again");
});

test("the lock of a process that has ended is taken over at once", async () => {
  const shared = request();
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  await withLock(shared, async () => {});
  writeFileSync(shared.path, JSON.stringify({ token: "old", process: pid, host: hostname() }));
  assert.equal(await withLock(shared, async () => "mine"), "mine");
});

test("a lock of another machine is respected while it shows life, and taken over when it is silent", async () => {
  const shared = request({ times: { pollMs: 1, heartbeatMs: 5, staleMs: 100 } });
  await withLock(shared, async () => {});
  writeFileSync(shared.path, JSON.stringify({ token: "far", process: 1, host: "far away" }));
  let waited = false;
  await withLock({ ...shared, onWait: () => (waited = true) }, async () => {});
  assert.ok(waited);
});

test("a half-written lock is taken over when nothing happens to it", async () => {
  const shared = request({ times: { pollMs: 1, heartbeatMs: 5, staleMs: 100 } });
  await withLock(shared, async () => {});
  writeFileSync(shared.path, '{"tok');
  assert.equal(await withLock(shared, async () => "mine"), "mine");
});

test("waiting can be cancelled, and the owner keeps its lock", async () => {
  const shared = request();
  await withLock(shared, async () => {
    const abort = new AbortController();
    const waiting = withLock({ ...shared, signal: abort.signal, onWait: () => abort.abort() }, async () => {
      assert.fail("entered a lock that is held");
    });
    await assert.rejects(waiting, Cancelled);
    assert.ok(existsSync(shared.path));
  });
});
