// A standalone launch gets its server from the address, and an EHR launch its handle as well: fhirclient reads both.
const given = new URLSearchParams(location.search);
FHIR.oauth2
  .authorize({ clientId: given.get('client_id'), scope: given.get('scope'), redirectUri: 'index.html' })
  .catch((error) => { document.getElementById('outcome').textContent = String(error); });
