import { describe, onTestFinished } from 'vitest';
import { LocalParameterServer } from '../../src/policy-gradient/local-parameter-server.js';
import { serverConformance } from './conformance.js';

describe('the parameter server of one process', () => {
  serverConformance(async (options) => {
    const server = new LocalParameterServer(options);
    onTestFinished(() => server.free());
    return server;
  });
});
