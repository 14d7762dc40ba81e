// What the person in front of the editor is told when something goes wrong. Every expected failure of this extension is
// a `Failure`: it says what failed, what to do next, and which buttons help. It does not show anything itself.

/** A button under a failure message. The editor room maps each to a command. */
export type Remedy = "showLog" | "repairEnvironment" | "selectInterpreter" | "retry";

export class Failure extends Error {
  override readonly name = "Failure";
  readonly remedies: readonly Remedy[];

  /**
   * @param what a sentence that names the file, path or command that failed and why
   * @param next a sentence that tells the reader what to do
   * @param remedies buttons to offer, most useful first
   */
  constructor(what: string, next: string, remedies: readonly Remedy[] = ["showLog"], options?: ErrorOptions) {
    super(`${what} ${next}`, options);
    this.remedies = remedies;
  }
}

/** Thrown when the person cancelled. It is never shown as an error. */
export class Cancelled extends Error {
  override readonly name = "Cancelled";
  constructor() {
    super("cancelled");
  }
}

/** Throws `Cancelled` when the signal has been raised. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new Cancelled();
}

/** The words of anything that was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The operating system's code (`ENOENT`, `EACCES`, …) of anything that was thrown, when it has one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
