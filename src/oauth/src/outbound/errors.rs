//! What can go wrong with an outbound call, each a sentence for an admin. A sentence names the host and nothing else of
//! an address: no path, no query, no secret, and no resolved address, which would map the network for whoever asks.

use crate::addresses::Unresolved;
use crate::outbound::host_of;
use rustls::CertificateError;
use std::{error::Error, fmt, io};
use url::Url;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    #[error("This is not a web address.")]
    NotAnAddress,
    #[error("The address of {host} must begin with https://.")]
    NotHttps { host: String },
    #[error("The address of {host} has a user name or a password in it.")]
    UserInfo { host: String },
    #[error("Port {port} of {host} is not one that the operator allows.")]
    PortRefused { host: String, port: u16 },
    #[error("{host} leads to a private, local or reserved address, which the operator does not allow.")]
    AddressRefused { host: String },
    /// The resolver does not tell a missing name from a name server that is out of order.
    #[error("The name {host} was not found.")]
    NameNotFound { host: String },
    #[error("{host} takes no connections on port {port}.")]
    CannotConnect { host: String, port: u16 },
    #[error("There is no secure connection to {host}: {reason}.")]
    Tls { host: String, reason: &'static str },
    #[error("{host} {slow}.")]
    TimedOut { host: String, slow: Slow },
    #[error("{host} answers with more than the {kibibytes} KiB that are read.")]
    TooMuch { host: String, kibibytes: usize },
    #[error("{host} answers with an endless head.")]
    HeadTooLarge { host: String },
    /// `to` is the host in `Location`, where there is one.
    #[error("{host} redirects{}, which is not followed. Enter the final address.", to_host(.to.as_deref()))]
    Redirected { host: String, to: Option<String> },
    #[error("{host} broke off in the middle.")]
    BrokeOff { host: String },
    #[error("{host} does not answer as a web server does.")]
    NotHttp { host: String },
    #[error("{host} answered {status} with {}, not the JSON that was expected.", what(*.is_page))]
    NotJson { host: String, status: u16, is_page: bool },
    #[error("The credentials for {host} have characters in them that cannot be sent.")]
    Unsendable { host: String },
    /// At start only.
    #[error("The client for outbound calls cannot be made: {0}.")]
    Setup(String),
}

/// Which time limit ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slow {
    Connect,
    Read,
    Total,
}

impl fmt::Display for Slow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "could not be connected to in time",
            Self::Read => "did not answer in time",
            Self::Total => "took too long to finish its answer",
        })
    }
}

fn what(is_page: bool) -> &'static str {
    if is_page { "a web page" } else { "something else" }
}

fn to_host(to: Option<&str>) -> String {
    to.map(|host| format!(" to {host}")).unwrap_or_default()
}

impl OutboundError {
    /// Whether the same call may succeed later with nothing changed here. What a network, a proxy or a server says for a
    /// while counts too: a wrong certificate, a redirect, a page.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::NameNotFound { .. }
            | Self::CannotConnect { .. }
            | Self::Tls { .. }
            | Self::TimedOut { .. }
            | Self::TooMuch { .. }
            | Self::HeadTooLarge { .. }
            | Self::Redirected { .. }
            | Self::BrokeOff { .. }
            | Self::NotHttp { .. }
            | Self::NotJson { .. }
            | Self::Setup(_) => true,
            Self::NotAnAddress
            | Self::NotHttps { .. }
            | Self::UserInfo { .. }
            | Self::PortRefused { .. }
            | Self::AddressRefused { .. }
            | Self::Unsendable { .. } => false,
        }
    }

    /// Whether the provider may have had the request, so that a code or a token in it may be used up.
    pub fn may_have_arrived(&self) -> bool {
        match self {
            Self::TimedOut { slow, .. } => *slow != Slow::Connect,
            Self::TooMuch { .. }
            | Self::HeadTooLarge { .. }
            | Self::Redirected { .. }
            | Self::BrokeOff { .. }
            | Self::NotHttp { .. }
            | Self::NotJson { .. } => true,
            Self::NotAnAddress
            | Self::NotHttps { .. }
            | Self::UserInfo { .. }
            | Self::PortRefused { .. }
            | Self::AddressRefused { .. }
            | Self::NameNotFound { .. }
            | Self::CannotConnect { .. }
            | Self::Tls { .. }
            | Self::Unsendable { .. }
            | Self::Setup(_) => false,
        }
    }

    /// For an address that only a host in an allowed network may have: because of its scheme, else because of its port.
    pub(super) fn only_inside(url: &Url) -> Self {
        let host = host_of(url);
        match url.port_or_known_default() {
            Some(port) if url.scheme() == "https" => Self::PortRefused { host, port },
            _ => Self::NotHttps { host },
        }
    }

    /// What the HTTP client's error means. Its own words name whole addresses, so none of them are kept.
    pub(super) fn of(error: &reqwest::Error, url: &Url) -> Self {
        let host = host_of(url);
        match find::<Unresolved>(error) {
            Some(Unresolved::NotFound) => return Self::NameNotFound { host },
            Some(Unresolved::Refused { public: true }) => return Self::only_inside(url),
            Some(Unresolved::Refused { public: false }) => return Self::AddressRefused { host },
            None => {}
        }
        if error.is_builder() {
            return Self::NotAnAddress;
        }
        if error.is_timeout() {
            return Self::TimedOut {
                host,
                slow: if error.is_connect() { Slow::Connect } else { Slow::Read },
            };
        }
        if error.is_connect() {
            return match find::<rustls::Error>(error) {
                Some(error) => Self::Tls { host, reason: tls_reason(error) },
                None => Self::CannotConnect { host, port: url.port_or_known_default().unwrap_or_default() },
            };
        }
        match (find::<hyper::Error>(error), find::<io::Error>(error)) {
            (Some(error), _) if error.is_parse_too_large() => Self::HeadTooLarge { host },
            (Some(error), _) if error.is_parse() => Self::NotHttp { host },
            // A body that is not the gzip it says it is.
            (None, Some(error)) if error.kind() != io::ErrorKind::UnexpectedEof => Self::NotHttp { host },
            _ => Self::BrokeOff { host },
        }
    }
}

fn tls_reason(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InvalidCertificate(error) => match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet"
            }
            CertificateError::UnknownIssuer => "its certificate is from an issuer that is not trusted here",
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "its certificate is for another name"
            }
            _ => "its certificate is not valid",
        },
        rustls::Error::AlertReceived(_) => "it refused the handshake",
        rustls::Error::PeerIncompatible(_) => "it offers no TLS version or cipher that is accepted here",
        _ => "it does not answer with TLS",
    }
}

/// The first error of this type among an error and its sources.
fn find<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // An I/O error passes over the error it wraps when asked for its source.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    None
}
