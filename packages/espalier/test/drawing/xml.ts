/** An element of a parsed document. Covers enough of XML to inspect a picture and to reject malformed documents. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** The text directly inside the element, unescaped. */
  readonly text: string;
}

interface OpenElement {
  readonly name: string;
  readonly attributes: Record<string, string>;
  readonly children: OpenElement[];
  text: string;
}

const entities: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
};

function unescapeText(text: string): string {
  if (/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u.test(text)) {
    throw new Error(`a character that XML does not allow in ${JSON.stringify(text)}`);
  }
  if (/&(?!(amp|lt|gt|quot|#39);)/.test(text)) throw new Error(`a bare & in ${JSON.stringify(text)}`);
  return text.replace(/&[^;]+;/g, (entity) => entities[entity]!);
}

/** Parses a document of elements, text, and attributes in double quotes. */
export function parseXml(source: string): XmlElement {
  const root: OpenElement = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  let at = 0;
  while (at < source.length) {
    const inside = open.at(-1)!;
    if (source[at] !== '<') {
      const next = source.indexOf('<', at);
      const end = next === -1 ? source.length : next;
      inside.text += unescapeText(source.slice(at, end));
      at = end;
      continue;
    }
    const closing = /<\/([a-z0-9]+)>/y;
    const opening = /<([a-z0-9]+)((?: [A-Za-z:-]+="[^"<]*")*)(\/?)>/y;
    closing.lastIndex = at;
    opening.lastIndex = at;
    const closed = closing.exec(source);
    const opened = opening.exec(source);
    if (closed !== null) {
      if (open.length === 1 || inside.name !== closed[1])
        throw new Error(`</${closed[1]}> closes <${inside.name}>`);
      open.pop();
      at = closing.lastIndex;
    } else if (opened !== null) {
      const attributes: Record<string, string> = {};
      for (const [, name, value] of opened[2]!.matchAll(/ ([A-Za-z:-]+)="([^"]*)"/g)) {
        if (name! in attributes) throw new Error(`two attributes ${name} in <${opened[1]}>`);
        attributes[name!] = unescapeText(value!);
      }
      const element: OpenElement = { name: opened[1]!, attributes, children: [], text: '' };
      inside.children.push(element);
      if (opened[3] === '') open.push(element);
      at = opening.lastIndex;
    } else {
      throw new Error(`not well-formed: ${source.slice(at, at + 60)}`);
    }
  }
  if (open.length !== 1) throw new Error(`<${open.at(-1)!.name}> is not closed`);
  if (root.children.length !== 1 || root.text.trim() !== '')
    throw new Error('not exactly one element at the top');
  return root.children[0]!;
}

/** The element and all its descendants, in document order. */
export function allElements(element: XmlElement): XmlElement[] {
  return [element, ...element.children.flatMap(allElements)];
}
