import { z } from 'zod';
import { LOG_FORMATS } from '../platform/log.ts';

export const logFormat = z
  .enum(LOG_FORMATS)
  .default('auto')
  .describe(
    "`json`: a JSON object on each line. `plain`: lines for people. `auto`: plain on a terminal, else JSON. In systemd's journal each line has its priority.",
  );
