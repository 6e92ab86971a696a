// Signed assertions by an independent maker: node assertions.mjs, with { packages, make: [{ key, header, claims }] } on
// standard input. `key` names a key pair that is made here: RS384, ES384, RS256, ES256, PS384, another (for RS384), or
// HS384 (a secret, the text of a public key). Prints { jwks, assertions } as JSON; ES256 and another are not in jwks.
// The package `jose` of npm: https://datatracker.ietf.org/doc/html/rfc7523#section-3
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { text } from 'node:stream/consumers';

const told = JSON.parse(await text(process.stdin));
const folder = join(resolve(told.packages), 'node_modules', 'jose', 'dist', 'webapi', 'index.js');
const { CompactSign, SignJWT, UnsecuredJWT, exportJWK, exportSPKI, generateKeyPair } = await import(pathToFileURL(folder).href);

const pairs = {};
for (const name of ['RS384', 'ES384', 'RS256', 'ES256', 'PS384']) pairs[name] = await generateKeyPair(name, { extractable: true });
pairs.another = await generateKeyPair('RS384', { extractable: true });
const jwks = { keys: [] };
for (const name of ['RS384', 'ES384', 'RS256', 'PS384']) {
  jwks.keys.push({ ...(await exportJWK(pairs[name].publicKey)), kid: name });
}

const secret = new TextEncoder().encode(await exportSPKI(pairs.RS384.publicKey));
async function make({ key, header, claims }) {
  if (header.alg === 'none') return new UnsecuredJWT(claims).encode();
  const signer = key === 'HS384' ? secret : pairs[key].privateKey;
  if (typeof claims === 'string') return new CompactSign(new TextEncoder().encode(claims)).setProtectedHeader(header).sign(signer);
  return new SignJWT(claims).setProtectedHeader(header).sign(signer);
}
const assertions = [];
for (const one of told.make) assertions.push(await make(one));
console.log(JSON.stringify({ jwks, assertions }));
