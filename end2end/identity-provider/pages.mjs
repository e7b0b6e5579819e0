// The pages that a person meets at the identity provider: sign in, consent, and what went wrong. Plain HTML, no script.
//
// A new page is a function that ends in `page(…)`. Whatever comes from a request goes through `escape`.
import { createHash } from 'node:crypto';
import { SCOPES } from './clients.mjs';

/** @typedef {import('koa').Context} Context */

const STYLE = `
:root { color-scheme: light dark; --canvas: #eef1f6; --card: #fff; --text: #1c2230; --muted: #566074; --line: #c9d0dd;
  --accent: #1d4ed8; --on-accent: #fff; --bad: #b42318 }
@media (prefers-color-scheme: dark) { :root { --canvas: #12151c; --card: #1c212c; --text: #e8ebf2; --muted: #a4aec0;
  --line: #3b4456; --accent: #9db8ff; --on-accent: #10183a; --bad: #ffa197 } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--canvas);
  color: var(--text); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere }
main { width: min(26rem, 100%); padding: 2rem; border-radius: .75rem; background: var(--card);
  border: 1px solid var(--line); display: grid; gap: 1rem }
h1 { margin: 0; font-size: 1.375rem; line-height: 1.25 }
p { margin: 0 } .muted { color: var(--muted); font-size: .875rem } .bad { color: var(--bad) }
form, fieldset { display: grid; gap: .75rem; margin: 0; padding: 0; border: 0; min-width: 0 }
legend { padding: 0; margin-bottom: .5rem; font-weight: 600 }
.field { display: grid; gap: .25rem; font-weight: 600 }
.field input { padding: .5rem .625rem; border: 1px solid var(--muted); border-radius: .375rem; background: transparent;
  color: inherit; font: inherit; font-weight: 400 }
.scope { display: grid; grid-template-columns: auto 1fr; gap: 0 .625rem; align-items: baseline }
.scope span { grid-column: 2; color: var(--muted); font-size: .875rem }
.buttons { display: flex; gap: .75rem }
button { flex: 1; padding: .5rem 1rem; border: 1px solid var(--accent); border-radius: .375rem; background: var(--accent);
  color: var(--on-accent); font: inherit; font-weight: 600; cursor: pointer }
button.quiet { background: transparent; color: var(--accent) }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
code { font: .9375em ui-monospace, monospace }
`;
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** Text as HTML text or attribute value. @param {unknown} text */
export function escape(text) {
  return String(text ?? '').replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * Sends a whole page.
 * @param {Context} ctx
 * @param {string} title plain text
 * @param {string} body HTML, escaped already
 * @param {unknown} [redirectUri] where the form on this page may lead in the end: browsers hold redirects to form-action too
 */
function page(ctx, title, body, redirectUri) {
  const targets = ["'self'"];
  if (typeof redirectUri === 'string' && URL.canParse(redirectUri)) targets.push(new URL(redirectUri).origin);
  ctx.type = 'html';
  ctx.set({
    'Cache-Control': 'no-store',
    'Content-Security-Policy':
      `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; img-src data:; form-action ${targets.join(' ')}; ` +
      "base-uri 'none'; frame-ancestors 'none'",
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  });
  // The empty icon keeps browsers from asking for one and reporting that there is none.
  ctx.body = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)} – Demo identity provider</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<main>
<p class="muted">Demo identity provider</p>
<h1>${escape(title)}</h1>
${body}
</main>
</body>
</html>
`;
}

/**
 * @param {Context} ctx
 * @param {{ client: unknown, redirectUri: unknown, problem?: string }} about
 */
export function signInPage(ctx, { client, redirectUri, problem }) {
  page(
    ctx,
    'Sign in',
    `<p>to go on to <strong>${escape(client)}</strong></p>
${problem ? `<p class="bad" role="alert">${escape(problem)}</p>` : ''}
<form method="post">
<label class="field">Username <input name="username" autocomplete="username" required autofocus></label>
<label class="field">Password <input name="password" type="password" autocomplete="current-password" required></label>
<button type="submit">Sign in</button>
</form>
<p class="muted">Any username with any password will do. Nothing that is typed here is kept but the username.</p>`,
    redirectUri,
  );
}

/**
 * @param {Context} ctx
 * @param {{ client: unknown, redirectUri: unknown, person: unknown, scopes: string[] }} about
 */
export function consentPage(ctx, { client, redirectUri, person, scopes }) {
  const texts = /** @type {Record<string, string>} */ (SCOPES);
  const boxes = scopes.map(
    (scope, index) => `<div class="scope">
<input type="checkbox" id="scope-${index}" name="scope" value="${escape(scope)}" aria-describedby="about-${index}" checked>
<label for="scope-${index}"><code>${escape(scope)}</code></label>
<span id="about-${index}">${escape(texts[scope])}</span>
</div>`,
  );
  page(
    ctx,
    'Allow access?',
    `<p><strong>${escape(client)}</strong> would like to act for <strong>${escape(person)}</strong>.</p>
<form method="post">
<fieldset>
<legend>It asks for</legend>
${boxes.join('\n') || '<p>nothing in particular</p>'}
</fieldset>
<div class="buttons">
<button type="submit" name="decision" value="allow">Allow</button>
<button type="submit" name="decision" value="refuse" class="quiet">Refuse</button>
</div>
</form>
<p class="muted">What is not ticked is not granted.</p>`,
    redirectUri,
  );
}

/**
 * @param {Context} ctx
 * @param {{ error: unknown, description?: unknown }} problem an error code (RFC 6749, 4.1.2.1) and what it says
 */
export function errorPage(ctx, { error, description }) {
  page(
    ctx,
    'That did not work',
    `<p><code>${escape(error)}</code></p>
<p>${escape(description)}</p>
<p class="muted">Go back to the application and start again.</p>`,
  );
}

/** @param {Context} ctx @param {{ issuer: string }} about */
export function frontPage(ctx, { issuer }) {
  page(
    ctx,
    'It runs',
    `<p>The issuer is <code>${escape(issuer)}</code>. Give this address to the application as its base URL.</p>
<p><a href="/.well-known/openid-configuration">What it can do</a></p>`,
  );
}
