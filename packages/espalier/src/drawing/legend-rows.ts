interface LegendSlot {
  readonly row: number;
  /** The distance from the left end of the row, in px. */
  readonly offset: number;
}

const entryGap = 18;

/** Places legend entries of the given widths side by side, in as many rows of at most `width` px as they need. */
export function legendRows(entryWidths: readonly number[], width: number): LegendSlot[] {
  let row = 0;
  let offset = 0;
  return entryWidths.map((taken) => {
    if (offset > 0 && offset + taken > width) {
      row++;
      offset = 0;
    }
    const slot = { row, offset };
    offset += taken + entryGap;
    return slot;
  });
}
