//! How the client goes about getting a token: right as it is for most, so it stands folded away below the provider.

use crate::form::{
    browser::provider_id,
    provider_text::{Text, change},
    state::FormState,
};
use ipack_domain::provider::{ClientAuthentication, Grant};
use leptos::prelude::*;

/// Grant, client authentication, PKCE: right as they are for most.
#[component]
pub fn Advanced(state: FormState) -> impl IntoView {
    let first = state.provider.get_untracked();
    let is_open = first.grant != Grant::AsProvider
        || first.client_authentication != ClientAuthentication::AsProvider
        || first.without_pkce
        || !first.subject.is_empty()
        || !first.key_id.is_empty()
        || !first.audience.is_empty()
        || !first.scope_separator.is_empty()
        || !first.token_lifetime.is_empty()
        || !first.company_parameter.is_empty();
    let allows_password = state.view.with_untracked(|view| view.credentials.allows_password);
    let grants = Grant::CHOICES
        .into_iter()
        .filter(move |grant| *grant != Grant::Password || allows_password || first.grant == Grant::Password);
    view! {
        <details class="advanced" open=is_open>
            <summary>"Grant, client authentication and more"</summary>
            <div class="fields">
                <div class="field">
                    <label for=provider_id("grant")>"Grant"</label>
                    <select
                        id=provider_id("grant")
                        name="content[provider][grant]"
                        prop:value=move || state.provider.with(|choice| choice.grant.name())
                        on:change=move |event| {
                            change(state, |choice| choice.grant = Grant::parse(&event_target_value(&event)));
                        }
                    >
                        <option value="" selected=first.grant == Grant::AsProvider>
                            {Grant::AsProvider.label()}
                        </option>
                        {grants
                            .map(|grant| {
                                view! {
                                    <option value=grant.name() selected=first.grant == grant>
                                        {grant.label()}
                                    </option>
                                }
                            })
                            .collect::<Vec<_>>()}
                    </select>
                </div>
                <div class="field">
                    <label for=provider_id("clientAuthentication")>"Client authentication"</label>
                    <select
                        id=provider_id("clientAuthentication")
                        name="content[provider][clientAuthentication]"
                        prop:value=move || state.provider.with(|choice| choice.client_authentication.name())
                        on:change=move |event| {
                            change(
                                state,
                                |choice| {
                                    choice.client_authentication = ClientAuthentication::parse(
                                        &event_target_value(&event),
                                    );
                                },
                            );
                        }
                    >
                        <option
                            value=""
                            selected=first.client_authentication == ClientAuthentication::AsProvider
                        >
                            {ClientAuthentication::AsProvider.label()}
                        </option>
                        {ClientAuthentication::CHOICES
                            .into_iter()
                            .map(|way| {
                                view! {
                                    <option value=way.name() selected=first.client_authentication == way>
                                        {way.label()}
                                    </option>
                                }
                            })
                            .collect::<Vec<_>>()}
                    </select>
                </div>
                <div class="field if-acting">
                    <Text
                        state=state
                        field="subject"
                        label="Subject"
                        hint="JWT bearer and password grant: whom the token is for."
                        read=|choice| &choice.subject
                        write=|choice, text| choice.subject = text
                    />
                </div>
                <div class="field if-signing">
                    <Text
                        state=state
                        field="keyId"
                        label="Key ID"
                        hint="Signed JWTs: the key’s name at the provider, if it has one."
                        read=|choice| &choice.key_id
                        write=|choice, text| choice.key_id = text
                    />
                </div>
                <div class="field if-acting">
                    <Text
                        state=state
                        field="audience"
                        label="Audience"
                        hint="JWT bearer: whom the assertion is meant for, if not the token endpoint."
                        read=|choice| &choice.audience
                        write=|choice, text| choice.audience = text
                    />
                </div>
                <div class="field">
                    <Text
                        state=state
                        field="scopeSeparator"
                        label="Scope separator"
                        hint="A blank if left empty; some providers want a comma."
                        read=|choice| &choice.scope_separator
                        write=|choice, text| choice.scope_separator = text
                    />
                </div>
                <div class="field">
                    <Text
                        state=state
                        field="tokenLifetime"
                        label="Lifetime of tokens"
                        hint="In seconds, where the provider’s answers name none."
                        read=|choice| &choice.token_lifetime
                        write=|choice, text| choice.token_lifetime = text
                    />
                </div>
                <div class="field if-code">
                    <Text
                        state=state
                        field="companyParameter"
                        label="Callback parameter"
                        hint="Its value on the way back names the company (realmId)."
                        read=|choice| &choice.company_parameter
                        write=|choice, text| choice.company_parameter = text
                    />
                </div>
                <div class="wide check if-code">
                    <input
                        type="checkbox"
                        id=provider_id("withoutPkce")
                        name="content[provider][withoutPkce]"
                        value="true"
                        checked=first.without_pkce
                        prop:checked=move || state.provider.with(|choice| choice.without_pkce)
                        on:change=move |event| {
                            change(state, |choice| choice.without_pkce = event_target_checked(&event));
                        }
                        aria-describedby="without-pkce-hint"
                    />
                    <div>
                        <label for=provider_id("withoutPkce")>"Switch PKCE off"</label>
                        <p class="hint" id="without-pkce-hint">
                            "Only for a provider that refuses requests with it: a stolen code is then as good as yours."
                        </p>
                    </div>
                </div>
            </div>
        </details>
    }
    .into_any()
}
