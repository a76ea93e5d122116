// Starts the controllers that are asked for, on one set of informers and one view.

import { type Clock, CodedError, type Logger, systemClock } from '../base/index.ts';
import { type ApiClient, createEventRecorder, type InformerFactory } from '../client/index.ts';
import type { Controller } from './controller.ts';
import { followDefinitions } from './custom-kinds.ts';
import { type ControllerOptions, defaultControllerOptions } from './options.ts';
import { createRunner, type EventSink } from './runner.ts';
import { controllers } from './table.ts';
import { createView } from './view.ts';

export interface ControllersDeps {
  readonly client: ApiClient;
  /** Shared with the rest of the process; started here, which is harmless if it runs already. */
  readonly informers: InformerFactory;
  /** Where a component's events go; the default writes them to the cluster, under the controller's name. */
  readonly recorder?: (component: string) => EventSink;
  /** `names`: `all`, or names of the controllers table. What is absent has upstream's default. */
  readonly options: Partial<ControllerOptions> & { readonly names: 'all' | readonly string[] };
  readonly logger: Logger;
  readonly clock?: Clock;
}

export interface RunningControllers {
  readonly names: readonly string[];
  /** Resolves after `signal` aborted and the last key in hand is finished. */
  readonly stopped: Promise<void>;
}

/**
 * Resolves once every cache is filled and the controllers work, until `signal` aborts.
 * @throws CodedError UNKNOWN_CONTROLLER for a name that the table does not have.
 */
export async function startControllers(deps: ControllersDeps, signal: AbortSignal): Promise<RunningControllers> {
  const { client, informers, logger, clock = systemClock } = deps;
  const { recorder = (component) => createEventRecorder(client, component, { logger, clock }) } = deps;
  const { names, ...given } = deps.options;
  const options: ControllerOptions = { ...defaultControllerOptions, ...given };
  const chosen = choose(names);
  const view = createView(informers, clock.now);
  const runners = chosen.map((controller) =>
    createRunner(controller, { client, view, recorder: recorder(controller.name), options, logger, clock }),
  );
  if (chosen.some(({ ofCustomKind }) => ofCustomKind !== undefined)) followDefinitions(informers, view);
  await informers.start(signal);
  const stopped = Promise.all(runners.map((runner) => runner.run(signal))).then(() => undefined);
  logger.info('controllers work', { controllers: chosen.map(({ name }) => name) });
  return { names: chosen.map(({ name }) => name), stopped };
}

function choose(names: 'all' | readonly string[]): readonly Controller[] {
  const table: readonly Controller[] = controllers;
  if (names === 'all') return table;
  return names.map((name) => {
    const found = table.find((controller) => controller.name === name);
    if (found !== undefined) return found;
    throw new CodedError('UNKNOWN_CONTROLLER', `there is no controller "${name}"`, {
      exit: 'invalidInput',
      hint: `the controllers are: ${table.map((controller) => controller.name).join(', ')}`,
    });
  });
}
