// One of several processes that compute together. Arguments: the file where they meet, its rank, how many they are. Prints what
// it came to as JSON.
import {
  backward,
  fromTypedArray,
  fused,
  Meeting,
  manualSeed,
  nn,
  PeerLost,
  randn,
  tensor,
} from '../../dist/index.js';

const [, , file, rank, size] = process.argv;
const own = Number(rank);
const meeting = Meeting.at({ file }, 60);
const group = meeting.join(own, Number(size), '127.0.0.1');

const floats = tensor([
  [own, 1],
  [2, 3],
]);
const numbers = fromTypedArray(BigInt64Array.of(BigInt(own + 1), 5n), [2]);
const parameter = tensor([1, 2]);
parameter.requiresGrad = true;
group.allReduce([floats, numbers, parameter]);
const given = tensor([own, own + 1]);
group.broadcast([given], 1);
const text = group.broadcastText(own === 0 ? 'état 0' : '');
group.barrier();

class Network extends nn.Module {
  convolution = new nn.Conv2d(2, 4, 3, { padding: 1 });
  first = new nn.BatchNorm2d(4);
  second = new nn.BatchNorm1d(4);
  classifier = new nn.Linear(4, 3);

  forward(images) {
    const values = this.first.forward(this.convolution.forward(images)).relu();
    return this.classifier.forward(this.second.forward(values.mean([2, 3])));
  }
}

/** A small network with its gradients and running statistics, after a part of five images. */
function trained(within, images, labels, together = (step) => step()) {
  manualSeed(3);
  const network = new Network().to({ memoryFormat: 'channels_last' });
  network.train();
  together(() => {
    const loss = within(() => network.forward(images).crossEntropyLoss(labels));
    backward(loss.mul(images.shape[0] / 5));
  });
  return { network, gradients: network.parameters().map(({ grad }) => grad) };
}

manualSeed(2);
const images = randn([5, 2, 4, 4]).contiguous({ memoryFormat: 'channels_last' });
const labels = fromTypedArray(BigInt64Array.of(0n, 1n, 2n, 1n, 0n), [5]);
const [from, count] = own === 0 ? [0, 3] : [3, 2];
const part = [images.narrow(0, from, count), labels.narrow(0, from, count)];

const results = {};
for (const [name, within] of [
  ['kernels', (body) => body()],
  ['aten', (body) => fused.withoutKernels(body)],
]) {
  const together = trained(within, ...part, (step) => group.withWholeBatches(step));
  group.allReduce(together.gradients);
  const alone = trained(within, images, labels);
  const state = together.network.stateDict();
  const differences = [
    ...together.gradients.map((tensor, place) => tensor.sub(alone.gradients[place])),
    ...[...alone.network.stateDict()].map(([key, tensor]) => tensor.sub(state.get(key))),
  ];
  results[name] = Math.max(...differences.map((tensor) => Math.max(...tensor.abs().toNumbers())));
}

let lost = '';
if (own === 1) process.exitCode = 0;
else {
  // The other one has ended.
  try {
    for (let i = 0; i < 3; i++) group.barrier();
  } catch (error) {
    lost = error instanceof PeerLost ? 'PeerLost' : String(error);
  }
}
console.log(
  JSON.stringify({
    collectives: group.collectives,
    floats: floats.toNumbers(),
    numbers: numbers.toNumbers(),
    parameter: parameter.toNumbers(),
    given: given.toNumbers(),
    text,
    results,
    lost,
  }),
);
meeting.leave();
