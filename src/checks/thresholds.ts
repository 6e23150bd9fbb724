/**
 * Faults of one task on one address with one PTE before they count as no progress. A fault that waits (for a page
 * lock, for userfaultfd, for a swap-in of another task) is tried again a few times; what is retried this often spins.
 */
export const FAULTS_WITHOUT_PROGRESS = 64;
