import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readGenotypeText } from '../../src/spaces/genotype-text.js';

const read = (text: string) => readGenotypeText(text, 'cell.txt');

describe('the text of a genotype', () => {
  it('is read as published code prints it', () => {
    const printed =
      "Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0)], normal_concat=range(2, 6), " +
      "reduce=[('max_pool_3x3', 0), ('none', 1)], reduce_concat=[2, 3, 4, 5])\n";
    expect(read(printed)).toEqual({
      normal: [
        ['sep_conv_3x3', 1],
        ['skip_connect', 0],
      ],
      normal_concat: [2, 3, 4, 5],
      reduce: [
        ['max_pool_3x3', 0],
        ['none', 1],
      ],
      reduce_concat: [2, 3, 4, 5],
    });
  });

  it('is read of recurrent cells', () => {
    expect(read("Genotype(recurrent=[('sigmoid', 0), ('relu', 1)], concat=range(1, 9))")).toEqual({
      recurrent: [
        ['sigmoid', 0],
        ['relu', 1],
      ],
      concat: [1, 2, 3, 4, 5, 6, 7, 8],
    });
  });

  it('is read as it stands in a source file: assigned, over several lines, with comments and last commas', () => {
    const source = `# second order
DARTS_V2 = Genotype(
  normal = [
    ("skip_connect", 0),  # the first
  ],
  normal_concat = (2, 3,),
)  # end
`;
    expect(read(source)).toEqual({ normal: [['skip_connect', 0]], normal_concat: [2, 3] });
    expect(read('Genotype(a=range(3), b=range(-1, 1), c=range(2, 1), d=[])')).toEqual({
      a: [0, 1, 2],
      b: [-1, 0],
      c: [],
      d: [],
    });
  });

  it('is the cell as it stands where NAS-Bench-201 prints it', () => {
    expect(read(' |none~0|+|none~0|skip_connect~1|\n')).toEqual({ cell: '|none~0|+|none~0|skip_connect~1|' });
  });

  it('is read as JSON', () => {
    expect(read(' {"normal": [["none", 0]]}')).toEqual({ normal: [['none', 0]] });
  });

  it('keeps signs and brackets within strings', () => {
    expect(read(`Genotype(a='a=(,[#', b="it's", c=')')`)).toEqual({ a: 'a=(,[#', b: "it's", c: ')' });
  });

  it('is read back whatever lists of strings and numbers Python writes', () => {
    type Value = string | number | Value[];
    const { value } = fc.letrec<{ value: Value }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.integer({ min: -1e6, max: 1e6 }),
        fc.stringMatching(/^[\w ,=()[\]#]*$/),
        fc.array(tie('value'), { maxLength: 4 }),
      ),
    }));
    const python = (item: Value, tuples: boolean): string =>
      Array.isArray(item)
        ? `${tuples ? '(' : '['}${item.map((inner) => `${python(inner, !tuples)}, `).join('')}${tuples ? ')' : ']'}`
        : typeof item === 'string'
          ? `'${item}'`
          : String(item);
    fc.assert(
      fc.property(value, fc.boolean(), (item, tuples) => {
        expect(read(`Genotype(key=${python(item, tuples)})`)).toEqual({ key: item });
      }),
    );
  });

  it.each([
    ['', "cell.txt:1:1: found the end of the text; expected JSON or 'Genotype('"],
    ['Cell(normal=[])', "cell.txt:1:1: found 'Cell'; expected JSON or 'Genotype('"],
    ['X = Cell()', "cell.txt:1:5: found 'Cell'; expected 'Genotype('"],
    ['Genotype(normal=[(1, 2)', "cell.txt:1:24: found the end of the text; expected ',' or ']'"],
    ['Genotype(\n  normal=[\n    (1 2)])', "cell.txt:3:8: found '2'; expected ',' or ')'"],
    ['Genotype([1])', "cell.txt:1:10: found '['; expected a name and =, as in normal=[...]"],
    ['Genotype(a=1, a=2)', "cell.txt:1:15: found 'a'; expected each name once"],
    ['Genotype(a=sep_conv)', "cell.txt:1:12: found 'sep_conv'; expected a string, a number, a list, "],
    ['Genotype(a=1)\nGenotype(a=2)', "cell.txt:2:1: found 'Genotype'; expected the end: a text holds one"],
    ['Genotype(a=1.5)', "cell.txt:1:13: found '.'; expected a name, a number, "],
    ["Genotype(a='open)", "cell.txt:1:12: found '''; expected a name, a number, "],
    ['Genotype(a=range(0, 10**9))', "cell.txt:1:23: found '*'; expected a name, "],
    [
      'Genotype(a=range(1000000000))',
      "cell.txt:1:12: found 'range'; expected range(end) or range(start, end)",
    ],
    ['Genotype(a=range(1, 2, 3))', "cell.txt:1:12: found 'range'; expected range(end) or "],
    ['Genotype(a=range)', "cell.txt:1:17: found ')'; expected '('"],
    ['{"normal": }', 'cell.txt is no JSON: '],
  ])('says where it is wrong: %j', (text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});
