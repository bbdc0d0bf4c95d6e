import { describe, expect, it } from 'vitest';
import { templateProblems } from '../../src/agent/check-receivers.ts';
import { renderNotification } from '../../src/agent/render-notification.ts';
import { MessageTexts } from '../../src/hooks/template-data.ts';
import { config } from '../hooks/harness.ts';
import { TWO } from '../hooks/receivers/receiver-harness.ts';

const { data } = new MessageTexts(TWO, 'http://taffrail.example', renderNotification);
const render = (text: string): string => renderNotification(text, data);

describe("templates of receivers have what Alertmanager's have", () => {
  it.each([
    ['{{ .Receiver }} {{ .Status }} {{ .ExternalURL }}', 'pager firing http://taffrail.example'],
    ['{{ len .Alerts }} {{ .Alerts.Firing | len }} {{ .Alerts.Resolved | len }}', '2 1 1'],
    ['{{ range .Alerts.Firing }}{{ .Labels.instance }}{{ end }}', 'a'],
    ['{{ range $i, $a := .Alerts }}{{ $i }}{{ $a.Labels.instance }}{{ end }}', '0a1b'],
    ['{{ (index .Alerts 0).Annotations.summary }}', 'too <slow>'],
    [
      '{{ range (index .Alerts 1).Labels.SortedPairs }}{{ .Name }}={{ .Value }};{{ end }}',
      'alertname=Slow;instance=b;service=shop;',
    ],
    ['{{ .CommonLabels.SortedPairs.Names | join "," }}', 'alertname,service'],
    ['{{ .CommonLabels.Values | join "," }}', 'Slow,shop'],
    ['{{ (.CommonLabels.Remove .GroupLabels.Names).Values | join " " }}', 'shop'],
    ['{{ (.CommonLabels.Remove (stringSlice "alertname" "x")).Names }}', '[service]'],
    [
      '{{ with .CommonLabels.Remove (stringSlice "alertname" "service") }}some{{ else }}none{{ end }}',
      'none',
    ],
    ['{{ .CommonLabels.missing }}|{{ .CommonLabels.alertname | toUpper | toLower }}', '|slow'],
    [`{{ "disk FULL on it's a.b" | title }}`, "Disk Full On It's A.b"],
    ['{{ match "^S.*w$" .GroupLabels.alertname }}', 'true'],
    ['{{ reReplaceAll "(.)l" "$1-" .GroupLabels.alertname }}', 'S-ow'],
    ['{{ (index .Alerts 1).EndsAt.Format "15:04:05" }}', '15:01:01'],
    [
      '{{ (index .Alerts 0).EndsAt.Year }} {{ date "2006-01-02" (index .Alerts 0).StartsAt }}',
      '1 2030-01-31',
    ],
    ['{{ .GroupLabels | toJson }}', '{"alertname":"Slow"}'],
    ['{{ .GroupLabels }}', 'map[alertname:Slow]'],
    ['{{ template "slack.default.title" . }}', '[FIRING:1] Slow (shop)'],
    ['{{ define "mine" }}<{{ .Status }}>{{ end }}{{ template "mine" . }}', '<firing>'],
    ['{{ "a b" | urlquery | urlUnescape }}{{ " x " | trimSpace }}{{ safeHtml "<b>" }}', 'a bx<b>'],
  ])('%s', (text, expected) => {
    expect(render(text)).toBe(expected);
  });

  it('escapes what it prints in HTML, but not what is declared safe', () => {
    const text = '<i>{{ (index .Alerts 0).Annotations.summary }}</i>{{ "<hr>" | safeHtml }}';
    expect(renderNotification(text, data, 'html')).toBe('<i>too &lt;slow&gt;</i><hr>');
  });
});

describe('mistakes in templates are found when the configuration is checked', () => {
  const find = (slack: object, email: object = {}): string[] => {
    const receivers = [
      {
        name: 'all',
        slack_configs: [{ api_url: 'http://localhost/', ...slack }],
        email_configs: [{ smarthost: 'localhost:25', from: 'a@x.example', to: 'b@x.example', ...email }],
      },
    ];
    return templateProblems(config({ receivers }), (path, message) => ({
      file: '',
      line: 1,
      column: 1,
      key: path.join('.'),
      message,
    })).map(({ key, message }) => `${key}: ${message}`);
  };

  it.each([
    [{ title: '{{ .Status' }, 'title: template: receiver:1: unclosed action'],
    [{ text: '{{ range .Alerts }}' }, 'text: template: receiver:1: unexpected EOF'],
    [{ color: '{{ colour .Status }}' }, 'color: template: receiver:1: function "colour" not defined'],
    [{ title: '{{ template "other" . }}' }, 'title: template "other" not defined'],
    [{ title: '{{ .Statuss }}' }, "title: can't evaluate field Statuss in type *template.Data"],
    [{ title: '{{ .Alerts.Fireing }}' }, "title: can't evaluate field Fireing in type []interface {}"],
  ])('%o', (slack, expected) => {
    expect(find(slack)).toEqual([`receivers.0.slack_configs.0.${expected}`]);
  });

  it('names the header of a mail', () => {
    expect(find({}, { headers: { Subject: '{{ if }}' } })).toEqual([
      expect.stringContaining(
        'receivers.0.email_configs.0.headers.Subject: template: receiver:1: missing value',
      ),
    ]);
  });

  it('is silent about what depends on the alert', () => {
    expect(find({ title: '{{ (index .Alerts 5).Status }}{{ .CommonLabels.whatever }}' })).toEqual([]);
  });
});
