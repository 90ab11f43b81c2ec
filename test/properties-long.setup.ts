import fc from 'fast-check';

// New random cases in every run, and ten times as many unless a test sets their number.
fc.configureGlobal({ numRuns: 1000 });
