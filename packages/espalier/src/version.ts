import { createRequire } from 'node:module';

/** Of this package. A run is reproducible with the same version. */
export const { version } = createRequire(import.meta.url)('../package.json') as { version: string };
