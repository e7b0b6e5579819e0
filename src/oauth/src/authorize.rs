//! The authorization request: its address, its state, and PKCE (RFC 6749 section 4.1.1, RFC 7636).
//!
//! A parameter that the program sets itself goes into [`authorization_url`] and into
//! [`RESERVED_AUTHORIZATION`](ipack_domain::provider::RESERVED_AUTHORIZATION).

use crate::{configuration::Configuration, endpoints::ConfigurationError, outbound::written_form};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ipack_domain::{effects::random_bytes, provider::RESERVED_AUTHORIZATION};
use sha2::{Digest, Sha256};
use url::Url;

/// 256 random bits in 43 characters that any parameter or cookie can hold.
pub fn random_text() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<32>())
}

/// What is stored of a state or of a browser's cookie.
pub fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// S256 of a code verifier (RFC 7636, section 4.2). There is no `plain` here.
pub fn code_challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// The address that a browser is sent to.
///
/// # Errors
/// Where there is no authorization endpoint, or a parameter of the admin's collides with one of ours.
pub fn authorization_url(
    configuration: &Configuration,
    redirect_uri: &str,
    state: &str,
    challenge: Option<&str>,
) -> Result<Url, ConfigurationError> {
    let no_endpoint = || ConfigurationError::NoAuthorizationEndpoint("The provider".to_owned());
    let endpoint = configuration.endpoints.authorization.as_deref().ok_or_else(no_endpoint)?;
    let mut url =
        Url::parse(endpoint).map_err(|_| ConfigurationError::NotUrl("The authorization endpoint"))?;
    url.set_fragment(None);
    let parameters = &configuration.authorization_parameters;
    if let Some(row) = parameters.iter().find(|row| RESERVED_AUTHORIZATION.contains(&row.key.as_str())) {
        return Err(ConfigurationError::Reserved(row.key.clone()));
    }
    let scope = configuration.scope();
    let mut pairs = vec![
        ("response_type", "code"),
        ("client_id", &*configuration.client_id),
        ("redirect_uri", redirect_uri),
        ("state", state),
    ];
    pairs.extend((!scope.is_empty()).then_some(("scope", &*scope)));
    if let Some(challenge) = challenge {
        pairs.extend([("code_challenge", challenge), ("code_challenge_method", "S256")]);
    }
    pairs.extend(parameters.iter().map(|row| (&*row.key, &*row.value)));
    let query = written_form(&pairs);
    // Parameters that the endpoint itself has stay (RFC 6749, section 3.1).
    let query = match url.query().filter(|own| !own.is_empty()) {
        Some(own) => format!("{own}&{query}"),
        None => query,
    };
    url.set_query(Some(&query));
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::{Allowed, requested_configuration};
    use ipack_domain::{
        form::{FormContent, Parameter},
        provider::{ENDPOINTS, ProviderChoice},
        trim::trimmed,
    };
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn configuration(endpoint: &str, scopes: &str, rows: &[(String, String)]) -> Configuration {
        let provider = ProviderChoice {
            provider: ENDPOINTS.into(),
            authorization_endpoint: endpoint.into(),
            token_endpoint: "https://id.example/token".into(),
            scopes: scopes.into(),
            ..ProviderChoice::default()
        };
        let form = FormContent {
            base_url: "https://api.example".into(),
            client_id: "me & you".into(),
            authorization: rows.iter().map(|(key, value)| Parameter::new(key, value)).collect(),
            provider,
            ..FormContent::default()
        };
        requested_configuration(&form, Allowed::default()).expect("a plan").known().expect("known")
    }

    #[test]
    fn s02_the_vector_of_rfc_7636_appendix_b_passes() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(code_challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn s02_verifiers_differ_and_are_long_enough() {
        let verifiers: HashSet<String> = (0..1_000).map(|_| random_text()).collect();
        assert_eq!(verifiers.len(), 1_000);
        // RFC 7636: 43 to 128 unreserved characters.
        let is_fine = |text: &String| {
            text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        assert!(verifiers.iter().all(is_fine));
    }

    #[test]
    fn s10_a_reserved_parameter_never_reaches_the_address() {
        for key in RESERVED_AUTHORIZATION {
            let configuration = configuration("https://id.example/a", "", &[(key.into(), "x".into())]);
            let refused = authorization_url(&configuration, "https://me/cb", "s", None);
            assert_eq!(refused, Err(ConfigurationError::Reserved(key.into())));
        }
    }

    proptest! {
        /// Whatever is typed arrives as it was typed, each parameter once, and ours are not touched.
        #[test]
        fn parameters_arrive_as_they_were_typed(
            rows in proptest::collection::hash_map("[^\0]{1,12}", "[^\0]{0,20}", 0..5),
            scopes in "[a-z.:/]{0,9}( [a-z]{1,5}){0,2}",
            own in "[a-z]{1,5}",
        ) {
            let rows: Vec<(String, String)> = rows
                .into_iter()
                .map(|(key, value)| (trimmed(&key).to_owned(), value))
                .filter(|(key, _)| !key.is_empty() && !RESERVED_AUTHORIZATION.contains(&key.as_str()))
                .collect::<std::collections::HashMap<_, _>>()
                .into_iter()
                .collect();
            let configuration = configuration(&format!("https://id.example/a?own={own}#x"), &scopes, &rows);
            let url = authorization_url(&configuration, "https://me.example/cb?x=1", "st", Some("ch")).expect("fine");
            prop_assert!(url.as_str().is_ascii() && url.fragment().is_none());
            let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
            let mut take = |key: &str, value: &str| {
                let at = pairs.iter().position(|(k, v)| k == key && v == value);
                at.map(|at| pairs.remove(at)).is_some()
            };
            prop_assert!(take("own", &own));
            prop_assert!(take("response_type", "code") && take("client_id", "me & you"));
            prop_assert!(take("redirect_uri", "https://me.example/cb?x=1") && take("state", "st"));
            prop_assert!(take("code_challenge", "ch") && take("code_challenge_method", "S256"));
            let scope = scopes.split_whitespace().collect::<Vec<_>>().join(" ");
            prop_assert!(scope.is_empty() || take("scope", &scope));
            for (key, value) in &rows {
                prop_assert!(take(key, value), "{key}");
            }
            prop_assert!(pairs.is_empty(), "{pairs:?}");
        }
    }
}
