// Signed assertions by an independent maker: node assertions.mjs, with { packages, make: [{ key, header, claims }] } on
// standard input. `key` names a key pair that is made here: RS384, ES384, RS256, ES256, PS384, another (for RS384), or
// HS384 (a secret, the text of a public key). Prints { jwks, assertions } as JSON; ES256 and another are not in jwks.
// The package `jose` of npm: https://datatracker.ietf.org/doc/html/rfc7523#section-3
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { text } from 'node:stream/consumers';

const told = JSON.parse(await text(process.stdin));
const folder = join(resolve(told.packages), 'node_modules', 'jose', 'dist', 'webapi', 'index.js');
const { CompactSign, SignJWT, UnsecuredJWT, exportJWK, exportSPKI, generateKeyPair, importJWK } = await import(pathToFileURL(folder).href);

// One RSA key under three names: it is the algorithm that makes the difference.
const pair = (algorithm) => generateKeyPair(algorithm, { extractable: true });
const rsa = await pair('RS384');
const signers = { RS384: rsa, ES384: await pair('ES384'), ES256: await pair('ES256'), another: await pair('RS384') };
const exported = await exportJWK(rsa.privateKey);
for (const name of ['RS256', 'PS384']) signers[name] = { privateKey: await importJWK(exported, name), publicKey: rsa.publicKey };
const jwks = { keys: [] };
for (const name of ['RS384', 'ES384', 'RS256', 'PS384']) {
  jwks.keys.push({ ...(await exportJWK(signers[name].publicKey)), kid: name });
}

const secret = new TextEncoder().encode(await exportSPKI(rsa.publicKey));
async function make({ key, header, claims }) {
  if (header.alg === 'none') return new UnsecuredJWT(claims).encode();
  const signer = key === 'HS384' ? secret : signers[key].privateKey;
  if (typeof claims === 'string') return new CompactSign(new TextEncoder().encode(claims)).setProtectedHeader(header).sign(signer);
  return new SignJWT(claims).setProtectedHeader(header).sign(signer);
}
const assertions = [];
for (const one of told.make) assertions.push(await make(one));
console.log(JSON.stringify({ jwks, assertions }));
