//! A token to read: got by the program's own use cases from a provider of one answer, on this machine.

use super::Result;
use ipack_core::{OAuth, Services, connector::submission::Submission, tokens::authorization::Initiator};
use ipack_domain::{
    button::Button,
    ids::ConnectionKey,
    post::{Base, Choices},
    provider::{ENDPOINTS, Grant, ProviderChoice},
    tokens::{TypedSecret, TypedSecrets},
};
use ipack_oauth::{addresses::Policy, configuration::Allowed, outbound::Outbound};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// An OAuth client that reaches this machine.
pub fn oauth() -> Result<OAuth> {
    let policy = Policy { allow: vec!["127.0.0.0/8".parse()?], ..Policy::default() };
    let outbound = Outbound::new(policy)?;
    Ok(OAuth { outbound, allowed: Allowed::default(), public_url: "http://127.0.0.1".into() })
}

/// Gives a connection a token that lives for a day.
pub async fn generate(services: &Services, email: &str, password: &str, key: &ConnectionKey) -> Result<()> {
    let provider = provider().await?;
    let admin = services.sign_in(email, password.into()).await?;
    let record = services.connector(&admin, key).await?;
    let mut content = record.shown().clone();
    content.provider = ProviderChoice {
        provider: ENDPOINTS.into(),
        token_endpoint: format!("http://{provider}/token"),
        grant: Grant::ClientCredentials,
        ..ProviderChoice::default()
    };
    let client_secret = TypedSecret::new("not a secret".into());
    let secrets = TypedSecrets { client_secret, ..TypedSecrets::default() };
    let origin = Initiator { browser: "", in_window: false };
    let base = Base { version: record.base_version(), content: record.shown().clone(), ..Base::default() };
    let submission = Submission { button: Button::Save, choices: Choices::default(), base, content };
    let saved = services.begin_authorization(&admin, key, submission, &secrets, origin).await?;
    match services.connector_page_data(&saved.record).await?.token {
        Some(_) => Ok(()),
        None => Err(format!("there is no token: {:?}", saved.problems).into()),
    }
}

/// Answers each connection once, with a token.
async fn provider() -> Result<SocketAddr> {
    const BODY: &str =
        r#"{"access_token":"a-token-of-the-benchmark","token_type":"Bearer","expires_in":86400}"#;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request).await;
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
            let answer = format!("{head}content-length: {}\r\n\r\n{BODY}", BODY.len());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    Ok(address)
}
