import { Collector } from '../collector.ts';
import { loadCollectorPlan } from '../collector/load-collector-plan.ts';
import { createLog } from '../platform/log.ts';
import { SystemdNotifier } from '../platform/systemd.ts';
import { runUntilSignal, type Service } from './run-until-signal.ts';

/** `taffrail collector`: from the configuration to the end of the process. */
export async function runCollector(file: string): Promise<void> {
  await runUntilSignal(async () => startCollector(file));
}

async function startCollector(file: string): Promise<Service> {
  const plan = await loadCollectorPlan(file);
  const log = createLog(plan.config.log_level);
  const systemd = new SystemdNotifier();
  const collector = await Collector.start(plan, log);
  const summary = (): string => `ready at ${collector.url}`;
  log.info({ listen: collector.url, config: file }, 'collector started');
  systemd.ready(summary());
  systemd.startWatchdog(summary, () => true);
  return {
    stop: async () => {
      systemd.stopping();
      log.info({}, 'collector stops');
      await collector.stop();
    },
    reload: async () => {
      systemd.reloading();
      await collector.reload().catch(() => undefined);
      systemd.ready(summary());
    },
  };
}
