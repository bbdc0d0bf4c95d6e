import type { TemplateValue } from './template-value.ts';

/** The tree of a template. `at` is an offset in its text. */
export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipe: Pipe }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly pipe: Pipe;
      readonly body: TemplateBody;
      readonly otherwise: TemplateBody;
    }
  | { readonly kind: 'template'; readonly name: string; readonly pipe: Pipe | undefined; readonly at: number }
  | { readonly kind: 'break' | 'continue' };

export type TemplateBody = readonly TemplateNode[];

/** `$a, $b := command | command`. */
export interface Pipe {
  readonly variables: readonly string[];
  /** `=` instead of `:=`. */
  readonly assigns: boolean;
  readonly commands: readonly Command[];
  readonly at: number;
}

export interface Command {
  readonly operands: readonly [Operand, ...Operand[]];
  readonly at: number;
}

export type Operand =
  | { readonly kind: 'dot' | 'nil'; readonly at: number }
  | { readonly kind: 'constant'; readonly value: TemplateValue; readonly at: number }
  | { readonly kind: 'field'; readonly fields: readonly string[]; readonly at: number }
  | {
      readonly kind: 'variable';
      readonly name: string;
      readonly fields: readonly string[];
      readonly at: number;
    }
  | { readonly kind: 'function'; readonly name: string; readonly at: number }
  | { readonly kind: 'pipe'; readonly pipe: Pipe; readonly fields: readonly string[]; readonly at: number };

/** A parsed template with those that it defines. */
export interface Template {
  readonly name: string;
  readonly text: string;
  readonly body: TemplateBody;
  readonly defined: ReadonlyMap<string, TemplateBody>;
}
