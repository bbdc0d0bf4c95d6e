import type { AgentNames, Claim, Refusal } from './agent-names.ts';
import type { IngestRequest } from './ingest-request.ts';
import { type Speaker, SpeakerSet } from './speaker.ts';

/**
 * Why a request may not speak for those whom its content names. `keep`: what is learnt of a name is kept. Samples teach
 * nothing of a name: an agent that sends nothing else leaves no row that would be forgotten one day.
 */
export function checkSpeakers(
  names: AgentNames,
  request: IngestRequest,
  said: readonly Speaker[],
  keep: boolean,
): Refusal | undefined {
  const { sender, agents, address = 'somebody', receivedMs } = request;
  const claim: Claim = {
    address,
    ...(sender === undefined ? {} : { agent: sender.agent }),
    ...(sender?.proof === undefined ? {} : { proof: sender.proof }),
    ...(agents === undefined ? {} : { agents }),
  };
  const speakers = new SpeakerSet();
  if (sender !== undefined) speakers.add({ ...hostIn(said), agent: sender.agent });
  for (const speaker of said)
    speakers.add(sender === undefined ? speaker : { agent: sender.agent, ...speaker });
  return names.check(claim, speakers.list(), receivedMs, keep);
}

function hostIn(speakers: readonly Speaker[]): Pick<Speaker, 'host'> {
  const host = speakers.find((speaker) => speaker.host !== undefined)?.host;
  return host === undefined ? {} : { host };
}
