//! Contract of `storage::suggestions`: values that an account has used before.

use ipack_domain::{
    fields::{Table, TextField},
    suggestions::SuggestionField,
    time::Timestamp,
};
use ipack_storage::{
    Database, StorageError, Writer, accounts,
    suggestions::{self, MAX_VALUE_BYTES, UsedValue},
};
use ipack_testing::records::{ACCOUNT, at};

on_both!(
    every_field_offers_its_latest_values_first,
    a_value_used_again_moves_to_the_front,
    a_value_that_was_used_lately_keeps_its_place,
    an_account_sees_its_own_values,
    values_that_help_nobody_are_passed_over,
    suggestions_need_their_account,
    housekeeping_leaves_the_latest_values_of_each_field,
    housekeeping_spares_values_of_one_moment,
);

/// What `latest` offers of a field.
async fn offered(database: &Database, account: &str, field: SuggestionField) -> Vec<String> {
    let all = read_now!(database, db => suggestions::latest(db, account));
    all.into_iter().filter(|one| one.field == field).map(|one| one.value).collect()
}

async fn two_accounts(database: &Database) {
    write_now!(database, db => accounts::ensure(db, ACCOUNT, at(0)));
    write_now!(database, db => accounts::ensure(db, "account-2", at(0)));
}

/// Those of the values that are offered.
fn used<'a>(field: SuggestionField, values: impl IntoIterator<Item = &'a str>) -> Vec<UsedValue> {
    values.into_iter().filter_map(|value| UsedValue::new(field, value)).collect()
}

async fn record(database: &Database, field: SuggestionField, value: &str, now: Timestamp) {
    let used = used(field, [value]);
    write_now!(database, db => suggestions::record(db, ACCOUNT, &used, now, now));
}

/// Records many values of one field in one transaction: `value 1` at the first moment, and so on.
async fn record_many(
    database: &Database,
    account: &str,
    field: SuggestionField,
    count: i64,
    moment: impl Fn(i64) -> Timestamp,
) {
    let write = async |mut db: Writer| {
        for number in 1..=count {
            let value = format!("value {number}");
            suggestions::record(db.lend(), account, &used(field, [&*value]), moment(number), moment(number))
                .await?;
        }
        Ok::<_, StorageError>(())
    };
    database.write(write).await.expect("recorded");
}

async fn every_field_offers_its_latest_values_first(database: Database) {
    two_accounts(&database).await;
    assert_eq!(read_now!(database, db => suggestions::latest(db, ACCOUNT)), []);
    for field in SuggestionField::all() {
        record_many(&database, ACCOUNT, field, 15, at).await;
        record(&database, field, &field.name(), at(99)).await;
    }
    for field in SuggestionField::all() {
        let mut expected = vec![field.name()];
        expected.extend((5..=15).rev().map(|number| format!("value {number}")));
        assert_eq!(offered(&database, ACCOUNT, field).await, expected, "{field:?}");
    }
}

async fn a_value_used_again_moves_to_the_front(database: Database) {
    two_accounts(&database).await;
    let field = SuggestionField::Text(TextField::ClientId);
    for (value, now) in [("a", 1), ("é 😀", 2), ("A", 3), ("a", 4)] {
        record(&database, field, value, at(now)).await;
    }
    assert_eq!(offered(&database, ACCOUNT, field).await, ["a", "A", "é 😀"]);
}

async fn a_value_that_was_used_lately_keeps_its_place(database: Database) {
    two_accounts(&database).await;
    let (one, other) =
        (SuggestionField::Text(TextField::ClientId), SuggestionField::Text(TextField::CompanyId));
    let record = async |account: &str, values: &[UsedValue], since: i64, now: i64| {
        let (since, now) = (at(since), at(now));
        write_now!(database, db => suggestions::record(db, account, values, since, now));
    };
    // Of all accounts and fields, how many values were used last at each second.
    let moments = async || {
        let mut moments = Vec::new();
        for second in 0..=10 {
            let used_then = format!("suggestions WHERE used_at = {}", at(second).0);
            moments.push((second, ipack_testing::tables::count(&database, &used_then).await));
        }
        moments.retain(|(_, count)| *count > 0);
        moments
    };
    record(ACCOUNT, &[], 0, 1).await;
    assert_eq!(moments().await, []);
    let values: Vec<String> = (0..50).map(|number| format!("{number:02} \"é\\ 😀")).collect();
    let values = used(one, values.iter().map(String::as_str));
    record(ACCOUNT, &values[..20], 0, 5).await;
    // Each value once, however often it is named.
    record(ACCOUNT, &[values[20].clone(), values[20].clone()], 0, 6).await;
    record(ACCOUNT, &values, 6, 7).await;
    assert_eq!(moments().await, [(6, 1), (7, 49)], "used at 6 or later keeps its place");
    record(ACCOUNT, &values, 5, 8).await;
    assert_eq!(moments().await, [(6, 1), (7, 49)]);
    record("account-2", &values, 0, 9).await;
    let elsewhere = used(other, ["00 \"é\\ 😀"]);
    record(ACCOUNT, &elsewhere, 0, 10).await;
    assert_eq!(moments().await, [(6, 1), (7, 49), (9, 50), (10, 1)], "of another account, of another field");
}

