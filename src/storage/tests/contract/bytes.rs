//! `oauthConnectorDetails` comes back byte for byte, by whichever function it is written and read.
//!
//! A text that some layer might touch is a line of [`texts`]; a new way to write or read one is a step of
//! [`assert_unchanged`].

use ipack_storage::{
    Database, details, environments, instances,
    packs::{self, InstallationType, Pack, PackConnection},
};
use ipack_testing::records::{
    SPACE, add_space, at, key, new_details, new_instance, provider, stand_up, uuid,
};

on_both!(
    every_text_comes_back_byte_for_byte,
    long_texts_come_back_byte_for_byte,
    defaults_come_back_byte_for_byte
);

fn texts() -> Vec<String> {
    [
        // Escapes are text: none is resolved, none is normalised.
        r#"{"nul":"\u0000","low":"\u001f","quote":"\"","slash":"\/","back":"\\","pair":"\ud83d\ude00","Case":"\u00E9\u00e9"}"#,
        r#"{"lone":"\ud800","bell":"\u0007\b\f\n\r\t"}"#,
        // Precomposed and combining forms stay what they are.
        "{\"é\":\"e\u{301}\",\"e\u{301}\":\"é\",\"ạ̈\":\"a\u{308}\u{323}\",\"한\":\"\u{1112}\u{1161}\u{11ab}\"}",
        // Beyond the basic plane, to its very end, with joiners and variation selectors.
        "{\"𝒦\":\"😀👩\u{200d}👩\u{200d}👧 🏳\u{fe0f}\u{200d}🌈 \u{10ffff}\u{1f1e8}\u{1f1ed}\"}",
        // What readers like to drop or swap: byte order mark, non-characters, separators, directions, DEL.
        "{\"a\":\"\u{feff}\u{fffe}\u{ffff}\u{fffd}\u{2028}\u{2029}\u{85}\u{a0}\u{7f}\u{200b}\u{202e}\u{1}\"}",
        "\u{feff}{\"bom\":1}",
        // The order of keys, and keys that stand twice.
        r#"{"z":1,"a":2,"M":3,"10":4,"9":5,"":6,"z":7}"#,
        // White space, doubled, of every kind that JSON knows, also at both ends.
        " \t\r\n{  \"a\"  :\t\t[ ] ,\r\n\r\n  \"b  c\":\"d   e\"\n}\n\n ",
        // Numbers that a parser would write otherwise.
        r#"{"a":1.0,"b":1e0,"c":-0,"d":100000000000000000000000000,"e":0.1e-7,"f":1E+2,"g":3.14000}"#,
        // Characters that SQL, LIKE, drivers and shells care about.
        r#"{"a":"'; DROP TABLE connector_details; --","b":"$1 ? :a @b %s %_ {} \\x00"}"#,
        "{}",
        "",
        " ",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Writes the text by each function that writes one, and reads it by each that reads one.
async fn assert_unchanged(database: &Database, text: &str) {
    let same = |found: &str, by: &str| {
        // Not assert_eq!: nobody reads 900 kB in a message.
        let first = found.bytes().zip(text.bytes()).position(|(a, b)| a != b);
        let (is, was) = (found.len(), text.len());
        assert!(found == text, "{by}: {is} bytes of {was}, first difference at {first:?}: {text:.200}");
    };
    stand_up(database, &key()).await;
    let new = new_details(text, "saver");
    let blank = new_details("blank", "saver");

    let saved = write_now!(database, db => details::insert_first(db, uuid(1), &key(), new, at(1)));
    same(&saved.expect("nothing was there").oauth_connector_details, "insert_first");
    same(&find(database).await, "find after insert_first");

    write_now!(database, db => details::upsert(db, uuid(2), &key(), blank, at(2)));
    let saved = write_now!(database, db => details::upsert(db, uuid(2), &key(), new, at(3)));
    same(&saved.oauth_connector_details, "upsert");
    same(&find(database).await, "find after upsert");

    let version = write_now!(database, db => details::upsert(db, uuid(2), &key(), blank, at(4))).version;
    let saved = write_now!(database, db => details::replace_version(db, &key(), version, new, at(5)));
    same(&saved.expect("the version held").oauth_connector_details, "replace_version");
    same(&find(database).await, "find after replace_version");
    let owned = read_now!(database, db => details::find_owned(db, &key())).expect("it is saved");
    same(&owned.details.oauth_connector_details, "find_owned");

    // Clean for the next text.
    write_now!(database, db => instances::remove(db, &key().space, &key().instance));
}

async fn find(database: &Database) -> String {
    read_now!(database, db => details::find(db, &key())).expect("it is saved").oauth_connector_details
}

async fn every_text_comes_back_byte_for_byte(database: Database) {
    for text in texts() {
        assert_unchanged(&database, &text).await;
    }
}

async fn long_texts_come_back_byte_for_byte(database: Database) {
    // Repetitive text, which a database may compress, and text that it cannot, both over 900 kB.
    let repetitive = format!("{{\"a\":\"{}\"}}", "0123456789  é😀".repeat(50_000));
    let mut state = 88_172_645_463_325_252_u64;
    let mut noise = String::from("{\"a\":\"");
    while noise.len() < 900_000 {
        // xorshift64: the same text in each run.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend(char::from_u32(0x20 + (state % 0x1_0000) as u32).filter(|c| !"\"\\".contains(*c)));
    }
    noise.push_str("\"}");
    for text in [repetitive, noise] {
        assert!(text.len() >= 900_000, "{}", text.len());
        assert_unchanged(&database, &text).await;
    }
}

async fn defaults_come_back_byte_for_byte(database: Database) {
    let key = key();
    add_space(&database, ipack_testing::records::ACCOUNT, SPACE).await;
    let pack = Pack {
        id: "pack".to_owned(),
        name: "Pack".to_owned(),
        description: String::new(),
        installation_type: InstallationType::Multi,
    };
    write_now!(database, db => packs::put(db, SPACE, &pack, at(0)));
    write_now!(database, db => packs::put_process(db, SPACE, "pack", &key.process, "Process"));
    let instance =
        instances::NewInstance { pack: Some("pack"), ..new_instance(SPACE, &key.instance, "Instance") };
    write_now!(database, db => instances::add(db, instance, at(0)));
    write_now!(database, db => environments::register(db, SPACE, &key.environment, at(0)));
    ipack_testing::records::attach(&database, SPACE, &key.instance, &key.environment).await;
    for text in texts() {
        let (process, id) = (&key.process, &key.connection);
        let (text, choice) = (Some(text.as_str()), provider(&text));
        let connection = PackConnection {
            process,
            id,
            name: "C",
            uses_oauth: true,
            defaults: text,
            provider: Some(&choice),
        };
        write_now!(database, db => packs::put_connection(db, SPACE, "pack", connection));
        write_now!(database, db => instances::adopt_pack(db, SPACE, &key.instance, "pack"));
        let found = read_now!(database, db => instances::connection(db, &key)).expect("it is there");
        assert_eq!((found.defaults.as_deref(), found.provider.as_ref()), (text, Some(&choice)));
    }
}
