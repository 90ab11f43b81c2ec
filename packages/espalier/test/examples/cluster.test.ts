import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { parseAllDocuments, parseDocument } from 'yaml';
import { addResume } from '../../src/cli/resume.js';
import { addSearch } from '../../src/cli/search.js';
import { addWorker } from '../../src/cli/worker.js';
import { root } from '../package/install-packages.js';

const folder = join(root, 'examples', 'cluster');
const text = (name: string) => readFileSync(join(folder, name), 'utf8');
const program = new Command();
for (const add of [addSearch, addResume, addWorker]) add(program);

/** The options in command lines that the program does not have. */
function unknownOptions(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const words = line.split(/\s+/);
    const command = program.commands.find((one) => words.includes(one.name()));
    const known = command?.options.map(({ long }) => long) ?? [];
    return words.filter((word) => word.startsWith('--') && !known.includes(word));
  });
}

/** The command lines of a shell script or a list of arguments. */
const linesOf = (script: string) =>
  [...script.replaceAll('\\\n', ' ').matchAll(/^.*\bespalier (?:search|resume|worker)\b.*$/gm)].map(
    ([line]) => line,
  );

it('the file for docker-compose is one, and its commands have the options that they use', () => {
  const document = parseDocument(text('compose.yaml'));
  expect(document.errors).toEqual([]);
  const { services } = document.toJS() as {
    services: Record<string, { command: string; stop_grace_period?: string }>;
  };
  expect(Object.keys(services)).toEqual(['redis', 'search', 'worker']);
  expect(unknownOptions([services.search?.command as string, services.worker?.command as string])).toEqual(
    [],
  );
  expect(services.worker?.stop_grace_period).toBe('30s');
});

it('the files for Kubernetes are resources, with grace, probes and the password from a secret', () => {
  const documents = parseAllDocuments(text('kubernetes.yaml'));
  if (!Array.isArray(documents)) throw new Error('it is empty');
  expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
  const resources = documents.map((one) => one.toJS());
  expect(resources.map(({ kind }) => kind)).toEqual([
    'PersistentVolumeClaim',
    'Service',
    'StatefulSet',
    'Job',
    'Deployment',
  ]);
  const pods = resources.slice(2).map(({ spec }) => spec.template.spec);
  for (const { containers } of pods)
    expect(containers[0].env[0].valueFrom.secretKeyRef).toEqual({ name: 'espalier-redis', key: 'password' });
  const [, job, worker] = pods;
  expect(worker.terminationGracePeriodSeconds).toBe(30);
  expect(worker.containers[0].livenessProbe).toBeDefined();
  expect(
    unknownOptions([...linesOf(job.containers[0].args[0]), worker.containers[0].args.join(' ')]),
  ).toEqual([]);
});

it.each(['search.slurm', 'workers.slurm'])(
  '%s is a script that bash can read, with a signal before its limit',
  (name) => {
    execFileSync('bash', ['-n', join(folder, name)]);
    expect(text(name)).toMatch(/^#SBATCH --signal=B:TERM@120$/m);
    expect(text(name)).toMatch(/^#SBATCH --requeue$/m);
    const lines = linesOf(text(name));
    expect(lines.length).toBeGreaterThan(0);
    expect(unknownOptions(lines)).toEqual([]);
  },
);
