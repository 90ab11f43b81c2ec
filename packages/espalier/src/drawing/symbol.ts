import { escapeMarkup, px } from './svg.js';
import { textWidth } from './text-width.js';

/** A name as written in formulas: plain, with a subscript (`c_{k-2}`) or with a superscript (`H^{l-1}`). */
interface ScriptedName {
  readonly base: string;
  readonly script?: { readonly text: string; readonly isRaised: boolean };
}

const scriptScale = 0.72;

function parseSymbol(source: string): ScriptedName {
  const parts = /^([^_^{}]+)([_^])\{([^{}]+)\}$/.exec(source);
  if (parts === null) return { base: source };
  // A hyphen in a script is a minus sign.
  return {
    base: parts[1]!,
    script: { text: parts[3]!.replaceAll('-', '\u2212'), isRaised: parts[2] === '^' },
  };
}

/** The width of a symbol (see `symbolMarkup`) in px, in the widest of the common fonts. */
export function symbolWidth(source: string, size: number): number {
  const { base, script } = parseSymbol(source);
  return textWidth(base, size) + (script === undefined ? 0 : textWidth(script.text, size * scriptScale) + 1);
}

/**
 * The content of a `<text>` element of this font size. Symbols such as `c_{k-2}` and `H^{l-1}` are set with a subscript
 * or superscript; other text is only escaped.
 */
export function symbolMarkup(source: string, size: number): string {
  const { base, script } = parseSymbol(source);
  if (script === undefined) return escapeMarkup(base);
  const shift = px(size * (script.isRaised ? -0.4 : 0.25));
  return (
    `<tspan font-style="italic">${escapeMarkup(base)}</tspan>` +
    `<tspan dx="1" dy="${shift}" font-size="${px(size * scriptScale)}">${escapeMarkup(script.text)}</tspan>`
  );
}
