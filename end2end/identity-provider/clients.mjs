// The applications that the identity provider knows, and the scopes they may ask for.
//
// To add a client: an entry in CLIENTS, and its metadata (RFC 7591 names) in `clientMetadata` where it needs more than
// an id, a secret and a way to authenticate. To add a scope: a line in SCOPES, with what the consent page says.
import { generateKeyPairSync } from 'node:crypto';

/** Scope and what the consent page says about it. */
export const SCOPES = Object.freeze({
  openid: 'Know who you are',
  profile: 'Read your name',
  offline_access: 'Stay connected while you are away',
  'books.read': 'Read your books',
  'books.write': 'Change your books',
});

/**
 * @typedef {'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'none'} ClientAuth
 * @typedef {object} Client
 * @property {string} id
 * @property {string | undefined} secret none where a key or PKCE stands in for it
 * @property {ClientAuth} auth how it authenticates at the token endpoint
 */

/** @param {string} id @param {ClientAuth} auth @param {string} [secret] @returns {Readonly<Client>} */
const client = (id, auth, secret) => Object.freeze({ id, auth, secret });

export const CLIENTS = Object.freeze({
  /** What most providers offer. */
  basic: client('demo-client', 'client_secret_basic', 'demo-secret'),
  post: client('demo-post', 'client_secret_post', 'demo-secret'),
  /** No secret: PKCE is required. */
  public: client('demo-public', 'none'),
  /** Signs with either key of `clientKeys`; may use client credentials too. */
  jwt: client('demo-jwt', 'private_key_jwt'),
  /** Client credentials only: nobody signs in. */
  service: client('demo-service', 'client_secret_basic', 'service-secret'),
  /** An id and a secret that have to be form-encoded before Basic (RFC 6749, 2.3.1). ASCII only: appendix A has no more. */
  odd: client('demo odd:%&', 'client_secret_basic', 'p:% +&="\\~/?#'),
  /** An exact list of redirect URIs and few scopes, to see what refusals look like. */
  strict: client('demo-strict', 'client_secret_basic', 'demo-secret'),
});

/** @typedef {{ kid: string, alg: 'ES256' | 'RS256', privateKeyPem: string }} SigningKey PEM is PKCS#8. */

/** @type {Map<string, { key: SigningKey, publicJwk: import('oidc-provider').JWK, privateJwk: import('oidc-provider').JWK }>} */
const made = new Map();

/** Made when first asked for, since an RSA key takes a while; then the same for the whole process. */
function keyPair(/** @type {string} */ kid, /** @type {'ES256' | 'RS256'} */ alg) {
  const known = made.get(kid);
  if (known) return known;
  const pair =
    alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('rsa', { modulusLength: 2048 });
  /** @param {import('node:crypto').KeyObject} key */
  const jwk = (key) =>
    /** @type {import('oidc-provider').JWK} */ ({ ...key.export({ format: 'jwk' }), kid, alg, use: 'sig' });
  const privateKeyPem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const entry = { key: { kid, alg, privateKeyPem }, publicJwk: jwk(pair.publicKey), privateJwk: jwk(pair.privateKey) };
  made.set(kid, entry);
  return entry;
}

/** The private keys of `demo-jwt`, for the application that authenticates with them. */
export function clientKeys() {
  return { es256: keyPair('demo-es256', 'ES256').key, rs256: keyPair('demo-rs256', 'RS256').key };
}

/** What the provider itself signs ID tokens with, as a JWK set. */
export function providerKeys() {
  return { keys: [keyPair('provider-rs256', 'RS256').privateJwk] };
}

/**
 * The registrations, as oidc-provider wants them.
 * @param {string} placeholder a redirect URI for the clients whose redirect URIs are decided by rule: the list may not be empty
 * @param {string[]} strictRedirectUris all that `demo-strict` may use
 * @returns {import('oidc-provider').ClientMetadata[]}
 */
export function clientMetadata(placeholder, strictRedirectUris) {
  const more = {
    [CLIENTS.jwt.id]: {
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      jwks: { keys: [keyPair('demo-es256', 'ES256').publicJwk, keyPair('demo-rs256', 'RS256').publicJwk] },
    },
    [CLIENTS.service.id]: {
      grant_types: ['client_credentials'],
      response_types: /** @type {[]} */ ([]),
      redirect_uris: [],
      scope: 'books.read books.write',
    },
    [CLIENTS.strict.id]: { redirect_uris: strictRedirectUris, scope: 'openid books.read' },
  };
  return Object.values(CLIENTS).map(({ id, auth, secret }) => ({
    client_id: id,
    client_name: id,
    token_endpoint_auth_method: auth,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: /** @type {['code']} */ (['code']),
    redirect_uris: [placeholder],
    ...(secret === undefined ? {} : { client_secret: secret }),
    ...more[id],
  }));
}
