//! Preflight: the exact authorization request, and whether anything stands in its way.
//!
//! Works on the form as it stands for the admin, draft included, and sends no secret anywhere.

use crate::{
    access::{self, Admin},
    connector::record::{ConnectorRecord, load_record},
    error::Result,
    secrets::slots::{bound, in_slot},
    services::Services,
};
use ipack_domain::{
    form::FormContent,
    ids::ConnectionKey,
    preflight::{Check, Verdict},
};
use ipack_oauth::{
    advice::sentence,
    authorize::authorization_url,
    configuration::{Configuration, RequestedConfiguration, collisions, requested_configuration},
    discovery::discover,
    outbound::{Outbound, OutboundError},
    presets::{Pkce, Preset},
};
use ipack_storage::client_secrets::{self, ClientSecret, Slot};

/// What stands in the shown address for what is drawn anew each time.
const EACH_TIME: &str = "drawn-for-each-attempt";

/// What most servers and proxies take of a request's first line.
const LONGEST_URL: usize = 8_000;

/// How an endpoint is asked whether it is there.
#[derive(Clone, Copy)]
enum Asks {
    AsBrowser,
    AsClient,
}

/// What was found out about a form before anybody is sent to an identity provider.
#[derive(Debug, Clone)]
pub struct Preflight {
    pub record: ConnectorRecord,
    /// The address that the browser will be sent to; what is drawn anew for each attempt stands in it as a word.
    pub authorization_url: Option<String>,
    /// To be registered with the provider.
    pub redirect_uri: Option<String>,
    pub checks: Vec<Check>,
}

#[derive(Default)]
struct Findings(Vec<Check>);

impl Findings {
    fn add(&mut self, what: &str, verdict: Verdict, finding: impl Into<String>) {
        self.0.push(Check { what: what.to_owned(), verdict, finding: finding.into() });
    }

    fn parameters(&mut self, content: &FormContent) {
        let (authorization, token) = collisions(content);
        let what = "Parameters";
        if authorization.is_empty() && token.is_empty() {
            self.add(what, Verdict::Fine, "No parameter collides with one that iPack Connect sets itself.");
        }
        if !authorization.is_empty() {
            let keys = authorization.join(", ");
            let finding =
                format!("Authorization Parameters: iPack Connect sets {keys} itself. Delete the row.");
            self.add(what, Verdict::Wrong, finding);
        }
        if !token.is_empty() {
            let keys = token.join(", ");
            let finding =
                format!("Access Token Parameters: iPack Connect sets {keys} itself. Delete the row.");
            self.add(what, Verdict::Wrong, finding);
        }
    }

    fn secret(&mut self, plan: &RequestedConfiguration, secrets: &[ClientSecret]) -> Result<()> {
        let what = "Client secret";
        if !plan.needs_secret() {
            self.add(what, Verdict::Fine, "None is needed: this client proves itself by PKCE.");
        } else if bound(secrets, plan.destination())?.is_some() {
            self.add(what, Verdict::Fine, "Encrypted, for this very destination.");
        } else if in_slot(secrets, Slot::Current).is_some() {
            let finding = "Encrypted for another destination. Enter it again on the form.";
            self.add(what, Verdict::Wrong, finding);
        } else {
            self.add(what, Verdict::Wrong, "Not encrypted yet. Enter it on the form.");
        }
        Ok(())
    }

    fn length(&mut self, url: Option<&str>) {
        if let Some(url) = url.filter(|url| url.len() > LONGEST_URL) {
            let finding = format!(
                "The address has {} characters, and many servers take no more than {LONGEST_URL}. Ask for fewer scopes, or \
                 shorten the Authorization Parameters.",
                url.len()
            );
            self.add("Authorization request", Verdict::Warning, finding);
        }
    }

    fn pkce(&mut self, configuration: &Configuration, preset: Option<&Preset>) {
        if !configuration.grant.needs_browser() {
            return;
        }
        if configuration.pkce {
            self.add("PKCE", Verdict::Fine, "On, with S256.");
        } else if preset.is_some_and(|preset| preset.pkce == Pkce::Refused) {
            self.add("PKCE", Verdict::Fine, "Off, because the provider does not take requests with it.");
        } else {
            self.add(
                "PKCE",
                Verdict::Warning,
                "Off: a code that leaks on its way could be used by somebody else.",
            );
        }
    }
}

