import { describe, expect, it } from 'vitest';
import { builtInRules } from '../../src/rules/built-in-rules.ts';
import { loadRuleFile } from '../../src/rules/load-rule-file.ts';
import { MINUTE, RuleHarness } from './rule-harness.ts';

describe.each(['agent', 'collector'] as const)('the built-in rules of the %s', (program) => {
  it('load without a problem in an hour of history', () => {
    const { problems, groups } = loadRuleFile(builtInRules(program), {
      file: 'built-in',
      history: { keptMs: 3_600_000, lookbackMs: 300_000 },
    });
    expect(problems).toEqual([]);
    expect(groups.map(({ name }) => name)).toContain(`taffrail-${program}`);
  });

  it("have a dead man's switch that fires from the first evaluation and says where it goes", async () => {
    const harness = new RuleHarness(builtInRules(program));
    expect(await harness.step()).toMatchObject([
      { status: 'firing', labels: { alertname: 'DeadMansSwitch', receiver: 'dead-mans-switch' } },
    ]);
  });
});

async function firing(
  program: 'agent' | 'collector',
  minutes: number,
  samples: (minute: number, nowMs: number) => Record<string, number>,
) {
  const harness = new RuleHarness(builtInRules(program));
  for (let minute = 0; minute < minutes; minute++) await harness.step(samples(minute, harness.nowMs), MINUTE);
  return harness.manager
    .status()
    .flatMap((group) => group.rules)
    .flatMap((rule) => (rule.kind === 'alerting' ? rule.alerts : []))
    .filter((alert) => alert.state === 'firing' && alert.labels['alertname'] !== 'DeadMansSwitch')
    .map(
      ({ labels, annotations }) =>
        `${labels['alertname']}: ${annotations['summary']} ${annotations['description']}`,
    );
}

describe('each built-in alert fires on what it is there for', () => {
  it('a source that wrote and stopped', async () => {
    expect(
      await firing('agent', 2, (_, now) => ({
        'taffrail_source_last_line_timestamp_seconds{source="web"}': now / 1000 - 7200,
        'taffrail_source_last_line_timestamp_seconds{source="never"}': 0,
        'taffrail_source_last_line_timestamp_seconds{source="busy"}': now / 1000 - 5,
      })),
    ).toEqual([expect.stringContaining('SourceSilent: Source web has been silent for 2h 0m 0s.')]);
  });

  it('many unmatched lines', async () => {
    expect(
      await firing('agent', 40, (minute) => ({
        'taffrail_source_lines_total{source="web"}': minute * 100,
        'taffrail_source_unmatched_lines_total{source="web"}': minute * 50,
      })),
    ).toEqual([
      expect.stringContaining('UnmatchedLinesHigh: 50% of the lines of source web match no pattern.'),
    ]);
  });

  it('a buffer that fills', async () => {
    expect(
      await firing('agent', 7, () => ({ taffrail_buffer_bytes: 90, taffrail_buffer_limit_bytes: 100 })),
    ).toEqual([expect.stringContaining('BufferFilling: The buffer is 90% full.')]);
  });

  it('a sink that fails, with the time of its last success', async () => {
    expect(
      await firing('agent', 7, () => ({
        'taffrail_sink_healthy{sink="central"}': 0,
        'taffrail_sink_last_success_timestamp_seconds{sink="central"}': 1_700_000_000,
      })),
    ).toEqual([
      expect.stringMatching(/^SinkFailing: Sink central cannot deliver\..*2023-11-14 22:13:20 \+0000 UTC\.$/),
    ]);
  });

  it('lost lines and folded series', async () => {
    expect(
      await firing('agent', 3, (minute) => ({
        'taffrail_source_lost_lines_total{source="web",reason="truncated"}': minute,
        'taffrail_series_folded_total{source="web",metric="http_requests_total"}': minute,
      })),
    ).toEqual([expect.stringContaining('LinesLost'), expect.stringContaining('CardinalityOverflow')]);
  });

  it('a store that cannot pack', async () => {
    expect(
      await firing('collector', 7, () => ({
        'taffrail_collector_store_upkeep_failing{task="packing"}': 1,
        'taffrail_collector_store_upkeep_failing{task="retention"}': 0,
      })),
    ).toEqual([expect.stringContaining("StoreUpkeepFailing: The packing of the collector's store fails.")]);
  });

  it('an agent that does not report, a ledger that differs, an identity used twice', async () => {
    expect(
      await firing('collector', 7, (minute, now) => ({
        'taffrail_collector_agent_last_seen_timestamp_seconds{agent="a1",host="h1"}': now / 1000 - 600,
        'taffrail_collector_ledger_difference{agent="a1"}': 3,
        taffrail_collector_identity_conflicts_total: minute,
      })),
    ).toEqual([
      expect.stringContaining('AgentNotReporting: Agent a1 on h1 has not reported for 10m 0s.'),
      expect.stringContaining(
        'LedgerDifference: The counts of agent a1 and of the collector differ by 3 lines.',
      ),
      expect.stringContaining('AgentIdentityConflict'),
    ]);
  });

  it('and nothing fires on a healthy agent', async () => {
    expect(
      await firing('agent', 30, (minute, now) => ({
        'taffrail_source_last_line_timestamp_seconds{source="web"}': now / 1000,
        'taffrail_source_lines_total{source="web"}': minute * 100,
        'taffrail_source_unmatched_lines_total{source="web"}': minute,
        'taffrail_source_lost_lines_total{source="web",reason="truncated"}': 0,
        taffrail_buffer_bytes: 10,
        taffrail_buffer_limit_bytes: 100,
        'taffrail_sink_healthy{sink="central"}': 1,
      })),
    ).toEqual([]);
  });
});
