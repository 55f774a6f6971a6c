//! The filters `etl mask` and `etl unmask`: what passes, what is refused, and what is recorded.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::harness::{Etl, Outcome};
use crate::keyset::Keys;

const ADDRESS: &str = "199.172.111.135";
const DEVICE: &str = "593-47-5928";

fn filter(command: &str, keys: &Keys, arguments: &[&str], input: &str) -> Outcome {
    Etl::bare(command)
        .env("ETL_MASKING", "aes-siv")
        .env("ETL_KEYSET", &keys.file)
        .args(arguments)
        .stdin(input)
        .output()
}

fn passed(command: &str, keys: &Keys, arguments: &[&str], input: &str) -> String {
    let outcome = filter(command, keys, arguments, input);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    outcome.stdout
}

/// The input comes back byte for byte, and nothing of it could be read in between.
fn comes_back(arguments: &[&str], input: &str) {
    let keys = Keys::of("aes-siv");
    let masked = passed("mask", &keys, arguments, input);
    assert!(
        !masked.contains(ADDRESS) && !masked.contains(DEVICE),
        "{masked}"
    );
    assert_eq!(passed("unmask", &keys, arguments, &masked), input);
}

#[test]
fn lines_come_back_with_their_endings_and_empty_lines() {
    comes_back(
        &["--domain", "ip"],
        "199.172.111.135\n\n2001:db8::1\r\nnot-an-ip",
    );
    comes_back(&["--domain", "device_id"], "593-47-5928\nüñí 🦀\n \n");
}

#[test]
fn json_lines_come_back_with_every_other_byte_as_it_was() {
    comes_back(
        &["--jsonl", "--field", "ip", "--field", "device_id"],
        "{ \"n\":1.50e3, \"ip\" : \"199.172.111.135\",\"device_id\":null,\"x\":{\"ip\":\"kept\"}}\n\
         \n\
         {\"device_id\":\"593-47-5928\",\"ip\":\"\",\"big\":123456789012345678901234567890,\"ip\":\"1.2.3.4\"}\r\n\
         {\"other\":[\"ip\", {}]}",
    );
}

#[test]
fn csv_comes_back_with_quotes_short_rows_and_line_ends() {
    comes_back(
        &["--csv", "--field", "masked_ip=ip", "--field", "device"],
        "user,masked_ip,device\r\n\"a, \"\"b\"\"\",199.172.111.135,\"line\nbreak\"\r\nshort\r\n,,593-47-5928\r\n",
    );
}

#[test]
fn each_scheme_that_can_be_reversed_comes_back_and_the_others_say_so() {
    for scheme in ["base64", "aes-siv", "ipcrypt-pfx"] {
        let keys = Keys::of(if scheme == "base64" {
            "aes-siv"
        } else {
            scheme
        });
        let arguments = ["--masking", scheme, "--domain", "ip"];
        let masked = passed("mask", &keys, &arguments, "1.2.3.4\n");
        assert_ne!(masked, "1.2.3.4\n");
        assert_eq!(passed("unmask", &keys, &arguments, &masked), "1.2.3.4\n");
    }
    for scheme in ["hmac-sha256", "truncate", "redact"] {
        let arguments = ["--masking", scheme, "--domain", "ip"];
        filter("unmask", &Keys::of("hmac-sha256"), &arguments, "x\n")
            .assert_refused(2, &[scheme, "cannot be reversed"]);
    }
}

#[test]
fn a_column_and_a_filter_mask_alike() {
    let keys = Keys::of("aes-siv");
    let one = passed("mask", &keys, &["--domain", "ip"], "2001:0DB8::1\n");
    let field = ["--jsonl", "--field", "peer=ip"];
    let other = passed(
        "mask",
        &keys,
        &field,
        "{\"peer\":\"2001:db8:0:0:0:0:0:1\"}\n",
    );
    assert_eq!(other, format!("{{\"peer\":\"{}\"}}\n", one.trim_end()));
    let as_text = ["--jsonl", "--field", "peer=ip:text"];
    let verbatim = passed("mask", &keys, &as_text, "{\"peer\":\"2001:0DB8::1\"}\n");
    assert_ne!(verbatim, other);
}

