/** Loads this library as a whole: what `import ... from 'espalier'` gives in a file of the user. */
type LoadLibrary = () => Promise<object>;

let load: LoadLibrary | undefined;

/**
 * Says how the whole library is loaded. The index does so: the folders below it, this one too, must not import it.
 */
export function provideLibrary(how: LoadLibrary): void {
  load = how;
}

/** The whole library. */
export async function wholeLibrary(): Promise<object> {
  if (load === undefined) throw new Error("files of the user need the index: import 'espalier' first");
  return load();
}
