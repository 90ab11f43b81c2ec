import { createLogUpdate } from 'log-update';

/** Where a command speaks: results to stdout, everything else to stderr. */
export interface Terminal {
  /** The result for people. With `--json` nobody reads it. */
  result(text: string): void;
  /** The one JSON value of `--json`. */
  json(value: unknown): void;
  /** A line that stays. */
  line(text: string): void;
  /** Lines that the next ones replace; nothing where stderr is no terminal. */
  live(text: string): void;
  /** Takes the live lines away: what a command has come to is said by lines that stay. */
  settle(): void;
  /** Whether `live` shows anything. */
  readonly isLive: boolean;
}

export function openTerminal(json: boolean): Terminal {
  const isLive = process.stderr.isTTY === true;
  const update = createLogUpdate(process.stderr);
  let shown = '';
  return {
    isLive,
    result(text) {
      if (!json) process.stdout.write(`${text}\n`);
    },
    json(value) {
      if (json) process.stdout.write(`${JSON.stringify(value)}\n`);
    },
    line(text) {
      if (isLive) update.clear();
      process.stderr.write(`${text}\n`);
      if (isLive && shown !== '') update(shown);
    },
    live(text) {
      if (!isLive) return;
      shown = text;
      update(text);
    },
    settle() {
      if (isLive) {
        update.clear();
        update.done();
      }
      shown = '';
    },
  };
}
