/** The YAML samples of the guide to Kubernetes are files, which test/kubernetes renders and validates. */
import { expect, it } from '@jest/globals';
import { FOLDERS } from '../kubernetes/rendered.ts';
import { read } from '../support/repository.ts';

it('each YAML sample of docs/kubernetes.md is a file of a folder that is rendered', () => {
  const samples = [...read('docs/kubernetes.md').matchAll(/^```yaml\n# (\S+)\n(.*?)^```$/gms)];
  expect(samples).toHaveLength(read('docs/kubernetes.md').match(/^ *```ya?ml/gm)?.length ?? 0);
  for (const [, path = '', text] of samples) {
    expect(FOLDERS.map((folder) => `kubernetes/${folder}/kustomization.yaml`)).toContain(path);
    expect([path, text]).toEqual([path, read(path)]);
  }
  expect(samples).not.toEqual([]);
});
