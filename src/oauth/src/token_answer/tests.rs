//! Answers as providers give them, from public reports, and others of their kinds.

use super::*;
use proptest::prelude::*;
use serde_json::json;

/// 2023-11-14T22:13:20Z.
const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

fn read_as(content_type: &str, status: u16, body: impl Into<Vec<u8>>) -> Result<Granted, TokenError> {
    let redactor = Redactor::new([&SecretString::from("s3cr3t-canary".to_owned())]);
    read_answer(&Answer::made_up(status, content_type, body), &redactor, NOW)
}

fn read(status: u16, body: &str) -> Result<Granted, TokenError> {
    read_as("application/json", status, body)
}

#[track_caller]
fn granted(body: &Value) -> Granted {
    read(200, &body.to_string()).unwrap_or_else(|error| panic!("{body}: {error}"))
}

fn said(status: u16, body: &str) -> String {
    read(status, body).expect_err(body).to_string()
}

fn extra(granted: &Granted) -> Value {
    let text = granted.extra.as_ref().map(|extra| extra.expose_secret().to_owned());
    text.map_or(Value::Null, |text| serde_json::from_str(&text).expect("JSON"))
}

#[test]
fn a_token_is_found_wherever_it_stands_with_what_belongs_to_it() {
    let token = json!({"access_token": "a", "refresh_token": "r", "expires_in": 60, "scope": "x y"});
    for body in [
        token.clone(),
        json!({"code": 0, "data": token}),
        json!({"ok": true, "authed_user": token}),
        json!({"status": 0, "body": token}),
        json!({"result": {"items": [{"oauth": token}]}}),
        json!([token]),
        json!({"statusCode": 200, "body": token.to_string()}),
        json!(token.to_string()),
        json!({"data": {"accessToken": "a"}, "refreshToken": "r", "expiresIn": "60", "scopes": ["x", "y"]}),
        json!({"Access-Token": "a", "REFRESH_TOKEN": "r", "Expires": 60, "granted_scopes": "x,y"}),
    ] {
        let granted = granted(&body);
        assert_eq!(granted.access_token.expose_secret(), "a", "{body}");
        assert_eq!(granted.refresh_token.as_ref().map(ExposeSecret::expose_secret), Some("r"), "{body}");
        assert_eq!((granted.expires_in, granted.scope.as_deref()), (Some(60), Some("x y")), "{body}");
    }
    // The outermost of several, and the others are kept.
    let two = granted(
        &json!({"access_token": "bot", "token_type": "bot", "authed_user": {"access_token": "user"}}),
    );
    assert_eq!((two.access_token.expose_secret(), two.token_type.as_str()), ("bot", "Bearer"));
    assert_eq!(extra(&two), json!({"authed_user": {"access_token": "user"}}));
}