#[test]
fn a_bad_value_leaves_its_place_empty_and_the_rest_goes_on() {
    let keys = Keys::of("aes-siv");
    let good = passed(
        "mask",
        &keys,
        &["--domain", "device_id"],
        &format!("{DEVICE}\n"),
    );
    let good = good.trim_end();
    let altered = good.replace(
        &good[20..22],
        if &good[20..22] == "AA" { "BB" } else { "AA" },
    );
    let lines = format!("{good}\n{altered}\n{DEVICE}\n{good}\n");
    let outcome = filter("unmask", &keys, &["--domain", "device_id"], &lines);
    assert_eq!(outcome.stdout, format!("{DEVICE}\n\n\n{DEVICE}\n"));
    outcome.assert_refused(1, &["line 2: ", "line 3: ", "2 of 4 values"]);
    assert!(!outcome.stderr.contains(DEVICE) && !outcome.stderr.contains(&altered));

    let csv = format!("id,device_id\n1,{good}\n2,{altered}\n3,{good}\n");
    let outcome = filter("unmask", &keys, &["--csv", "--field", "device_id"], &csv);
    assert_eq!(
        outcome.stdout,
        format!("id,device_id\n1,{DEVICE}\n2,\n3,{DEVICE}\n")
    );
    outcome.assert_refused(1, &["line 3: device_id: "]);

    let objects =
        format!("{{\"device_id\":\"{good}\"}}\n{{\"n\":1,\"device_id\":\"{altered}\"}}\n");
    let outcome = filter(
        "unmask",
        &keys,
        &["--jsonl", "--field", "device_id"],
        &objects,
    );
    assert_eq!(
        outcome.stdout,
        format!("{{\"device_id\":\"{DEVICE}\"}}\n{{\"n\":1,\"device_id\":null}}\n")
    );
    outcome.assert_refused(1, &["line 2: device_id: "]);
}

#[test]
fn what_could_hide_a_value_does_not_pass_when_masking() {
    let keys = Keys::of("aes-siv");
    let input = format!(
        "{{\"ip\":\"{ADDRESS}\"\n{{\"ip\":[\"{ADDRESS}\"]}}\n[{{\"ip\":\"{ADDRESS}\"}}]\n{{\"\\u0069p\":\"{ADDRESS}\"}}\n"
    );
    let outcome = filter("mask", &keys, &["--jsonl", "--field", "ip"], &input);
    assert!(
        !outcome.stdout.contains(ADDRESS) && !outcome.stderr.contains(ADDRESS),
        "{outcome:?}"
    );
    assert_eq!(outcome.stdout.lines().count(), 4);
    assert!(
        outcome
            .stdout
            .starts_with("\n{\"ip\":null}\n\n{\"\\u0069p\":\"A"),
        "{outcome:?}"
    );
    outcome.assert_refused(1, &["line 1: ", "line 2: ip: ", "line 3: "]);
    let long = "x".repeat(172);
    filter("mask", &keys, &["--domain", "device_id"], &long)
        .assert_refused(1, &["line 1: ", "longer than 256"]);
}

#[test]
fn a_field_that_is_not_there_is_no_success() {
    let keys = Keys::of("aes-siv");
    let csv = filter(
        "mask",
        &keys,
        &["--csv", "--field", "IP=ip"],
        "ip\n1.2.3.4\n",
    );
    csv.assert_refused(2, &["the header has no column IP"]);
    assert_eq!(csv.stdout, "");
    filter(
        "mask",
        &keys,
        &["--jsonl", "--field", "IP=ip"],
        "{\"ip\":\"1.2.3.4\"}\n",
    )
    .assert_refused(1, &["no line has the field IP"]);
    filter(
        "mask",
        &keys,
        &["--jsonl", "--field", "ip", "--field", "ip=x"],
        "",
    )
    .assert_refused(2, &["--field ip is given twice"]);
}

#[test]
fn empty_input_is_empty_output() {
    let keys = Keys::of("aes-siv");
    for arguments in [
        &["--domain", "ip"][..],
        &["--jsonl", "--field", "ip"],
        &["--csv", "--field", "ip"],
    ] {
        assert_eq!(passed("mask", &keys, arguments, ""), "");
    }
}

