import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** All that tests write stands in one folder, which is gone when the last of them has ended. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'fl-'));
  Object.assign(process.env, { TMPDIR: folder });
  return () => rmSync(folder, { recursive: true, force: true });
}