#[test]
fn an_answer_is_read_in_any_wrapping_and_charset() {
    let json = r#"{"access_token":"a","expires_in":60,"company":"Müller"}"#;
    let utf_16 = |big: bool| -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(json.encode_utf16());
        units.flat_map(|unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    let latin: Vec<u8> = json.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect();
    for (kind, body) in [
        ("application/json", json.as_bytes().to_vec()),
        ("text/html", json.as_bytes().to_vec()),
        ("application/json", [b"\xef\xbb\xbf", json.as_bytes()].concat()),
        ("application/json", utf_16(false)),
        ("application/json; charset=utf-16", utf_16(true)),
        ("application/json; charset=iso-8859-1", latin.clone()),
        ("application/json;charset=\"ISO-8859-1\"; x=y", latin.clone()),
        ("application/json", latin),
        ("Application/JSON; Charset=UTF-16LE", utf_16(false)[2..].to_vec()),
        ("application/json; charset=no-such-charset", json.as_bytes().to_vec()),
        ("text/javascript", format!("/**/ typeof f === 'function' && f({json});").into_bytes()),
        ("application/json", format!("for(;;);{json}").into_bytes()),
        ("", json.as_bytes().to_vec()),
        ("application/javascript", format!("callback( {json} );").into_bytes()),
        ("application/json", format!(")]}}',\n{json}").into_bytes()),
        ("application/x-www-form-urlencoded", b"access_token=a&expires_in=60&company=M%C3%BCller".to_vec()),
        ("text/plain; charset=utf-8", b"access_token=a&expires_in=60&company=M%C3%BCller\n".to_vec()),
        ("application/json", b"?expires_in=60&company=M%c3%bcller&access_token=a".to_vec()),
    ] {
        let granted = read_as(kind, 200, body.clone()).unwrap_or_else(|error| panic!("{body:?}: {error}"));
        assert_eq!((granted.access_token.expose_secret(), granted.expires_in), ("a", Some(60)), "{body:?}");
        assert_eq!(extra(&granted), json!({"company": "Müller"}), "{body:?}");
    }
}

#[test]
fn what_is_beside_the_token_is_kept_and_shown_without_secrets() {
    let granted = granted(&json!({
        "access_token": "a", "token_type": "bearer", "expires_in": 60, "instance_url": "https://eu5.example.com",
        "api_domain": "https://www.zohoapis.in", "hub_id": 42, "id_token": "eyJhbGciOi.e30.x",
        "account": {"id": "U1", "session": "s1"}, "echo": "s3cr3t-canary!",
    }));
    assert_eq!(
        extra(&granted),
        json!({
            "instance_url": "https://eu5.example.com", "api_domain": "https://www.zohoapis.in", "hub_id": 42,
            "id_token": "eyJhbGciOi.e30.x", "account": {"id": "U1", "session": "s1"}, "echo": "…!",
        })
    );
    let shown = shown_extra(granted.extra.as_ref().expect("there is some"));
    let value = |name: &str| {
        shown
            .iter()
            .find(|(known, _)| known == name)
            .unwrap_or_else(|| panic!("{name}: {shown:?}"))
            .1
            .as_deref()
    };
    assert_eq!(value("instance_url"), Some("https://eu5.example.com"));
    assert_eq!((value("hub_id"), value("id")), (Some("42"), Some("U1")));
    assert_eq!((value("id_token"), value("session")), (None, None));
    let long = granted_with("notes", &"n".repeat(MAX_EXTRA));
    assert_eq!(extra(&long), json!({"hub_id": 42}));
    assert!(
        read(200, r#"{"access_token":"a","token_type":"bearer"}"#)
            .is_ok_and(|granted| granted.extra.is_none())
    );
}

fn granted_with(name: &str, value: &str) -> Granted {
    granted(&json!({"access_token": "a", "hub_id": 42, name: value}))
}

#[test]
fn token_types_are_as_a_header_has_them() {
    for (named, expected) in [
        (json!("bearer"), "Bearer"),
        (json!("BEARER"), "Bearer"),
        (json!("Bearer "), "Bearer"),
        (json!("BearerToken"), "Bearer"),
        (json!("bot"), "Bearer"),
        (json!("user"), "Bearer"),
        (json!("urn:ietf:params:oauth:token-type:access_token"), "Bearer"),
        (json!(""), "Bearer"),
        (json!(null), "Bearer"),
        (json!(7), "Bearer"),
        (json!("two words"), "Bearer"),
        (json!("N_A"), "Bearer"),
        (json!("null"), "Bearer"),
        (json!("Bearer, Bearer"), "Bearer"),
        (json!(["Bearer"]), "Bearer"),
        (json!("bearer\r\nx-injected: 1"), "Bearer"),
        (json!("Bearer abc"), "Bearer"),
        (json!("dpop"), "DPoP"),
        (json!("mac"), "MAC"),
        (json!("Zoho-oauthtoken"), "Zoho-oauthtoken"),
    ] {
        assert_eq!(
            granted(&json!({"access_token": "a", "token_type": named})).token_type,
            expected,
            "{named}"
        );
    }
}

#[test]
fn lifetimes_are_found_by_any_name() {
    for (member, value) in [
        ("expires_in", json!("3600")),
        ("expiresIn", json!(3600)),
        ("expires", json!(1_700_003_600)),
        ("expires_on", json!("1700003600")),
        ("expires_at", json!("2023-11-14T23:13:20Z")),
        ("expiresAt", json!(1_700_003_600_000_i64)),
        ("expiry_date", json!(1_700_003_600_000_i64)),
        (".expires", json!("Tue, 14 Nov 2023 23:13:20 GMT")),
        ("access_token_expires_in", json!("1 hour")),
    ] {
        let found = granted(
            &json!({"access_token": "a", member: value, "ext_expires_in": 9, "id_token_expires_in": 8}),
        );
        assert_eq!((found.expires_in, found.refresh_expires_in), (Some(3_600), None), "{member}: {value}");
        assert!(extra(&found).get(member).is_none(), "{member}");
    }
    for member in [
        "refresh_expires_in",
        "refresh_token_expires_in",
        "x_refresh_token_expires_in",
        "refreshTokenExpiresIn",
    ] {
        let found = granted(&json!({"access_token": "a", member: "1800", "expires_in": 36_000}));
        assert_eq!((found.expires_in, found.refresh_expires_in), (Some(36_000), Some(1_800)), "{member}");
    }
    // What cannot be read is kept, and another is taken.
    let odd = granted(&json!({"access_token": "a", "expires_in": "soon", "expires_at": 1_700_000_060}));
    assert_eq!((odd.expires_in, extra(&odd)), (Some(60), json!({"expires_in": "soon"})));
    assert_eq!(granted(&json!({"access_token": "a", "expires_in": null})).expires_in, None);
}

#[test]
fn scopes_have_blanks_between_them_whatever_stood_there() {
    for written in [
        json!("read write"),
        json!("read,write"),
        json!(" read, write,"),
        json!("read;write"),
        json!(["read", "write"]),
        json!(["read write"]),
        json!("[\"read\",\"write\"]"),
    ] {
        let scope = granted(&json!({"access_token": "a", "scope": written})).scope;
        assert_eq!(scope.as_deref(), Some("read write"), "{written}");
    }
    for none in [json!(""), json!([]), json!(null), json!({})] {
        assert_eq!(granted(&json!({"access_token": "a", "scope": none})).scope, None, "{none}");
    }
}

#[test]
fn refusals_are_told_in_the_words_of_whoever_refused() {
    for (status, body, expected) in [
        (400, r#"{"error":"invalid_grant","error_description":"used"}"#, "invalid_grant (used)"),
        (200, r#"{"ok":false,"error":"bad_redirect_uri"}"#, "bad_redirect_uri"),
        (400, r#"{"error":{"type":"OAuthException","message":"no","code":190}}"#, "OAuthException (no)"),
        (401, r#"{"errorCode":"E1","errorSummary":"no"}"#, "E1 (no)"),
        (200, r#"{"code":40029,"msg":"invalid code"}"#, "40029 (invalid code)"),
        (200, r#"{"errcode":40013,"errmsg":"invalid appid"}"#, "40013 (invalid appid)"),
        (
            200,
            r#"{"success":false,"result":{"Mesaj":"Gecersiz anahtar"}}"#,
            "success: false, Mesaj: Gecersiz anahtar",
        ),
        (401, r#"{"errors":["Client is not known"]}"#, "Client is not known"),
        (400, r#"{"errors":[{"errorType":"invalid_grant","message":"dead"}]}"#, "invalid_grant (dead)"),
        (400, r#"{"type":"about:blank","title":"Unauthorized","status":400}"#, "Unauthorized"),
        (400, r#"{"error":"Invalid client credentials"}"#, "Invalid client credentials"),
        (
            200,
            "error=bad_verification_code&error_description=The+code+expired",
            "bad_verification_code (The code expired)",
        ),
        (
            200,
            r#"callback( {"error":100020,"error_description":"code is reused"} );"#,
            "100020 (code is reused)",
        ),
    ] {
        assert!(
            said(status, body).ends_with(&format!("HTTP {status}: {expected}")),
            "{}",
            said(status, body)
        );
    }
    for (body, expected) in [
        (
            "<html><head><title>Blocked</title><style>p{}</style></head><p>Ask your&nbsp;IT</p></html>",
            "a page: Blocked Ask your&nbsp;IT",
        ),
        ("Service is being upgraded", "Service is being upgraded"),
        ("<error>no such realm</error>", "no such realm"),
        ("", "an empty answer"),
        ("{}", "neither a token nor an error is in it"),
        ("[]", "neither a token nor an error is in it"),
    ] {
        assert!(said(200, body).ends_with(expected), "{}", said(200, body));
    }
    assert!(matches!(read(400, r#"{"error":"x","access_token":"a"}"#), Err(TokenError::Refused { .. })));
}

#[test]
fn s22_a_provider_that_repeats_a_secret_is_not_repeated() {
    let body = r#"{"error":"invalid_client","error_description":"no client with s3cr3t-canary here"}"#;
    assert!(said(401, body).contains("no client with … here"), "{}", said(401, body));
    for body in
        ["secret s3cr3t-canary is wrong", r#"{"Mesaj":"s3cr3t-canary"}"#, r#"{"password":"another-canary"}"#]
    {
        assert!(!said(400, body).contains("canary"), "{}", said(400, body));
    }
}

/// A token that cannot be read is not shown in the words of a failure either.
#[test]
fn s22_an_answer_that_cannot_be_read_shows_no_token() {
    for body in [
        r#"{"access_token":"a-canary","expires_in":60,}"#,
        r#"{"access_token":"a-canary","expires_in":"#,
        "{'access_token': 'a-canary'}",
        "<response><access_token>a-canary</access_token></response>",
        "<html><p>access_token=a-canary</p></html>",
        "access_token: a-canary\nexpires_in: 60",
        "Your accessToken : a-canary",
        "access_token=a-canary&expires in=60",
        r#"{\"access_token\":\"a-canary\"}"#,
        r#"{"a":1}{"refresh_token":"a-canary"}"#,
    ] {
        for status in [200, 400] {
            let error = said(status, body);
            assert!(!error.contains("canary") && error.contains("a token"), "{body}: {error}");
        }
    }
    assert!(said(400, "The refresh token is no longer valid.").contains("no longer valid"));
    assert!(said(400, "refresh_token: expired or revoked").contains("a token"), "it may be one");
}

#[test]
fn s22_scopes_are_not_cut_and_repeat_no_secret() {
    let long: Vec<String> = (0..40).map(|n| format!("https://www.googleapis.com/auth/scope-{n}")).collect();
    let scope =
        granted(&json!({"access_token": "a", "scope": format!("{} s3cr3t-canary", long.join(" "))})).scope;
    assert_eq!(scope, Some(format!("{} …", long.join(" "))));
}

#[test]
fn s14_what_a_provider_says_is_capped_text() {
    let long = format!("<b>\u{7}{}", "y".repeat(9_000));
    let body = json!({"error": "x", "error_description": long}).to_string();
    assert!(said(400, &body).len() < 500 && !said(400, &body).contains('\u{7}'), "{}", said(400, &body));
    assert!(said(400, &long).len() < 500);
}

#[test]
fn s27_debug_of_what_was_granted_shows_no_token() {
    let body = json!({"access_token": "a-canary", "refresh_token": "r-canary", "id_token": "i-canary"});
    assert!(!format!("{:?} {}", granted(&body), granted(&body).summary()).contains("canary"));
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(status in 100u16..600, body in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,200}") {
        let _ = read_as("text/plain; charset=utf-8", status, body);
        let _ = read(status, &text);
    }
}
