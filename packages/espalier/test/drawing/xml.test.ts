import { describe, expect, test } from 'vitest';
import { allElements, parseXml } from './xml.js';

describe('the XML reader of these tests', () => {
  test('reads elements, attributes and text', () => {
    const root = parseXml('<a x="1 &lt; 2"><b/>hi &amp; ho<c d="">x</c></a>\n');
    expect(root).toMatchObject({ name: 'a', attributes: { x: '1 < 2' }, text: 'hi & ho' });
    expect(allElements(root).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  test.each([
    '<a>',
    '<a></b>',
    '<a/><b/>',
    '<a x=1/>',
    '<a x="<"/>',
    '<a>&</a>',
    '<a>&nbsp;</a>',
    '<a>\u0007</a>',
    '<a x="" x=""/>',
    'text',
    '<a/>text',
    '<a><</a>',
  ])('rejects %s', (source) => {
    expect(() => parseXml(source)).toThrow();
  });
});
