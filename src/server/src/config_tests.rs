use super::*;

fn parsed(flag: &str, value: &str) -> Result<Config, String> {
    let command = Config::augment_args(clap::Command::new("serve").no_binary_name(true))
        .mut_args(|arg| arg.env(Resettable::Reset));
    let matches =
        command.try_get_matches_from([format!("{flag}={value}")]).map_err(|error| error.to_string())?;
    Config::from_arg_matches(&matches).map_err(|error| error.to_string())
}

#[test]
fn the_defaults_are_the_command_lines() {
    let config = Config::default();
    assert_eq!((config.database_url.0.as_str(), config.database_connections), (DEFAULT_DATABASE_URL, 16));
    assert_eq!(config.listen, SocketAddr::from(([127, 0, 0, 1], 3000)));
    assert_eq!((config.public_url, config.admin_email.as_str()), (None, "admin@localhost"));
    assert_eq!((config.rate_limit, config.body_limit), (RateLimit(Some(50)), 1_048_576));
    assert_eq!((config.session_idle_seconds, config.session_absolute_seconds), (1_800, 43_200));
    assert_eq!((config.trusted_proxies, config.outbound_allow), (vec![], vec![]));
    assert_eq!(config.master_key_file.to_str(), Some(DEFAULT_MASTER_KEY_FILE));
    assert_eq!((config.outbound_ports, config.allow_password_grant), (vec![443, 8443, 9443], false));
}

#[test]
fn what_is_out_of_range_is_refused_with_the_variables_name() {
    for (flag, variable, bad, good) in [
        ("--listen", "IPACK_LISTEN", vec!["", "localhost", "1.2.3.4"], vec!["0.0.0.0:0", "[::1]:80"]),
        (
            "--public-url",
            "IPACK_PUBLIC_URL",
            vec![
                "x",
                "ftp://h",
                "http://",
                "https:///",
                "https://:80",
                "https://h/path",
                "https://h/?q",
                "https://h#f",
                "https://h//",
                "https://u:p@h",
                "https://a b",
                "HTTPS://h",
            ],
            vec!["", "http://h", "https://h:8443", "https://h/", "http://[::1]:80"],
        ),
        (
            "--database-connections",
            "IPACK_DATABASE_CONNECTIONS",
            vec!["", "3", "1001", "x"],
            vec!["4", "1000"],
        ),
        ("--rate-limit", "IPACK_RATE_LIMIT", vec!["", "0", "-1", "1.5"], vec!["1", "off"]),
        ("--body-limit", "IPACK_BODY_LIMIT", vec!["", "0", "1023", "1k"], vec!["1024"]),
        ("--session-idle-seconds", "IPACK_SESSION_IDLE", vec!["", "0", "31536001"], vec!["1", "31536000"]),
        ("--session-absolute-seconds", "IPACK_SESSION_ABSOLUTE", vec!["0", "31536001"], vec!["1"]),
        ("--trusted-proxies", "IPACK_TRUSTED_PROXIES", vec!["x", "1.2.3.4/33", "::1,", ","], vec!["none"]),
        ("--outbound-allow", "IPACK_OUTBOUND_ALLOW", vec!["x", "10.0.0.0/33"], vec!["none", "127.0.0.0/8"]),
        (
            "--outbound-ports",
            "IPACK_OUTBOUND_PORTS",
            vec!["", "0", "65536", "443,"],
            vec!["443", "443, 8443"],
        ),
        ("--allow-password-grant", "IPACK_ALLOW_PASSWORD_GRANT", vec!["", "yes", "1"], vec!["true", "false"]),
    ] {
        for value in bad {
            let error = parsed(flag, value).map(drop).expect_err(value);
            assert!(error.contains(variable), "{flag} {value:?}: {error}");
        }
        for value in good {
            parsed(flag, value).unwrap_or_else(|error| panic!("{flag} {value:?}: {error}"));
        }
    }
}

#[test]
fn the_public_url_is_the_bound_address_unless_it_is_set() {
    let bound = SocketAddr::from(([127, 0, 0, 1], 4711));
    for (value, expected) in
        [("", "http://127.0.0.1:4711"), ("https://h/", "https://h"), ("http://h:1", "http://h:1")]
    {
        let config = parsed("--public-url", value).expect("valid");
        assert_eq!(config.public_url(bound), expected);
        assert_eq!(config.is_https(), value.starts_with("https"));
    }
    let config = parsed("--listen", "127.0.0.1:0").expect("valid");
    assert_eq!(config.public_url(bound), "http://127.0.0.1:4711");
}

#[test]
fn proxies_are_networks_and_addresses() {
    let proxies = |text| parsed("--trusted-proxies", text).expect("valid").trusted_proxies;
    assert_eq!(proxies(" "), []);
    let expected = ["10.0.0.0/8", "192.0.2.7/32", "::1/128"].map(|net| net.parse().expect("a network"));
    assert_eq!(proxies("10.0.0.0/8, 192.0.2.7 ,::1"), expected);
}

#[test]
fn no_secret_is_shown_or_taken_from_the_command_line() {
    let config = parsed("--database-url", "postgres://u:hush@h/db").expect("valid");
    assert!(!format!("{config:?}").contains("hush"));
    parsed("--admin-password", "hush").map(drop).expect_err("there is no such flag");
}
