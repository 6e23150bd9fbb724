import { expect, test } from 'vitest';
import { CHECKS } from '../../src/checks/index.ts';
import { scenariosOf, UNSHOWN } from '../../src/litmus/shown.ts';
import { CATALOGUE } from './catalogue.ts';

test('every check has a scenario, or a reason why it has none, and never both', () => {
  const programs = [...CATALOGUE.values()];
  const odd = CHECKS.map(({ id }) => id).filter(
    (id) => scenariosOf(id, programs).length > 0 === UNSHOWN.has(id),
  );
  expect(odd).toEqual([]);
  const ids = CHECKS.map(({ id }) => id);
  expect([...UNSHOWN.keys()].filter((id) => !ids.includes(id))).toEqual([]);
});
