import type { PackMultiline } from '../config/pack-schema.ts';
import { SafeRegex } from './pattern/safe-regex.ts';
import type { Continuation } from './multiline.ts';

type Language = NonNullable<PackMultiline['stacktrace']>[number];

/**
 * What the lines of a stack trace look like after its first line, by language. Of java, JBoss and WildFly name the service
 * that does not start behind the class: `StartException in service jboss.deployment.unit."shop.war".POST_MODULE: …`.
 */
const FRAMES: Readonly<Record<Language, RegExp>> = {
  java: /^(?:[ \t]+(?:at |\.\.\. \d+ |- |Suppressed: |Caused by: )|(?:Caused|Wrapped) by: |[\w.$]+(?:Exception|Error|Throwable)(?: in (?:service (?:[^\s:"]|"[^"]*")+|anonymous service))?(?::|$))/,
  python:
    /^(?:Traceback \(most recent call last\):|[ \t]+\S|During handling of the above exception|The above exception was)/,
  go: /^(?:panic: |\[signal |goroutine \d+ \[|[\w./*()$-]+\(.*\)$|created by |[ \t]+\/?\S+:\d+|exit status \d+|runtime: )/,
  node: /^(?:[ \t]+at |[ \t]+\[cause\]|[ \t]*(?:code|errno|syscall|path|address|port): |[ \t]*\}$|[A-Z]\w*Error(?: \[\w+\])?:|[ \t]*\^+$)/,
  ruby: /^(?:[ \t]+(?:from )?\S+:\d+:in |\S+:\d+:in [`'])/,
  php: /^(?:Stack trace:|PHP Stack trace:|#\d+ |(?:PHP )?[ \t]+\d+\. |[ \t]+thrown in |Next \S+)/,
};

/** Empty lines inside traces of these belong to them. */
const BLANKS: ReadonlySet<Language> = new Set(['python', 'go']);

export function stackTraceContinuation(language: Language): Continuation {
  const frame = new SafeRegex(FRAMES[language].source, '');
  /** Lines of a trace have been seen in this event. */
  let inside = false;
  /** The last line was an indented one of a Python trace: the exception itself comes next, not indented. */
  let indented = false;
  return {
    begin(first) {
      inside = frame.test(first) && !/^[ \t]/.test(first);
      indented = false;
    },
    continues(line) {
      if (frame.test(line)) {
        inside = true;
        indented = /^[ \t]/.test(line);
        return true;
      }
      if (inside && line === '' && BLANKS.has(language)) return true;
      const exception = language === 'python' && inside && indented && /^[A-Za-z_][\w.]*(?::|$)/.test(line);
      indented = false;
      return exception;
    },
  };
}
