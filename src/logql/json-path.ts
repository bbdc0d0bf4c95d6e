/** A step of a path into JSON: a key or a place in a list. */
export type PathStep = string | number;

const FIELD = /[\p{L}_$][\p{L}\p{N}_$-]*/uy;
const INDEX = /\[\s*(\d+)\s*\]/y;
const QUOTED = /\[\s*"((?:[^"\\]|\\.)*)"\s*\]/y;

/** Reads `queue.name`, `tags[0]` or `["a.b"].c`. Throws an Error that says where it stops making sense. */
export function parseJsonPath(path: string): readonly PathStep[] {
  const steps: PathStep[] = [];
  let at = 0;
  const match = (form: RegExp): RegExpExecArray | null => {
    form.lastIndex = at;
    const found = form.exec(path);
    if (found !== null) at += found[0].length;
    return found;
  };
  while (at < path.length) {
    const index = match(INDEX);
    if (index !== null) {
      steps.push(Number(index[1]));
      continue;
    }
    const quoted = match(QUOTED);
    if (quoted !== null) {
      steps.push(quoted[1]!.replaceAll(/\\(.)/g, '$1'));
      continue;
    }
    if (steps.length > 0) {
      if (path[at] !== '.') break;
      at++;
    }
    const field = match(FIELD);
    if (field === null) break;
    steps.push(field[0]);
  }
  if (at < path.length || steps.length === 0) {
    throw new Error(`json: ${JSON.stringify(path)} is not a path; expected queue.name, tags[0] or ["a key"]`);
  }
  return steps;
}
