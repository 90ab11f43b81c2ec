import { amoebanetA } from './amoebanet-a.js';
import { ashaCnn } from './asha-cnn.js';
import { autoDeepLabL } from './auto-deeplab-l.js';
import { autoDeepLabM } from './auto-deeplab-m.js';
import { autoDeepLabS } from './auto-deeplab-s.js';
import { dartsV1 } from './darts-v1.js';
import { dartsV1Rnn } from './darts-v1-rnn.js';
import { dartsV2 } from './darts-v2.js';
import { dartsV2Rnn } from './darts-v2-rnn.js';
import { enasRnn } from './enas-rnn.js';
import { nasnetA } from './nasnet-a.js';
import { nasnetALarge } from './nasnet-a-large.js';
import { nasnetAMobile } from './nasnet-a-mobile.js';
import type { PublishedArchitecture } from './published-architecture.js';

/** Published architectures, by the name used on the command line. */
export const hub: ReadonlyMap<string, PublishedArchitecture> = new Map(
  [
    amoebanetA,
    ashaCnn,
    autoDeepLabL,
    autoDeepLabM,
    autoDeepLabS,
    dartsV1,
    dartsV1Rnn,
    dartsV2,
    dartsV2Rnn,
    enasRnn,
    nasnetA,
    nasnetALarge,
    nasnetAMobile,
  ].map((entry) => [entry.name, entry]),
);
