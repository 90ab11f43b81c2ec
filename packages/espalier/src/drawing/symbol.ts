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

/** The width of a text with symbols (see `symbolMarkup`) in px, in the widest of the common fonts. */
export function symbolWidth(source: string, size: number): number {
  return source
    .split(' ')
    .map((word) => {
      const { base, script } = parseSymbol(word);
      return (
        textWidth(base, size) + (script === undefined ? 0 : textWidth(script.text, size * scriptScale) + 1)
      );
    })
    .reduce((sum, width) => sum + textWidth(' ', size) + width);
}

/**
 * The content of a `<text>` element of this font size. Words that are symbols, such as `c_{k-2}` and `H^{l-1}`, are set
 * with a subscript or superscript; other text is only escaped.
 */
export function symbolMarkup(source: string, size: number): string {
  /** How far the text after a script has to move, to stand on the line again. */
  let back = 0;
  return source
    .split(' ')
    .map((word, index) => {
      const { base, script } = parseSymbol(word);
      const space = index === 0 ? '' : ' ';
      const line = back === 0 ? '' : ` dy="${px(back)}"`;
      back = script === undefined ? 0 : size * (script.isRaised ? 0.4 : -0.25);
      if (script === undefined) {
        const text = escapeMarkup(space + base);
        return line === '' ? text : `<tspan${line}>${text}</tspan>`;
      }
      return (
        `${line === '' ? space : `<tspan${line}>${space}</tspan>`}<tspan font-style="italic">${escapeMarkup(base)}</tspan>` +
        `<tspan dx="1" dy="${px(-back)}" font-size="${px(size * scriptScale)}">${escapeMarkup(script.text)}</tspan>`
      );
    })
    .join('');
}
