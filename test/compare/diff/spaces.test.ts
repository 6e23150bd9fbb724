import { describe, expect, test } from 'vitest';
import { Layout, Space } from '../../../src/compare/diff/spaces.ts';

const MIB = 256;

describe('areas', () => {
  /** Notes pages, and tells where each lies. */
  function placed(pages: readonly number[]): string[] {
    const layout = new Layout();
    for (const page of pages) layout.note(page);
    return pages.map((page) => {
      const { area, offset } = layout.find(page);
      return `${area}+${offset}`;
    });
  }

  test('are as far apart as the kernel places them, and count from below', () => {
    expect(placed([1000, 1003, 100 * MIB, 100 * MIB + 7])).toEqual(['1+0', '1+3', '2+0', '2+7']);
  });

  test('do not depend on the order in which their pages are seen', () => {
    const pages = [5, 40 * MIB, 12, 9 * MIB, 22 * MIB, 90 * MIB, 91 * MIB];
    const told = placed(pages);
    for (let turn = 1; turn < pages.length; turn++) {
      const turned = [...pages.slice(turn), ...pages.slice(0, turn)];
      const places = placed(turned);
      expect(pages.map((page) => places[turned.indexOf(page)])).toEqual(told);
    }
  });

  test('two that a page between them joins are one', () => {
    expect(placed([0, 30 * MIB, 15 * MIB])).toEqual(['1+0', `1+${30 * MIB}`, `1+${15 * MIB}`]);
  });
});

describe('mappings', () => {
  const region = (ordinal: number, start: number, end: number) => ({ maker: 'wl', ordinal, start, end });
  const at = (space: Space<string>, va: number): string => {
    const { region: found, offset } = space.at(va);
    return found === null ? 'area' : `${found.ordinal}+${offset}`;
  };

  test('a child has those of its parent, and its own do not reach the parent', () => {
    const parent = new Space<string>();
    parent.map(region(1, 0x10000, 0x20000));
    const child = parent.copy();
    child.map(region(2, 0x40000, 0x50000));
    expect([at(child, 0x13abc), at(child, 0x41000), at(parent, 0x41000)]).toEqual(['1+3', '2+1', 'area']);
  });

  test('one that is unmapped, mapped over or moved', () => {
    const space = new Space<string>();
    space.map(region(1, 0x10000, 0x20000));
    space.map(region(2, 0x14000, 0x16000));
    expect([at(space, 0x13000), at(space, 0x15000)]).toEqual(['1+3', '2+1']);
    space.unmap(0x14000, 0x16000);
    expect(at(space, 0x15000)).toBe('1+5');
    space.move(0x10000, 0x80000, 0x10000);
    expect([at(space, 0x13000), at(space, 0x83000)]).toEqual(['area', '1+3']);
  });
});
