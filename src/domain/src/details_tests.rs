//! Connector details: what the form gets of them, what an edit leaves alone, and what is refused.

use super::*;
use proptest::prelude::*;

const SEED: &str = r#"{"baseURL":"https://baseURL.com","companyId":"9341452451293689","clientId":"A","authParams":{"key":"value"},"accessTokenParams":{"key":"value"}}"#;

#[test]
fn the_seeds_details_fill_the_form_and_an_untouched_form_writes_the_same_bytes() {
    let details = Details::parse(SEED).expect("valid");
    let content = details.content();
    assert_eq!(content.base_url, "https://baseURL.com");
    assert_eq!(content.authorization, [Parameter::new("key", "value")]);
    assert_eq!(details.with(&content), SEED);
}

#[test]
fn unknown_keys_keep_their_bytes_and_their_place() {
    let text =
        r#"{ "x" : 1.50e3, "baseURL":"a", "deep":{"z": [ 1 ,2], "big": 123456789012345678901234567890}}"#;
    let details = Details::parse(text).expect("valid");
    let mut content = details.content();
    content.base_url = "https://b\"é".into();
    content.authorization.push(Parameter::new("k", "v"));
    assert_eq!(
        details.with(&content),
        r#"{"x":1.50e3,"baseURL":"https://b\"é","deep":{"z": [ 1 ,2], "big": 123456789012345678901234567890},"authParams":{"k":"v"}}"#
    );
}

#[test]
fn first_details_have_all_five_parts() {
    assert_eq!(
        Details::empty().with(&FormContent::default()),
        r#"{"baseURL":"","companyId":"","clientId":"","authParams":{},"accessTokenParams":{}}"#
    );
}

#[test]
fn what_must_not_be_kept_is_named() {
    let secret = |path: &str| DetailsError::Secret { path: path.into() };
    let twice = |path: &str| DetailsError::DuplicateKey { path: path.into() };
    let wrong = |path: &str, expected| DetailsError::WrongType { path: path.into(), expected };
    for (text, error) in [
        ("[]", DetailsError::NotAnObject),
        ("[{}]", DetailsError::NotAnObject),
        ("\"x\"", DetailsError::NotAnObject),
        ("null", DetailsError::NotAnObject),
        ("12", DetailsError::NotAnObject),
        (r#"{"clientSecret":"s"}"#, secret("clientSecret")),
        (r#"{"a":[{},{"b":{"client_secret":null}}]}"#, secret("a[1].b.client_secret")),
        (r#"{"authParams":{"Client-Secret":"s"}}"#, secret("authParams.Client-Secret")),
        (r#"{"a":1,"a":1}"#, twice("a")),
        (r#"{"a":{"b":1,"c":2,"b":3}}"#, twice("a.b")),
        (r#"{"a":1,"\u0061":1}"#, twice("a")),
        (r#"{"baseURL":1}"#, wrong("baseURL", "a string")),
        (r#"{"clientId":null}"#, wrong("clientId", "a string")),
        (r#"{"authParams":[]}"#, wrong("authParams", "an object of strings")),
        (r#"{"accessTokenParams":{"k":1}}"#, wrong("accessTokenParams.k", "an object of strings")),
    ] {
        assert_eq!(Details::parse(text).expect_err(text), error, "{text}");
    }
    for text in ["", "{", "{}x", "{'a':1}", "{\"a\":\"\n\"}", &"{\"a\":".repeat(200)] {
        assert!(matches!(Details::parse(text), Err(DetailsError::NotJson(_))), "{text}");
    }
}

#[test]
fn a_long_path_is_named_by_its_ends() {
    let long = "é".repeat(100_000);
    for (text, start, end) in [
        (format!(r#"{{"{long}":{{"clientSecret":0}}}}"#), "éé", "éé.clientSecret"),
        (format!(r#"{{"a":[{{"{long}":0,"{long}":1}}]}}"#), "a[0].éé", "éé"),
        (format!(r#"{{"authParams":{{"{long}":0}}}}"#), "authParams.éé", "éé"),
    ] {
        let (DetailsError::Secret { path }
        | DetailsError::DuplicateKey { path }
        | DetailsError::WrongType { path, .. }) = Details::parse(&text).expect_err("refused")
        else {
            panic!("refused for something else");
        };
        assert!(path.starts_with(start) && path.ends_with(end) && path.contains("é…é"), "{path}");
        assert_eq!(path.chars().count(), PATH_LENGTH + 1);
    }
    for length in [PATH_LENGTH, PATH_LENGTH + 1] {
        let key = "é".repeat(length);
        let Err(DetailsError::DuplicateKey { path }) = Details::parse(&format!(r#"{{"{key}":0,"{key}":1}}"#))
        else {
            panic!("not refused");
        };
        assert_eq!(path == key, length == PATH_LENGTH, "{length}");
    }
}

#[test]
fn an_empty_key_is_a_key() {
    for text in [r#"{"":1}"#, r#"{"":[]}"#, r#"{"":{"":{}}}"#] {
        let details = Details::parse(text).expect(text);
        assert_eq!(details.raw("").map(str::len), Some(text.len() - 5));
    }
    let error = Details::parse(r#"{"":{"clientSecret":1}}"#).expect_err("a secret");
    assert_eq!(error, DetailsError::Secret { path: ".clientSecret".into() });
}

/// JSON as strangers write it: any value, white space anywhere between tokens.
fn json() -> impl Strategy<Value = String> {
    let gap = || prop::sample::select(vec!["", " ", "\n", "\t  "]);
    let text = || any::<String>().prop_map(|text| json_string(&text));
    let leaf = prop_oneof![
        text(),
        any::<i64>().prop_map(|number| number.to_string()),
        Just("1.50e-3".to_owned()),
        Just("true".to_owned()),
        Just("null".to_owned()),
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        let members = prop::collection::btree_map("[a-y]{1,6}", (gap(), inner.clone(), gap()), 0..4);
        prop_oneof![
            (prop::collection::vec(inner, 0..4), gap())
                .prop_map(|(items, gap)| { format!("[{gap}{}{gap}]", items.join(&format!("{gap},"))) }),
            members.prop_map(|members| {
                let members =
                    members.into_iter().map(|(key, (a, value, b))| format!("{a}\"{key}\"{b}:{a}{value}{b}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn an_edit_of_one_field_leaves_every_stranger_as_it_was(
        strangers in prop::collection::btree_map("z[a-z0-9]{0,8}", json(), 0..6),
        company in any::<String>(),
    ) {
        let members: Vec<String> = strangers.iter().map(|(key, value)| format!("\"{key}\" : {value}")).collect();
        let text = format!("{{ \"companyId\":\"before\"{}{} }}", if members.is_empty() { "" } else { " , " }, members.join(" ,"));
        let details = Details::parse(&text).expect("valid");
        let edited = details.with(&FormContent { company_id: company.clone(), ..details.content() });
        let again = Details::parse(&edited).expect("still valid");
        prop_assert_eq!(&again.content().company_id, &company);
        for (key, value) in &strangers {
            prop_assert_eq!(again.raw(key), Some(value.as_str()));
        }
    }
}
