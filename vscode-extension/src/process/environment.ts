// Environment variables for the processes this extension starts. Pure.

/** Variables that make Python load modules from elsewhere, or behave as another installation. */
export const pythonVariables = ["PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__"];

/**
 * Variables by which a person's pip configuration would put packages elsewhere, leave some out or change which are
 * chosen. Index, proxy and certificate variables stay: what is installed is fixed by its hash, wherever it comes from.
 */
const pipVariables = [
  "PIP_BREAK_SYSTEM_PACKAGES",
  "PIP_CONSTRAINT",
  "PIP_DRY_RUN",
  "PIP_EDITABLE",
  "PIP_IGNORE_INSTALLED",
  "PIP_NO_BINARY",
  "PIP_PLATFORM",
  "PIP_PREFIX",
  "PIP_PYTHON",
  "PIP_PYTHON_VERSION",
  "PIP_REPORT",
  "PIP_REQUIREMENT",
  "PIP_ROOT",
  "PIP_TARGET",
  "PIP_USER",
];

/** The environment for running a Python of our choice, without what could redirect it. */
export function pythonEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return without(env, pythonVariables);
}

/** The environment for running pip inside an environment of our own. */
export function pipEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return without(pythonEnvironment(env), pipVariables);
}

function without(env: NodeJS.ProcessEnv, names: readonly string[]): NodeJS.ProcessEnv {
  // Windows spells variables in any case.
  return Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name.toUpperCase())));
}

/** Hides user names and passwords in URLs before a line is written to the log. */
export function withoutCredentials(line: string): string {
  return line.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, "$1***@");
}
