import { resolve } from 'node:path';
import { Agent } from '../agent.ts';
import { ConfigWatch } from '../agent/config-watch.ts';
import { loadAgentPlan } from '../agent/load-plan.ts';
import { enableLinearFallback } from '../parse/pattern/linear.ts';
import { createLog, type Log } from '../platform/log.ts';
import { SystemdNotifier } from '../platform/systemd.ts';
import { loadAs } from './load-as.ts';
import { openControlSocket } from './control-socket.ts';
import { runUntilSignal, type Service } from './run-until-signal.ts';

/** `taffrail agent`: from the configuration to the end of the process. */
export async function runAgent(file: string): Promise<void> {
  enableLinearFallback();
  await runUntilSignal(async () => startAgent(file));
}

async function startAgent(file: string): Promise<Service> {
  const plan = await loadAs('agent', file, loadAgentPlan);
  const log = createLog(plan.config.log_level, plan.config.log_format);
  const systemd = new SystemdNotifier();
  const agent = await Agent.start(plan, log);
  const summary = (): string => {
    const status = agent.status();
    const lines = status.sources.reduce((sum, source) => sum + source.ledger.read, 0);
    return `${status.ready ? 'ready' : status.problems.join('; ')}; ${status.sources.length} sources, ${lines} lines`;
  };
  const control = await openControlSocket({
    program: 'agent',
    config: resolve(file),
    reload: async () => agent.reload(),
    log,
  });
  log.info({ listen: agent.url, config: file }, 'agent started');
  systemd.ready(summary());
  systemd.startWatchdog(summary, () => agent.isAlive);
  const reload = async (): Promise<void> => {
    systemd.reloading();
    // The refusal is logged and shown in /status; the process goes on as it was.
    await agent.reload().catch(() => undefined);
    systemd.ready(summary());
  };
  let watch = watchFor(agent, file, reload, log);
  agent.onReload(() => {
    const before = watch;
    watch = watchFor(agent, file, reload, log);
    void before?.close();
  });
  return {
    stop: async () => {
      systemd.stopping();
      log.info({}, 'agent stops');
      const closed = control?.close(1000);
      await agent.stop();
      await closed;
      // Not before: a reload that was under way has made a new one.
      await watch?.close();
    },
    reload,
  };
}

/** Of the configuration now in force: folders of packs and rules may have come or gone with it. */
function watchFor(
  agent: Agent,
  file: string,
  reload: () => Promise<void>,
  log: Log,
): ConfigWatch | undefined {
  const { hot_reload, parsers, rules } = agent.config;
  if (!hot_reload) return undefined;
  return new ConfigWatch({
    file: resolve(file),
    packFolders: parsers,
    ruleGlobs: rules,
    onChange: () => void reload(),
    log,
  });
}
