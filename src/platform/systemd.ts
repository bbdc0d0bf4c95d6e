import { spawn } from 'node:child_process';

/**
 * Talks to systemd (sd_notify) through `systemd-notify`, because Node cannot open unix datagram sockets. The
 * helper waits until systemd has taken the message (so no `--no-block`): one that ends at once may be gone before
 * systemd has looked up which unit it belongs to, and its message is then dropped. We do not wait for it. Outside systemd (no NOTIFY_SOCKET) all of it does nothing.
 */
export class SystemdNotifier {
  readonly #enabled = process.env['NOTIFY_SOCKET'] !== undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #sent: Promise<void> = Promise.resolve();

  ready(status: string): void {
    this.#send(['READY=1', `STATUS=${status}`]);
  }

  /** Around a reload: systemd waits for READY=1 after RELOADING=1. */
  reloading(): void {
    this.#send(['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]);
  }

  stopping(): void {
    if (this.#watchdog !== undefined) clearInterval(this.#watchdog);
    this.#send(['STOPPING=1']);
  }

  /** Pets the watchdog at half its time while `alive` says so; a wedged process goes silent and is restarted. */
  startWatchdog(status: () => string, alive: () => boolean): void {
    const usec = Number(process.env['WATCHDOG_USEC'] ?? 0);
    if (!this.#enabled || !(usec > 0)) return;
    this.#watchdog = setInterval(
      () => {
        if (alive()) this.#send(['WATCHDOG=1', `STATUS=${status()}`]);
      },
      Math.max(500, usec / 2000),
    );
    this.#watchdog.unref();
  }

  /** One after the other: READY=1 must not overtake the RELOADING=1 before it. */
  #send(assignments: readonly string[]): void {
    if (!this.#enabled) return;
    this.#sent = this.#sent.then(
      async () =>
        new Promise((resolve) => {
          const child = spawn(
            'systemd-notify',
            assignments.map((text) => text.replaceAll('\n', ' ')),
            { stdio: 'ignore' },
          );
          child.once('exit', () => resolve());
          // Where the program is missing systemd's own timeout will tell; there is nobody else to tell.
          child.once('error', () => resolve());
          child.unref();
        }),
    );
  }
}
