import type { PackStep } from '../../config/pack-schema.ts';
import { SafeRegex, compileSafeRegex } from '../pattern/safe-regex.ts';
import type { Reading } from '../pattern/safe-regex.ts';

export type MaskStep = Extract<PackStep, { mask: unknown }>['mask'];
export type Mask = (text: string) => string;

type MaskKind = NonNullable<MaskStep['what']>[number];

interface Kind {
  /** Group 1, where there is one, is kept: the key before a secret. Every expression is one that V8 can run in linear time. */
  readonly regex: RegExp;
  /** A text that this does not find cannot hold it: most are passed over by one search. */
  readonly hint?: RegExp;
  readonly accept?: (text: string) => boolean;
}

const KINDS: Readonly<Record<MaskKind, Kind>> = {
  email: { regex: /[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+/g, hint: /@/ },
  card: { regex: /\b\d(?:[ -]?\d){12}(?:[ -]?\d){0,6}\b/g, hint: /\d\d\d/, accept: passesLuhn },
  token: {
    regex:
      /(\b(?:[Aa]pi[_-]?[Kk]ey|API[_-]?KEY|[Aa]ccess[_-]?[Kk]ey|[Tt]oken|TOKEN|[Ss]ecret|SECRET|[Pp]assw(?:or)?d|PASSWORD|[Pp]wd)["']?\s?[=:]\s?["']?)[^\s"'&,;]{4,}|\b(?:Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{8,}|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?|\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk_live_|sk-|AKIA|ASIA)[A-Za-z0-9_-]{12,}/g,
  },
  ip: {
    regex:
      /\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b|\b[0-9A-Fa-f]+:[0-9A-Fa-f:]*:[0-9A-Fa-f]+\b|::1\b/g,
    hint: /[.:]/,
    // Times of day have two colons and no double one.
    accept: (text) => text.includes('.') || text.includes('::') || text.split(':').length > 4,
  },
  phone: { regex: /\+\d{1,3}[ -]?\(?\d{1,4}\)?(?:[ -]?\d{2,4}){2,4}\b/g, hint: /\+/ },
};

export function compileMask({ what, pattern, with: mask }: MaskStep, reading: Reading): Mask {
  const kinds = (what ?? []).map((kind) => {
    const { regex, hint, accept } = KINDS[kind];
    return { regex: new SafeRegex(regex.source, regex.flags), hint, accept };
  });
  const own = pattern === undefined ? undefined : compileSafeRegex(pattern, reading, 'mask');
  return (text) => {
    let masked = text;
    for (const { regex, hint, accept } of kinds) {
      if (hint?.test(masked) === false) continue;
      masked = regex.replace(masked, (found, key) =>
        accept?.(found) === false ? found : (typeof key === 'string' ? key : '') + mask,
      );
    }
    return own === undefined ? masked : own.replace(masked, () => mask);
  };
}

/** The check digit of card numbers: long numbers that fail it are something else. */
function passesLuhn(text: string): boolean {
  let sum = 0;
  let double = false;
  for (let i = text.length - 1; i >= 0; i--) {
    let digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) continue;
    if (double) digit = digit > 4 ? digit * 2 - 9 : digit * 2;
    sum += digit;
    double = !double;
  }
  return sum % 10 === 0;
}
