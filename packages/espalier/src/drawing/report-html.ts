import { createHash } from 'node:crypto';
import { figurePadding, pagePadding, pageWidth } from './page-width.js';
import { darkRules } from './palette.js';
import { sortTables } from './sort-tables.js';
import { escapeMarkup, fontStack, type Svg } from './svg.js';
import { textWidth } from './text-width.js';

/** A cell of a table: a text, or more than that. */
export type ReportCell = string | { readonly text: string; readonly sort?: number; readonly svg?: Svg };

export interface ReportColumn {
  readonly heading: string;
  /** Numeric columns are right-aligned. */
  readonly numeric: boolean;
  /** The order that the first click on the heading of a sortable table sorts in. */
  readonly first?: 'descending';
  /** Whether its texts are long; they are written smaller. */
  readonly long?: boolean;
}

export interface ReportTable {
  readonly columns: readonly ReportColumn[];
  readonly rows: readonly (readonly ReportCell[])[];
  /** Whether readers may sort it: by the `sort` of cells, or by their text. */
  readonly sortable?: boolean;
  /** The row that stands out. */
  readonly emphasised?: number;
}

interface ReportSection {
  readonly heading: string;
  /** Paragraphs, separated by blank lines. */
  readonly text?: string;
  readonly svg?: Svg;
  /** Below the picture. */
  readonly caption?: string;
  readonly table?: ReportTable;
  /** Whether the section is closed until the reader opens it. Meant for long lists. */
  readonly collapsed?: boolean;
}

export interface Report {
  readonly title: string;
  /** The results at a glance, as pairs of label and value. */
  readonly facts: readonly (readonly [string, string])[];
  readonly sections: readonly ReportSection[];
}

const style = `
:root { color-scheme: light dark; --page: #f5f7f9; --card: #fff; --ink: #1f2933; --muted: #5a6775; --line: #dfe4e9; --stripe: #f7f9fb; --mark: #2166ac; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 ${fontStack}; -webkit-text-size-adjust: 100%; }
main { max-width: ${pageWidth}px; margin: 0 auto; padding: 3rem ${pagePadding}px 4rem; }
h1 { margin: 0 0 1.75rem; font-size: 1.9rem; line-height: 1.2; letter-spacing: -0.015em; overflow-wrap: anywhere; }
h2 { margin: 0; font-size: 1.2rem; line-height: 1.3; letter-spacing: -0.005em; }
section { margin-top: 2.75rem; }
p { max-width: 48rem; margin: 0.75rem 0 0; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(11.5rem, 1fr)); gap: 0.75rem; margin: 0; }
dl > div { padding: 0.75rem 1rem 0.8rem; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
dt { color: var(--muted); font-size: 0.8rem; line-height: 1.4; }
dd { margin: 0.15rem 0 0; font-size: 1.15rem; font-weight: 600; line-height: 1.3; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
figure { margin: 1rem 0 0; padding: ${figurePadding}px; background: var(--card); border: 1px solid var(--line); border-radius: 8px; text-align: center; }
figcaption { padding: 0.25rem 0.5rem 0.5rem; color: var(--muted); font-size: 0.9rem; }
svg { display: block; max-width: 100%; height: auto; margin: 0 auto; }
.table { margin-top: 1rem; overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
table { width: 100%; border-collapse: collapse; font-size: 0.9rem; line-height: 1.4; font-variant-numeric: tabular-nums; }
th, td { padding: 0.45rem 0.75rem; text-align: left; vertical-align: top; overflow-wrap: break-word; }
th:first-child, td:first-child { padding-left: 1rem; }
th:last-child, td:last-child { padding-right: 1rem; }
thead th { color: var(--muted); font-size: 0.8rem; font-weight: 600; border-bottom: 1px solid var(--line); vertical-align: bottom; }
th button { padding: 0; border: 0; background: none; color: inherit; font: inherit; text-align: inherit; cursor: pointer; }
th button:hover, th button:focus-visible { color: var(--ink); text-decoration: underline; }
th[aria-sort="ascending"] button::after { content: " \\2191"; }
th[aria-sort="descending"] button::after { content: " \\2193"; }
tbody tr:nth-child(even) { background: var(--stripe); }
tbody tr.emphasised { font-weight: 600; box-shadow: inset 4px 0 0 var(--mark); }
td svg { margin: 0; max-width: none; }
td.long { font-size: 0.8rem; font-weight: 400; overflow-wrap: anywhere; }
th.numeric, td.numeric { text-align: right; }
td.numeric { white-space: nowrap; }
details { background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
summary { padding: 0.8rem 1rem; cursor: pointer; }
summary h2 { display: inline; margin-left: 0.25rem; }
summary span { margin-left: 0.5rem; color: var(--muted); font-size: 0.9rem; }
details > p { margin: 0 1rem 1rem; }
details > .table { margin: 0; border: 0; border-top: 1px solid var(--line); border-radius: 0 0 8px 8px; }
details > figure { margin: 0; border: 0; border-top: 1px solid var(--line); border-radius: 0 0 8px 8px; }
@media screen and (prefers-color-scheme: dark) {
:root { --page: #0e1114; --card: #161a1f; --ink: #e6eaee; --muted: #9aa7b4; --line: #2a3139; --stripe: #1a1f25; --mark: #6aaeea; }
${darkRules()}
}
@media print {
:root { --page: #fff; color-scheme: light; }
body { font-size: 10.5pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
main { max-width: none; padding: 0 2px; }
section { margin-top: 1.75rem; }
h2 { break-after: avoid; }
figure, tr, dl > div { break-inside: avoid; }
figure { padding: 0; border: 0; }
svg { max-height: 200mm; }
thead { display: table-header-group; }
@page { margin: 18mm 16mm; }
}
`;

