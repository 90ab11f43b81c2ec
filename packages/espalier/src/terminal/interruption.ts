import type { Terminal } from './terminal.js';

/** Exit code of a command that was stopped by Ctrl-C, as shells have it. */
export const INTERRUPTED = 130;

/** Aborted by the first Ctrl-C; a second one ends the process at once. */
export function interruptible(terminal: Terminal): { readonly signal: AbortSignal; done(): void } {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    terminal.line('stopping; everything up to here is saved (once more: stop at once)');
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return {
    signal: controller.signal,
    done() {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    },
  };
}
