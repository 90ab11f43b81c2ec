import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { naming, writeFileAtomically } from './atomic-file.js';
import { type Difference, firstDifference, shorten } from './first-difference.js';
import { type Clock, type JournalEvent, withoutClock } from './journal-event.js';
import { plainJson } from './plain-json.js';

/** The whole lines of a journal, and the rest of a last line that was cut in mid-write. */
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
 * Reads a journal without changing it: a torn last line may be one that is being written now.
 *
 * @throws InputError for a broken line before the last, with its number, and for a file without a whole line
 */
export function readJournal(file: string): JournalRecord {
  const { events, torn } = readLines(file);
  return { events, torn };
}

/** Begins a journal with its first line. The file never exists without this line. */
export function createJournal(file: string, event: JournalEvent, clock: Clock): void {
  writeFileAtomically(file, lineOf(event, clock));
}

/** How long a written event may wait before it is put on the disk. */
const SYNC_EVERY_MS = 100;

/**
 * The journal of a run that begins or is resumed. The lines that an earlier life recorded serve as a script: events
 * that are written must equal them, one after the other. Later events are appended. So the same code begins and resumes
 * runs.
 */
export class Journal {
  readonly #hash = createHash('sha256');
  #position = 0;
  #syncedAt = performance.now();
  #sync: NodeJS.Timeout | undefined;

  private constructor(
    private readonly file: string,
    private readonly descriptor: number,
    /** The lines that were there when the journal was opened. */
    readonly recorded: readonly JournalEvent[],
    private readonly texts: readonly string[],
  ) {}

  /**
   * Opens a journal to continue it. A torn last line is removed from the file.
   *
   * @param repaired is called with a message about what was removed
   * @throws InputError as `readJournal` does
   */
  static open(file: string, repaired: (message: string) => void): Journal {
    const { events, texts, torn, length } = readLines(file);
    const descriptor = naming(file, () => openSync(file, 'a'));
    if (torn !== undefined) {
      ftruncateSync(descriptor, length);
      fsyncSync(descriptor);
      repaired(
        `${file}:${torn.line}: the last line was cut in mid-write; its ${torn.bytes} bytes are removed, and nothing else is lost`,
      );
    }
    return new Journal(file, descriptor, events, texts);
  }

  /** Number of lines that were written or confirmed so far. */
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
   * Takes the first `lines` lines as confirmed if they have this digest. Otherwise the position does not change.
   *
   * @returns whether they have it
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

  /** The recorded event that the next event has to equal; undefined if that will be appended. */
  next(): JournalEvent | undefined {
    return this.recorded[this.#position];
  }

  /**
   * Writes an event, or confirms that it equals the recorded one, which keeps its clock. A written event survives the
   * death of this process at once, and a power failure after a tenth of a second.
   *
   * @param event without its clock
   * @param accept is called with the event as it will be in the journal. If it throws, the journal does not change
   * @returns the event as it is in the journal
   * @throws InputError if the recorded event differs, with the line and both values
   * @throws TypeError for an event that JSON cannot represent
   */
  write(event: JournalEvent, clock: Clock, accept: (event: JournalEvent) => void = () => {}): JournalEvent {
    const recorded = this.next();
    if (recorded === undefined) {
      const text = lineOf(event, clock);
      const written = JSON.parse(text) as JournalEvent;
      accept(written);
      naming(this.file, () => writeFileSync(this.descriptor, text));
      this.#syncSoon();
      this.#advance(text);
      return written;
    }
    if (firstDifference(plainJson(event), withoutClock(recorded) as Json)) throw this.contradiction(event);
    accept(recorded);
    this.#advance(this.texts[this.#position] as string);
    return recorded;
  }

  /** The error for an event that differs from the recorded one. */
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

  /** @throws InputError if recorded lines are left, which this search would not write */
  finish(): void {
    if (!this.replaying) return;
    throw new InputError(
      `${this.file}:${this.#position + 1}: the search ends before this line, which the journal has: ` +
        shorten(this.texts[this.#position] as string),
    );
  }

  /** Puts all events on the disk. */
  sync(): void {
    clearTimeout(this.#sync);
    this.#sync = undefined;
    naming(this.file, () => fsyncSync(this.descriptor));
    this.#syncedAt = performance.now();
  }

  close(): void {
    if (this.#sync !== undefined) this.sync();
    closeSync(this.descriptor);
  }

  /** Waiting for the disk after every event could take longer than the trials do. */
  #syncSoon(): void {
    if (this.#sync !== undefined) return;
    const wait = SYNC_EVERY_MS - (performance.now() - this.#syncedAt);
    if (wait <= 0) this.sync();
    else this.#sync = setTimeout(() => this.sync(), wait);
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
  /** The lines as they are in the file, with their line ends. */
  readonly texts: readonly string[];
  /** Length of the file up to the end of the last whole line, in bytes. */
  readonly length: number;
}

const NEWLINE = 0x0a;

function readLines(file: string): Lines {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new InputError(`${file}: the journal cannot be read: ${(error as Error).message}`);
  }
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
