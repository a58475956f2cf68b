import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/adapters/clock.ts';
import type { PhaseOrder } from '../../src/engine/ports.ts';
import { type AgentsBed, agentsContract, type Kind } from '../contracts/agents.ts';
import { type TwinDisk, twinAgents, twinDisk } from '../twins/agents.ts';
import { type Ground, ground, taskOf } from './agents-kit.ts';
import { alive, tempFolder } from './process-kit.ts';

let count = 0;
const named = (kind: Kind): Pick<PhaseOrder, 'ticket' | 'id'> => ({ ticket: ++count, id: `k${kind.padEnd(7, '0')}` });

const COMMANDS: Readonly<Record<Kind, string>> = { fine: 'true', fails: 'echo bad luck; exit 3', hangs: 'sleep 60' };

function realBed(place: Ground, counter: string): AgentsBed {
  return {
    agents: place.agents,
    order: (kind, more) => place.order({ ...named(kind), task: taskOf(`echo begun >> '${counter}'; ${COMMANDS[kind]}`), ...more }),
    begun: () => (existsSync(counter) ? readFileSync(counter, 'utf8').split('\n').length - 1 : 0),
    // A run is a shell and its program.
    running: async () => Math.ceil((await alive(`${place.epoch}.`)).length / 2),
    again: () => realBed(place, counter),
    close: async () => void (await place.agents.sweep()),
  };
}

function twinBed(disk: TwinDisk): AgentsBed {
  const twin = twinAgents({
    clock: systemClock(),
    disk,
    behaviours: {
      fine: {},
      fails: { end: { kind: 'final', reason: 'agent_failed', message: 'exit 3' }, tail: 'bad luck' },
      hangs: { hangs: true },
    },
  });
  return {
    agents: twin,
    order: (kind, more) => ({
      attempt: 1,
      section: 'feature',
      slot: 1,
      step: 'implement',
      workspace: '/workspace',
      start: 'start',
      port: 0,
      agent: 'twin',
      prompt: '',
      readOnly: false,
      limitMs: 20_000,
      ...named(kind),
      task: { ...taskOf(undefined), text: kind },
      ...more,
    }),
    begun: () => disk.begun.length,
    running: async () => twin.running.size,
    again: () => twinBed(disk),
    close: async () => undefined,
  };
}

agentsContract('twin in memory', () => twinBed(twinDisk()));
agentsContract('real processes', () => realBed(ground(), join(tempFolder(), 'begun')));
