/** What a long-running command is, for signals. */
export interface Service {
  stop(): Promise<void>;
  reload?(): Promise<void>;
}

/**
 * Starts and runs until SIGTERM or SIGINT, then stops in order; a second signal ends the process at once. SIGHUP
 * reloads; one that comes while it starts is kept until it runs.
 */
export async function runUntilSignal(start: () => Promise<Service>): Promise<void> {
  let service: Service | undefined;
  let isReloadDue = false;
  process.on('SIGHUP', () => {
    if (service === undefined) isReloadDue = true;
    else void service.reload?.();
  });
  service = await start();
  if (isReloadDue) void service.reload?.();
  await new Promise<void>((resolve) => {
    let stopping = false;
    const onStop = (): void => {
      if (stopping) process.exit(130);
      stopping = true;
      resolve();
    };
    process.on('SIGTERM', onStop);
    process.on('SIGINT', onStop);
    // Set by whoever starts us as a part of something: when it goes, however it goes, we go too.
    if (process.env['TAFFRAIL_STOP_WITH_STDIN'] === '1')
      process.stdin.resume().once('end', onStop).once('error', onStop);
  });
  await service.stop();
  process.stdin.pause();
}
