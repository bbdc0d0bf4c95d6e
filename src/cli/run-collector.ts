import { resolve } from 'node:path';
import { enableLinearFallback } from '../parse/pattern/linear.ts';
import { Collector } from '../collector.ts';
import { loadCollectorPlan } from '../collector/load-collector-plan.ts';
import { createLog } from '../platform/log.ts';
import { SystemdNotifier } from '../platform/systemd.ts';
import { loadAs } from './load-as.ts';
import { openControlSocket } from './control-socket.ts';
import { runUntilSignal, type Service } from './run-until-signal.ts';

/** `taffrail collector`: from the configuration to the end of the process. */
export async function runCollector(file: string): Promise<void> {
  // Patterns come from queries: none may take the process longer than it must.
  enableLinearFallback();
  await runUntilSignal(async () => startCollector(file));
}

async function startCollector(file: string): Promise<Service> {
  const plan = await loadAs('collector', file, loadCollectorPlan);
  const log = createLog(plan.config.log_level, plan.config.log_format);
  const systemd = new SystemdNotifier();
  const collector = await Collector.start(plan, log);
  const summary = (): string => {
    const problems = collector.problems();
    return problems.length === 0 ? `ready at ${collector.url}` : problems.join('; ');
  };
  const control = await openControlSocket({
    program: 'collector',
    config: resolve(file),
    reload: async () => collector.reload(),
    log,
  });
  log.info({ listen: collector.url, config: file }, 'collector started');
  systemd.ready(summary());
  systemd.startWatchdog(summary, () => collector.isAlive);
  return {
    stop: async () => {
      systemd.stopping();
      log.info({}, 'collector stops');
      const closed = control?.close(1000);
      await collector.stop();
      await closed;
    },
    reload: async () => {
      systemd.reloading();
      await collector.reload().catch(() => undefined);
      systemd.ready(summary());
    },
  };
}
