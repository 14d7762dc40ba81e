import assert from "node:assert/strict";
import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeBundle } from "../testing/bundles.ts";
import { temporaryFolder } from "../testing/machine.ts";
import { verifyBundle } from "./bundle.ts";

const wheelName = "tiny_server-1.2.3-py3-none-any.whl";

test("an untouched bundle is verified", async () => {
  const folder = makeBundle(temporaryFolder());
  const bundle = await verifyBundle(folder);
  assert.equal(bundle.wheelPath, join(folder, wheelName));
  assert.match(bundle.requirements, /^tiny-dependency==2\.0/m);
});

test("one changed byte of the wheel is refused by its sha256", async () => {
  const folder = makeBundle(temporaryFolder());
  const path = join(folder, wheelName);
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(60) ^ 1, 60);
  writeFileSync(path, bytes);
  await assert.rejects(verifyBundle(folder), (error: Error) => {
    assert.match(error.message, /tiny_server-1\.2\.3-py3-none-any\.whl has sha256 [0-9a-f]{64}, but its manifest says/);
    return true;
  });
});

test("an appended byte is refused by its size", async () => {
  const folder = makeBundle(temporaryFolder());
  appendFileSync(join(folder, "requirements.txt"), "\n");
  await assert.rejects(verifyBundle(folder), /requirements\.txt has \d+ bytes, but its manifest says \d+/);
});

for (const name of [wheelName, "requirements.txt", "manifest.json"]) {
  test(`a missing ${name} is named`, async () => {
    const folder = makeBundle(temporaryFolder());
    rmSync(join(folder, name));
    await assert.rejects(verifyBundle(folder), (error: Error) =>
      error.message.startsWith(`${join(folder, name)} is missing.`),
    );
  });
}
