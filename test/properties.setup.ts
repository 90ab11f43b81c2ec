import fc from 'fast-check';

// The same random cases in every run, so a failure on one machine occurs on all. `npm run test:long` draws new ones.
fc.configureGlobal({ seed: 20_261_124 });
