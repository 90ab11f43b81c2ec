const warned = new Set<string>();

/** Warns, once in a process, that an image was decoded from a damaged file. */
export function warnOfDamage(file: string): void {
  if (warned.has(file)) return;
  warned.add(file);
  process.emitWarning(`${file}: the image file is damaged, and is used as far as it can be decoded`);
}