/** The script of a page with a sortable table; whoever does not run it sees the table as it is. */
const script = `(${sortTables.toString()})(document);`;
const scriptHash = createHash('sha256').update(script).digest('base64');

/** The parts of a heading, between which it may be broken, so that a narrow column can have a long name. */
function headingParts(heading: string): string[] {
  return heading.split(/(?<=[._/-])(?=\w)|(?<=[a-z])(?=[A-Z])/);
}

/** Space at both sides of a cell, in px. */
const cellPadding = 24;
const headingSize = 12.8;
const cellSize = 14.4;
/** How wide a column is at least, in px: it may be broken between words. A table has as many as a page has room for. */
export function columnWidth(column: ReportColumn, cells: readonly ReportCell[]): number {
  const words = headingParts(column.heading).flatMap((part) => part.split(' '));
  const widths = words.map((word) => textWidth(word, headingSize, 'bold'));
  for (const cell of cells) {
    const { text, svg } = typeof cell === 'string' ? { text: cell } : cell;
    if (svg !== undefined) widths.push(Number(/ width="([\d.]+)"/.exec(svg)?.[1]));
    const words = column.numeric ? [text] : text.split(/\s/).map((word) => word.slice(0, MOST_UNBROKEN));
    const size = column.long ? headingSize : cellSize;
    widths.push(...words.map((word) => textWidth(word, size)));
  }
  return Math.ceil(Math.max(...widths)) + cellPadding;
}

/** Words of more characters may be broken: after a sign, or else after so many. */
const MOST_UNBROKEN = 24;

/** The text of a cell. Its words stay whole unless they are so long that they could push a column off the page. */
function breakable(text: string): string {
  return text
    .split(/(?<=\s)/)
    .map((word) =>
      word.length <= MOST_UNBROKEN
        ? escapeMarkup(word)
        : (word.match(new RegExp(`[^./,:=_-]{0,${MOST_UNBROKEN - 1}}.`, 'gsu')) ?? [])
            .map(escapeMarkup)
            .join('<wbr/>'),
    )
    .join('');
}

