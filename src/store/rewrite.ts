import { InputError } from '../core/errors.ts';
import { encodePlain, type Plain } from '../core/image.ts';
import type { MmState } from '../state/state.ts';
import { squeezeText } from './compress.ts';
import { openToWrite, settle } from './database.ts';
import { guarded } from './errors.ts';
import { CaseReader } from './reader.ts';
import { snapshotDue, versionText } from './snapshots.ts';

/**
 * Makes the snapshots of a case anew: another version of the program wrote those that are there. Where the case cannot
 * be written they are done without, and every seek folds from the beginning.
 */
export function rewriteSnapshots(path: string, fresh: () => MmState): void {
  const reader = new CaseReader(path);
  const made: Array<readonly [seq: number, image: Uint8Array]> = [];
  const state = fresh();
  const { complete } = reader.head;
  try {
    let last = 0;
    for (const batch of reader.segments()) {
      state.applyAll(batch);
      if (!snapshotDue(state, last)) continue;
      last = state.seq;
      made.push([last, squeezeText(encodePlain(state.image() as unknown as Plain))]);
    }
  } finally {
    reader.close();
  }
  try {
    const db = openToWrite(path);
    try {
      guarded(path, () =>
        db.transaction(() => {
          db.exec('delete from snapshot');
          const insert = db.prepare('insert into snapshot (seq, versions, image) values (?, ?, ?)');
          for (const [seq, image] of made) insert.run(seq, versionText(state), image);
        })(),
      );
      if (complete) settle(path, db);
    } finally {
      db.close();
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
}
