/** As much of a page as sorting its tables takes. */
interface PageElement {
  readonly textContent: string | null;
  readonly childNodes: Iterable<PageElement>;
  getAttribute(name: string): string | null;
  setAttribute(name: string, value: string): void;
  querySelectorAll(selector: string): Iterable<PageElement>;
  replaceChildren(...children: PageElement[]): void;
  addEventListener(type: 'click', listener: () => void): void;
}

interface Page {
  querySelectorAll(selector: string): Iterable<PageElement>;
  createElement(name: string): PageElement;
}

/**
 * Makes the headings of sortable tables buttons that sort the rows by their column; a second click turns the order
 * around. A cell is compared by its `data-sort`, or else by its text: as numbers where both are numbers. Empty cells
 * stay at the end. A column with `data-first` begins with that order.
 *
 * Its source becomes the script of a page, so it uses nothing from outside, and no character that XML has to escape.
 */
export function sortTables(page: Page): void {
  const keyOf = (row: PageElement, column: number): string => {
    const cell = [...row.querySelectorAll('th,td')][column] as PageElement;
    return cell.getAttribute('data-sort') ?? (cell.textContent ?? '').trim();
  };
  const compare = (one: string, other: string): number => {
    const difference = Number(one) - Number(other);
    return Number.isNaN(difference) ? one.localeCompare(other, 'en', { numeric: true }) : difference;
  };
  const sort = (body: PageElement, column: number, turn: number): void => {
    const keyed = [...body.querySelectorAll('tr')].map((row) => ({ row, key: keyOf(row, column) }));
    const filled = keyed.filter(({ key }) => key !== '');
    filled.sort((one, other) => turn * compare(one.key, other.key));
    const empty = keyed.filter(({ key }) => key === '');
    body.replaceChildren(...[...filled, ...empty].map(({ row }) => row));
  };
  for (const table of page.querySelectorAll('table.sortable')) {
    const [body] = table.querySelectorAll('tbody');
    const headings = [...table.querySelectorAll('thead th')];
    for (const [column, heading] of headings.entries()) {
      const button = page.createElement('button');
      button.setAttribute('type', 'button');
      button.replaceChildren(...heading.childNodes);
      heading.replaceChildren(button);
      button.addEventListener('click', () => {
        const before = heading.getAttribute('aria-sort');
        const first = heading.getAttribute('data-first') ?? 'ascending';
        const second = first === 'ascending' ? 'descending' : 'ascending';
        const order = before === first ? second : first;
        for (const one of headings) one.setAttribute('aria-sort', 'none');
        heading.setAttribute('aria-sort', order);
        sort(body as PageElement, column, order === 'ascending' ? 1 : -1);
      });
    }
  }
}
