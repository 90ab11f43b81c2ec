/**
 * How logs name the epoch that they are in: `epoch 49`, `Epoch: [3][10/200]`, `"epoch": 3` (DARTS and most others),
 * `Train: [ 3/50]` (pt.darts), `003-050-th epoch` (AutoDL-Projects). The number of epochs, `epochs=50`, is none.
 */
const NAMES =
  /\bepoch[\s:=#[("'_-]{0,8}(\d{1,6})|(?<!\d)(\d{1,6})(?:-\d{1,6})?-?(?:st|nd|rd|th)[\s-]epoch|\b(?:train|valid|search)\w{0,10}:?\s{0,3}\[\s{0,4}(\d{1,6})\/\d/gi;

/**
 * The epochs that a log names.
 *
 * @returns the epoch that was named last before a place of the text; undefined before the first
 */
export function epochsNamed(text: string): (place: number) => number | undefined {
  const named = [...text.matchAll(NAMES)];
  return (place) => {
    let [from, to] = [0, named.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((named[middle] as RegExpExecArray).index < place) from = middle + 1;
      else to = middle;
    }
    const last = named[from - 1];
    return last === undefined ? undefined : Number(last[1] ?? last[2] ?? last[3]);
  };
}
