// deploy/kubernetes, as kubectl renders it: every field is one that Kubernetes knows, of the type that it has, and the parts
// fit one another. Needs kubectl (Debian: kubernetes-client), and no cluster.
//
// The fields are checked by the TypeScript compiler against kubernetes-types, which are made from Kubernetes' own API
// description: an object literal may have no property that its type does not know.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { parseAllDocuments } from 'yaml';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
const OVERLAYS = ['base', 'postgres'] as const;
const TSC = join(REPOSITORY, 'node_modules/.bin/tsc');

interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  // biome-ignore lint/suspicious/noExplicitAny: any resource of Kubernetes; the compiler checks them one by one
  readonly spec: any;
}

function render(overlay: string): Resource[] {
  const text = execFileSync('kubectl', ['kustomize', join(REPOSITORY, 'deploy/kubernetes', overlay)], {
    encoding: 'utf8',
  });
  return parseAllDocuments(text).map((document) => document.toJS() as Resource);
}

/** What the compiler has to say about resources as values of their types; '' if nothing. */
function complaints(name: string, resources: readonly Resource[]): string {
  const directory = join(REPOSITORY, 'dist/test/deploy/checked');
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `${name}.ts`);
  const values = resources.map((resource, index) => {
    const [group, version] = resource.apiVersion.includes('/')
      ? resource.apiVersion.split('/')
      : ['core', resource.apiVersion];
    const type = `import('kubernetes-types/${group!.split('.')[0]}/${version}.js').${resource.kind}`;
    return `export const resource${index}: ${type} = ${JSON.stringify(resource, null, 2)};\n`;
  });
  writeFileSync(path, values.join('\n'));
  const flags = ['--noEmit', '--strict', '--skipLibCheck', '--ignoreConfig', '--module', 'nodenext', '--types', ''];
  return spawnSync(TSC, [...flags, path], { encoding: 'utf8', cwd: REPOSITORY }).stdout;
}

function containersOf(resources: readonly Resource[]): { name: string; [field: string]: unknown }[] {
  return resources.flatMap(({ spec }) => spec?.template?.spec.containers ?? []);
}

const byName = (resources: readonly Resource[], kind: string): Map<string, Resource> =>
  new Map(resources.filter((one) => one.kind === kind).map((one) => [one.metadata.name, one]));

for (const overlay of OVERLAYS) {
  test(`${overlay}: Kubernetes knows every field`, (t) => {
    t.is(complaints(overlay, render(overlay)), '');
  });

  test(`${overlay}: every container has probes, limits, and no rights`, (t) => {
    const containers = containersOf(render(overlay));
    t.deepEqual(containers.map(({ name }) => name).sort(), ['catalog', 'frontend', 'order']);
    for (const container of containers) {
      for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'])
        t.truthy(container[probe], `${container.name}: ${probe}`);
      t.like(container, {
        resources: { limits: { memory: '512Mi' } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      });
    }
  });

  test(`${overlay}: what is named is there`, (t) => {
    const resources = render(overlay);
    checkSelectors(t, resources);
    const configMaps = byName(resources, 'ConfigMap');
    for (const { name, envFrom } of containersOf(resources)) {
      const [source] = envFrom as { configMapRef: { name: string } }[];
      t.true(configMaps.has(source!.configMapRef.name), name);
    }
    // host:port of each pod, by the headless service that names it.
    const [settings] = configMaps.values() as Iterable<Resource & { data: Record<string, string> }>;
    for (const [setting, of] of [
      ['CATALOG_ADDRESS', 'catalog'],
      ['ORDER_ADDRESS', 'order'],
    ] as const) {
      const { replicas } = byName(resources, 'StatefulSet').get(of)!.spec;
      const port = byName(resources, 'Service').get(of)!.spec.ports[0].port;
      const pods = Array.from({ length: replicas }, (_, index) => `${of}-${index}.${of}:${port}`);
      t.is(settings!.data[setting], pods.join());
    }
  });
}

/** Each selector of a service, a workload or a budget finds the pods of just one template. */
function checkSelectors(t: ExecutionContext, resources: readonly Resource[]): void {
  const templates = resources.flatMap(({ spec }) =>
    spec?.template === undefined ? [] : [spec.template.metadata.labels],
  );
  for (const { kind, metadata, spec } of resources) {
    const selector = kind === 'Service' ? spec.selector : spec?.selector?.matchLabels;
    if (selector === undefined) continue;
    const found = templates.filter((labels) =>
      Object.entries(selector).every(([label, value]) => labels[label] === value),
    );
    t.is(found.length, 1, `${kind} ${metadata.name}`);
  }
}

test('postgres: two of each service, without volumes, with the URL from a secret', (t) => {
  const sets = byName(render('postgres'), 'StatefulSet');
  t.deepEqual([...sets.keys()], ['catalog', 'order']);
  for (const { spec } of sets.values()) {
    t.is(spec.replicas, 2);
    t.is(spec.volumeClaimTemplates, undefined);
    const [container] = spec.template.spec.containers;
    t.deepEqual(container.env, [
      { name: 'DATABASE_URL', valueFrom: { secretKeyRef: { name: 'toystore-database', key: 'url' } } },
    ]);
    const volumes = new Set(spec.template.spec.volumes.map(({ name }: { name: string }) => name));
    for (const { name } of container.volumeMounts) t.true(volumes.has(name), name);
  }
});

test('a field that Kubernetes does not know, and one of a wrong type, are complained about', (t) => {
  const [first] = render('base').filter(({ kind }) => kind === 'StatefulSet');
  const unknown = { ...first!, spec: { ...first!.spec, replica: 2 } };
  t.regex(complaints('unknown', [unknown]), /'"replica"' does not exist in type 'StatefulSetSpec'/);
  const wrong = { ...first!, spec: { ...first!.spec, replicas: 'two' } };
  t.regex(complaints('wrong', [wrong]), /Type 'string' is not assignable to type 'number'/);
});