async fn an_account_sees_its_own_values(database: Database) {
    two_accounts(&database).await;
    record(&database, SuggestionField::Text(TextField::BaseUrl), "https://one.example", at(1)).await;
    assert_eq!(read_now!(database, db => suggestions::latest(db, "account-2")), []);
    assert_eq!(
        offered(&database, ACCOUNT, SuggestionField::Text(TextField::BaseUrl)).await,
        ["https://one.example"]
    );
}

async fn values_that_help_nobody_are_passed_over(database: Database) {
    two_accounts(&database).await;
    let longest = "é".repeat(MAX_VALUE_BYTES / 2);
    let overlong = format!("{longest}x");
    for (number, value) in
        ["", "  \u{a0}", &overlong, "a\0b", "a\nb", "a\u{7f}b", "a\u{85}b", &longest, " x "]
            .iter()
            .enumerate()
    {
        record(&database, SuggestionField::Text(TextField::CompanyId), value, at(number as i64)).await;
    }
    assert_eq!(
        offered(&database, ACCOUNT, SuggestionField::Text(TextField::CompanyId)).await,
        [" x ", &longest]
    );
}

async fn suggestions_need_their_account(database: Database) {
    let field = SuggestionField::Text(TextField::BaseUrl);
    let used = used(field, ["value"]);
    assert_refused!(database, Reference, db => suggestions::record(db, "nobody", &used, at(0), at(0)));
}

/// What housekeeping does: how many values it removes.
async fn prune(database: &Database) -> u64 {
    let mut removed = 0;
    for (account, field) in read_now!(database, db => suggestions::overfull(db)) {
        removed += write_now!(database, db => suggestions::prune(db, &account, &field));
    }
    removed
}

async fn housekeeping_leaves_the_latest_values_of_each_field(database: Database) {
    two_accounts(&database).await;
    let (full, brimful, few) = (
        SuggestionField::Text(TextField::BaseUrl),
        SuggestionField::Text(TextField::ClientId),
        SuggestionField::Key(Table::Authorization),
    );
    // Moments that no other account or field shares, so that one compared with another's would show.
    record_many(&database, ACCOUNT, full, 205, |n| at(n * 1_000)).await;
    record_many(&database, ACCOUNT, brimful, 200, at).await;
    record_many(&database, ACCOUNT, few, 3, |n| at(n - 10)).await;
    record_many(&database, "account-2", full, 201, |n| at(n - 1_000)).await;
    assert_eq!(prune(&database).await, 6);
    for (account, field, oldest, latest) in [
        (ACCOUNT, full, 6, 205),
        (ACCOUNT, brimful, 1, 200),
        (ACCOUNT, few, 1, 3),
        ("account-2", full, 2, 201),
    ] {
        let of_field = format!("suggestions WHERE account_id = '{account}' AND field = '{}'", &field.name());
        let left = ipack_testing::tables::count(&database, &of_field).await;
        assert_eq!(left, latest - oldest + 1, "{account} {field:?}");
        for number in [oldest, latest] {
            let value = format!("{of_field} AND value = 'value {number}'");
            assert_eq!(
                ipack_testing::tables::count(&database, &value).await,
                1,
                "{account} {field:?} {number}"
            );
        }
    }
    assert_eq!(prune(&database).await, 0, "nothing is left to do");
}

async fn housekeeping_spares_values_of_one_moment(database: Database) {
    two_accounts(&database).await;
    let field = SuggestionField::Value(Table::Authorization);
    record_many(&database, ACCOUNT, field, 250, |_| at(1)).await;
    record_many(&database, "account-2", field, 250, |n| at(n / 100)).await;
    prune(&database).await;
    // None of them is older than the others: better too many than none.
    assert_eq!(
        ipack_testing::tables::count(&database, "suggestions WHERE account_id = 'account-1'").await,
        250
    );
    // 51 of the third moment, 100 of the second, and 99 of the first.
    assert_eq!(
        ipack_testing::tables::count(&database, "suggestions WHERE account_id = 'account-2'").await,
        250
    );
}
