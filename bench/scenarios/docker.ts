// docker.ts: what containers cost: the clients scenario on the store as processes and as containers, side by side, the
// points of both interleaved.

import { startComposeStore } from '../store/compose-store.js';
import { clientsPoints, clientsTiming } from './clients.js';
import { measurePoints, pointsSeconds, TARGET_SECONDS } from './measure-points.js';
import type { Scenario } from './scenario.js';
import { storeTarget } from './store-target.js';
import { warmUp, warmUpSeconds } from './warm-up.js';

/** Fewer than the clients scenario has: each is measured twice. */
const CLIENT_COUNTS = [1, 2, 3, 4, 5, 16, 64] as const;
const BUILD_SECONDS = 30;

export const docker: Scenario = {
  plannedSeconds: (options) => {
    const count = (options.clients ?? CLIENT_COUNTS).length;
    return (
      TARGET_SECONDS + BUILD_SECONDS + 2 * warmUpSeconds(options) + pointsSeconds(2 * count, clientsTiming(options))
    );
  },
  run: async (context) => {
    const options = { ...context.options, clients: context.options.clients ?? CLIENT_COUNTS, url: undefined };
    const inContainers = await startComposeStore((text) => context.step(text));
    try {
      const bare = await storeTarget(options);
      try {
        if (inContainers.node !== process.version) {
          context.note(`docker: the containers run Node.js ${inContainers.node}, the bare store ${process.version}.`);
        }
        for (const target of [bare, inContainers]) await warmUp(context, target);
        const ofBare = clientsPoints('docker', bare, options, 'bare');
        const ofContainers = clientsPoints('docker', inContainers, options, 'docker');
        const points = ofBare.flatMap((point, index) => [point, ofContainers[index]!]);
        await measurePoints(context, points, clientsTiming(options), BUILD_SECONDS);
      } finally {
        await bare.stop();
      }
    } finally {
      await inContainers.stop();
    }
  },
};
