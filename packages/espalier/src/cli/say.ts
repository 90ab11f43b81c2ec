import type { Said } from '../kinds/kind-of-run.js';
import type { Terminal } from '../terminal/terminal.js';

/** Puts what a command has to say on the terminal. */
export function say({ text, json }: Said, terminal: Terminal): void {
  terminal.result(text);
  terminal.json(json);
}
