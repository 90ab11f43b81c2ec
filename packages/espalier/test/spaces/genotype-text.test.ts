import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { readGenotypeText } from '../../src/spaces/genotype-text.js';

const read = (text: string) => readGenotypeText(text, 'cell.txt').content;

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
    ['a string with a prefix', "Genotype(a=[(u'none', 0)])", { a: [['none', 0]] }],
    [
      'weights',
      "Genotype(a=[('none', 0, 0.25), ('none', 1, 1e-3)])",
      {
        a: [
          ['none', 0, 0.25],
          ['none', 1, 1e-3],
        ],
      },
    ],
    [
      'numbers of NumPy',
      "Genotype(a=[('none', np.int64(3)), (np.str_('none'), 0)])",
      {
        a: [
          ['none', 3],
          ['none', 0],
        ],
      },
    ],
    ['lists made of ranges', 'Genotype(a=list(range(2, 4)), b=range(6, 1, -2))', { a: [2, 3], b: [6, 4, 2] }],
    ['constants', 'Genotype(a=None, b=True, c=False)', { a: null, b: true, c: false }],
    ['any keys', "Genotype(cell=[('conv', 0)], cell_concat=[2])", { cell: [['conv', 0]], cell_concat: [2] }],
    [
      'a dictionary',
      "{'normal': [('none', 0)], 'normal_concat': range(2, 3),}",
      { normal: [['none', 0]], normal_concat: [2] },
    ],
    ['joined lines', 'X = \\\nGenotype(a=[1], \\\n  b=[2])', { a: [1], b: [2] }],
    [
      'a shell script',
      `python augment.py --genotype \\\n"Genotype(normal=[[('none', 0)]])" --batch 8`,
      { normal: [[['none', 0]]] },
    ],
    [
      'strings joined over lines',
      `best = "Genotype(a=[('none', 0), " \\\n       "('none', 1)], " \\\n       "b=range(2, 4))"`,
      {
        a: [
          ['none', 0],
          ['none', 1],
        ],
        b: [2, 3],
      },
    ],
    [
      'a cell of five nodes',
      '|a~0|+|a~0|b~1|+|a~0|b~1|c~2|+|a~0|b~1|c~2|d~3|',
      { cell: '|a~0|+|a~0|b~1|+|a~0|b~1|c~2|+|a~0|b~1|c~2|d~3|' },
    ],
  ])('is read with %s', (_, text, content) => {
    expect(read(text)).toEqual(content);
  });

  it('keeps its nodes in lists, and has as many as it has', () => {
    const nested = "Genotype(normal=[[('a', 0), ('b', 1)], (('c', 2), ('none', 0))], normal_concat=[3])";
    expect(read(nested)).toEqual({
      normal: [
        [
          ['a', 0],
          ['b', 1],
        ],
        [
          ['c', 2],
          ['none', 0],
        ],
      ],
      normal_concat: [3],
    });
  });

  it('is found in a log, and the last one counts', () => {
    const line = (epoch: number) =>
      `2018-06-27 13:25:46,379 epoch ${epoch} lr 1e-3\n` +
      `[13:25] genotype = Genotype(normal=[('conv', ${epoch})], normal_concat=range(2, 6))\n` +
      `2018-06-27 13:54:15,198 train_acc 99.7 |####| (it's ok)\n`;
    expect(read(line(1))).toEqual({ normal: [['conv', 1]], normal_concat: [2, 3, 4, 5] });
    expect(read(`[12:00] begun\n${line(1)}${line(2)}${line(3)}`)).toMatchObject({ normal: [['conv', 3]] });
    expect(read("epoch 1: {'normal': [('a', 0)]} ~\nepoch 2: {'normal': [('b', 0)]} ~\n")).toEqual({
      normal: [['b', 0]],
    });
    expect(
      read('best: Structure(4 nodes with |a~0|+|a~0|b~1|), 93.1 %\nbest: [|b~0|+|a~0|b~1|], 94.2 | 5.8 %'),
    ).toEqual({ cell: '|b~0|+|a~0|b~1|' });
  });

  it('is found by the epoch that a log names before it', () => {
    const cell = (state: number) => `Genotype(normal=[('conv', ${state})])`;
    const at = (log: string, epoch?: number) => readGenotypeText(log, 'log.txt', epoch);
    const darts = [0, 1, 2]
      .map(
        (epoch) =>
          `2018-06-27 13:25:46,378 epoch ${epoch} lr 1e-3\n2018-06-27 13:25:46,379 genotype = ${cell(epoch)}\n` +
          `2018-06-27 13:54:15,198 train ${epoch}50 1e-1 99.7\n`,
      )
      .join('');
    const log = `args = Namespace(epochs=50, learning_rate=0.025)\n${darts}`;
    expect(at(log, 1)).toEqual({
      content: { normal: [['conv', 1]] },
      note: 'log.txt has several genotypes; taken: the one of line 6, epoch 1',
    });
    expect(at(log)).toEqual({
      content: { normal: [['conv', 2]] },
      note: 'log.txt has several genotypes; taken: the one of line 9, epoch 2',
    });
    expect(() => at(log, 50)).toThrow(
      'log.txt: holds no genotype of epoch 50; it has genotypes of epochs 0, 1, 2',
    );
    expect(() => at(cell(1), 1)).toThrow('it does not name epochs before its genotypes');
    expect(() => at('epoch 1\n', 1)).toThrow('it holds no genotype at all');
    expect(() => at('{"normal": []}', 1)).toThrow(
      'log.txt: is a single genotype; an epoch (1) can be chosen in a log',
    );
    // The last one of an epoch counts.
    expect(at(`epoch 1\n${cell(1)}\n${cell(2)}\nepoch 2\n${cell(3)}`, 1).content).toEqual({
      normal: [['conv', 2]],
    });
  });

  it.each([
    ['Epoch: [3][10/200] Time 0.1'],
    ['Epoch 3/50'],
    ['epoch=3 loss=0.1'],
    ['| end of epoch   3 | time: 5.2s'],
    ['{"epoch": 3, "loss": 0.1}'],
    ['11/02 09:12:01 | Valid: [ 3/50] Final Prec@1 87.5%'],
    ['[Search the 003-050-th epoch] Time Left'],
    ['after the 3rd epoch:'],
  ])('is of the epoch of a line such as %s', (line) => {
    const log = `epoch 9\n|a~0|\n${line}\n|b~0|\n`;
    expect(readGenotypeText(log, 'log.txt', 3).content).toEqual({ cell: '|b~0|' });
  });

  it('is read with colours, a byte order mark and the line ends of Windows', () => {
    expect(read("\u001b[32mGenotype\u001b[0m(normal=[('conv', 0)])\u001b[0m")).toEqual({
      normal: [['conv', 0]],
    });
    expect(read('\uFEFF{"normal": [["conv", 0]]}\r\n')).toEqual({ normal: [['conv', 0]] });
    expect(read('\uFEFF|conv~0|\r\n')).toEqual({ cell: '|conv~0|' });
    expect(read("epoch 1\r\nGenotype(normal=[\r\n  ('conv', 0),\r\n])\r\n")).toEqual({
      normal: [['conv', 0]],
    });
  });

  it('is found in a record of JSON and in a log of such records', () => {
    const record = (epoch: number) =>
      JSON.stringify({ epoch, top1: 97.1, genotype: `Genotype(normal=[('conv', ${epoch})])` });
    expect(read(record(1))).toEqual({ normal: [['conv', 1]] });
    const lines = [1, 2, 3].map(record).join('\n');
    expect(read(lines)).toEqual({ normal: [['conv', 3]] });
    expect(readGenotypeText(lines, 'log.jsonl', 2).content).toEqual({ normal: [['conv', 2]] });
    expect(read('{"epoch": 1, "cell": "|a~0|"}')).toEqual({ epoch: 1, cell: '|a~0|' });
  });

  it('is found in a program, the last one that is not commented out', () => {
    const program = `from collections import namedtuple
Genotype = namedtuple('Genotype', 'normal normal_concat')

class Genotype(namedtuple('Genotype', 'normal')):
    pass

V1 = Genotype(normal=[('a', 0)])
V2 = Genotype(  # Genotype(normal=[('inside', 0)])
    normal=[('b', 0)],
)
# Genotype(normal=[('c', 0)])
DARTS = V2

def parse():
    return Genotype(normal=gene_normal, normal_concat=concat)
`;
    expect(read(program)).toEqual({ normal: [['b', 0]] });
    expect(read("# Genotype(a=['b'])\n# Genotype(a=['c'])\n")).toEqual({ a: ['c'] });
  });

  it('that breaks off at the end of a log is not replaced by an earlier one', () => {
    expect(() => read('Genotype(a=[1])\nGenotype(a=[1, 2')).toThrow(
      "cell.txt:2:17: found the end of the text; expected ',' or ']'",
    );
  });

  it('is read in time and on a stack that do not grow with banners, brackets and blanks', () => {
    const many = 100_000;
    const banner = `${'#'.repeat(many)}\n${'# '.repeat(many)}\n${'#\n'.repeat(many)}`;
    expect(read(`${banner}Genotype(${banner}a=[${banner}1])`)).toEqual({ a: [1] });
    const edges = '|a~0'.repeat(many);
    expect(read(`log: ${edges}| end`)).toEqual({ cell: `${edges}|` });
    for (const text of [
      banner,
      'Genotype('.repeat(many),
      'Genotype( # '.repeat(many),
      `log: |${'a'.repeat(many)}`,
      `log: |a~${'1'.repeat(many)}`,
      `Genotype(a=${' '.repeat(many)}`,
      `Genotype(a='${'x'.repeat(many)}`,
      `Genotype(a=${'9'.repeat(many)})`,
      'Genotype(a=['.repeat(many),
      `Genotype(a=${'['.repeat(many)}${']'.repeat(many)})`,
      `Genotype(a=${'('.repeat(many)}`,
      `Genotype(a=${'list('.repeat(many)}`,
      `${"{'normal': ".repeat(many)}`,
      `${'['.repeat(many)}${']'.repeat(many)}`,
      `${'{"a":'.repeat(many)}1${'}'.repeat(many)}`,
      '['.repeat(many),
      'epoch 1 Genotype('.repeat(many),
    ]) {
      const begun = performance.now();
      expect(() => read(text), text.slice(0, 40)).toThrow(InputError);
      expect(performance.now() - begun, text.slice(0, 40)).toBeLessThan(2000);
    }
  });

  it('with brackets too deep is refused by their place', () => {
    const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect(() => read(`Genotype(a=${deep(101)})`)).toThrow(
      'cell.txt:1:112: has brackets more than 100 deep; those of a genotype are at most 3 deep',
    );
    expect(() => read(deep(102))).toThrow('cell.txt: has brackets more than 100 deep');
    expect(read(`Genotype(a=${deep(100)})`)).toEqual({ a: JSON.parse(deep(100)) });
    expect(read(deep(101))).toEqual(JSON.parse(deep(101)));
  });

  const cases = fileURLToPath(new URL('../../../../../shared/cases/genotype-options', import.meta.url));

  it.for<[string, object]>([
    ['g_2nodes.txt', { normal_concat: [2, 3], reduce_concat: [2, 3] }],
    ['g_nested.txt', { normal_concat: [2, 3, 4, 5], reduce_concat: [2, 3, 4, 5] }],
    ['log_line.txt', { normal_concat: [2, 3, 4, 5], reduce_concat: [2, 3, 4, 5] }],
    ['nb201-5nodes.txt', { cell: expect.stringMatching(/^\|nor_conv_3x3~0\|\+.*nor_conv_1x1~3\|$/) }],
  ])('is read from the file %s', ([name, content], { skip }) => {
    const file = join(cases, name);
    skip(!existsSync(file), `${file} is not there`);
    expect(read(readFileSync(file, 'utf8'))).toMatchObject(content);
  });

  it.each([
    [
      '',
      "cell.txt: holds no genotype; expected JSON, Python's Genotype(...), or a cell such as |nor_conv_3x3~0|",
    ],
    ['Cell(normal=[])', 'cell.txt: holds no genotype; expected JSON'],
    ['X = Cell()', 'cell.txt: holds no genotype; expected JSON'],
    ['Genotype(normal=[(1, 2)', "cell.txt:1:24: found the end of the text; expected ',' or ']'"],
    ['Genotype(\n  normal=[\n    (1 2)])', "cell.txt:3:8: found '2'; expected ',' or ')'"],
    ['Genotype([1])', "cell.txt:1:10: found '['; expected a name and =, as in normal=[...]"],
    ['Genotype(a=1, a=2)', "cell.txt:1:15: found 'a'; expected each name once"],
    ["{'normal': 1, 'normal': 2}", "cell.txt:1:15: found ''normal''; expected each name once"],
    ["{'normal': 1, 2}", "cell.txt:1:15: found '2'; expected a string and :, as in 'normal': [...]"],
    ['Genotype(a=sep_conv)', "cell.txt:1:12: found 'sep_conv'; expected a string, a number, a list, "],
    ['Genotype(a=1e999)', "cell.txt:1:12: found '1e999'; expected a finite number"],
    ['Genotype(a=1.5.2)', "cell.txt:1:15: found '.2'; expected ',' or ')'"],
    ["Genotype(a='open)", "cell.txt:1:12: found '''; expected a name, a number, "],
    ['Genotype(a=range(0, 10**9))', "cell.txt:1:23: found '*'; expected a name, "],
    [
      'Genotype(a=range(1000000000))',
      "cell.txt:1:12: found 'range'; expected range(end), range(start, end) or ",
    ],
    ['Genotype(a=range(0, -1000000000, -1))', "cell.txt:1:12: found 'range'; expected range(end), "],
    ['Genotype(a=range(1, 2, 0))', "cell.txt:1:12: found 'range'; expected range(end), "],
    ['Genotype(a=range(1, 2, 3, 4))', "cell.txt:1:12: found 'range'; expected range(end), "],
    ['Genotype(a=range())', "cell.txt:1:12: found 'range'; expected range(end), "],
    ['Genotype(a=range(0.5))', "cell.txt:1:12: found 'range'; expected range(end), "],
    ['Genotype(a=range)', "cell.txt:1:17: found ')'; expected '('"],
    ['{"normal": }', 'cell.txt: is not valid JSON: '],
    ['[1, 2', 'cell.txt: is not valid JSON: '],
  ])('says where it is wrong: %j', (text, message) => {
    expect(() => read(text)).toThrow(InputError);
    expect(() => read(text)).toThrow(message);
  });
});
