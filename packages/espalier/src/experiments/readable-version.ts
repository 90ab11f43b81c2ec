import { InputError } from '../input-error.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { version } from '../version.js';

/** Major and minor version: runs of another one have other journals. */
const series = (of: string) => of.split('.').slice(0, 2).join('.');

/**
 * The first event of a journal, if this version can read the run.
 *
 * @throws InputError that names the version that began the run
 */
export function requireReadable(begin: JournalEvent, file: string): void {
  const known = typeof begin.version === 'string' ? begin.version : undefined;
  const begun = known === undefined ? 'an unknown version of Espalier' : `Espalier ${known}`;
  if (known === undefined || series(known) !== series(version))
    throw new InputError(
      `${file}: the run was begun with ${begun}, whose journals ${version} cannot read; use that version`,
    );
}

/** @throws InputError where another version began the run: it might go on differently */
export function requireSameVersion(begun: string, path: string): void {
  if (begun !== version)
    throw new InputError(
      `${path}: the run was begun with Espalier ${begun}; this is ${version}, which may go on differently`,
    );
}
