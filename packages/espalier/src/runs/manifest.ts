import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, hostname, release, totalmem, type } from 'node:os';
import { fused, libtorchConfiguration, libtorchVersion } from '@espalier/torch';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import { optionValues } from '../space/options.js';
import { version } from '../version.js';
import { writeFileAtomically } from './atomic-file.js';
import { type JournalEvent, withoutClock } from './journal-event.js';

const environment = z.strictObject({
  espalier: z.string(),
  node: z.string(),
  /** Version of the libtorch that the addon was built with. */
  libtorch: z.string(),
  /** How libtorch was built: compiler, BLAS, what it found of the CPU. A line each. */
  libtorchBuild: z.array(z.string()),
  /** That our kernels chose. */
  instructionSet: z.string(),
  cpu: z.string(),
  /** That this process may use. */
  cores: z.int(),
  memoryBytes: z.int(),
  /** Kernel and its release, and the architecture. */
  system: z.string(),
});

/** What a run's numbers may depend on besides its settings. Two machines with all of it equal give equal journals. */
export type Environment = z.infer<typeof environment>;

const manifest = z.object({
  begun: z.object({
    time: z.string(),
    host: z.string(),
    folder: z.string(),
    /** The program and its arguments. */
    command: z.array(z.string()),
  }),
  environment,
  /** The first event of the journal: seeds, checksums of the data, threads, every option. */
  settings: optionValues,
});

/** Where and with what a run was begun. It is no part of the journal, which is the same on every machine. */
export type Manifest = z.infer<typeof manifest>;

/** Of this process on this machine. */
function environmentHere(): Environment {
  const [cpu] = cpus();
  return {
    espalier: version,
    node: process.version,
    libtorch: libtorchVersion(),
    libtorchBuild: libtorchConfiguration()
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== ''),
    instructionSet: fused.instructionSet(),
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()} ${process.arch}`,
  };
}

/** @param begin the first event of the run's journal */
export function writeManifest(file: string, begin: JournalEvent): void {
  const { event: _, ...settings } = withoutClock(begin);
  const content: Manifest = {
    begun: {
      time: new Date().toISOString(),
      host: hostname(),
      folder: process.cwd(),
      command: process.argv,
    },
    environment: environmentHere(),
    settings: settings as Manifest['settings'],
  };
  writeFileAtomically(file, `${JSON.stringify(content, null, 2)}\n`);
}

/** @returns undefined where there is none, as in runs of before it was written. @throws InputError for a broken one */
export function readManifest(file: string): Manifest | undefined {
  if (!existsSync(file)) return undefined;
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new InputError(`${file}: not a manifest: ${(error as Error).message}`);
  }
  const parsed = manifest.safeParse(content);
  if (parsed.success) return parsed.data;
  throw new InputError(`${file}: not a manifest: ${z.prettifyError(parsed.error)}`);
}
