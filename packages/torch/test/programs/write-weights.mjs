// Writes the initial weights of the small network to the file named by the argument.
import { manualSeed, saveTensors } from '../../dist/index.js';
import { smallNetwork } from './small-network.mjs';

manualSeed(3);
saveTensors(process.argv[2], smallNetwork().stateDict());
