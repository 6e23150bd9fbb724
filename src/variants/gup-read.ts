import type { AxisValue } from './variant.ts';

/** What get_user_pages for reading does with an anon page that is not exclusive. */
export const GUP_READS: readonly AxisValue[] = [
  {
    id: 'plain',
    era: 'up to 5.7, 5.9 to 5.18',
    source: 'a308c71bf1e6 (which returned to it)',
    table: [{ when: 'FOLL_GET or FOLL_PIN for reading', does: 'take the page as it is mapped' }],
  },
  {
    id: 'force-cow',
    era: '5.8',
    source: '17839856fd58 (CVE-2020-29374)',
    table: [{ when: 'FOLL_GET or FOLL_PIN in a COW mapping', does: 'fault as for writing: break COW first' }],
  },
  {
    id: 'unshare-pin',
    era: '5.19 on',
    source: 'c89357e27f20, a7f226604170',
    table: [
      { when: 'FOLL_PIN for reading, not AnonExclusive', does: 'FAULT_FLAG_UNSHARE: copy, read-only' },
      { when: 'FOLL_GET', does: 'take the page as it is mapped' },
    ],
  },
];
