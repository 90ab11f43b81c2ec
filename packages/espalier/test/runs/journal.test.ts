import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { createJournal, Journal, readJournal } from '../../src/runs/journal.js';
import { temporaryFolder } from './temporary-folder.js';

const LINES = [
  '{"event":"run","seed":1,"clock":{"time":"t0"}}\n',
  '{"event":"trial","trial":0,"answers":[1,[0,2]],"clock":{}}\n',
  '{"event":"result","trial":0,"status":"ok","accuracy":0.5,"reason":"größer","clock":{}}\n',
];

function journalOf(text: string | Buffer): string {
  const file = join(temporaryFolder(), 'journal.jsonl');
  writeFileSync(file, text);
  return file;
}

describe('reading', () => {
  test('gives the events in order', () => {
    expect(readJournal(journalOf(LINES.join('')))).toEqual({
      events: [
        { event: 'run', seed: 1, clock: { time: 't0' } },
        { event: 'trial', trial: 0, answers: [1, [0, 2]], clock: {} },
        { event: 'result', trial: 0, status: 'ok', accuracy: 0.5, reason: 'größer', clock: {} },
      ],
      torn: undefined,
    });
  });

  test('takes a last line that is cut at any byte for torn, and does not change the file', () => {
    const whole = Buffer.from(LINES.join(''));
    const kept = Buffer.byteLength(LINES[0] + LINES[1]!);
    for (let length = kept + 1; length < whole.length; length++) {
      const cut = whole.subarray(0, length);
      const file = journalOf(cut);
      const { events, torn } = readJournal(file);
      expect(events.map(({ event }) => event)).toEqual(['run', 'trial']);
      expect(torn).toEqual({ line: 3, bytes: length - kept });
      expect(readFileSync(file)).toEqual(cut);
    }
  });

  test('names file and line of a broken line that is not the last', () => {
    const file = journalOf(`${LINES[0]}{"event":"tri\n${LINES[2]}`);
    expect(() => readJournal(file)).toThrow(
      new InputError(
        `${file}:2: not an event of a journal (a JSON object with the key 'event'): {"event":"tri`,
      ),
    );
  });

  test.each(['[1,2]', 'null', '"event"', '{"trial":3}', '{"event":3}'])(
    'does not take %s for an event',
    (line) => {
      expect(() => readJournal(journalOf(`${LINES[0]}${line}\n${LINES[1]}`))).toThrow(/:2: not an event/);
    },
  );

  test.each(['', '{"event":"run"', 'nonsense\n'])('finds no run in %j', (text) => {
    const file = journalOf(text);
    expect(() => readJournal(file)).toThrow(InputError);
    expect(() => Journal.open(file, () => {})).toThrow(/no run begins here/);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });
});

describe('opening to continue', () => {
  test.each([
    ['a line without its end', LINES[2]!.slice(0, -1)],
    ['half a line', LINES[2]!.slice(0, 20)],
    ['a line that is no JSON', '{"event":"resu\n'],
    ['zeros of a file system', '\0\0\0\0'],
  ])('removes %s and says so', (_, tail) => {
    const file = journalOf(LINES[0]! + LINES[1] + tail);
    const said: string[] = [];
    const journal = Journal.open(file, (message) => said.push(message));
    journal.close();
    expect(said).toEqual([
      `${file}:3: the last line was cut in mid-write; its ${Buffer.byteLength(tail)} bytes are removed, and nothing else is lost`,
    ]);
    expect(readFileSync(file, 'utf8')).toBe(LINES[0]! + LINES[1]);
  });

  test('says nothing about a whole journal', () => {
    const said: string[] = [];
    Journal.open(journalOf(LINES.join('')), (message) => said.push(message)).close();
    expect(said).toEqual([]);
  });
});