function writeTable(table: ReportTable, heading: string): string {
  const classOf = (column: number): string => {
    const { numeric, long } = table.columns[column]!;
    const classes = [...(numeric ? ['numeric'] : []), ...(long ? ['long'] : [])];
    return classes.length === 0 ? '' : ` class="${classes.join(' ')}"`;
  };
  const head = table.columns.map(
    ({ heading, first }, column) =>
      `<th scope="col"${classOf(column)}${first === undefined ? '' : ` data-first="${first}"`}>${headingParts(heading).map(escapeMarkup).join('<wbr/>')}</th>`,
  );
  const writeCell = (cell: ReportCell, column: number): string => {
    const { text, sort, svg = '' } = typeof cell === 'string' ? { text: cell } : cell;
    const key = sort === undefined ? '' : ` data-sort="${sort}"`;
    return `<td${classOf(column)}${key}>${breakable(text)}${svg}</td>`;
  };
  const rows = table.rows.map((row, index) => {
    if (row.length !== table.columns.length) {
      throw new Error(
        `report section "${heading}": row ${index} has ${row.length} cells for ${table.columns.length} columns`,
      );
    }
    const emphasis = index === table.emphasised ? ' class="emphasised"' : '';
    return `<tr${emphasis}>${row.map(writeCell).join('')}</tr>`;
  });
  const sortable = table.sortable ? ' class="sortable"' : '';
  return `<div class="table"><table${sortable} aria-label="${escapeMarkup(heading)}">\n<thead><tr>${head.join('')}</tr></thead>\n<tbody>\n${rows.join('\n')}\n</tbody>\n</table></div>`;
}

function writeSection(section: ReportSection): string {
  const heading = `<h2>${escapeMarkup(section.heading)}</h2>`;
  const paragraphs = (section.text ?? '').split(/\n\s*\n/).filter((text) => text.trim() !== '');
  const caption =
    section.caption === undefined ? '' : `<figcaption>${escapeMarkup(section.caption)}</figcaption>\n`;
  const body = [
    ...paragraphs.map((text) => `<p>${escapeMarkup(text.trim())}</p>`),
    ...(section.svg === undefined ? [] : [`<figure>\n${section.svg}${caption}</figure>`]),
    ...(section.table === undefined ? [] : [writeTable(section.table, section.heading)]),
  ].join('\n');
  if (section.collapsed !== true) return `<section>\n${heading}\n${body}\n</section>`;
  const count = section.table === undefined ? '' : `<span>${section.table.rows.length}</span>`;
  return `<section><details>\n<summary>${heading}${count}</summary>\n${body}\n</details></section>`;
}

/**
 * Writes a report as a single HTML file for screen and paper. On screen it follows the reader's light or dark mode. The
 * page fetches nothing, and runs no script but the one that sorts tables, where there is such a table; its content
 * security policy forbids all else. After its first line it is well-formed XML.
 * @throws Error if the number of cells in a row differs from the number of columns
 */
export function writeReport(report: Report): string {
  const title = escapeMarkup(report.title);
  const facts = report.facts.map(
    ([label, value]) => `<div><dt>${escapeMarkup(label)}</dt><dd>${escapeMarkup(value)}</dd></div>`,
  );
  const sorts = report.sections.some(({ table }) => table?.sortable);
  const shows = report.sections.some(({ svg }) => svg?.includes('<image '));
  const policy = `default-src 'none'; style-src 'unsafe-inline'${shows ? '; img-src data:' : ''}${sorts ? `; script-src 'sha256-${scriptHash}'` : ''}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="${policy}"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${facts.length === 0 ? '' : `<dl>\n${facts.join('\n')}\n</dl>\n`}${report.sections.map(writeSection).join('\n')}
</main>
${sorts ? `<script>${script}</script>\n` : ''}</body>
</html>
`;
}
