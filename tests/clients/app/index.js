// An app that shows how many weights there are. What came of the last click stands in #outcome.
const show = (id, text) => { document.getElementById(id).textContent = text; };
const attempt = (id, work) => {
  show('outcome', `${id}…`);
  work().then((text) => show('outcome', `${id}: ${text}`), (error) => show('outcome', `${id} failed: ${error.status ?? ''} ${error}`));
};
const weights = (client) => client.patient.request('Observation?code=29463-7', { pageLimit: 0, flat: true });

attempt('start', async () => {
  const client = window.client = await FHIR.oauth2.ready();
  const patient = await client.patient.read();
  show('patient', patient.name[0].text ?? patient.name[0].family);
  document.getElementById('read').onclick = () => attempt('read', async () => (await weights(client)).length);
  document.getElementById('refresh').onclick = () => attempt('refresh', async () => {
    const before = client.getState('tokenResponse.access_token');
    await client.refresh();
    return client.getState('tokenResponse.access_token') === before ? 'the same' : 'another';
  });
  return client.getState('tokenResponse.scope');
});
