// Loads the addon COUNT times, as so many threads would, and counts the tables of tensors that take a handle of the first one.
import { fileURLToPath } from 'node:url';

const path = fileURLToPath(new URL('../../build/Release/espalier_torch.node', import.meta.url));
const float32 = 6;
let opened = 0;
let accepting = 0;
let first;
let error;
try {
  while (opened < Number(process.argv[2])) {
    const module = { exports: {} };
    process.dlopen(module, path);
    opened++;
    const handle = module.exports.fromBytes(new Uint8Array(4), float32, [1]);
    first ??= handle;
    if (opened > 1 && module.exports.isLive(first)) accepting++;
  }
} catch (caught) {
  error = caught.message;
}
console.log(JSON.stringify({ opened, accepting, error }));
