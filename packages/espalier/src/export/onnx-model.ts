import protobuf from 'protobufjs/light.js';
import { version } from '../version.js';
import type { ExportMetadata } from './export-metadata.js';

/** The operator set of the models: the first one with every operator in the form written here. */
const OPSET = 17;
/** The version of the format in ONNX 1.12, which introduced the operator set. */
const IR_VERSION = 8;

const field = (id: number, type: string) => ({ id, type });
const fields = (id: number, type: string) => ({ id, type, rule: 'repeated' });

const message = (members: Record<string, protobuf.IField>) => ({ edition: 'proto2', fields: members });

/** The parts in use of https://github.com/onnx/onnx/blob/v1.12.0/onnx/onnx.proto, with its field numbers. */
const onnx = protobuf.Root.fromJSON({
  nested: {
    Model: message({
      irVersion: field(1, 'int64'),
      producerName: field(2, 'string'),
      producerVersion: field(3, 'string'),
      graph: field(7, 'Graph'),
      opsetImport: fields(8, 'OperatorSet'),
      metadataProps: fields(14, 'StringStringEntry'),
    }),
    StringStringEntry: message({ key: field(1, 'string'), value: field(2, 'string') }),
    OperatorSet: message({ domain: field(1, 'string'), version: field(2, 'int64') }),
    Graph: message({
      node: fields(1, 'Node'),
      name: field(2, 'string'),
      initializer: fields(5, 'Tensor'),
      input: fields(11, 'ValueInfo'),
      output: fields(12, 'ValueInfo'),
    }),
    Node: message({
      input: fields(1, 'string'),
      output: fields(2, 'string'),
      name: field(3, 'string'),
      opType: field(4, 'string'),
      attribute: fields(5, 'Attribute'),
    }),
    Attribute: message({
      name: field(1, 'string'),
      f: field(2, 'float'),
      i: field(3, 'int64'),
      s: field(4, 'bytes'),
      ints: fields(8, 'int64'),
      type: field(20, 'int32'),
    }),
    Tensor: message({
      dims: fields(1, 'int64'),
      dataType: field(2, 'int32'),
      name: field(8, 'string'),
      rawData: field(9, 'bytes'),
    }),
    ValueInfo: message({ name: field(1, 'string'), type: field(2, 'Type') }),
    Type: message({ tensorType: field(1, 'TensorType') }),
    TensorType: message({ elemType: field(1, 'int32'), shape: field(2, 'Shape') }),
    Shape: message({ dim: fields(1, 'Dimension') }),
    Dimension: message({ dimValue: field(1, 'int64'), dimParam: field(2, 'string') }),
  },
});

const FLOAT = 1;
const INT64 = 7;

/** An attribute of a node; integers and floating-point numbers are different types. */
export type Attribute =
  | { readonly float: number }
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly text: string };

function attributeMessage(name: string, attribute: Attribute): object {
  if ('float' in attribute) return { name, type: 1, f: attribute.float };
  if ('int' in attribute) return { name, type: 2, i: attribute.int };
  if ('text' in attribute) return { name, type: 3, s: Buffer.from(attribute.text) };
  return { name, type: 7, ints: attribute.ints };
}

/** An input or an output of a model. */
export interface OnnxPort {
  readonly name: string;
  /** The name of a dimension that is free, its size otherwise. */
  readonly shape: readonly (number | string)[];
  readonly dtype: 'float32' | 'int64';
}

function valueInfo({ name, shape, dtype }: OnnxPort): object {
  const dim = shape.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: size }));
  return { name, type: { tensorType: { elemType: dtype === 'int64' ? INT64 : FLOAT, shape: { dim } } } };
}

/** An ONNX model, built node by node. Names identify values. */
export class OnnxModel {
  readonly #nodes: object[] = [];
  readonly #initializers = new Map<string, object>();

  /** Adds a node; the input '' leaves an optional input out. @returns the names of its results */
  node(
    type: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    results = 1,
  ): string[] {
    // No parameter has a slash in its name.
    const name = `/${type}_${this.#nodes.length}`;
    const output = results === 1 ? [name] : Array.from({ length: results }, (_, index) => `${name}_${index}`);
    this.#nodes.push({
      name,
      opType: type,
      input: inputs,
      output,
      attribute: Object.entries(attributes).map(([key, attribute]) => attributeMessage(key, attribute)),
    });
    return output;
  }

  /** Adds a named tensor to the file, its values in row-major order, once for each name. @returns the name */
  initializer(name: string, values: Float32Array | BigInt64Array, shape: readonly number[]): string {
    this.#initializers.set(name, {
      name,
      dims: shape,
      dataType: values instanceof Float32Array ? FLOAT : INT64,
      rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    });
    return name;
  }

  /** Adds a tensor without a name of its own. @returns its new name */
  constant(values: Float32Array | BigInt64Array, shape: readonly number[]): string {
    return this.initializer(`/constant_${this.#initializers.size}`, values, shape);
  }

  /** Whether the file has a tensor of that name. */
  has(name: string): boolean {
    return this.#initializers.has(name);
  }

  /**
   * The bytes of the file. Each output returns the value named `value` under its own name.
   *
   * @param metadata for `metadata_props`, texts as they are and everything else as JSON
   */
  write(
    inputs: readonly OnnxPort[],
    outputs: readonly (OnnxPort & { readonly value: string })[],
    metadata: ExportMetadata = {},
  ): Uint8Array {
    const last = outputs.map(({ name, value }) => ({
      name,
      opType: 'Identity',
      input: [value],
      output: [name],
    }));
    const model = {
      irVersion: IR_VERSION,
      producerName: 'espalier',
      producerVersion: version,
      opsetImport: [{ domain: '', version: OPSET }],
      graph: {
        name: 'network',
        node: [...this.#nodes, ...last],
        initializer: [...this.#initializers.values()],
        input: inputs.map(valueInfo),
        output: outputs.map(valueInfo),
      },
      metadataProps: Object.entries(metadata).map(([key, value]) => ({
        key,
        value: typeof value === 'string' ? value : JSON.stringify(value),
      })),
    };
    return onnx.lookupType('Model').encode(model).finish();
  }
}
