import type { PackMultiline } from '../../config/pack-schema.ts';
import type { Continuation } from '../multiline.ts';
import { goTrace } from './go-trace.ts';
import { nodeTrace } from './node-trace.ts';
import { pythonTrace } from './python-trace.ts';
import { rustTrace } from './rust-trace.ts';
import { frames } from './trace.ts';

type Language = NonNullable<PackMultiline['stacktrace']>[number];

/**
 * Of java, JBoss and WildFly name the service that does not start behind the class:
 * `StartException in service jboss.deployment.unit."shop.war".POST_MODULE: …`.
 */
const JAVA =
  /^(?:[ \t]+(?:at |\.\.\. \d+ |- |Suppressed: |Caused by: |\[CIRCULAR REFERENCE)|(?:Caused|Wrapped) by: |[\w.$]+(?:Exception|Error|Throwable)(?: in (?:service (?:[^\s:"]|"[^"]*")+|anonymous service))?(?::|$))/;
const DOTNET =
  /^(?:[ \t]+at |[ \t]*---> |[ \t]*--- End of |[ \t]+Exception data:|[\w.`+]+(?:Exception|Error)(?: \(0x[0-9A-Fa-f]+\))?(?::|$)|\(Inner Exception #\d+\) )/;
const RUBY =
  /^(?:[ \t]+(?:\d+: )?(?:from )?\S+:\d+:in |\S+:\d+:in [`']|Traceback \(most recent call last\):|[ \t]+\.\.\. \d+ levels\.\.\.)/;
const PHP =
  /^(?:Stack trace:|PHP Stack trace:|#\d+ |(?:PHP )?[ \t]+\d+\. |[ \t]+thrown in |Next \S+|\[(?:stacktrace|previous exception)\]|"\} ?$)/;

const LANGUAGES: Readonly<Record<Language, (hasStart: boolean) => Continuation>> = {
  java: () => frames(JAVA),
  python: pythonTrace,
  go: goTrace,
  node: nodeTrace,
  ruby: () => frames(RUBY),
  php: () => frames(PHP),
  dotnet: () => frames(DOTNET),
  rust: rustTrace,
};

/**
 * Decides, with what it saw of the event, which lines belong to the stack trace of a language. `hasStart` says that the
 * pack tells what begins an event.
 */
export function stackTraceContinuation(language: Language, hasStart: boolean): Continuation {
  return LANGUAGES[language](hasStart);
}
