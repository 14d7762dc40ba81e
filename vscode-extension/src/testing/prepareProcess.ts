// A window of its own for tests: prepares an environment in this process and prints what is said as it happens.
// Arguments: the bundle's folder and the folder of environments.
import { verifyBundle } from "../bundle/bundle.ts";
import { prepareEnvironment } from "../environment/prepare.ts";
import { interpreter, preparing } from "./machine.ts";

const [bundleFolder = "", environments = ""] = process.argv.slice(2);
const say = (line: string) => process.stdout.write(`${line}\n`);
const ready = await prepareEnvironment(
  await verifyBundle(bundleFolder),
  interpreter,
  preparing(environments, { log: say, progress: say }),
);
say(`READY ${ready.folder}`);
