// The steps in which a person takes part: who are you, and what may the application do?
//
// oidc-provider sends the browser to /interaction/… with the name of a prompt. A new prompt gets a page in pages.mjs and
// its two branches here: what is shown, and what the answer means.
import { consentPage, errorPage, frontPage, signInPage } from './pages.mjs';

/**
 * @typedef {import('koa').Context} Context
 * @typedef {import('oidc-provider').Provider} Provider
 * @typedef {Awaited<ReturnType<Provider['interactionDetails']>>} Interaction
 */

const FORM_LIMIT = 64 * 1024;

/** The form in a request's body. @param {import('node:http').IncomingMessage} request */
export async function readForm(request) {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > FORM_LIMIT) throw new Error('the form is too large');
  }
  return new URLSearchParams(text);
}

/** The middleware that answers /interaction/… and the front page. @param {Provider} provider */
export function interactions(provider) {
  return async (/** @type {Context} */ ctx, /** @type {() => Promise<unknown>} */ next) => {
    if (ctx.path === '/') frontPage(ctx, provider);
    else if (ctx.path.startsWith('/interaction/')) await step(provider, ctx);
    else await next();
  };
}

/** @param {Provider} provider @param {Context} ctx */
async function step(provider, ctx) {
  /** @type {Interaction} */
  let interaction;
  try {
    interaction = await provider.interactionDetails(ctx.req, ctx.res);
  } catch {
    ctx.status = 400;
    errorPage(ctx, { error: 'invalid_request', description: 'This sign-in has ended, or began in another browser.' });
    return;
  }
  if (ctx.method !== 'POST') {
    show(ctx, interaction);
    return;
  }
  const form = await readForm(ctx.req);
  const result = interaction.prompt.name === 'login' ? signedIn(form) : await consented(provider, interaction, form);
  if (result) {
    ctx.status = 303;
    ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result));
  } else {
    show(ctx, interaction, 'Type a username.');
  }
}

/** @param {Context} ctx @param {Interaction} interaction @param {string} [problem] */
function show(ctx, interaction, problem) {
  const about = { client: interaction.params['client_id'], redirectUri: interaction.params['redirect_uri'] };
  if (interaction.prompt.name === 'login') {
    if (problem) ctx.status = 422;
    signInPage(ctx, { ...about, ...(problem ? { problem } : {}) });
  } else {
    consentPage(ctx, { ...about, person: interaction.session?.accountId, scopes: requested(interaction) });
  }
}

/** @param {URLSearchParams} form */
function signedIn(form) {
  const accountId = form.get('username')?.trim();
  return accountId ? { login: { accountId } } : undefined;
}

/** @param {Provider} provider @param {Interaction} interaction @param {URLSearchParams} form */
async function consented(provider, interaction, form) {
  // Anything but a clear yes is a no.
  if (form.get('decision') !== 'allow') {
    return { error: 'access_denied', error_description: 'the person refused' };
  }
  const ticked = form.getAll('scope');
  const grant = new provider.Grant({
    accountId: interaction.session?.accountId,
    clientId: String(interaction.params['client_id']),
  });
  for (const scope of requested(interaction)) {
    if (ticked.includes(scope)) grant.addOIDCScope(scope);
    else grant.rejectOIDCScope(scope); // said no to: otherwise it is asked again, and again
  }
  return { consent: { grantId: await grant.save() } };
}

/** @param {Interaction} interaction */
function requested(interaction) {
  const missing = interaction.prompt.details['missingOIDCScope'];
  return Array.isArray(missing) ? missing.map(String) : [];
}
