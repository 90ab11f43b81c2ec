import { escapeMarkup, px } from './svg.js';
import { textWidth } from './text-width.js';

/** A name as formulas write it, at one size of font: `c_{k-2}` with a subscript, `H^{l-1}` with a superscript, or plain. */
interface ScriptedName {
  readonly base: string;
  readonly script?: { readonly text: string; readonly isRaised: boolean };
}

const scriptScale = 0.72;

function parseSymbol(source: string): ScriptedName {
  const parts = /^([^_^{}]+)([_^])\{([^{}]+)\}$/.exec(source);
  if (parts === null) return { base: source };
  // A hyphen between a letter and a number is a minus.
  return {
    base: parts[1]!,
    script: { text: parts[3]!.replaceAll('-', '\u2212'), isRaised: parts[2] === '^' },
  };
}

/** The width in px of a symbol (see `symbolMarkup`), in the widest of the usual fonts. */
export function symbolWidth(source: string, size: number): number {
  const { base, script } = parseSymbol(source);
  return textWidth(base, size) + (script === undefined ? 0 : textWidth(script.text, size * scriptScale) + 1);
}

/** What stands inside a `<text>` of this size: `c_{k-2}` and `H^{l-1}` with their scripts set, other text as it is. */
export function symbolMarkup(source: string, size: number): string {
  const { base, script } = parseSymbol(source);
  if (script === undefined) return escapeMarkup(base);
  const shift = px(size * (script.isRaised ? -0.4 : 0.25));
  return (
    `<tspan font-style="italic">${escapeMarkup(base)}</tspan>` +
    `<tspan dx="1" dy="${shift}" font-size="${px(size * scriptScale)}">${escapeMarkup(script.text)}</tspan>`
  );
}
