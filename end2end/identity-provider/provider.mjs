// A real identity provider (npm oidc-provider, a certified OpenID provider), for the tests and for trying the product.
// It listens on one address of this machine, keeps everything in memory, and lets anybody sign in as anybody: it is
// for tests and demonstrations only.
//
// Clients and scopes stand in clients.mjs. A new way to misbehave is a function in `control` and a line in
// `tokenEndpoint`, so that what is faulty is always the answer and never oidc-provider's own rules.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { Provider } from 'oidc-provider';
import { CLIENTS, SCOPES, clientKeys, clientMetadata, providerKeys } from './clients.mjs';
import { interactions, readForm } from './interactions.mjs';
import { Memory } from './memory.mjs';
import { errorPage } from './pages.mjs';

export { CLIENTS } from './clients.mjs';

/** @typedef {import('koa').Context} Context */

/**
 * @typedef {object} Options
 * @property {number} [port] 0, the default, takes a free one
 * @property {string} [host] default 127.0.0.1
 * @property {string[]} [redirectUris] allowed beside the product's loopback callbacks; default: REDIRECT_URIS, comma separated
 * @property {string[]} [strictRedirectUris] all that `demo-strict` may use; default: one that nobody listens on
 * @property {number} [accessTokenSeconds] lifetime of access tokens; default: ACCESS_TOKEN_SECONDS, else 3600
 * @property {boolean} [rotateRefreshTokens] default true: a refresh token works once, and using it again revokes its family
 * @property {(request: TokenRequest) => void} [onToken] called for each token request, after it was answered
 */

/**
 * One request to the token endpoint, without secrets, codes or tokens.
 * @typedef {object} TokenRequest
 * @property {string | undefined} grantType
 * @property {import('./clients.mjs').ClientAuth} clientAuth how the client authenticated, or tried to
 * @property {string | undefined} clientId
 * @property {string | undefined} scope as requested here (refresh, client credentials), not as granted
 * @property {number} status
 * @property {string | undefined} error the code of RFC 6749, 5.2; none after a success
 * @property {string | undefined} reason more than the client is told, such as `refresh token already used`
 * @property {boolean} lost the answer was made and then thrown away (`control.loseNextToken`)
 */

/**
 * One request to the revocation endpoint (RFC 7009).
 * @typedef {object} Revocation
 * @property {import('./clients.mjs').ClientAuth} clientAuth
 * @property {string | undefined} clientId
 * @property {string | undefined} hint the `token_type_hint`
 * @property {'access_token' | 'refresh_token' | undefined} revoked what it was; none for an unknown token or another client's
 * @property {number} status
 */

/** Where the product listens is not known beforehand, and its path names an account and a provider. */
const CALLBACK = /^\/oauth\/callback\//;
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);
const NOBODY = 'http://127.0.0.1:9/oauth/callback/strict';
const DAY = 24 * 60 * 60;

// Older releases of Node 20 lack it, and oidc-provider uses it.
URL.parse ??= (input, base) => (URL.canParse(String(input), base?.toString()) ? new URL(input, base) : null);

/**
 * Starts a provider and resolves when it answers. `issuer` and `url` are the same address, without a slash at its end.
 * @param {Options} [options]
 */
