import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { writeFileAtomically } from './atomic-file.js';
import { type Difference, firstDifference, shorten } from './first-difference.js';
import { type Clock, type JournalEvent, withoutClock } from './journal-event.js';
import { plainJson } from './plain-json.js';

/** The lines of a journal, and what is left of a last one that was cut in mid-write. */
interface JournalRecord {
  readonly events: readonly JournalEvent[];
  readonly torn: TornLine | undefined;
}

interface TornLine {
  /** Counted from 1. */
  readonly line: number;
  readonly bytes: number;
}

/**
 * Reads a journal and changes nothing: a torn last line may be one that is being written now.
 *
 * @throws InputError for a broken line in the middle, with its number, and for a file without any line
 */
export function readJournal(file: string): JournalRecord {
  const { events, torn } = readLines(file);
  return { events, torn };
}

/** Begins a journal with its first line; the file is there with this line or not at all. */
export function createJournal(file: string, event: JournalEvent, clock: Clock): void {
  writeFileAtomically(file, lineOf(event, clock));
}

/**
 * The journal of a run that goes on, as a script: while there are lines that were recorded in an earlier life,
 * what is written must equal them; after the last one it is appended. So the code that resumes a run is the
 * code that began it.
 */
export class Journal {
  readonly #hash = createHash('sha256');
  #position = 0;

  private constructor(
    private readonly file: string,
    private readonly descriptor: number,
    /** The lines that were there when the journal was opened. */
    readonly recorded: readonly JournalEvent[],
    private readonly texts: readonly string[],
  ) {}

  /**
   * Opens a journal to go on with it. A torn last line is cut off the file.
   *
   * @param repaired is told what was cut off and where
   * @throws InputError as `readJournal` does
   */
  static open(file: string, repaired: (message: string) => void): Journal {
    const { events, texts, torn, length } = readLines(file);
    const descriptor = openSync(file, 'a');
    if (torn !== undefined) {
      ftruncateSync(descriptor, length);
      fsyncSync(descriptor);
      repaired(
        `${file}:${torn.line}: the last line was cut in mid-write; its ${torn.bytes} bytes are removed, nothing else is lost`,
      );
    }
    return new Journal(file, descriptor, events, texts);
  }

  /** How many lines were written, or confirmed, so far. */
  get position(): number {
    return this.#position;
  }

  get replaying(): boolean {
    return this.#position < this.recorded.length;
  }

  /** SHA-256 of the lines up to the position. */
  get digest(): string {
    return this.#hash.copy().digest('hex');
  }

  /**
   * Takes the first `lines` lines as confirmed, if they have this digest.
   *
   * @returns whether they have; the position stays where it was otherwise
   */
  skipTo(lines: number, digest: string): boolean {
    if (lines < this.#position || lines > this.recorded.length) return false;
    const passed = this.texts.slice(this.#position, lines);
    const hash = this.#hash.copy();
    for (const text of passed) hash.update(text);
    if (hash.digest('hex') !== digest) return false;
    for (const text of passed) this.#hash.update(text);
    this.#position = lines;
    return true;
  }

  /** The recorded line that the next event has to equal; undefined where it will be appended. */
  next(): JournalEvent | undefined {
    return this.recorded[this.#position];
  }

  /**
   * Writes an event, on the disk before this returns; or confirms the recorded one, whose clock stays.
   *
   * @param event without its clock
   * @returns the event as the journal has it
   * @throws InputError where the recorded line is another event, with the line and both values
   * @throws TypeError for an event that JSON cannot hold
   */
  write(event: JournalEvent, clock: Clock): JournalEvent {
    const recorded = this.next();
    if (recorded === undefined) {
      const text = lineOf(event, clock);
      writeFileSync(this.descriptor, text);
      fsyncSync(this.descriptor);
      this.#advance(text);
      return JSON.parse(text) as JournalEvent;
    }
    if (firstDifference(plainJson(event), withoutClock(recorded) as Json)) throw this.contradiction(event);
    this.#advance(this.texts[this.#position] as string);
    return recorded;
  }

  /** The error for an event that the recorded next line does not equal. */
  contradiction(event: JournalEvent): InputError {
    const recorded = this.next();
    const { path, ours, theirs } = firstDifference(
      plainJson(event),
      recorded && (withoutClock(recorded) as Json),
    ) as Difference;
    return new InputError(
      `${this.file}:${this.#position + 1}: the search would write ${ours} where the journal has ${theirs}` +
        `${path && ` (${path})`}. The run was made by another version or with other options`,
    );
  }

  /** @throws InputError where lines are left that the search would never write */
  finish(): void {
    if (!this.replaying) return;
    throw new InputError(
      `${this.file}:${this.#position + 1}: the search ends before this line, which the journal has: ` +
        shorten(this.texts[this.#position] as string),
    );
  }

  close(): void {
    closeSync(this.descriptor);
  }

  #advance(text: string): void {
    this.#hash.update(text);
    this.#position++;
  }
}

function lineOf(event: JournalEvent, clock: Clock): string {
  return `${JSON.stringify({ ...(plainJson(event) as Record<string, Json>), clock })}\n`;
}

interface Lines extends JournalRecord {
  /** The lines as they stand in the file, with their ends. */
  readonly texts: readonly string[];
  /** Of the file up to the end of the last whole line, in bytes. */
  readonly length: number;
}

const NEWLINE = 0x0a;

function readLines(file: string): Lines {
  const bytes = readFileSync(file);
  const events: JournalEvent[] = [];
  const texts: string[] = [];
  let torn: TornLine | undefined;
  let start = 0;
  while (start < bytes.length && torn === undefined) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline + 1;
    const text = bytes.toString('utf8', start, end);
    const event = newline === -1 ? undefined : eventOf(text);
    if (event !== undefined) {
      events.push(event);
      texts.push(text);
      start = end;
    } else if (end === bytes.length) {
      torn = { line: events.length + 1, bytes: end - start };
    } else {
      throw new InputError(
        `${file}:${events.length + 1}: not an event of a journal (a JSON object with the key 'event'): ${shorten(text)}`,
      );
    }
  }
  if (events.length === 0) throw new InputError(`${file}: no run begins here: the file has no whole line`);
  return { events, texts, torn, length: start };
}

function eventOf(text: string): JournalEvent | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null && 'event' in value && typeof value.event === 'string'
      ? (value as JournalEvent)
      : undefined;
  } catch {
    return undefined;
  }
}
