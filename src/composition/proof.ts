/** Whether a task is done as git tells it, for whoever only looks. */
import { openProver } from '../adapters/proof.ts';
import { openSections } from '../adapters/sections.ts';
import type { Place } from './place.ts';
import { withGit } from './with-git.ts';

export const proofOf = (place: Place, section: string, id: string, hash: string | undefined) =>
  withGit(place, (git) => openProver(git, openSections({ git, branchPrefix: place.config.branchPrefix, base: place.config.base })).proof(section, id, hash));
