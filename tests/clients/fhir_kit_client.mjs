// What an app does with fhir-kit-client: node fhir_kit_client.mjs, with { packages, base, token } on standard input.
// Prints one JSON object with what was found.
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { text } from 'node:stream/consumers';

const { packages, base: baseUrl, token: bearerToken } = JSON.parse(await text(process.stdin));
const entry = join(resolve(packages), 'node_modules', 'fhir-kit-client', 'dist', 'index.js');
const { Client } = await import(pathToFileURL(entry).href);
const client = new Client({ baseUrl, bearerToken });
const status = async (answer) => {
  try {
    await answer;
    return 200;
  } catch (error) {
    return error.response.status;
  }
};

const statement = await client.capabilityStatement();

let page = await client.search({ resourceType: 'HealthcareService', searchParams: { _count: 10, _sort: 'name' } });
const services = [];
while (page) {
  services.push(...page.entry.map(({ resource }) => resource.id));
  page = await client.nextPage({ bundle: page });
}

const posted = await client.search({
  resourceType: 'HealthcareService',
  searchParams: { name: 'inloop', _include: 'HealthcareService:location' },
  options: { postSearch: true },
});

const subject = { reference: 'Patient/bewoner-01' };
const made = await client.create({
  resourceType: 'Observation',
  body: { resourceType: 'Observation', status: 'preliminary', code: { text: 'Gewicht' }, subject },
});
const changed = await client.update({ resourceType: 'Observation', id: made.id, body: { ...made, status: 'final' } });
const patched = await client.patch({
  resourceType: 'Observation',
  id: made.id,
  jsonPatch: [{ op: 'replace', path: '/status', value: 'amended' }],
});
const first = await client.vread({ resourceType: 'Observation', id: made.id, version: '1' });
const history = await client.history({ resourceType: 'Observation', id: made.id });
await client.delete({ resourceType: 'Observation', id: made.id });

const batch = await client.batch({
  body: {
    resourceType: 'Bundle',
    type: 'batch',
    entry: [
      { request: { method: 'GET', url: 'Patient/bewoner-01' } },
      { request: { method: 'GET', url: 'Patient/bewoner-02' } },
    ],
  },
});
const everything = await client.operation({
  name: 'everything', resourceType: 'Patient', id: 'bewoner-01', method: 'GET', input: { _type: 'CarePlan' },
});
const mine = await client.search({
  resourceType: 'Goal',
  compartment: { resourceType: 'Patient', id: 'bewoner-01' },
});

console.log(JSON.stringify({
  fhirVersion: statement.fhirVersion,
  services: services.length,
  different: new Set(services).size,
  posted: [...new Set(posted.entry.map(({ search }) => search.mode))].sort(),
  versions: [made, changed, patched].map(({ meta }) => meta.versionId),
  statuses: [first.status, patched.status],
  history: history.entry.length,
  deleted: await status(client.read({ resourceType: 'Observation', id: made.id })),
  neighbour: await status(client.read({ resourceType: 'Patient', id: 'bewoner-02' })),
  batch: batch.entry.map(({ response }) => response.status),
  everything: [...new Set(everything.entry.map(({ resource }) => resource.resourceType))],
  compartment: mine.entry.length > 0,
}));
