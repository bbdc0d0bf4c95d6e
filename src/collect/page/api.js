const banner = () => document.querySelector('.offline');

/** Thrown with the server's own sentence. `status` 0: the server was not reached. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** `data` of an answer of the API. `parameters` may hold lists. */
export async function get(path, parameters = {}, signal) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== undefined && one !== '') query.append(name, one);
  }
  const address = query.size > 0 ? `${path}?${query}` : path;
  return dataOf(await reach(address, { signal, headers: { accept: 'application/json' } }));
}

/** Changes something; `body` goes as JSON. */
export async function send(method, path, body) {
  const init = { method, headers: { accept: 'application/json', 'content-type': 'application/json' } };
  return dataOf(await reach(path, body === undefined ? init : { ...init, body: JSON.stringify(body) }));
}

async function reach(address, init) {
  try {
    const answer = await fetch(address, init);
    showOffline('');
    return answer;
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    showOffline('The collector does not answer. Trying again …');
    throw new ApiError(0, 'the collector does not answer');
  }
}

async function dataOf(answer) {
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok || body.status === 'error')
    throw new ApiError(answer.status, body.error ?? `the collector answered ${answer.status}`);
  return 'data' in body ? body.data : body;
}

/** The same, but undefined where the collector does not have that part of the API. */
export async function getIfThere(path, parameters = {}) {
  try {
    return await get(path, parameters);
  } catch (error) {
    if (error instanceof ApiError && (error.status === 404 || error.status === 405)) return undefined;
    throw error;
  }
}

function showOffline(text) {
  const element = banner();
  element.hidden = text === '';
  if (element.textContent !== text) element.textContent = text;
}
