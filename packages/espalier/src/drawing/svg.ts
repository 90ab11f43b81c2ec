declare const isSvg: unique symbol;

/** A complete SVG element. Only the drawing functions create one, so a page can embed it without escaping. */
export type Svg = string & { readonly [isSvg]: true };

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Escapes text for the content or an attribute of XML and HTML. Characters that XML forbids become U+FFFD. */
export function escapeMarkup(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replace(/[&<>"']/g, (character) => entities[character]!);
}

/** Formats a coordinate to a hundredth of a px, which keeps pictures small and free of rounding noise. */
export function px(value: number): string {
  return String(Math.round(value * 100) / 100 + 0);
}

/** System fonts only, because a picture must not fetch anything. */
export const fontStack =
  "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif";

interface SvgFrame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly title: string;
  /** Text alternative for readers who cannot see the picture. */
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
