/** The reason that most failures have. */
export interface CommonFailure {
  /** That of the first one. */
  readonly reason: string;
  readonly count: number;
}

/** @returns null where nothing failed. Reasons that differ in numbers only are the same */
export function commonFailure(failures: readonly { readonly reason: string }[]): CommonFailure | null {
  const groups = new Map<string, { reason: string; count: number }>();
  for (const { reason } of failures) {
    const key = reason.replace(/-?\d+(\.\d+)?(e[+-]?\d+)?/g, '#');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { reason, count: 1 });
    else group.count++;
  }
  return [...groups.values()].reduce<CommonFailure | null>(
    (most, one) => (most === null || one.count > most.count ? one : most),
    null,
  );
}
