// What happens in the runtime, as it happens, instead of listing everything every second: CRI's GetContainerEvents where
// it is served (containerd 1.7 and later, CRI-O); on containerd 1.6 its own events service, which is on the same socket.
//
// containerd publishes a task's exit before its CRI plugin knows of it; the plugin deletes the task and then notes the
// exit. So /tasks/delete is subscribed to, not /tasks/exit, and a reader that still sees the container running must look
// again a moment later. An exec's end has the same topics with the container's id; it costs one look that finds nothing.
// Sources: containerd api/events/task.proto, api/services/events/v1/events.proto.

import { codeOf } from '../base/index.ts';
import type { Channel, Method } from './channel.ts';
import type { RuntimeEvent } from './cri.ts';
import { criError } from './errors.ts';
import * as m from './messages.ts';
import { type Decoded, decode } from './wire.ts';

const getContainerEvents: Method<Decoded<typeof m.Empty>, Decoded<typeof m.ContainerEvent>> = {
  path: '/runtime.v1.RuntimeService/GetContainerEvents',
  request: m.Empty,
  response: m.ContainerEvent,
};
const subscribe: Method<Decoded<typeof m.SubscribeRequest>, Decoded<typeof m.Envelope>> = {
  path: '/containerd.services.events.v1.Events/Subscribe',
  request: m.SubscribeRequest,
  response: m.Envelope,
};

const topics: Readonly<Record<string, RuntimeEvent['type']>> = {
  '/tasks/start': 'started',
  '/tasks/delete': 'stopped',
  '/tasks/oom': 'oom',
};

export async function* runtimeEvents(
  channel: Channel,
  socket: string,
  signal: AbortSignal,
): AsyncGenerator<RuntimeEvent, void> {
  try {
    yield* criEvents(channel, signal);
    return;
  } catch (error) {
    if (signal.aborted) return;
    const problem = criError(error, 'GetContainerEvents', socket);
    if (codeOf(problem) !== 'CRI_UNIMPLEMENTED') throw problem;
  }
  try {
    yield* containerdEvents(channel, signal);
  } catch (error) {
    if (!signal.aborted) throw criError(error, 'events', socket);
  }
}

async function* criEvents(channel: Channel, signal: AbortSignal): AsyncGenerator<RuntimeEvent, void> {
  for await (const event of channel.stream(getContainerEvents, {}, signal)) {
    yield { type: event.containerEventType, id: event.containerId };
  }
}

async function* containerdEvents(channel: Channel, signal: AbortSignal): AsyncGenerator<RuntimeEvent, void> {
  const filters = Object.keys(topics).map((topic) => `namespace==k8s.io,topic=="${topic}"`);
  for await (const { topic, event } of channel.stream(subscribe, { filters }, signal)) {
    const type = topics[topic];
    if (type === undefined || event === undefined) continue;
    yield { type, id: decode(m.TaskEvent, event.value).containerId };
  }
}