describe('writing', () => {
  test('appends a line per event after the existing ones, with the clock last', () => {
    const file = join(temporaryFolder(), 'journal.jsonl');
    createJournal(file, { event: 'run', seed: 1 }, { time: 't0' });
    const journal = Journal.open(file, () => {});
    journal.write({ event: 'run', seed: 1 }, { time: 'later' });
    expect(journal.replaying).toBe(false);
    expect(journal.write({ event: 'update', loss: -0, none: undefined }, { time: 't1' })).toEqual({
      event: 'update',
      loss: 0,
      clock: { time: 't1' },
    });
    journal.close();
    expect(readFileSync(file, 'utf8')).toBe(
      '{"event":"run","seed":1,"clock":{"time":"t0"}}\n{"event":"update","loss":0,"clock":{"time":"t1"}}\n',
    );
  });

  test('returns a recorded event with its own clock, whatever the order of its keys', () => {
    const journal = Journal.open(journalOf(LINES.join('')), () => {});
    expect(journal.write({ seed: 1, event: 'run' }, { time: 'now' })).toEqual({
      event: 'run',
      seed: 1,
      clock: { time: 't0' },
    });
    expect(journal.position).toBe(1);
    journal.close();
  });

  test('names line, key and both values if the recorded event differs', () => {
    const file = journalOf(LINES.join(''));
    const journal = Journal.open(file, () => {});
    journal.write({ event: 'run', seed: 1 }, {});
    expect(() => journal.write({ event: 'trial', trial: 0, answers: [1, [0, 3]] }, {})).toThrow(
      new InputError(
        `${file}:2: the search would write 3 where the journal has 2 (answers.1.1). ` +
          'The run was made by another version or with other options',
      ),
    );
    expect(() => journal.write({ event: 'trial', trial: 0, answers: [1, [0, 2]], depth: 3 }, {})).toThrow(
      'the search would write 3 where the journal has nothing (depth)',
    );
    expect(() => journal.write({ event: 'end', best: null }, {})).toThrow(
      'write {"event":"end","best":null} where the journal has {"event":"trial","trial":0,"answers":[1,[0,2]]}.',
    );
    journal.close();
    expect(readFileSync(file, 'utf8')).toBe(LINES.join(''));
  });

  test('refuses a value that JSON would change', () => {
    const file = journalOf(LINES[0]!);
    const journal = Journal.open(file, () => {});
    journal.write({ event: 'run', seed: 1 }, {});
    expect(() => journal.write({ event: 'update', gradient: { norm: Number.NaN } }, {})).toThrow(
      'gradient.norm is NaN',
    );
    journal.close();
    expect(readFileSync(file, 'utf8')).toBe(LINES[0]);
  });

  test('names the first line that the search would not write', () => {
    const file = journalOf(LINES.join(''));
    const journal = Journal.open(file, () => {});
    journal.write({ event: 'run', seed: 1 }, {});
    expect(() => journal.finish()).toThrow(`${file}:2: the search ends before this line`);
    journal.close();
  });
});

describe('the digest', () => {
  test('covers the lines so far, written or confirmed', () => {
    const whole = journalOf(LINES.join(''));
    const begun = journalOf(LINES[0]!);
    const [a, b] = [whole, begun].map((file) => Journal.open(file, () => {})) as [Journal, Journal];
    for (const journal of [a, b]) {
      journal.write({ event: 'run', seed: 1 }, {});
      journal.write({ event: 'trial', trial: 0, answers: [1, [0, 2]] }, {});
      journal.close();
    }
    expect(b.digest).toBe(a.digest);
    expect(readFileSync(begun, 'utf8')).toBe(LINES[0]! + LINES[1]);
  });

  test('allows skipping the lines that it covers, and no others', () => {
    const file = journalOf(LINES.join(''));
    const written = Journal.open(file, () => {});
    written.write({ event: 'run', seed: 1 }, {});
    written.write({ event: 'trial', trial: 0, answers: [1, [0, 2]] }, {});
    const journal = Journal.open(file, () => {});
    expect(journal.skipTo(1, written.digest)).toBe(false);
    expect(journal.skipTo(4, written.digest)).toBe(false);
    expect(journal.position).toBe(0);
    expect(journal.skipTo(2, written.digest)).toBe(true);
    expect(journal.position).toBe(2);
    expect(journal.digest).toBe(written.digest);
    expect(journal.next()?.event).toBe('result');
    for (const open of [written, journal]) open.close();
  });
});
