import { afterEach, describe, expect, test, vi } from 'vitest';
import { openTerminal } from '../../src/terminal/terminal.js';

/** What is left on a screen of the lines that were written to stderr, which is a terminal or not. */
function onScreen(isTTY: boolean, use: (terminal: ReturnType<typeof openTerminal>) => void): string {
  let written = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written += String(text);
    return true;
  });
  const before = Object.getOwnPropertyDescriptor(process.stderr, 'isTTY');
  Object.defineProperty(process.stderr, 'isTTY', { value: isTTY, configurable: true });
  try {
    use(openTerminal(false));
  } finally {
    if (before === undefined) delete (process.stderr as { isTTY?: boolean }).isTTY;
    else Object.defineProperty(process.stderr, 'isTTY', before);
  }
  return shown(written);
}

/** Follows the few control sequences that erase lines and move the cursor. */
function shown(written: string): string {
  const lines = [''];
  let row = 0;
  let column = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the control sequences of terminals
  for (const [part, count, command] of written.matchAll(/\u001B\[\??(\d*)([A-Za-z])|[^\u001B]/gu)) {
    if (part === '\n') {
      row++;
      column = 0;
      lines[row] ??= '';
    } else if (command === undefined) {
      lines[row] = lines[row]!.slice(0, column).padEnd(column) + part + lines[row]!.slice(column + 1);
      column++;
    } else if (command === 'A') row = Math.max(0, row - Number(count || 1));
    else if (command === 'B') row += Number(count || 1);
    else if (command === 'G') column = Number(count || 1) - 1;
    else if (command === 'K') lines[row] = count === '2' ? '' : lines[row]!.slice(0, column);
  }
  return lines.join('\n').trimEnd();
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the live lines of a terminal', () => {
  test('replace each other', () => {
    expect(
      onScreen(true, (terminal) => {
        terminal.live('step 1\nloss 2');
        terminal.live('step 2\nloss 1');
      }),
    ).toBe('step 2\nloss 1');
  });

  test('stand below the lines that stay', () => {
    expect(
      onScreen(true, (terminal) => {
        terminal.live('step 1');
        terminal.line('epoch 1: done');
      }),
    ).toBe('epoch 1: done\nstep 1');
  });

  test('are gone once the work has ended, and the lines that stay are left', () => {
    expect(
      onScreen(true, (terminal) => {
        terminal.line('note');
        terminal.live('step 1\nloss 2');
        terminal.settle();
        terminal.line('trained');
      }),
    ).toBe('note\ntrained');
  });

  test('are not written where stderr is no terminal', () => {
    expect(
      onScreen(false, (terminal) => {
        terminal.live('step 1');
        terminal.line('epoch 1: done');
        terminal.settle();
      }),
    ).toBe('epoch 1: done');
  });
});