/// Whether an endpoint answers. Whatever it answers to a question without parameters, it answers.
async fn endpoint(outbound: &Outbound, what: &str, address: &str, asks: Asks) -> Check {
    let found = |verdict, finding: String| Check { what: what.to_owned(), verdict, finding };
    let wrong = |error: OutboundError| found(Verdict::Wrong, sentence(&format!("{address}: {error}")));
    let url = match outbound.check(address) {
        Ok(url) => url,
        Err(error) => return wrong(error),
    };
    let answer = match asks {
        Asks::AsBrowser => outbound.get_json(&url).await,
        // An empty form: refused by whoever listens, and never a token.
        Asks::AsClient => outbound.post_form(&url, None, &[]).await,
    };
    match answer {
        Ok(answer) if answer.status == 404 => {
            found(Verdict::Warning, format!("{address} answers that there is no such page (HTTP 404)."))
        }
        Ok(answer) if answer.status >= 500 => {
            found(Verdict::Warning, format!("{address} answers, but with HTTP {}.", answer.status))
        }
        Ok(_) | Err(OutboundError::Redirected { .. } | OutboundError::TooMuch { .. }) => {
            found(Verdict::Fine, format!("{address} answers."))
        }
        Err(error) => wrong(error),
    }
}

impl Services {
    /// # Errors
    /// `NotFound` for what is not there or not theirs.
    pub async fn preflight(&self, admin: &Admin, key: &ConnectionKey) -> Result<Preflight> {
        let mut reader = self.database.reader().await?;
        let space = access::admin_key(reader.connection(), admin, key).await?;
        let record = load_record(reader.connection(), admin, space, key).await?;
        let secrets = client_secrets::of_connection(reader.connection(), key).await?;
        drop(reader);
        let content = record.shown().clone();
        let mut findings = Findings::default();
        findings.parameters(&content);
        let (mut shown_url, mut shown_redirect_uri) = (None, None);
        match requested_configuration(&content, self.oauth.allowed) {
            Ok(plan) => {
                let redirect_uri = self.redirect_uri(&record.space.account_id, &plan.provider);
                findings.secret(&plan, &secrets)?;
                if let Some(configuration) = self.resolved(&plan, &mut findings).await {
                    findings.pkce(&configuration, plan.provider.preset);
                    self.endpoints(&configuration, &mut findings).await;
                    if plan.grant().needs_browser() {
                        let challenge = configuration.pkce.then_some(EACH_TIME);
                        let url = authorization_url(&configuration, &redirect_uri, EACH_TIME, challenge);
                        shown_url = url.ok().map(String::from);
                        findings.length(shown_url.as_deref());
                        shown_redirect_uri = Some(redirect_uri);
                    }
                }
            }
            Err(error) => findings.add("Configuration", Verdict::Wrong, sentence(&error.to_string())),
        }
        Ok(Preflight {
            record,
            authorization_url: shown_url,
            redirect_uri: shown_redirect_uri,
            checks: findings.0,
        })
    }

    async fn resolved(
        &self,
        plan: &RequestedConfiguration,
        findings: &mut Findings,
    ) -> Option<Configuration> {
        if let Some(configuration) = plan.known() {
            return Some(configuration);
        }
        let metadata = match discover(&self.oauth.outbound, &plan.provider.issuers).await {
            Ok(metadata) => metadata,
            Err(error) => {
                findings.add("Discovery", Verdict::Wrong, sentence(&error.to_string()));
                return None;
            }
        };
        let issuer = metadata.issuer.clone();
        match plan.with(metadata) {
            Ok(configuration) => {
                findings.add("Discovery", Verdict::Fine, format!("{issuer} publishes its endpoints."));
                Some(configuration)
            }
            Err(error) => {
                findings.add("Discovery", Verdict::Wrong, sentence(&error.to_string()));
                None
            }
        }
    }

    /// All at the same time: each can take as long as the client for outbound calls allows.
    async fn endpoints(&self, configuration: &Configuration, findings: &mut Findings) {
        let endpoints = &configuration.endpoints;
        let outbound = &self.oauth.outbound;
        let authorization = async {
            let address = endpoints.authorization.as_deref();
            let address = address.filter(|_| configuration.grant.needs_browser())?;
            Some(endpoint(outbound, "Authorization endpoint", address, Asks::AsBrowser).await)
        };
        let token = endpoint(outbound, "Token endpoint", &endpoints.token, Asks::AsClient);
        let revocation = async {
            let address = endpoints.revocation.as_deref()?;
            Some(endpoint(outbound, "Revocation endpoint", address, Asks::AsClient).await)
        };
        let (authorization, token, revocation) = tokio::join!(authorization, token, revocation);
        findings.0.extend(authorization);
        findings.0.push(token);
        findings.0.push(revocation.unwrap_or_else(|| Check {
            what: "Revocation endpoint".to_owned(),
            verdict: Verdict::Warning,
            finding:
                "None is known: a token that is reset here stays valid there until it runs out.".to_owned(),
        }));
    }
}
