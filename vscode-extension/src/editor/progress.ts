// A progress notification with a working cancel button around a task.
import * as vscode from "vscode";

/** What a task is given to say how far it is and to learn that it was cancelled. */
export interface TaskProgress {
  readonly signal: AbortSignal;
  readonly progress: (message: string, percent: number) => void;
}

/** Runs the task; the notification appears with its first message, so a task that has nothing to say shows nothing. */
export async function withLazyProgress<T>(
  title: string,
  token: vscode.CancellationToken | undefined,
  task: (progress: TaskProgress) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const subscription = token?.onCancellationRequested(() => abort.abort());
  if (token?.isCancellationRequested) abort.abort();
  const notification = new Notification(title, abort);
  try {
    return await task({ signal: abort.signal, progress: (message, percent) => notification.show(message, percent) });
  } finally {
    subscription?.dispose();
    notification.close();
  }
}

class Notification {
  private readonly title: string;
  private readonly abort: AbortController;
  private reporter: vscode.Progress<{ message?: string; increment?: number }> | undefined;
  private last = { message: "", percent: 0 };
  private reported = 0;
  private opened = false;
  private finish: () => void = () => {};
  private readonly finished = new Promise<void>((resolve) => {
    this.finish = resolve;
  });

  constructor(title: string, abort: AbortController) {
    this.title = title;
    this.abort = abort;
  }

  show(message: string, percent: number): void {
    this.last = { message, percent };
    this.open();
    this.report();
  }

  close(): void {
    this.finish();
  }

  private open(): void {
    if (this.opened) return;
    this.opened = true;
    const options = { location: vscode.ProgressLocation.Notification, title: this.title, cancellable: true };
    vscode.window.withProgress(options, (reporter, token) => {
      token.onCancellationRequested(() => this.abort.abort());
      this.reporter = reporter;
      this.report();
      return this.finished;
    });
  }

  private report(): void {
    const increment = Math.max(0, this.last.percent - this.reported);
    if (this.reporter === undefined) return;
    this.reported += increment;
    this.reporter.report({ message: this.last.message, increment });
  }
}