export async function startProvider(options = {}) {
  const host = options.host ?? '127.0.0.1';
  const allowed = new Set(options.redirectUris ?? fromEnvironment('REDIRECT_URIS'));

  const server = createServer();
  await /** @type {Promise<void>} */ (
    new Promise((done, failed) => server.once('error', failed).listen(options.port ?? 0, host, done))
  );
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const issuer = `http://${host}:${port}`;

  const state = {
    lifetime: options.accessTokenSeconds ?? Number(process.env['ACCESS_TOKEN_SECONDS'] || 3600),
    failures: { left: 0, status: 503 },
    losses: 0,
    delay: 0,
  };
  const memory = new Memory();
  /** @type {TokenRequest[]} */
  const log = [];
  /** @type {Revocation[]} */
  const revocations = [];

  const provider = new Provider(issuer, {
    ...configuration(port, options),
    adapter: memory.adapter,
    clients: clientMetadata(`${issuer}/oauth/callback/`, options.strictRedirectUris ?? [NOBODY]),
    ttl: {
      AccessToken: () => state.lifetime,
      ClientCredentials: () => state.lifetime,
      Grant: 14 * DAY,
      IdToken: 3600,
      Interaction: 3600,
      RefreshToken: 14 * DAY,
      Session: DAY,
    },
  });
  // For tests on one machine only. Other providers compare redirect URIs exactly (RFC 9700, 2.1), as `demo-strict` does.
  const exactly = provider.Client.prototype.redirectUriAllowed;
  /** @type {Set<string>} */
  const registered = new Set();
  provider.Client.prototype.redirectUriAllowed = function redirectUriAllowed(uri) {
    if (this.clientId === CLIENTS.strict.id) return registered.has(uri) || exactly.call(this, uri);
    return allowed.has(uri) || loopbackCallback(uri);
  };

  /** @type {WeakMap<object, string>} */
  const reasons = new WeakMap();
  provider.on('grant.error', (ctx, problem) => reasons.set(ctx.req, problem.error_detail ?? problem.error_description ?? ''));
  provider.on('server_error', (_ctx, problem) => console.error('identity provider:', problem));

  /** @param {Context} ctx @param {() => Promise<unknown>} next */
  async function tokenEndpoint(ctx, next) {
    if (ctx.method !== 'POST' || ctx.path !== '/token') {
      await next();
      return;
    }
    if (state.delay > 0) await pause(state.delay);
    const failing = state.failures.left > 0;
    let form;
    if (failing) {
      state.failures.left -= 1;
      form = Object.fromEntries(await readForm(ctx.req));
      ctx.status = state.failures.status;
      ctx.body = { error: 'temporarily_unavailable' };
    } else {
      await next();
      form = ctx['oidc'].body;
    }
    const lost = !failing && state.losses > 0;
    const request = {
      ...whoAsks(ctx, form),
      grantType: form?.grant_type,
      scope: form?.scope,
      status: ctx.status,
      error: /** @type {{ error?: string }} */ (ctx.body)?.error,
      reason: reasons.get(ctx.req),
      lost,
    };
    log.push(request);
    if (lost) {
      state.losses -= 1;
      ctx.respond = false;
      ctx.req.socket.destroy();
    }
    options.onToken?.(request);
  }

  /** @param {Context} ctx @param {() => Promise<unknown>} next */
  async function revocationEndpoint(ctx, next) {
    await next();
    if (ctx.method !== 'POST' || ctx.path !== '/token/revocation') return;
    const { body, client, entities } = ctx['oidc'];
    /** @param {{ clientId?: string } | undefined} token */
    const own = (token) => token !== undefined && token.clientId === client?.clientId;
    const revoked = own(entities.RefreshToken)
      ? 'refresh_token'
      : own(entities.AccessToken ?? entities.ClientCredentials)
        ? 'access_token'
        : undefined;
    revocations.push({ ...whoAsks(ctx, body), hint: body?.token_type_hint, revoked, status: ctx.status });
  }

  provider.use(interactions(provider));
  provider.use(tokenEndpoint);
  provider.use(revocationEndpoint);
  server.on('request', provider.callback());

  return {
    issuer,
    url: issuer,
    clients: CLIENTS,
    keys: clientKeys(),
    scopes: Object.keys(SCOPES),
    /** Token requests in the order in which they were answered. */
    log,
    /** Revocation requests, likewise. */
    revocations,
    /** Allows one more redirect URI, exactly as written, for every client but `demo-strict`. @param {string} uri */
    addRedirectUri: (uri) => void allowed.add(uri),
    /** Registers one more redirect URI of `demo-strict`. @param {string} uri */
    registerStrict: (uri) => void registered.add(uri),
    control: {
      /** The next token requests get this status and are not looked at. @param {number} [count] @param {number} [status] */
      failNextToken: (count = 1, status = 503) => void (state.failures = { left: count, status }),
      /** The next token requests are carried out, but the connection is cut before the answer. @param {number} [count] */
      loseNextToken: (count = 1) => void (state.losses = count),
      /** The token endpoint waits this long before it looks at a request; 0 ends that. @param {number} milliseconds */
      slow: (milliseconds) => void (state.delay = milliseconds),
      /** For tokens issued from now on. @param {number} seconds */
      accessTokenSeconds: (seconds) => void (state.lifetime = seconds),
      /** Every token, grant and session is gone: refreshing answers `invalid_grant`. */
      forgetEverything: () => memory.clear(),
    },
    /** Closes the port and every connection. */
    stop: () =>
      /** @type {Promise<void>} */ (
        new Promise((done) => {
          server.close(() => done());
          server.closeAllConnections();
        })
      ),
  };
}

