// An app on fhir-kit-client that asks to be let in: node fhir_kit_smart.mjs, with one JSON object on standard input.
// { packages, base, client, redirect, scope }: prints where to send the browser. With { code, verifier } besides: takes
// the token and reads with it. With { token }: the status of a read. The library finds the endpoints and sends the token.
import { createHash, randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { text } from 'node:stream/consumers';

const told = JSON.parse(await text(process.stdin));
const entry = join(resolve(told.packages), 'node_modules', 'fhir-kit-client', 'dist', 'index.js');
const { Client } = await import(pathToFileURL(entry).href);
const client = new Client({ baseUrl: told.base, bearerToken: told.token });
const status = (answer) => answer.then(() => 200, (error) => error.response.status);

async function ask() {
  const { authorizeUrl } = await client.smartAuthMetadata();
  const verifier = randomBytes(32).toString('base64url');
  const state = randomBytes(16).toString('base64url');
  const url = new URL(authorizeUrl);
  url.search = new URLSearchParams({
    response_type: 'code', client_id: told.client, redirect_uri: told.redirect, scope: told.scope, state, aud: told.base,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256',
  });
  return { url: url.href, verifier, state };
}

async function redeem() {
  const { tokenUrl } = await client.smartAuthMetadata();
  const answer = await fetch(tokenUrl, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code', code: told.code, redirect_uri: told.redirect, client_id: told.client,
      code_verifier: told.verifier,
    }),
  });
  const { access_token: token, patient } = await answer.json();
  client.bearerToken = token;
  const read = await client.read({ resourceType: 'Patient', id: patient });
  const found = await client.search({ resourceType: 'Observation', searchParams: { patient } });
  return {
    token, patient, birthDate: read.birthDate, observations: found.entry.length,
    neighbour: await status(client.read({ resourceType: 'Patient', id: 'bewoner-02' })),
  };
}

const reading = async () => ({ read: await status(client.read({ resourceType: 'Patient', id: 'bewoner-01' })) });
console.log(JSON.stringify(await (told.code ? redeem() : told.token ? reading() : ask())));
