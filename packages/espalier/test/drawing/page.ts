import { parseXml, type XmlElement } from './xml.js';

/** As much of a page in a browser as its script uses. */
export class FakeElement {
  readonly #attributes: Map<string, string>;
  readonly #listeners: (() => void)[] = [];
  #text: string;
  children: FakeElement[];

  constructor(
    readonly name: string,
    attributes: Readonly<Record<string, string>> = {},
    text = '',
    children: readonly FakeElement[] = [],
  ) {
    this.#attributes = new Map(Object.entries(attributes));
    this.#text = text;
    this.children = [...children];
  }

  static of({ name, attributes, text, children }: XmlElement): FakeElement {
    return new FakeElement(name, attributes, text, children.map(FakeElement.of));
  }

  get textContent(): string {
    return this.#text + this.children.map(({ textContent }) => textContent).join('');
  }

  get childNodes(): FakeElement[] {
    return [...(this.#text === '' ? [] : [new FakeElement('#text', {}, this.#text)]), ...this.children];
  }

  getAttribute(name: string): string | null {
    return this.#attributes.get(name) ?? null;
  }

  setAttribute(name: string, value: string): void {
    this.#attributes.set(name, value);
  }

  replaceChildren(...children: FakeElement[]): void {
    this.#text = '';
    this.children = children;
  }

  addEventListener(_: 'click', listener: () => void): void {
    this.#listeners.push(listener);
  }

  click(): void {
    for (const listener of this.#listeners) listener();
  }

  createElement(name: string): FakeElement {
    return new FakeElement(name);
  }

  /** Knows `name`, `name.class`, descendants and lists. */
  querySelectorAll(selector: string): FakeElement[] {
    const [first = '', ...rest] = selector.split(' ');
    const found = this.#descendants().filter((element) => first.split(',').some((one) => element.#is(one)));
    return rest.length === 0 ? found : found.flatMap((element) => element.querySelectorAll(rest.join(' ')));
  }

  #descendants(): FakeElement[] {
    return this.children.flatMap((child) => [child, ...child.#descendants()]);
  }

  #is(simple: string): boolean {
    const [name, ...classes] = simple.split('.');
    const own = (this.getAttribute('class') ?? '').split(' ');
    return this.name === name && classes.every((one) => own.includes(one));
  }
}

/** A report as a browser has it. */
export function openPage(html: string): FakeElement {
  const root = FakeElement.of(parseXml(html.replace(/^.*\n/, '').trimEnd()));
  return new FakeElement('#document', {}, '', [root]);
}
