import { cowPlants } from './cow.ts';
import { forkAndCollapsePlants } from './fork.ts';
import { pagePlants } from './pages.ts';
import type { PlantKind } from './plant.ts';
import { swapPlants } from './swap.ts';

/** Every kind of divergence that can be planted. Adding one: its story in a file of this folder, listed there. */
export const PLANTS: readonly PlantKind[] = [
  ...cowPlants,
  ...forkAndCollapsePlants,
  ...swapPlants,
  ...pagePlants,
];