/** @typedef {Awaited<ReturnType<typeof startProvider>>} IdentityProvider */

/**
 * What oidc-provider is told, beside what differs from one provider to the next.
 * @param {number} port @param {Options} options
 * @returns {import('oidc-provider').Configuration}
 */
function configuration(port, options) {
  return {
    scopes: Object.keys(SCOPES),
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'] },
    responseTypes: ['code'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    jwks: providerKeys(),
    cookies: {
      keys: [randomBytes(32).toString('base64url')],
      // Browsers do not tell ports apart in cookies: two providers, or the product, would overwrite each other's.
      names: { session: `idp_${port}`, interaction: `idp_${port}_step`, resume: `idp_${port}_resume` },
    },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      introspection: { enabled: true, allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId },
      resourceIndicators: { enabled: false },
      revocation: { enabled: true, allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId },
      rpInitiatedLogout: { enabled: false },
    },
    interactions: { url: async (_ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount: async (_ctx, accountId) => ({
      accountId,
      claims: async () => ({ sub: accountId, name: accountId, preferred_username: accountId }),
    }),
    // An API's scopes bring a refresh token too, not only `offline_access`, and it outlives the browser's session.
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: async () => false,
    rotateRefreshToken: options.rotateRefreshTokens ?? true,
    // Consent is asked for each time: each authorization is a grant, and a family of tokens, of its own.
    loadExistingGrant: async (ctx) => {
      const grantId = ctx.oidc.result?.consent?.grantId;
      return grantId ? ctx.oidc.provider.Grant.find(grantId) : undefined;
    },
    clientBasedCORS: () => false,
    renderError: async (ctx, out) => errorPage(ctx, { error: out.error, description: out.error_description }),
  };
}

/** @param {string} uri */
function loopbackCallback(uri) {
  if (!URL.canParse(uri)) return false;
  const { protocol, hostname, pathname, username, hash } = new URL(uri);
  return protocol === 'http:' && LOOPBACK.has(hostname) && CALLBACK.test(pathname) && !username && !hash;
}

/**
 * Who sends this request, as it claims: nothing is verified here.
 * @param {Context} ctx
 * @param {Record<string, string> | undefined} form
 * @returns {{ clientAuth: import('./clients.mjs').ClientAuth, clientId: string | undefined }}
 */
function whoAsks(ctx, form) {
  const [, basic] = /^basic (\S+)$/i.exec(ctx.get('authorization')) ?? [];
  if (basic) {
    const [id = ''] = Buffer.from(basic, 'base64').toString().split(':');
    return { clientAuth: 'client_secret_basic', clientId: new URLSearchParams(`id=${id}`).get('id') ?? undefined };
  }
  if (form?.['client_assertion']) {
    return { clientAuth: 'private_key_jwt', clientId: form['client_id'] ?? subject(form['client_assertion']) };
  }
  return { clientAuth: form?.['client_secret'] ? 'client_secret_post' : 'none', clientId: form?.['client_id'] };
}

/** @param {string} jwt @returns {string | undefined} */
function subject(jwt) {
  try {
    return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()).sub;
  } catch {
    return undefined; // no JWT: oidc-provider refuses it
  }
}

/** @param {string} name */
function fromEnvironment(name) {
  return (process.env[name] ?? '').split(',').map((part) => part.trim()).filter(Boolean);
}
