declare const isSvg: unique symbol;

/** A whole SVG element. Only the drawing functions make one, so it can go into a page as it is. */
export type Svg = string & { readonly [isSvg]: true };

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for the content or an attribute of XML and HTML; a character that XML does not allow becomes U+FFFD. */
export function escapeMarkup(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replace(/[&<>"']/g, (character) => entities[character]!);
}

/** A coordinate to a hundredth of a px, so that pictures stay small and do not show rounding errors. */
export function px(value: number): string {
  return String(Math.round(value * 100) / 100 + 0);
}

/** System fonts only: a picture fetches nothing. */
export const fontStack =
  "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif";

interface SvgFrame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly title: string;
  /** What the picture shows, in words, for those who cannot see it. */
  readonly description: string;
}

export function svgElement(frame: SvgFrame, content: readonly string[]): Svg {
  const { x, y, width, height } = frame;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${[x, y, width, height].map(px).join(' ')}" width="${px(width)}" height="${px(height)}" role="img" font-family="${fontStack}">`,
    `<title>${escapeMarkup(frame.title)}</title>`,
    `<desc>${escapeMarkup(frame.description)}</desc>`,
    ...content,
    '</svg>\n',
  ].join('\n') as Svg;
}
