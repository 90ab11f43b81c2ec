import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type ReportTable, writeReport } from '../../src/drawing/report-html.js';
import { sortTables } from '../../src/drawing/sort-tables.js';
import { type FakeElement, openPage } from './page.js';

const table: ReportTable = {
  columns: [
    { heading: 'child', numeric: true },
    { heading: 'accuracy', numeric: true, first: 'descending' },
    { heading: 'kernel', numeric: false },
  ],
  rows: [
    ['1', { text: '9.50%', sort: 0.095 }, '3x3'],
    ['2', { text: '10.00%', sort: 0.1 }, 'b'],
    ['10', 'failed', '11x1'],
    ['3', '', 'a'],
    ['4', { text: '9.50%', sort: 0.0951 }, 'Ä'],
  ],
  sortable: true,
};

const pageOf = (given: ReportTable) =>
  writeReport({ title: 'p', facts: [], sections: [{ heading: 'Children', table: given }] });

function opened(given: ReportTable) {
  const page = openPage(pageOf(given));
  sortTables(page as never);
  const [shown] = page.querySelectorAll('table') as [FakeElement];
  const column = (index: number) =>
    shown.querySelectorAll('tbody tr').map((row) => row.querySelectorAll('td')[index]!.textContent);
  return {
    page,
    shown,
    children: () => column(0),
    click: (heading: string) =>
      shown
        .querySelectorAll('th button')
        .find(({ textContent }) => textContent === heading)
        ?.click(),
    orders: () => shown.querySelectorAll('th').map((one) => one.getAttribute('aria-sort')),
  };
}

describe('the script of a page', () => {
  test('leaves the rows as they are until a heading is clicked, which is a button', () => {
    const { shown, children, orders } = opened(table);
    expect(children()).toEqual(['1', '2', '10', '3', '4']);
    expect(orders()).toEqual([null, null, null]);
    expect(
      shown.querySelectorAll('th button').map((one) => [one.textContent, one.getAttribute('type')]),
    ).toEqual([
      ['child', 'button'],
      ['accuracy', 'button'],
      ['kernel', 'button'],
    ]);
  });

  test('sorts numbers as numbers, and the other way round at the second click', () => {
    const { children, click, orders } = opened(table);
    click('child');
    expect(children()).toEqual(['1', '2', '3', '4', '10']);
    expect(orders()).toEqual(['ascending', 'none', 'none']);
    click('child');
    expect(children()).toEqual(['10', '4', '3', '2', '1']);
    expect(orders()).toEqual(['descending', 'none', 'none']);
    click('child');
    expect(orders()).toEqual(['ascending', 'none', 'none']);
  });

  test('sorts by the values and not by their texts, the best first, and keeps empty cells at the end', () => {
    const { children, click, orders } = opened({ ...table, rows: table.rows.filter(([id]) => id !== '10') });
    click('accuracy');
    expect(children()).toEqual(['2', '4', '1', '3']);
    expect(orders()).toEqual(['none', 'descending', 'none']);
    click('accuracy');
    expect(children()).toEqual(['1', '4', '2', '3']);
  });

  test('sorts texts as people do: numbers in them by their size, letters with marks beside those without', () => {
    const { children, click } = opened(table);
    click('kernel');
    expect(children()).toEqual(['1', '10', '3', '4', '2']);
  });

  test('leaves other tables alone', () => {
    const { sortable: _, ...fixed } = table;
    expect(opened(fixed).shown.querySelectorAll('button')).toEqual([]);
  });

  test('is the only script that the page allows, and is there only where a table can be sorted', () => {
    const html = pageOf(table);
    const scripts = [...html.matchAll(/<script>(.*?)<\/script>/gs)].map(([, source]) => source as string);
    expect(scripts).toEqual([`(${sortTables.toString()})(document);`]);
    const hash = createHash('sha256').update(scripts[0]!).digest('base64');
    expect(html).toContain(
      `content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'"`,
    );
    // It must read the same as XML and as HTML.
    expect(scripts[0]).not.toMatch(/[<&]/);
    const { sortable: _, ...fixed } = table;
    expect(pageOf(fixed)).not.toContain('script');
  });
});
