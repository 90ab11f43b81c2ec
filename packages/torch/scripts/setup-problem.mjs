/** A problem that the user has to solve. Scripts print its message alone, without a stack trace. */
export class SetupProblem extends Error {
  /**
   * @param {string} message
   * @param {1 | 2} exitCode 2 if the user's own input, such as an environment variable, is wrong
   */
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * Runs a script's `main`. A `SetupProblem` ends it with the problem's message and exit code.
 * @param {() => Promise<void> | void} main
 */
export async function runScript(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof SetupProblem)) throw error;
    console.error(error.message);
    process.exitCode = error.exitCode;
  }
}
