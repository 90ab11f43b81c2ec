import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawNetwork } from '../../src/drawing/network-svg.js';
import { columnWidth, type Report, writeReport } from '../../src/drawing/report-html.js';
import type { Svg } from '../../src/drawing/svg.js';
import { textWidth } from '../../src/drawing/text-width.js';
import { anyText } from './network-graphs.js';
import { allElements, parseXml, type XmlElement } from './xml.js';

const svg = drawNetwork({
  title: 'net',
  nodes: [{ id: 'a', label: 'a', details: [], kind: 'pool' }],
  edges: [],
});

function parsePage(html: string): XmlElement {
  const doctype = '<!doctype html>\n';
  expect(html.startsWith(doctype)).toBe(true);
  return parseXml(html.slice(doctype.length).trimEnd());
}

function textsOf(page: XmlElement, name: string): string[] {
  return allElements(page)
    .filter((element) => element.name === name)
    .map(({ text }) => text);
}

const table = {
  columns: [
    { heading: 'strategy', numeric: false },
    { heading: 'reward', numeric: true },
  ],
  rows: [
    ['random', '0.75'],
    ['<b>', '&'],
  ],
};

describe('a report', () => {
  const report: Report = {
    title: 'A <search> & its "best"',
    facts: [
      ['accuracy', '98.7%'],
      ['folder', `<it's>`],
    ],
    sections: [
      { heading: 'Curve & more', text: 'One.\n\nTwo <three>.\n \n', svg },
      { heading: 'Trials', table, collapsed: true },
      { heading: 'Strategies', table },
    ],
  };
  const html = writeReport(report);
  const page = parsePage(html);

  test('contains everything that it was given, escaped', () => {
    expect(textsOf(page, 'h1')).toEqual(['A <search> & its "best"']);
    expect(textsOf(page, 'dt')).toEqual(['accuracy', 'folder']);
    expect(textsOf(page, 'dd')).toEqual(['98.7%', `<it's>`]);
    expect(textsOf(page, 'h2')).toEqual(['Curve & more', 'Trials', 'Strategies']);
    expect(textsOf(page, 'p')).toEqual(['One.', 'Two <three>.']);
    expect(textsOf(page, 'td')).toEqual(['random', '0.75', '<b>', '&', 'random', '0.75', '<b>', '&']);
    expect(html).toContain(svg);
  });

  test('right-aligns the headings and values of numeric columns', () => {
    const cells = allElements(page).filter(({ name }) => name === 'td' || name === 'th');
    for (const [index, { attributes }] of cells.entries()) {
      expect(attributes.class).toBe(index % 2 === 0 ? undefined : 'numeric');
    }
    expect(html).toMatch(/\.numeric \{ text-align: right;/);
  });

  test('lets a narrow column break a long name', () => {
    const columns = [{ heading: 'layers.filterHeight', numeric: true }];
    const written = writeReport({
      title: '',
      facts: [],
      sections: [{ heading: 'Trials', table: { columns, rows: [] } }],
    });
    expect(written).toContain('<th scope="col" class="numeric">layers.<wbr/>filter<wbr/>Height</th>');
  });

  test('keeps words whole unless they are so long that they could push a column off the page', () => {
    const cellOf = (text: string) => {
      const columns = [{ heading: 'run', numeric: false }];
      const sections = [{ heading: 'Runs', table: { columns, rows: [[text]] } }];
      return /<td>(.*?)<\/td>/s.exec(writeReport({ title: '', facts: [], sections }))?.[1];
    };
    expect(cellOf('runs/reinforce-2 & more')).toBe('runs/reinforce-2 &amp; more');
    expect(cellOf('a runs/first-search/trained-<seed1> b')).toBe(
      'a runs/<wbr/>first-<wbr/>search/<wbr/>trained-<wbr/>&lt;seed1&gt; b',
    );
    expect(cellOf('0123456789'.repeat(5))).toBe(
      '012345678901234567890123<wbr/>456789012345678901234567<wbr/>89',
    );
    expect(cellOf(`${'x'.repeat(25)}\ny`)).toBe(`${'x'.repeat(24)}<wbr/>x\ny`);
    // A cell of any text is a text again.
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
        const page = parseXml(`<td>${cellOf(text)}</td>`);
        const plain = text.replace(
          /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu,
          '\uFFFD',
        );
        expect(page.text).toBe(plain);
      }),
    );
  });

  test('says how wide a column is at least: its longest word, or the longest part of its heading', () => {
    const width = (text: string, size: number, weight?: 'bold') =>
      Math.ceil(textWidth(text, size, weight)) + 24;
    const text = { heading: 'run', numeric: false };
    expect(columnWidth(text, ['a', 'one longer word'])).toBe(width('longer', 14.4));
    expect(columnWidth({ ...text, long: true }, ['one longer word'])).toBe(width('longer', 12.8));
    // A number is not broken.
    expect(columnWidth({ ...text, numeric: true }, [{ text: '1 234 567', sort: 1 }])).toBe(
      width('1 234 567', 14.4),
    );
    expect(columnWidth({ heading: 'layers.filterHeight', numeric: true }, ['1'])).toBe(
      width('layers.', 12.8, 'bold'),
    );
    expect(columnWidth(text, ['x'.repeat(100)])).toBe(width('x'.repeat(24), 14.4));
    expect(columnWidth(text, [{ text: '', svg: svg.replace(/width="[\d.]+"/, 'width="132"') as Svg }])).toBe(
      156,
    );
  });

  test('marks the row that stands out, and writes what a cell is sorted by', () => {
    const written = writeReport({
      title: '',
      facts: [],
      sections: [
        {
          heading: 'Trials',
          table: {
            columns: [{ heading: 'accuracy', numeric: true }],
            rows: [['1'], [{ text: '50%', sort: 0.5 }]],
            emphasised: 1,
          },
        },
      ],
    });
    expect(written).toContain(
      '<tr><td class="numeric">1</td></tr>\n<tr class="emphasised"><td class="numeric" data-sort="0.5">50%</td></tr>',
    );
  });

  test('closes a collapsed section and states its number of rows', () => {
    const [details, ...others] = allElements(page).filter(({ name }) => name === 'details');
    expect(others).toEqual([]);
    expect(details!.attributes).toEqual({});
    const summary = details!.children[0]!;
    expect(summary.children.map(({ name, text }) => [name, text])).toEqual([
      ['h2', 'Trials'],
      ['span', '2'],
    ]);
  });

  test('fetches nothing and runs no scripts', () => {
    expect(html.replaceAll('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(
      /https?:|\/\/|url\(|@import|@font-face/,
    );
    for (const { name, attributes } of allElements(page)) {
      expect(['script', 'link', 'img', 'iframe', 'object', 'base']).not.toContain(name);
      for (const key of Object.keys(attributes))
        expect(key).not.toMatch(/^(src|href|xlink:href|on.*|style)$/);
    }
    const policy = allElements(page).find(
      ({ attributes }) => attributes['http-equiv'] === 'Content-Security-Policy',
    )!;
    expect(policy.attributes.content).toBe("default-src 'none'; style-src 'unsafe-inline'");
  });

  test('has a dark variant of every colour in its pictures, on screens only', () => {
    const [, dark] = html.split('@media screen and (prefers-color-scheme: dark) {');
    const classes = new Set(
      allElements(parseXml(svg)).flatMap(({ attributes }) => attributes.class?.split(' ') ?? []),
    );
    expect(classes).toContain('fill-pool');
    for (const name of classes)
      expect(dark).toMatch(new RegExp(`\\.${name}\\{(fill|stroke):#[0-9a-f]{6}\\}`));
  });

  test('rejects a row whose length differs from the number of columns', () => {
    const wrong = { ...table, rows: [['random', '1'], ['alone']] };
    expect(() =>
      writeReport({ title: '', facts: [], sections: [{ heading: 'Trials', table: wrong }] }),
    ).toThrow('report section "Trials": row 1 has 1 cells for 2 columns');
  });

  test('is well-formed for any text, and byte-identical for equal input', () => {
    const section = fc.record(
      {
        heading: anyText,
        text: anyText,
        collapsed: fc.boolean(),
        table: fc.constant(table),
        svg: fc.constant(svg),
      },
      { requiredKeys: ['heading'] },
    );
    const any = fc.record({
      title: anyText,
      facts: fc.array(fc.tuple(anyText, anyText)),
      sections: fc.array(section),
    });
    fc.assert(
      fc.property(any, (input) => {
        const written = writeReport(input);
        expect(textsOf(parsePage(written), 'h2')).toHaveLength(input.sections.length);
        expect(writeReport(structuredClone(input))).toBe(written);
      }),
    );
  });
});
