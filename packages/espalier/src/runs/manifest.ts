import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, hostname, release, totalmem, type } from 'node:os';
import { fused, libtorchConfiguration, libtorchVersion } from '@espalier/torch';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import { optionValues } from '../space/options.js';
import { version } from '../version.js';
import { writeFileAtomically } from './atomic-file.js';
import { type JournalEvent, withoutClock } from './journal-event.js';
import { withoutSecrets } from './without-secrets.js';

const environment = z.strictObject({
  espalier: z.string(),
  node: z.string(),
  /** Version of the libtorch that the addon was built with. */
  libtorch: z.string(),
  /** How libtorch was built: its compiler, its BLAS, the CPU capabilities that it found. One line each. */
  libtorchBuild: z.array(z.string()),
  /** The instruction set that our kernels use. */
  instructionSet: z.string(),
  cpu: z.string(),
  /** Number of cores that this process may use. */
  cores: z.int(),
  memoryBytes: z.int(),
  /** Kernel, its release, and the architecture. */
  system: z.string(),
});

/**
 * What the results of a run may depend on besides its settings. Machines that agree in all of it give equal journals.
 */
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
  /** The first event of the journal: the seed, checksums of the data, the number of threads, every option. */
  settings: optionValues,
});

/** Where, when and with what a run was begun. The journal has none of this, because it is the same on every machine. */
export type Manifest = z.infer<typeof manifest>;

/** The environment of this process. */
export function environmentHere(): Environment {
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
      command: process.argv.map(withoutSecrets),
    },
    environment: environmentHere(),
    settings: settings as Manifest['settings'],
  };
  writeFileAtomically(file, `${JSON.stringify(content, null, 2)}\n`);
}

/** @returns undefined if there is none, as in old runs. @throws InputError for a broken manifest */
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
