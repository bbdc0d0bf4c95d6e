import { expect, test } from 'vitest';
import { webhookPayload } from '../../src/hooks/webhook-payload.ts';
import { TWO } from './receivers/receiver-harness.ts';

const GOLDEN = `{
  "receiver": "pager",
  "status": "firing",
  "alerts": [
    {
      "status": "firing",
      "labels": {
        "alertname": "Slow",
        "instance": "a",
        "service": "shop"
      },
      "annotations": {
        "summary": "too <slow>"
      },
      "startsAt": "2030-01-31T15:00:00Z",
      "endsAt": "0001-01-01T00:00:00Z",
      "generatorURL": "http://taffrail.example/graph",
      "fingerprint": "FP0"
    },
    {
      "status": "resolved",
      "labels": {
        "alertname": "Slow",
        "instance": "b",
        "service": "shop"
      },
      "annotations": {
        "summary": "too <slow>"
      },
      "startsAt": "2030-01-31T15:00:00Z",
      "endsAt": "2030-01-31T15:01:01.5Z",
      "generatorURL": "http://taffrail.example/graph",
      "fingerprint": "FP1"
    }
  ],
  "groupLabels": {
    "alertname": "Slow"
  },
  "commonLabels": {
    "alertname": "Slow",
    "service": "shop"
  },
  "commonAnnotations": {
    "summary": "too <slow>"
  },
  "externalURL": "http://taffrail.example",
  "version": "4",
  "groupKey": "{}:{alertname=\\"Slow\\"}",
  "truncatedAlerts": 0
}`;

test('the payload is version 4 of Alertmanager, field by field and in its order', () => {
  const [first, second] = TWO.alerts;
  const golden = GOLDEN.replace('FP0', first!.fingerprint).replace('FP1', second!.fingerprint);
  expect(JSON.stringify(webhookPayload(TWO, 'http://taffrail.example', 0), null, 2)).toBe(golden);
});

test('beyond max_alerts alerts are counted, and status and common labels are of those told', () => {
  const payload = webhookPayload(TWO, '', 1);
  expect(payload).toMatchObject({ truncatedAlerts: 1, commonLabels: { instance: 'a' } });
  expect(payload.alerts).toHaveLength(1);
});
