// Grafana is killed, and later loses its container and volume: it comes back as provisioned. Without its image
// (TEST_GRAFANA_IMAGE names it, as in grafana.test.ts), this test is skipped, and `make test-faults` reports that.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import { dashboards } from '../../grafana/src/dashboards.ts';
import { docker } from '../support/command.ts';
import { loadWhile, signal } from '../support/faults.ts';
import { inspect } from '../support/inspect.ts';
import { Project } from '../support/project.ts';
import { eventually } from '../support/until.ts';

const RATE = 100;

const image = process.env.TEST_GRAFANA_IMAGE;
const whereGrafanaIs = image === undefined ? describe.skip : describe;

whereGrafanaIs('under load', () => {
  let project: Project;

  beforeAll(async () => {
    project = await Project.create('grafana');
    await project.up({ GRAFANA_IMAGE: image });
  });

  afterAll(() => project.remove());

  /** Waits until it has all dashboards and its data source answers. */
  const provisioned = () =>
    eventually('the dashboards and the data source', async () => {
      const api = `${project.url('GRAFANA_HOST_PORT')}/api`;
      const { data: found } = await axios.get<{ uid: string }[]>(`${api}/search?type=dash-db`);
      const uids = found.map(({ uid }) => uid);
      if (!dashboards.every(({ uid }) => uids.includes(uid ?? ''))) return false;
      const datasource = { uid: 'prometheus', type: 'prometheus' };
      const query = { refId: 'A', expr: 'sum(http_requests_total)', instant: true, range: false, datasource };
      const { data } = await axios.post(`${api}/ds/query`, { queries: [query], from: 'now-1m', to: 'now' });
      return data.results.A.frames.length > 0;
    });

  it('Grafana comes back provisioned after it is killed, and after its volume is removed', async () => {
    await provisioned();
    const words = ['--rate', String(RATE), '--duration', '60s'];
    const { phase, report } = await loadWhile(project, words, async () => {
      const killed = await project.container('grafana');
      await signal(killed, 'KILL');
      await eventually('a restart', async () => (await inspect(killed)).RestartCount > 0);
      await provisioned();
      await docker('rm', '--force', killed);
      await docker('volume', 'rm', `${project.name}_grafana-data`);
      await project.up({ GRAFANA_IMAGE: image });
      await provisioned();
    });
    expect(phase).toMatchObject({ sent: RATE * 60, errors: 0 });
    expect(report.verification).toMatchObject({ verdict: 'verified' });
  });
});
