import fc from 'fast-check';

// New random cases each time, ten times as many where a test does not say how many.
fc.configureGlobal({ numRuns: 1000 });
