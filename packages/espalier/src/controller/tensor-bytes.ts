import type { Tensor } from '@espalier/torch';
import { z } from 'zod';
import type { HostTensor } from '../host-tensor.js';
import { fromHost, toHost } from './host-tensors.js';

const header = z.array(
  z.strictObject({
    name: z.string(),
    dtype: z.enum(['float32', 'float64', 'int64', 'uint8']),
    shape: z.array(z.int().min(0)),
    bytes: z.int().min(0),
  }),
);

/** Tensors by name as bytes: the length of a header, the header as JSON, and the values in C order. Little-endian. */
export function toBytes(tensors: ReadonlyMap<string, Tensor>): Buffer {
  const host = toHost(tensors, '');
  const described = host.map(([name, { dtype, shape, data }]) => ({
    name,
    dtype,
    shape,
    bytes: data.length,
  }));
  const text = Buffer.from(JSON.stringify(described));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text, ...host.map(([, { data }]) => data)]);
}

/** @throws Error for bytes that are not those of tensors */
export function fromBytes(bytes: Buffer): Map<string, Tensor> {
  const length = bytes.readUInt32LE(0);
  const described = header.parse(JSON.parse(bytes.toString('utf8', 4, 4 + length)));
  let at = 4 + length;
  const host = new Map<string, HostTensor>();
  for (const { name, bytes: size, ...tensor } of described) {
    host.set(name, { ...tensor, data: Uint8Array.from(bytes.subarray(at, at + size)) });
    at += size;
  }
  if (at !== bytes.length) throw new Error(`tensors of ${at} bytes stand in ${bytes.length} bytes`);
  return fromHost(host, '');
}
