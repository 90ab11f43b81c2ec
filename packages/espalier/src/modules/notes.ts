/** How a note reaches a person. */
type Say = (text: string) => void;

let say: Say = (text) => process.emitWarning(text);

const said = new Set<string>();

/** Notes go this way from now on. Until then they are warnings of the process. */
export function sayNotes(how: Say): void {
  say = how;
}

/** Says something that a person should know, once in a process. */
export function noteOnce(text: string): void {
  if (said.has(text)) return;
  said.add(text);
  say(text);
}
