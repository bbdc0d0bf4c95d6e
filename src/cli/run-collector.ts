import { Collector } from '../collector.ts';
import { loadCollectorPlan } from '../collector/load-collector-plan.ts';
import { createLog } from '../platform/log.ts';
import { SystemdNotifier } from '../platform/systemd.ts';
import { runUntilSignal } from './run-until-signal.ts';

/** `taffrail collector`: from the configuration to the end of the process. */
export async function runCollector(file: string): Promise<void> {
  const plan = await loadCollectorPlan(file);
  const log = createLog(plan.config.log_level);
  const systemd = new SystemdNotifier();
  const collector = await Collector.start(plan, log);
  log.info({ listen: collector.url, config: file }, 'collector started');
  systemd.ready(`ready at ${collector.url}`);
  systemd.startWatchdog(
    () => `ready at ${collector.url}`,
    () => true,
  );
  await runUntilSignal({
    stop: async () => {
      systemd.stopping();
      log.info({}, 'collector stops');
      await collector.stop();
    },
    reload: async () => {
      systemd.reloading();
      await collector.reload().catch(() => undefined);
      systemd.ready(`ready at ${collector.url}`);
    },
  });
}