/// The lines of an audit log.
fn records(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn every_recovery_is_on_record_and_no_value_is() {
    let keys = Keys::of("aes-siv");
    let masked = passed("mask", &keys, &["--domain", "ip"], &format!("{ADDRESS}\n"));
    let old = keys.rotate();
    let both = format!(
        "{masked}{}broken\n",
        passed("mask", &keys, &["--domain", "ip"], "1.2.3.4\n")
    );
    let log = keys.path("audit.jsonl");
    for _ in 0..2 {
        let arguments = ["--domain", "ip", "--audit-log", log.to_str().unwrap()];
        let outcome = filter("unmask", &keys, &arguments, &both);
        assert_eq!(outcome.stdout, format!("{ADDRESS}\n1.2.3.4\n\n"));
    }
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(
        !text.contains(ADDRESS) && !text.contains(masked.trim_end()),
        "{text}"
    );
    let records = records(&text);
    let events: Vec<_> = records
        .iter()
        .map(|record| record["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        events,
        [
            "unmask_started",
            "unmask_finished",
            "unmask_started",
            "unmask_finished"
        ]
    );
    let finished = &records[1];
    assert_eq!(
        (&finished["recovered"], &finished["failures"]),
        (&2.into(), &1.into())
    );
    assert_eq!(
        (&finished["scheme"], &finished["domains"][0]),
        (&"aes-siv".into(), &"ip".into())
    );
    assert_eq!(records[0]["run"], finished["run"]);
    assert!(
        finished["uid"].is_u64() && finished["time"].is_string() && finished["host"].is_string()
    );
    let ids = finished["key_ids"].as_array().unwrap();
    assert!(
        ids.len() == 2 && ids.iter().any(|id| id.as_u64() == old.parse().ok()),
        "{finished}"
    );
    let mode = std::fs::metadata(&log).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn nothing_is_recovered_that_cannot_be_recorded() {
    let keys = Keys::of("aes-siv");
    let masked = passed("mask", &keys, &["--domain", "ip"], "1.2.3.4\n");
    let outcome = filter(
        "unmask",
        &keys,
        &["--domain", "ip", "--audit-log", "/nowhere/log"],
        &masked,
    );
    outcome.assert_refused(2, &["audit log", "nothing was recovered"]);
    assert_eq!(outcome.stdout, "");
    let unwritable = ["--domain", "ip", "--audit-log", "/dev/full"];
    let outcome = filter("unmask", &keys, &unwritable, &masked);
    outcome.assert_refused(1, &["audit record"]);
    assert_eq!(outcome.stdout, "");
}

#[test]
fn without_a_log_the_record_stands_on_stderr() {
    let keys = Keys::of("aes-siv");
    let masked = passed("mask", &keys, &["--domain", "ip"], "1.2.3.4\n");
    let outcome = filter("unmask", &keys, &["--domain", "ip"], &masked);
    assert_eq!(records(&outcome.stderr).len(), 2);
}

#[test]
fn a_disabled_key_recovers_nothing_until_it_is_enabled() {
    let keys = Keys::of("aes-siv");
    let masked = passed("mask", &keys, &["--domain", "ip"], "1.2.3.4\n");
    let old = keys.rotate();
    keys.changed(&["disable", "--key-id", &old]);
    filter("unmask", &keys, &["--domain", "ip"], &masked)
        .assert_refused(1, &["line 1: ", &old, "not enabled"]);
    keys.changed(&["enable", "--key-id", &old]);
    assert_eq!(
        passed("unmask", &keys, &["--domain", "ip"], &masked),
        "1.2.3.4\n"
    );
}

#[test]
fn what_the_input_holds_must_be_said() {
    let keys = Keys::of("aes-siv");
    for arguments in [&[][..], &["--field", "ip"]] {
        let outcome = filter("unmask", &keys, arguments, "");
        outcome.assert_refused(
            2,
            &["--domain ip", "--jsonl or --csv", "--field masked_ip=ip"],
        );
    }
}

#[test]
fn a_key_file_of_another_scheme_is_refused_by_the_names_of_both() {
    let keys = Keys::of("aes-siv");
    let arguments = ["--masking", "hmac-sha256", "--domain", "ip"];
    let outcome = filter("mask", &keys, &arguments, "1.2.3.4\n");
    outcome.assert_refused(
        2,
        &["hmac-sha256", "AesSivKey", "aes-siv", "etl keyset new"],
    );
    let arguments = ["--masking", "ipcrypt-pfx", "--domain", "device_id"];
    let outcome = filter("mask", &Keys::of("ipcrypt-pfx"), &arguments, "1.2.3.4\n");
    outcome.assert_refused(2, &["addresses only", "--kind ip"]);
    let arguments = ["--masking", "ipcrypt-pfx", "--domain", "ip"];
    let outcome = filter("mask", &keys, &arguments, "1.2.3.4\n");
    outcome.assert_refused(2, &["not a key of ipcrypt-pfx", "--scheme ipcrypt-pfx"]);
}
