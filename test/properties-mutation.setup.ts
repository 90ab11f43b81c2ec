import fc from 'fast-check';

// A failure is all that counts: nobody reads the smallest counterexample.
fc.configureGlobal({ ...fc.readConfigureGlobal(), endOnFailure: true });
