/** Something that the user has to put right: its message is shown alone, without a stack trace. */
export class SetupProblem extends Error {
  /**
   * @param {string} message
   * @param {1 | 2} exitCode 2 when it was the user's own input (an environment variable) that was wrong
   */
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * Runs a script's `main`; a `SetupProblem` becomes its message and the exit code.
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
