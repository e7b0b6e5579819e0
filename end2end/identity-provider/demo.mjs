// The identity provider on its own, to connect iPack Connect to by hand: `make demo-idp`, or node with this file.
// It prints what to type into the form, and a line for each token request. Ctrl-C ends it and forgets everything.
import { CLIENTS, startProvider } from './provider.mjs';

const port = Number(process.env['IPACK_DEMO_IDP_PORT'] || 3080);

/** @param {import('./provider.mjs').TokenRequest} request */
function report({ grantType, clientId, clientAuth, error, reason }) {
  const outcome = error ? `refused: ${error}${reason ? ` (${reason})` : ''}` : 'issued';
  console.log(`token request  ${grantType ?? '-'}  ${clientId ?? '-'}  ${clientAuth}  ${outcome}`);
}

/** @param {NodeJS.ErrnoException} problem @returns {never} */
function giveUp(problem) {
  console.error(
    problem.code === 'EADDRINUSE'
      ? `Port ${port} is taken. Set IPACK_DEMO_IDP_PORT to another one.`
      : `The identity provider does not start: ${problem.message}`,
  );
  process.exit(1);
}

const provider = await startProvider({ port, onToken: report }).catch(giveUp);

console.log(`
Demo identity provider, ready on ${provider.issuer}

Type this into the form of a connection:

  Base URL        ${provider.issuer}
  Client ID       ${CLIENTS.basic.id}
  Client Secret   ${CLIENTS.basic.secret}

  Scopes          openid profile books.read books.write

Then press Encrypt Client Secret, and Generate Token. Any username with any password signs in; on the page
after that, untick a scope or press Refuse to see what becomes of it.

iPack Connect itself has to be started so that it may call this machine:

  IPACK_OUTBOUND_ALLOW=127.0.0.0/8 make run

Other clients:

  ${CLIENTS.post.id} / ${CLIENTS.post.secret}         the secret in the request's body
  ${CLIENTS.public.id}                     no secret, PKCE only
  ${CLIENTS.jwt.id}                        private_key_jwt, with the key below (ES256, key id ${provider.keys.es256.kid})
  ${CLIENTS.service.id} / ${CLIENTS.service.secret}   client credentials: nobody signs in
  ${CLIENTS.strict.id} / ${CLIENTS.strict.secret}       knows no redirect URI of yours, so it is always refused

${provider.keys.es256.privateKeyPem}
Everything is in memory. Ctrl-C ends it.
`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await provider.stop();
    process.exit(0);
  });
}
