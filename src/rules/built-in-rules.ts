/** Which program the rules watch. */
export type BuiltInRulesFor = 'agent' | 'collector';

/** How messages and the API name the file. */
export const BUILT_IN_RULES_FILE = 'built-in';

const AGENT_RULES = `groups:
  - name: taffrail-agent
    interval: 30s
    rules:
      - alert: SourceSilent
        # A source that wrote before and then stopped. Write a rule of your own for sources that are quiet by nature.
        expr: time() - taffrail_source_last_line_timestamp_seconds > 3600 and taffrail_source_last_line_timestamp_seconds > 0
        labels: {severity: warning}
        annotations:
          summary: 'Source {{ $labels.source }} has been silent for {{ $value | humanizeDuration }}.'
          description: 'It wrote lines before and stopped. Is the service running, and does it still log to the configured paths?'
      - alert: UnmatchedLinesHigh
        expr: |
          sum by (source) (increase(taffrail_source_unmatched_lines_total[15m]))
            / (sum by (source) (increase(taffrail_source_lines_total[15m])) > 20) > 0.2
        for: 15m
        labels: {severity: warning}
        annotations:
          summary: '{{ $value | humanizePercentage }} of the lines of source {{ $labels.source }} match no pattern.'
          description: 'The format may have changed. "taffrail status" shows one of the lines; "taffrail detect" proposes a pack.'
      - alert: BufferFilling
        expr: taffrail_buffer_bytes / taffrail_buffer_limit_bytes > 0.8 and taffrail_buffer_limit_bytes > 0
        for: 5m
        labels: {severity: warning}
        annotations:
          summary: 'The buffer is {{ $value | humanizePercentage }} full.'
          description: 'A sink does not keep up or cannot be reached. When the buffer is full, its policy when_full applies.'
      - alert: SinkFailing
        expr: taffrail_sink_healthy == 0
        for: 5m
        labels: {severity: critical}
        annotations:
          summary: 'Sink {{ $labels.sink }} cannot deliver.'
          description: 'Nothing is lost while the buffer has room. {{ with printf "taffrail_sink_last_success_timestamp_seconds{sink=%q} > 0" $labels.sink | query }}Its last success was at {{ . | first | value | humanizeTimestamp }}.{{ end }}'
      - alert: LinesLost
        expr: sum by (source, reason) (increase(taffrail_source_lost_lines_total[10m])) > 0
        labels: {severity: critical}
        annotations:
          summary: 'Lines of source {{ $labels.source }} were lost: {{ $labels.reason }}.'
          description: 'About {{ $value | humanize }} lines in the last 10 minutes. The ledger in "taffrail status" has the exact count.'
      - alert: CardinalityOverflow
        expr: sum by (source, metric) (increase(taffrail_series_folded_total[15m])) > 0
        labels: {severity: warning}
        annotations:
          summary: 'Metric {{ $labels.metric }} of source {{ $labels.source }} has too many series.'
          description: 'Further series are folded into one with the label value "other". "taffrail status" names the label that explodes.'
  - name: taffrail-dead-mans-switch
    interval: 30s
    rules:
      - alert: DeadMansSwitch
        # Fires always. Route it to a service that raises an alarm when it stops hearing of it.
        expr: vector(1)
        labels: {severity: none, receiver: dead-mans-switch}
        annotations:
          summary: 'Alerting works.'
          description: 'This alert always fires. If it stops, the agent, its host or its network is gone.'
`;

const COLLECTOR_RULES = `groups:
  - name: taffrail-collector
    interval: 30s
    rules:
      - alert: AgentNotReporting
        expr: time() - taffrail_collector_agent_last_seen_timestamp_seconds > 300
        labels: {severity: critical}
        annotations:
          summary: 'Agent {{ $labels.agent }} on {{ $labels.host }} has not reported for {{ $value | humanizeDuration }}.'
          description: 'The host, its agent or the network between is down. What the agent reads meanwhile is kept in its buffer.'
      - alert: LedgerDifference
        expr: taffrail_collector_ledger_difference != 0
        for: 5m
        labels: {severity: critical}
        annotations:
          summary: 'The counts of agent {{ $labels.agent }} and of the collector differ by {{ $value | humanize }} lines.'
          description: 'The agent counts more lines as delivered than the collector has stored, or fewer. The fleet page shows both.'
      - alert: AgentIdentityConflict
        expr: increase(taffrail_collector_identity_conflicts_total[15m]) > 0
        labels: {severity: critical}
        annotations:
          summary: 'Two agents report with one identity.'
          description: 'A state directory was copied, for instance with a cloned machine. Remove the state directory on one of them.'
      - alert: StoreUpkeepFailing
        expr: taffrail_collector_store_upkeep_failing == 1
        for: 5m
        labels: {severity: critical}
        annotations:
          summary: 'The {{ $labels.task }} of the collector''s store fails.'
          description: 'The store takes records and samples all the same, but grows until its disk is full. The log of the collector has the reason.'
  - name: taffrail-dead-mans-switch
    interval: 30s
    rules:
      - alert: DeadMansSwitch
        expr: vector(1)
        labels: {severity: none, receiver: dead-mans-switch}
        annotations:
          summary: 'Alerting works.'
          description: 'This alert always fires. If it stops, the collector, its host or its network is gone.'
`;

/** The rules that are on by default, as a Prometheus rule file that a user can copy and change. */
export function builtInRules(program: BuiltInRulesFor): string {
  return program === 'agent' ? AGENT_RULES : COLLECTOR_RULES;
}
