// Jobs that borrow an environment each by the published client, set up as CDK's integration tests set it up.
// borrow.js MILLISECONDS REQUESTER... : how long each holds what it got; "forever" until the process is killed.
'use strict';

const { AtmosphereClient } = require('@cdklabs/cdk-atmosphere-client');

const [holds, ...requesters] = process.argv.slice(2);
const endpoint = process.env.CDK_INTEG_ATMOSPHERE_ENDPOINT;
const pool = process.env.CDK_INTEG_ATMOSPHERE_POOL;

async function job(requester) {
  const client = new AtmosphereClient(endpoint);
  const allocation = await client.acquire({ pool, requester, timeoutMinutes: 1 });
  console.log(`ACQUIRED ${JSON.stringify(allocation)}`);
  await new Promise((resolve) => setTimeout(resolve, holds === 'forever' ? 1 << 30 : Number(holds)));
  console.log(`RELEASED ${JSON.stringify(await client.release(allocation.id, 'success'))}`);
}

Promise.all(requesters.map(job)).catch((error) => {
  console.log(`FAILED ${error.statusCode} ${error.message}`);
  process.exitCode = 1;
});
